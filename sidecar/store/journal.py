"""What the feed told lately, in order, and from where a stream of it may go on.

Where a stream may go on is argued as for revisions: a snapshot that was taken while
the feed listened shows which transactions may have ended unheard. All others are in
the journal, or in what it has forgotten, or still to come.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from typing_extensions import override

from sidecar.ports import (
    Changes,
    DropEverything,
    Proof,
    UnknownRevisionError,
    WatchEvent,
)
from sidecar.store.changes import Change
from sidecar.store.heard import Snapshot
from sidecar.store.revisions import (
    Form,
    Revision,
    revision_of_all_below,
    revision_of_transaction,
)
from sidecar.store.telling import Follower


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that was told; `xid` is the transaction that changed it."""

    event: WatchEvent
    xid: int | None = None
    weight: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """From where a stream goes on.

    `index`: of the first entry that may be told. Of those before `until`, changes of
    transactions below `xid` are left out. `is_exact`: whether nothing is missing.
    """

    index: int
    until: int = 0
    xid: int = 0
    is_exact: bool = True


class Journal(Follower):
    """A bounded memory of changes, each with the transaction that made it.

    `number` grows with all that is told, for as long as the process lives. `proof` is
    the newest, if nothing was told since that takes it back.
    """

    def __init__(
        self, most_keys: int, told: Callable[[], None], seconds: float
    ) -> None:
        """`most_keys` are kept, each for `seconds`, not much longer.

        `told` is called after each thing that is new.
        """
        self.number = 0
        self.proof: Proof | None = None
        # The entries from `oldest` on, without a gap.
        self.oldest = 0
        self.next = 0
        # Nothing before the last thing that dropped everything matters any more.
        self.since = 0
        self._most_keys = most_keys
        self._told = told
        self._seconds = seconds
        # What was told before a time of the clock has a smaller index.
        self._marks: deque[tuple[float, int]] = deque()
        self._entries: dict[int, Entry] = {}
        self._keys = 0
        self._forgotten_xid = -1
        self._history: str | None = None
        self._is_listening = False
        self._origin: Snapshot | None = None
        self._unwatched: frozenset[str] = frozenset()

    def entry(self, index: int) -> Entry:
        """The entry at an index between `oldest` and `next`."""
        return self._entries[index]

    def place(self, after: str | None) -> Place:
        """From where to go on so that nothing after a revision is missing.

        Raises UnknownRevisionError when it is malformed or of another history.
        """
        if after is None:
            return Place(self.next)
        revision = Revision.parse(after)
        if self._is_listening and revision.history != self._history:
            raise UnknownRevisionError("the revision is of another history")
        found = None if self._unwatched else self._find(revision)
        return Place(self.next, is_exact=False) if found is None else found

    def _find(self, revision: Revision) -> Place | None:
        kept = range(max(self.oldest, self.since + 1), self.next)
        if revision.form is Form.TRANSACTION:
            found = (each for each in kept if self.entry(each).xid == revision.number)
            first = next(found, None)
            return None if first is None else Place(first)
        if self._origin is None:
            return None
        # What the origin shows as ended may never have been told.
        if revision.number < max(self._origin.xmax, self._forgotten_xid + 1):
            return None
        return Place(kept.start, self.next, revision.number)

    @override
    def begin(self, snapshot: Snapshot, history: str | None) -> None:
        self._drop(revision_of_all_below(history, snapshot.xmin))
        self._is_listening = True
        self._history = history
        self._origin = snapshot

    @override
    def changed(self, change: Change) -> None:
        revision = revision_of_transaction(self._history, change.transaction)
        weight = 1 if change.keys is None else len(change.keys)
        event = Changes(change.group, change.keys, revision)
        if self.proof is not None:
            self._append(Entry(self.proof))
            self.proof = None
        self.number += 1
        self._keys += weight
        self._append(Entry(event, change.transaction, weight))
        while self._keys > self._most_keys and self.oldest + 1 < self.next:
            self._forget_oldest()
        self._told()

    @override
    def asked(self, snapshot: Snapshot) -> None:
        if self._is_listening and self._origin is None:
            self._origin = snapshot

    @override
    def proven(self, since: float, revision: str | None) -> None:
        if not self._is_listening or self._unwatched:
            return
        self.number += 1
        self.proof = Proof(self.number, revision, since)
        self._marks.append((since, self.next))
        self._forget_until(since - self._seconds)
        self._told()

    @override
    def unwatched(self, groups: frozenset[str]) -> None:
        # What changed while nobody told of it is not known, so it ends with a drop
        # just as it begins with one.
        if groups != self._unwatched:
            self._unwatched = groups
            self._drop(None)

    @override
    def missed(self) -> None:
        self._drop(None)

    @override
    def lost(self) -> None:
        self._is_listening = False
        self._history = None
        self._drop(None)

    def _drop(self, revision: str | None) -> None:
        self._entries.clear()
        self._marks.clear()
        self._keys = 0
        self._forgotten_xid = -1
        self._origin = None
        self.proof = None
        self.number += 1
        self.oldest = self.since = self.next
        self._append(Entry(DropEverything(revision)))
        self._told()

    def _append(self, entry: Entry) -> None:
        self._entries[self.next] = entry
        self.next += 1

    def _forget_until(self, moment: float) -> None:
        while self._marks[0][0] < moment:
            _, index = self._marks.popleft()
            while self.oldest < index and self.oldest + 1 < self.next:
                self._forget_oldest()

    def _forget_oldest(self) -> None:
        entry = self._entries.pop(self.oldest)
        self.oldest += 1
        self._keys -= entry.weight
        if entry.xid is not None:
            self._forgotten_xid = max(self._forgotten_xid, entry.xid)
