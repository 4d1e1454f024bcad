"""Those who follow the changes: so many, and each at a place of its own.

Nobody has a queue. All read the one journal, so what they all together hold is
bounded by it, and who is so slow that it forgets what comes next is too slow.
"""

import asyncio
from dataclasses import dataclass
from math import inf

from typing_extensions import override

from sidecar.ports import (
    ChangeSource,
    DropEverything,
    OverloadedError,
    Proof,
    Watcher,
    WatcherTooSlowError,
    WatchEvent,
)
from sidecar.store.feed import Feed
from sidecar.store.journal import Entry, Journal, Place


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """How many may watch at once, and how many changed keys are kept for them.

    `seconds`: for how long, which is how long a stream may be away and resume.
    """

    watchers: int = 64
    backlog: int = 100_000
    seconds: float = 300.0


class Watchers(ChangeSource):
    """Opens places in the journal that the feed writes."""

    def __init__(self, settings: WatchSettings) -> None:
        self.journal = Journal(settings.backlog, self._wake, settings.seconds)
        self._settings = settings
        self._open: set[_Following] = set()
        self._feed: Feed | None = None

    def follow(self, feed: Feed) -> None:
        """Whose staleness is told."""
        self._feed = feed

    @property
    @override
    def position(self) -> int:
        return self.journal.number

    @property
    @override
    def watching(self) -> int:
        return len(self._open)

    @override
    def staleness(self) -> float:
        return inf if self._feed is None else self._feed.staleness()

    @override
    def watch(self, after: str | None) -> Watcher:
        if len(self._open) >= self._settings.watchers:
            raise OverloadedError("too many watch already")
        place = self.journal.place(after)
        following = _Following(self.journal, place, self._open)
        self._open.add(following)
        return following

    def _wake(self) -> None:
        for following in self._open:
            following.woken.set()


class _Following(Watcher):
    def __init__(
        self, journal: Journal, place: Place, all_open: "set[_Following]"
    ) -> None:
        self.woken = asyncio.Event()
        self._journal = journal
        self._all_open = all_open
        self._place = place
        self._index = place.index
        self._is_whole = place.is_exact
        self._proof = 0

    @override
    async def next(self) -> WatchEvent:
        while True:
            event = self._take()
            if event is not None:
                return event
            self.woken.clear()
            await self.woken.wait()

    @override
    def close(self) -> None:
        self._all_open.discard(self)

    def _take(self) -> WatchEvent | None:
        if not self._is_whole:
            self._is_whole = True
            return self._whole_anew()
        journal = self._journal
        self._index = max(self._index, journal.since)
        if self._index < journal.oldest:
            raise WatcherTooSlowError("the stream is too far behind")
        while self._index < journal.next:
            entry = journal.entry(self._index)
            self._index += 1
            if self._wants(entry):
                return entry.event
        return self._newest_proof()

    def _whole_anew(self) -> WatchEvent:
        proof = self._journal.proof
        return DropEverything(None if proof is None else proof.revision)

    def _wants(self, entry: Entry) -> bool:
        if isinstance(entry.event, Proof):
            is_new, self._proof = self._is_new(entry.event), entry.event.number
            return is_new
        place = self._place
        return entry.xid is None or self._index > place.until or entry.xid >= place.xid

    def _newest_proof(self) -> WatchEvent | None:
        proof = self._journal.proof
        if proof is None or not self._is_new(proof):
            return None
        self._proof = proof.number
        return proof

    def _is_new(self, proof: Proof) -> bool:
        return proof.number > self._proof
