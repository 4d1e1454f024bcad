"""The facts of one type of key, held up to a weight and found by what they rest on."""

from collections.abc import Callable, Collection, Hashable, Iterable
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Generic, TypeVar, cast

from cachetools import FIFOCache
from typing_extensions import override

from sidecar.ports import FactKey
from sidecar.store.dependencies import GROUPS, Tag, tags
from sidecar.store.load import Load
from sidecar.store.weights import Limit, is_absent, weight

T = TypeVar("T")

# How many entries one eviction spares because they were used. It bounds the time
# that an eviction takes when everything was.
_SPARED = 16


@dataclass(frozen=True, slots=True)
class ShelfStats:
    """Counts since the start, and what is held now, of one type of key.

    `joined` misses waited for a load that was already under way. `weight` is the
    sum over the entries, in the unit of `CacheSizes`.
    """

    hits: int
    misses: int
    loads: int
    load_errors: int
    joined: int
    evictions: int
    entries: int
    weight: int


@dataclass(eq=False, slots=True)
class Entry(Generic[T]):
    """One fact that is held, and whether it was used since it was last spared."""

    identity: Hashable
    fact: T
    weight: int
    is_absent: bool
    used: bool = False


class Shelf(Generic[T]):
    """Holds facts of one type of key.

    `entries` is for reading: what is in it is exactly what the two bounded caches
    hold, without their bookkeeping on each hit.
    """

    def __init__(self, key_type: type[FactKey[T]], limit: Limit) -> None:
        self.identity = _identity(key_type)
        self.key = _key(key_type)
        self.groups = GROUPS[key_type]
        self.entries: dict[Hashable, Entry[T]] = {}
        self.loading: dict[Hashable, Load[T]] = {}
        self.hits = 0
        self.misses = 0
        self.loads = 0
        self.load_errors = 0
        self.joined = 0
        self.evictions = 0
        self._present = _SecondChance[T](limit.present, self._evicted)
        self._absent = _SecondChance[T](limit.absent, self._evicted)
        self._by_tag = _Index[T]()
        self._loads: set[Load[T]] = set()
        self.cacheable = True

    def held(self, wanted: Iterable[Hashable]) -> dict[Hashable, T]:
        """What of `wanted` is here, counted as used."""
        found = [self.entries[each] for each in wanted if each in self.entries]
        for entry in found:
            entry.used = True
        self.hits += len(found)
        return {entry.identity: entry.fact for entry in found}

    def begin(self, load: Load[T]) -> None:
        """Notes a load, so that others may join it."""
        self.loads += 1
        self._loads.add(load)
        self.loading.update(dict.fromkeys(load.keys, load))

    def end(self, load: Load[T], *, hold: bool) -> None:
        """Holds what a load brought and no change has overtaken."""
        self._loads.discard(load)
        self._detach(load, load.keys)
        if load.error is not None:
            self.load_errors += 1
        elif hold and self.cacheable:
            for identity in load.facts:
                if load.is_current(identity):
                    self.put(load.keys[identity], load.facts[identity])

    def changed(self, group: str, key: str | None) -> None:
        """Lets go of what rests on a change of a group of this shelf."""
        if key is None:
            self.clear()
            return
        self._drop((group, key))
        self._drop((group, None))
        for load in self._loads:
            self._detach(load, load.note(group, key))

    def clear(self) -> None:
        """Lets go of every fact, and of those that are being read."""
        self.entries.clear()
        self._present.clear()
        self._absent.clear()
        self._by_tag.clear()
        self.loading.clear()
        for load in self._loads:
            load.is_spoilt = True

    def set_cacheable(self, *, cacheable: bool) -> None:
        """Whether facts are held from now on."""
        if cacheable != self.cacheable:
            self.cacheable = cacheable
            self.clear()

    def put(self, key: FactKey[T], fact: T) -> None:
        """Holds a fact, unless it alone weighs more than may be held."""
        identity = self.identity(key)
        if identity in self.entries:
            self._remove(self.entries[identity])
        entry = Entry(identity, fact, weight(key, fact), is_absent(fact))
        bounded = self._bounded(entry)
        if entry.weight > bounded.maxsize:
            return
        bounded[identity] = entry
        self.entries[identity] = entry
        for tag in tags(key, fact):
            self._by_tag.add(tag, entry)

    def stats(self) -> ShelfStats:
        """What happened and what is held."""
        return ShelfStats(
            self.hits,
            self.misses,
            self.loads,
            self.load_errors,
            self.joined,
            self.evictions,
            len(self.entries),
            int(self._present.currsize + self._absent.currsize),
        )

    def _detach(self, load: Load[T], identities: Iterable[Hashable]) -> None:
        # Whoever asks for these from now on begins a load of their own.
        for identity in identities:
            if self.loading.get(identity) is load:
                del self.loading[identity]

    def _drop(self, tag: Tag) -> None:
        for entry in self._by_tag.under(tag):
            self._remove(entry)

    def _bounded(self, entry: Entry[T]) -> "_SecondChance[T]":
        return self._absent if entry.is_absent else self._present

    def _remove(self, entry: Entry[T]) -> None:
        del self._bounded(entry)[entry.identity]
        self._forget(entry)

    def _evicted(self, entry: Entry[T]) -> None:
        self.evictions += 1
        self._forget(entry)

    def _forget(self, entry: Entry[T]) -> None:
        del self.entries[entry.identity]
        # Told anew: kept, they would be a tenth of the memory that a caller takes.
        for tag in tags(self.key(entry.identity), entry.fact):
            self._by_tag.remove(tag, entry)


class _Index(Generic[T]):
    # By group, so that its keys are strings that are there anyway: a pair for each tag
    # would be a tenth of the memory that a caller takes. Most tags have one entry,
    # which then stands for itself: a set for each would be a third.
    def __init__(self) -> None:
        self._entries: dict[str, dict[str | None, Entry[T] | set[Entry[T]]]] = {}

    def add(self, tag: Tag, entry: Entry[T]) -> None:
        group, key = tag
        entries = self._entries.setdefault(group, {})
        found = entries.setdefault(key, entry)
        if isinstance(found, set):
            found.add(entry)
        elif found is not entry:
            entries[key] = {found, entry}

    def under(self, tag: Tag) -> tuple[Entry[T], ...]:
        group, key = tag
        found = self._entries.get(group, {}).get(key)
        if found is None:
            return ()
        return tuple(found) if isinstance(found, set) else (found,)

    def remove(self, tag: Tag, entry: Entry[T]) -> None:
        group, key = tag
        entries = self._entries[group]
        found = entries[key]
        if isinstance(found, set):
            found.discard(entry)
            if found:
                return
        del entries[key]

    def tags(self) -> Collection[Tag]:
        return {(group, key) for group, keys in self._entries.items() for key in keys}

    def clear(self) -> None:
        self._entries.clear()


class _SecondChance(FIFOCache[Hashable, Entry[T]], Generic[T]):
    # Least recently used, nearly: an entry that was used goes to the end of the
    # line instead of out. So a hit has only to note that it happened.
    def __init__(self, maxsize: int, evicted: Callable[[Entry[T]], None]) -> None:
        super().__init__(maxsize, attrgetter("weight"))
        self._evicted = evicted

    @override
    def popitem(self) -> tuple[Hashable, Entry[T]]:
        identity, entry = super().popitem()
        for _ in range(_SPARED):
            if not entry.used:
                break
            entry.used = False
            self[identity] = entry
            identity, entry = super().popitem()
        self._evicted(entry)
        return identity, entry


def _identity(key_type: type[FactKey[T]]) -> Callable[[FactKey[T]], Hashable]:
    # Every field of a key, read in C: a dataclass would hash and compare in Python.
    return attrgetter(*(each.name for each in fields(key_type)))


def _key(key_type: type[FactKey[T]]) -> Callable[[Hashable], FactKey[T]]:
    # The way back from an identity.
    if len(fields(key_type)) == 1:
        return key_type
    return lambda identity: key_type(*cast("tuple[str, ...]", identity))
