"""Resolved callers are remembered while no fact can have changed, and not longer."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from sidecar.core.ids import ClusterId, IdType, UserId
from sidecar.core.model import TenantContext
from sidecar.identity.access_tokens import AccessTokens
from sidecar.identity.api_keys import ApiKeys
from sidecar.identity.work import Work
from sidecar.ports import FactKey, T, Verifiers
from sidecar.service.asking import Caller, NamedUser, PresentedApiKey
from sidecar.service.resolving import Contexts, Resolved, Resolver
from tests.core.facts import OWN, acting, user
from tests.spec.cases import load_world
from tests.support.memory import Document, MemoryFacts
from tests.support.pipeline import ManualClock

if TYPE_CHECKING:
    from collections.abc import Callable

ANN = Caller(NamedUser(UserId("2"), None), "20")


class CountedFacts(MemoryFacts):
    """Facts that count how often they are read, under an epoch that a test sets."""

    def __init__(self, document: Document) -> None:
        super().__init__(document)
        self.reads = 0
        self.now: int | None = 1
        self.while_reading: Callable[[], None] = lambda: None

    @property
    @override
    def epoch(self) -> int | None:
        return self.now

    @override
    async def get(self, key: FactKey[T]) -> T:
        self.reads += 1
        self.while_reading()
        return await super().get(key)


@pytest.fixture
def facts() -> CountedFacts:
    """The facts of the world `tenancy`."""
    return CountedFacts(load_world("tenancy")[0])


@pytest.fixture
def resolver() -> Resolver:
    """A resolver that remembers nothing yet."""
    clock, work = ManualClock(), Work()
    tokens = AccessTokens([], clock, work, 16_384)
    return Resolver(Verifiers(ApiKeys(clock, work), tokens), IdType.BIGINT)


async def test_caller_is_resolved_once_an_epoch(
    resolver: Resolver, facts: CountedFacts
) -> None:
    """The same caller under the same epoch costs no reading, and gets the same."""
    first = await resolver.resolve(ANN, facts)
    reads = facts.reads
    second = await resolver.resolve(ANN, facts)

    assert isinstance(first.context, TenantContext)
    assert first == second
    assert reads == facts.reads


@pytest.mark.parametrize("later", [2, None])
async def test_another_epoch_reads_again(
    resolver: Resolver, facts: CountedFacts, later: int | None
) -> None:
    """After a change, or when nobody tells of changes, the facts are read."""
    await resolver.resolve(ANN, facts)
    reads = facts.reads
    facts.now = later

    await resolver.resolve(ANN, facts)

    assert 2 * reads == facts.reads


async def test_change_while_resolving_is_not_remembered_over(
    resolver: Resolver, facts: CountedFacts
) -> None:
    """What was read partly before a change is not given to anyone after it."""

    def change() -> None:
        facts.now = 2

    facts.while_reading = change
    await resolver.resolve(ANN, facts)
    reads = facts.reads

    await resolver.resolve(ANN, facts)

    assert 2 * reads == facts.reads


async def test_without_an_epoch_nothing_is_remembered(
    resolver: Resolver, facts: CountedFacts
) -> None:
    """Facts of a snapshot, or of an unwatched relation, answer one question."""
    facts.now = None
    await resolver.resolve(ANN, facts)
    reads = facts.reads

    await resolver.resolve(ANN, facts)

    assert 2 * reads == facts.reads


async def test_key_is_verified_each_time(
    resolver: Resolver, facts: CountedFacts
) -> None:
    """A key can expire without a change: it is read again, and what it names not."""
    key = PresentedApiKey("key_annacme_0123456789abcdef0123456789abcdef")
    caller = Caller(key, "")
    first = await resolver.resolve(caller, facts)
    reads = facts.reads

    await resolver.resolve(caller, facts)

    assert isinstance(first.context, TenantContext)
    assert reads + 1 == facts.reads


async def test_made_up_name_is_not_remembered(
    resolver: Resolver, facts: CountedFacts
) -> None:
    """Who resolves to nothing takes no place from those who do."""
    caller = Caller(NamedUser(UserId("999"), None), "")
    await resolver.resolve(caller, facts)

    assert 0 == len(resolver._remembered)


def resolved(clusters: int) -> Resolved:
    """A context with so many accessible clusters."""
    granted = frozenset(ClusterId(str(each)) for each in range(clusters))
    context = replace(acting(user(), OWN), accessible_cluster_ids=granted)
    return Resolved(context)


def named(number: int) -> Caller:
    """One of many callers."""
    return Caller(NamedUser(UserId(str(number)), None), "")


@pytest.mark.parametrize("clusters", [0, 1, 100, 1_000])
def test_remembered_contexts_are_bounded_by_weight(clusters: int) -> None:
    """Callers with many clusters are remembered in smaller number."""
    contexts = Contexts(most=2_000)
    counts = set()
    for number in range(1_000):
        contexts.put(named(number), 1, resolved(clusters))
        counts.add(len(contexts))

    assert 2_000 // (10 + clusters) == max(counts)


def test_caller_too_large_to_remember_pushes_nobody_out() -> None:
    """What weighs more than all may is worked out each time."""
    contexts = Contexts(most=100)
    contexts.put(named(1), 1, resolved(0))
    contexts.put(named(2), 1, resolved(1_000))

    assert contexts.of(named(2), 1) is None
    assert contexts.of(named(1), 1) is not None


def test_caller_remembered_again_weighs_once() -> None:
    """A caller takes the place that it had before."""
    contexts = Contexts(most=100)
    for epoch in range(100):
        contexts.put(named(1), epoch, resolved(30))
        contexts.put(named(2), epoch, resolved(30))

    assert [None, None] == [contexts.of(named(1), 98), contexts.of(named(2), 98)]
    assert 2 == len(contexts)
