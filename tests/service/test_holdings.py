"""What a caller holds is read once while no fact changes, and answers are shared."""

from collections.abc import Sequence

import pytest
from typing_extensions import override

from sidecar.core.ids import FeatureInstanceId, IdType, UserId
from sidecar.core.model import AccessLevel, Permissions, Role, RuleContext
from sidecar.core.permissions import (
    HeldRole,
    PermissionQuery,
    RolePrecedence,
    RoleSource,
)
from sidecar.identity.access_tokens import AccessTokens
from sidecar.identity.api_keys import ApiKeys
from sidecar.identity.work import Work
from sidecar.ports import FactKey, T, Verifiers
from sidecar.service.asking import Caller, NamedUser
from sidecar.service.holding import Holding, Holdings, Kept, Remembered
from sidecar.service.permitting import read_holdings
from sidecar.service.resolving import Resolver
from tests.core.facts import permissions, role
from tests.spec.cases import load_world
from tests.support.memory import Document, MemoryFacts
from tests.support.pipeline import ManualClock

DATA = RuleContext.DATA
UNION = RolePrecedence.UNION
ANN = Caller(NamedUser(UserId("2"), None), "20")


class CountedFacts(MemoryFacts):
    """Facts that count how many of them are read, under an epoch that a test sets."""

    def __init__(self, document: Document) -> None:
        super().__init__(document)
        self.reads = 0
        self.now: int | None = 1

    @property
    @override
    def epoch(self) -> int | None:
        return self.now

    @override
    async def get_all(self, keys: Sequence[FactKey[T]]) -> list[T]:
        self.reads += len(keys)
        return await super().get_all(keys)


def query(instance: str | None = None) -> PermissionQuery:
    """A question about everything, within an instance or in none."""
    return PermissionQuery(
        DATA, None, None if instance is None else FeatureInstanceId(instance)
    )


@pytest.fixture
def facts() -> CountedFacts:
    """The facts of the world `permissions`."""
    return CountedFacts(load_world("permissions")[0])


@pytest.fixture
def resolver() -> Resolver:
    """A resolver that remembers nothing yet."""
    clock, work = ManualClock(), Work()
    tokens = AccessTokens([], clock, work, 16_384)
    return Resolver(Verifiers(ApiKeys(clock, work), tokens), IdType.BIGINT)


async def test_holdings_are_read_once_an_epoch(
    resolver: Resolver, facts: CountedFacts
) -> None:
    """The same question under the same epoch reads no role, and is answered alike."""
    remembered = Remembered(UNION)
    resolved = await resolver.resolve(ANN, facts)
    first = await read_holdings(resolved, [query("shop")], facts, remembered)
    reads = facts.reads
    second = await read_holdings(resolved, [query("shop")], facts, remembered)

    assert reads > 0
    assert reads == facts.reads
    assert first.answer(query("shop")) == second.answer(query("shop"))


@pytest.mark.parametrize("later", [2, None])
async def test_another_epoch_reads_holdings_again(
    resolver: Resolver, facts: CountedFacts, later: int | None
) -> None:
    """A role that was taken away is not held any more once a change was told."""
    remembered = Remembered(UNION)
    resolved = await resolver.resolve(ANN, facts)
    before = await read_holdings(resolved, [query()], facts, remembered)
    emptied = {**load_world("permissions")[0], "membership_roles": []}

    after_facts = CountedFacts(emptied)
    after_facts.now = later
    resolved = await resolver.resolve(ANN, after_facts)
    after = await read_holdings(resolved, [query()], after_facts, remembered)

    assert before.by_instance[None].held
    assert () == after.by_instance[None].held


async def test_instances_that_somebody_makes_up_are_bounded(
    resolver: Resolver, facts: CountedFacts
) -> None:
    """However many instances a caller names, few are kept; all are answered."""
    remembered = Remembered(UNION)
    resolved = await resolver.resolve(ANN, facts)
    for number in range(100):
        asked = query(f"made-up-{number}")
        holdings = await read_holdings(resolved, [asked], facts, remembered)
        holdings.answer(asked)

    assert 16 == len(resolved.holdings)


def holding(*roles: Role) -> Holding:
    """What somebody holds who has these roles."""
    source = next(iter(RoleSource))
    return Holding(
        tuple(HeldRole(each.id, source, each, None) for each in roles), roles
    )


def many_rules(name: str, rules: int) -> Role:
    """A role with so many rules."""
    return role(name, None, None, **{f"item{each}": "annn" for each in range(rules)})


def test_callers_hold_on_to_so_many_rules_and_no_more() -> None:
    """Roles would else outlive their place in the cache, with all who hold them."""
    kept, callers = Kept(most=1_000), list[Holdings]()
    for number in range(100):
        holdings: Holdings = {}
        kept.keep(holdings, {None: holding(many_rules(f"r{number}", 99))}, 1)
        callers.append(holdings)

    with_some = [each for each in callers if each]
    assert 10 == len(with_some)
    assert callers[-10:] == with_some
    assert 1_000 == len(kept)


def test_a_role_that_many_hold_weighs_once() -> None:
    """What they have in common is in memory once."""
    kept, shared = Kept(most=1_000), many_rules("shared", 500)
    callers: list[Holdings] = [{} for _ in range(200)]
    for each in callers:
        kept.keep(each, {None: holding(shared)}, 1)

    assert all(callers)
    assert 500 + len(callers) == len(kept)


def test_many_roles_in_one_holding_weigh_more() -> None:
    """However few rules they have."""
    kept, none = Kept(most=1_000), role("r")
    kept.keep({}, {None: holding(*[none] * 80)}, 1)

    assert 11 == len(kept)


def test_what_is_too_large_is_kept_by_nobody() -> None:
    """It would push out all others, and be pushed out by the next."""
    kept, large = Kept(most=100), dict[FeatureInstanceId | None, Holding]()
    kept.keep(large, {None: holding(many_rules("large", 200))}, 1)

    assert {} == large
    assert 0 == len(kept)


def test_nothing_is_kept_from_before_a_change() -> None:
    """With the epoch all who were remembered are forgotten, so nothing is counted."""
    kept, before, after = Kept(most=1_000), Holdings(), Holdings()
    kept.keep(before, {None: holding(many_rules("r", 500))}, 1)
    kept.keep(after, {None: holding(many_rules("r", 500))}, 2)

    assert before
    assert after
    assert 501 == len(kept)


async def test_holdings_that_are_pushed_out_are_read_again(
    resolver: Resolver, facts: CountedFacts
) -> None:
    """They are read, and the answers are the same; who has them goes on with them."""
    remembered = Remembered(UNION)
    resolved = await resolver.resolve(ANN, facts)
    await read_holdings(resolved, [query()], facts, remembered)
    first = await read_holdings(resolved, [query()], facts, remembered)
    reads = facts.reads
    full = holding(many_rules("other", 49_999))
    remembered.kept.keep({}, {None: full}, facts.now)
    reasons = first.reasons(query(), ())
    second = await read_holdings(resolved, [query()], facts, remembered)

    assert reads < facts.reads
    assert first.answer(query()) == second.answer(query())
    assert reasons == second.reasons(query(), ())


def test_answers_are_shared_by_the_same_roles() -> None:
    """Who holds the very same roles is answered from what was asked before."""
    remembered = Remembered(UNION)
    held = (role("r", generic="mnnn"), role("s", shop="anna"))

    assert remembered.of(held, 1) is remembered.of(tuple(held), 1)


def test_role_that_was_read_again_is_another_one() -> None:
    """A role's next value never gets the answers of the one before."""
    remembered = Remembered(UNION)
    before = remembered.of((role("r", generic="annn"),), 1).answer(DATA, "shop")
    after = remembered.of((role("r", generic="mnnn"),), 1).answer(DATA, "shop")

    assert (AccessLevel.ALL, AccessLevel.MY) == (before.read, after.read)


@pytest.mark.parametrize("most", [1, 7, 100])
def test_forgetting_changes_no_answer(most: int) -> None:
    """However little may be remembered, every answer is that of the roles."""
    remembered = Remembered(UNION, most)
    answers: list[Permissions] = []
    for _ in range(3):
        for levels in ("nnnn", "mnnn", "ammm", "aaaa"):
            held = remembered.of((role("r", generic=levels),), 1)
            answers += [held.answer(DATA, f"item-{each}") for each in range(5)]
    wanted = [permissions(each) for each in ("nnnn", "mnnn", "ammm", "aaaa")]

    assert [each for each in wanted for _ in range(5)] * 3 == answers


def test_what_is_remembered_is_bounded() -> None:
    """Items that somebody makes up do not fill memory."""
    remembered = Remembered(UNION, most=50)
    held = (role("r", generic="annn"),)
    for number in range(1_000):
        remembered.of(held, 1).answer(DATA, f"item-{number}")

    assert len(remembered) <= 50


def test_nothing_is_remembered_from_before_a_change() -> None:
    """Roles that are no more are not held on to."""
    remembered = Remembered(UNION)
    held = (role("r", generic="annn"),)
    before = remembered.of(held, 1)
    before.answer(DATA, "shop")

    assert remembered.of(held, 2) is not before
    assert 2 == len(remembered)


def test_facts_of_a_snapshot_are_remembered_by_nobody() -> None:
    """They push nothing out, and are answered as well."""
    remembered = Remembered(UNION)
    held = (role("r", generic="annn"),)
    kept = remembered.of(held, 1)
    found = remembered.of(held, None)

    assert kept is not found
    assert kept is remembered.of(held, 1)
    assert AccessLevel.ALL == found.answer(DATA, "shop").read


def test_long_items_weigh_more() -> None:
    """Whoever makes up long items fills no more memory than with short ones."""
    remembered = Remembered(UNION, most=50)
    held = (role("r", generic="annn"),)
    for number in range(20):
        remembered.of(held, 1).answer(DATA, f"{number}{'x' * 500}")

    assert len(remembered._answers[(id(held[0]),)]._known) <= 12
