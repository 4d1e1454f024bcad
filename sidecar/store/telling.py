"""Telling what the feed hears: to who keeps facts first, then to who passes it on.

Both within one turn of the loop, so whoever has heard of a change from the second
gets no answer any more that the first gives from before it.
"""

from collections.abc import Iterable, Sequence
from math import inf
from typing import Protocol

from sidecar.store.changes import Change
from sidecar.store.freshness import Sink
from sidecar.store.heard import Heard, Snapshot
from sidecar.store.revisions import revision_of


class Follower(Protocol):
    """Whoever passes on what was heard."""

    def begin(self, snapshot: Snapshot, history: str | None) -> None:
        """All is told from now on; `snapshot` was taken after it began."""
        ...

    def changed(self, change: Change) -> None:
        """Something was changed."""
        ...

    def asked(self, snapshot: Snapshot) -> None:
        """A snapshot was taken, and nothing was missed since it was asked for."""
        ...

    def proven(self, since: float, revision: str | None) -> None:
        """All changes until `since`, a time of the clock, were told.

        So were those up to `revision`, none where the database tells none.
        """
        ...

    def unwatched(self, groups: frozenset[str]) -> None:
        """Nobody tells the changes of these groups, and of all others somebody."""
        ...

    def missed(self) -> None:
        """Something was changed, and it is not known what."""
        ...

    def lost(self) -> None:
        """Nothing is told any more, until it begins again."""
        ...


class Telling:
    """Tells a sink, and then whoever follows."""

    def __init__(
        self,
        heard: Heard,
        sink: Sink,
        followers: Sequence[Follower],
        max_staleness: float,
    ) -> None:
        self._heard = heard
        self._sink = sink
        self._followers = followers
        self._max_staleness = max_staleness

    def begin(self, snapshot: Snapshot, history: str | None) -> None:
        """The feed listens; `snapshot` was taken after that."""
        self._heard.begin(snapshot, history)
        for each in self._followers:
            each.begin(snapshot, history)

    def connected(self) -> None:
        """What is read from now on may be kept."""
        self._sink.drop_everything()

    def changed(self, change: Change) -> None:
        """A change was heard."""
        for key in (None,) if change.keys is None else change.keys:
            self._sink.changed(change.group, key)
        for each in self._followers:
            each.changed(change)

    def asked(self, snapshot: Snapshot) -> None:
        """A snapshot was taken, and nothing was missed since it was asked for."""
        for each in self._followers:
            each.asked(snapshot)

    def proven(self, fresh_at: float) -> None:
        """All changes until a time of the clock were told."""
        self._sink.live_until = fresh_at + self._max_staleness
        for each in self._followers:
            each.proven(fresh_at, revision_of(self._heard))

    def unwatched(self, groups: Iterable[str]) -> None:
        """Nobody tells the changes of these groups, and of all others somebody."""
        known = frozenset(groups)
        self._sink.set_uncacheable(known)
        for each in self._followers:
            each.unwatched(known)

    def missed(self) -> None:
        """Something was changed, and it is not known what."""
        self._sink.drop_everything()
        for each in self._followers:
            each.missed()

    def lost(self) -> None:
        """The feed is gone."""
        self._sink.live_until = -inf
        self._sink.drop_everything()
        self._heard.lose()
        for each in self._followers:
            each.lost()
