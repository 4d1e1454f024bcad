"""Facts from memory: a decorator of whatever reads them.

Nothing here waits but for a load, and everything runs on one event loop, so what
is held, what is under way and what changed never disagree.
"""

import asyncio
import itertools
from collections.abc import Hashable, Iterable, Mapping, Sequence
from math import inf
from types import TracebackType
from typing import Protocol, Self, TypeVar, cast

from typing_extensions import override

from sidecar.ports import Clock, DeadlineTooNearError, FactKey, Facts
from sidecar.store.dependencies import GROUPS
from sidecar.store.load import Load
from sidecar.store.shelf import Shelf, ShelfStats
from sidecar.store.weights import CacheSizes

T = TypeVar("T")

_DEFAULT_SIZES = CacheSizes()


class CachedFacts(Facts):
    """Answers from memory, and reads what is not there once for all who ask.

    After `live_until`, a time of the clock and at first long ago, every question
    reads and nothing new is held. Errors of the loader reach all who wait, and are
    never held.
    """

    def __init__(
        self,
        loader: Facts,
        clock: Clock,
        sizes: CacheSizes = _DEFAULT_SIZES,
        min_remaining: float = 0.005,
    ) -> None:
        """`min_remaining`: seconds; with less than that left nothing is read."""
        self.live_until = -inf
        self._loader = loader
        self._clock = clock
        self._min_remaining = min_remaining
        self._all = {
            key_type: Shelf(key_type, sizes.limit(key_type)) for key_type in GROUPS
        }
        self.shelves = cast("Shelves", self._all)
        self._tasks: set[asyncio.Task[None]] = set()
        # None while something is not watched: nobody tells when that changes.
        self.watched_epoch: int | None = 0
        self._epochs = itertools.count(1)

    @property
    def live(self) -> bool:
        """Whether what is held may answer now."""
        return self._clock.monotonic() <= self.live_until

    def within(self, deadline: float, revision: str | None = None) -> "TimedFacts":
        """Facts for one question; `deadline` is a time of the clock.

        `revision`: one up to which every change was told here.
        """
        return TimedFacts(self, deadline, revision, from_memory=self.live)

    @override
    async def get(self, key: FactKey[T]) -> T:
        return await self.within(inf).get(key)

    @override
    async def get_all(self, keys: Sequence[FactKey[T]]) -> list[T]:
        return await self.within(inf).get_all(keys)

    def changed(self, group: str, key: str | None) -> None:
        """Lets go of what rests on a change; no key: on any of the group."""
        self._begin_epoch()
        for shelf in self._all.values():
            if group in shelf.groups:
                shelf.changed(group, key)

    def drop_everything(self) -> None:
        """Lets go of all that is held, and holds nothing that is being read."""
        self._begin_epoch()
        for shelf in self._all.values():
            shelf.clear()

    def set_uncacheable(self, groups: Iterable[str]) -> None:
        """From now on nothing that rests on these groups is held, all else is."""
        unwatched = frozenset(groups)
        self.watched_epoch = None if unwatched else next(self._epochs)
        for shelf in self._all.values():
            shelf.set_cacheable(cacheable=unwatched.isdisjoint(shelf.groups))

    @property
    @override
    def epoch(self) -> int | None:
        # As `live` says, without a call of its own: every question asks.
        is_live = self._clock.monotonic() <= self.live_until
        return self.watched_epoch if is_live else None

    def stats(self) -> dict[type[FactKey[object]], ShelfStats]:
        """What happened to each type of key, and what is held of it."""
        return {key_type: shelf.stats() for key_type, shelf in self._all.items()}

    def _begin_epoch(self) -> None:
        if self.watched_epoch is not None:
            self.watched_epoch = next(self._epochs)

    async def close(self) -> None:
        """Ends what is under way; who waits gets FactsUnavailableError."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def read(
        self, shelf: Shelf[T], keys: Sequence[FactKey[T]], deadline: float
    ) -> list[T]:
        """The facts of `keys`, of which some are not on the shelf."""
        remaining = deadline - self._clock.monotonic()
        if remaining < self._min_remaining:
            raise DeadlineTooNearError("too little time is left to read the facts")
        wanted = {shelf.identity(key): key for key in keys}
        facts = shelf.held(wanted) if self.live else {}
        loads = self._loads_of(
            shelf, {each: wanted[each] for each in wanted if each not in facts}
        )
        await _wait([load.task for load in loads], remaining)
        for load in loads:
            if load.error is not None:
                raise load.error
            facts.update(load.facts)
        return [facts[shelf.identity(key)] for key in keys]

    def _loads_of(
        self, shelf: Shelf[T], missing: Mapping[Hashable, FactKey[T]]
    ) -> set[Load[T]]:
        """Joins what is under way and begins one load for the rest.

        Where nobody tells of changes nothing is joined: what is under way may have
        begun before one that the question must see.
        """
        under_way = shelf.loading if self.live and shelf.cacheable else {}
        loads = {under_way[each] for each in missing if each in under_way}
        rest = {each: missing[each] for each in missing if each not in under_way}
        shelf.misses += len(missing)
        shelf.joined += len(missing) - len(rest)
        if rest:
            loads.add(self._begin(shelf, rest))
        return loads

    def _begin(self, shelf: Shelf[T], keys: Mapping[Hashable, FactKey[T]]) -> Load[T]:
        def done(load: Load[T]) -> None:
            shelf.end(load, hold=self.live)
            self._tasks.discard(load.task)

        load = Load(keys, self._loader, done)
        shelf.begin(load)
        self._tasks.add(load.task)
        return load


class TimedFacts(Facts):
    """Cached facts for one question that must be answered by a deadline."""

    __slots__ = ("_cache", "_deadline", "_from_memory", "_revision", "_shelves")

    def __init__(
        self,
        cache: CachedFacts,
        deadline: float,
        revision: str | None,
        *,
        from_memory: bool,
    ) -> None:
        self._revision = revision
        self._cache = cache
        self._shelves = cache.shelves
        self._deadline = deadline
        self._from_memory = from_memory

    @property
    @override
    def epoch(self) -> int | None:
        return self._cache.watched_epoch if self._from_memory else None

    @property
    @override
    def revision(self) -> str | None:
        return self._revision if self._from_memory else None

    # What is read a million times a second is written out: no call, no task.
    @override
    async def get(self, key: FactKey[T]) -> T:
        shelf = self._shelves[type(key)]
        entry = shelf.entries.get(shelf.identity(key))
        if entry is not None and self._from_memory:
            shelf.hits += 1
            entry.used = True
            return entry.fact
        return (await self._cache.read(shelf, (key,), self._deadline))[0]

    @override
    async def get_all(self, keys: Sequence[FactKey[T]]) -> list[T]:
        if not keys:
            return []
        shelf = self._shelves[type(keys[0])]
        facts = []
        for key in keys:
            entry = shelf.entries.get(shelf.identity(key))
            if entry is None or not self._from_memory:
                return await self._cache.read(shelf, keys, self._deadline)
            entry.used = True
            facts.append(entry.fact)
        shelf.hits += len(keys)
        return facts

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        return None


class Shelves(Protocol):
    """The shelves by type of key: each holds what its keys name."""

    def __getitem__(self, key_type: type[FactKey[T]]) -> Shelf[T]:
        """The shelf of a type of key."""
        ...


async def _wait(tasks: list[asyncio.Task[None]], seconds: float) -> None:
    # Cancelling who waits here leaves the tasks running, for the others.
    if not tasks:
        return
    timeout = None if seconds == inf else seconds
    _, pending = await asyncio.wait(tasks, timeout=timeout)
    if pending:
        raise DeadlineTooNearError("the facts were not read in time")
