"""The cache against the world: whatever happens, it answers nothing older."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from math import inf
from typing import TypeVar, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import override

from sidecar.core.ids import ClusterId, MembershipId, PrincipalId, RoleId, UserId
from sidecar.core.model import Membership, Standing
from sidecar.ports import FactKey, Facts, GrantsKey, StandingKey, UserKey
from sidecar.store.cache import CachedFacts
from sidecar.store.dependencies import GROUPS as OF_KEYS
from sidecar.store.dependencies import Tag, tags
from sidecar.store.shelf import Shelf
from sidecar.store.weights import CacheSizes, Limit
from tests.store.fakes import FakeClock, user

T = TypeVar("T")

IDS = st.integers(0, 3).map(str)
SMALL = CacheSizes(users=Limit(3, 2), grants=Limit(6, 3), standings=Limit(12, 2))


@dataclass(frozen=True)
class Get:
    """Somebody asks."""

    keys: tuple[FactKey[object], ...]


@dataclass(frozen=True)
class Finish:
    """One of the readings under way ends, well or not."""

    which: int
    fails: bool


@dataclass(frozen=True)
class Commit:
    """A row is changed; the feed has not told it yet."""

    group: str
    key: str


@dataclass(frozen=True)
class Deliver:
    """The feed tells the oldest change, or that its whole group may have changed."""

    as_group: bool


@dataclass(frozen=True)
class Lose:
    """The feed is lost and found again: all that was under way in it has arrived."""


KEYS: st.SearchStrategy[FactKey[object]] = st.one_of(
    IDS.map(lambda each: UserKey(UserId(each))),
    IDS.map(lambda each: GrantsKey(PrincipalId(each))),
    st.builds(StandingKey, IDS.map(PrincipalId), IDS.map(PrincipalId)),
)
BATCHES = st.one_of(
    KEYS.map(lambda key: (key,)),
    st.lists(IDS.map(lambda each: UserKey(UserId(each))), min_size=1).map(tuple),
)
GROUPS = st.sampled_from(["user", "principal", "member", "grants", "membership_roles"])
STEPS = st.one_of(
    st.builds(Get, BATCHES),
    st.builds(Get, BATCHES),
    st.builds(Finish, st.integers(0, 5), st.booleans()),
    st.builds(Commit, GROUPS, IDS),
    st.builds(Deliver, st.booleans()),
    st.builds(Lose),
)


@dataclass
class Rows:
    """How often each row was changed; a fact shows that of each row it rests on."""

    versions: dict[tuple[str, str], int] = field(default_factory=dict)

    def version(self, group: str, key: str) -> int:
        """How often a row was changed."""
        return self.versions.get((group, key), 0)

    def change(self, commit: Commit) -> None:
        """Changes a row once more."""
        row = (commit.group, commit.key)
        self.versions[row] = self.version(*row) + 1

    def fact(self, key: FactKey[object]) -> object:
        """The fact of a key, made of rows that depend on other rows."""
        match key:
            case UserKey(user_id):
                changed = self.version("user", user_id)
                principal = str(changed % 4)
                name = f"{changed} {self.version('principal', principal)}"
                absent = changed % 5 == 4
                return None if absent else user(user_id, principal, name)
            case GrantsKey(principal_id):
                return self._clusters(principal_id)
            case StandingKey(member, current):
                return self._standing(member, current)
            case _:
                raise TypeError(key)

    def _clusters(self, principal: str) -> frozenset[ClusterId]:
        changed = self.version("grants", principal)
        return frozenset({ClusterId(f"{principal} {changed}")} if changed % 2 else {})

    def _standing(self, member: str, current: str) -> Standing:
        changed = self.version("member", member)
        groups = tuple(PrincipalId(str(n)) for n in range(changed % 3))
        membership = MembershipId(str(changed % 4))
        assigned = self.version("membership_roles", membership)
        principal = user("", current, str(self.version("principal", current))).principal
        clusters = frozenset().union(
            *(self._clusters(each) for each in (member, current, *groups))
        )
        return Standing(
            principal,
            Membership(membership, None) if changed % 2 else None,
            groups,
            clusters | {ClusterId(f"of {member}: {changed}")},
            (RoleId(f"{membership} {assigned}"),) if changed % 2 else (),
        )


class SlowFacts(Facts):
    """Readings that see the rows when they begin and end when they are told to."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.under_way: list[asyncio.Future[None]] = []

    @override
    async def get(self, key: FactKey[T]) -> T:
        return (await self.get_all([key]))[0]

    @override
    async def get_all(self, keys: Sequence[FactKey[T]]) -> list[T]:
        facts = [cast("T", self.rows.fact(key)) for key in keys]
        end = asyncio.get_running_loop().create_future()
        self.under_way.append(end)
        await end
        return facts


class World:
    """Rows with their history, how much of it was told, and a cache in front."""

    def __init__(self) -> None:
        self.rows = Rows()
        self.history: list[Commit] = []
        self.told = 0
        self.facts = SlowFacts(self.rows)
        self.cache = CachedFacts(self.facts, FakeClock(), SMALL)
        self.cache.live_until = inf
        self.questions: list[asyncio.Task[None]] = []

    async def step(self, step: object) -> None:
        """Does one thing, and lets what can go on go on."""
        match step:
            case Get(keys):
                self.questions.append(asyncio.create_task(self._ask(keys)))
            case Finish(which, fails) if self.facts.under_way:
                self._finish(which % len(self.facts.under_way), fails=fails)
            case Commit():
                self.history.append(step)
                self.rows.change(step)
            case Deliver(as_group) if self.told < len(self.history):
                commit = self.history[self.told]
                self.told += 1
                self.cache.changed(commit.group, None if as_group else commit.key)
            case Lose():
                self.told = len(self.history)
                self.cache.drop_everything()
            case _:
                pass
        for _ in range(5):
            await asyncio.sleep(0)
        for shelf in self.cache._all.values():
            check_books(shelf)

    async def finish(self) -> None:
        """Lets every reading end; each question checks its own answer."""
        while self.facts.under_way:
            await self.step(Finish(0, fails=False))
        await asyncio.gather(*self.questions)

    def _finish(self, which: int, *, fails: bool) -> None:
        end = self.facts.under_way.pop(which)
        if fails:
            end.set_exception(OSError("gone"))
        else:
            end.set_result(None)

    async def _ask(self, keys: tuple[FactKey[object], ...]) -> None:
        told = self.told
        try:
            answers = await self.cache.get_all(keys)
        except OSError:
            return
        moments = self._moments_since(told)
        for key, answer in zip(keys, answers, strict=True):
            assert answer in [moment.fact(key) for moment in moments]

    def _moments_since(self, told: int) -> list[Rows]:
        # What was told before a question must show in its answer, what was not may.
        rows = Rows()
        moments = []
        for count in range(len(self.history) + 1):
            if count >= told:
                moments.append(Rows(dict(rows.versions)))
            if count < len(self.history):
                rows.change(self.history[count])
        return moments


def check_books(shelf: Shelf[object]) -> None:
    """A shelf's books agree with one another and with its limits."""
    entries = set(shelf.entries.values())
    held = [*shelf._present.values(), *shelf._absent.values()]
    tags_of = {entry: tags(shelf.key(entry.identity), entry.fact) for entry in entries}
    by_tag = {
        tag: {entry for entry in entries if tag in tags_of[entry]}
        for tag in frozenset[Tag]().union(*tags_of.values())
    }

    assert entries == set(held)
    assert len(entries) == len(held)
    index = shelf._by_tag
    assert by_tag == {tag: {*index.under(tag)} for tag in index.tags()}
    for bounded in (shelf._present, shelf._absent):
        assert sum(entry.weight for entry in bounded.values()) == bounded.currsize
        assert bounded.currsize <= bounded.maxsize


@pytest.mark.parametrize("key_type", OF_KEYS, ids=lambda each: each.__name__)
def test_identity_leads_back_to_its_key(key_type: type[FactKey[object]]) -> None:
    """What is let go of is found by the key that its identity was made of."""
    shelf = Shelf(key_type, Limit(1, 1))
    key = key_type(*(each.name for each in fields(key_type)))

    assert key == shelf.key(shelf.identity(key))


@given(st.lists(STEPS, max_size=40))
@settings(max_examples=300, deadline=None)
def test_no_answer_is_older_than_the_last_change_told(steps: list[object]) -> None:
    """Whatever is asked, changed, lost or evicted, in whatever order."""

    async def run() -> None:
        world = World()
        for step in steps:
            await world.step(step)
        await world.finish()

    asyncio.run(run())


def test_tags_name_every_row_that_the_model_makes_a_fact_of() -> None:
    """The model's facts change with exactly the rows that their tags name."""
    for key in (
        UserKey(UserId("1")),
        GrantsKey(PrincipalId("2")),
        StandingKey(PrincipalId("1"), PrincipalId("2")),
    ):
        rows = Rows({("member", "1"): 1})
        fact = rows.fact(key)
        altering = {
            (group, row)
            for group in ("user", "principal", "member", "grants", "membership_roles")
            for row in "0123"
            if altered(rows, Commit(group, row)).fact(key) != fact
        }

        assert altering <= tags(key, fact)


def altered(rows: Rows, commit: Commit) -> Rows:
    """The rows after one more change."""
    copy = Rows(dict(rows.versions))
    copy.change(commit)
    return copy
