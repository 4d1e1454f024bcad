"""How much of a database's history has been heard, as numbers of transactions."""

from dataclasses import dataclass, field
from typing import Final

# Numbers kept one by one; who forgets some of them says `not covered` more often.
_AT_MOST: Final = 10_000


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Which transactions had ended at one moment.

    All below `xmin` had, none from `xmax` on, and between them all but those
    `under_way`.
    """

    xmin: int
    xmax: int
    under_way: frozenset[int]

    def sees(self, xid: int) -> bool:
        """Whether a transaction had ended."""
        return xid < self.xmin or (xid < self.xmax and xid not in self.under_way)

    def is_after(self, other: "Snapshot") -> bool:
        """Whether it is of a later moment of the same history."""
        return (self.xmax, -len(self.under_way)) > (other.xmax, -len(other.under_way))


def parse_snapshot(text: object) -> Snapshot | None:
    """A snapshot as PostgreSQL writes it, `10:20:12,14`; none if it is not one."""
    parts = text.split(":") if isinstance(text, str) and text.isascii() else []
    if len(parts) != 3:  # noqa: PLR2004 - xmin, xmax and the list
        return None
    numbers = [*parts[:2], *(parts[2].split(",") if parts[2] else [])]
    if not all(number.isdecimal() for number in numbers):
        return None
    xmin, xmax, *under_way = map(int, numbers)
    if not all(xmin <= xid < xmax for xid in under_way) or xmin > xmax:
        return None
    return Snapshot(xmin, xmax, frozenset(under_way))


@dataclass(slots=True)
class Heard:
    """What the feed has heard, from a connect until the connection is lost.

    `snapshot`: every transaction that it sees has been heard; none while there is no
    feed. `newest`: no transaction that was told, or had ended when the feed
    connected, has a larger number; -1 before the first connect. `history`: in which
    these numbers mean something; none when the database does not tell it.
    """

    snapshot: Snapshot | None = None
    newest: int = -1
    history: str | None = None
    _whole: set[int] = field(default_factory=set)
    _last: int | None = None

    def covers(self, xid: int) -> bool:
        """Whether all that a transaction has told, or would have, was heard.

        Right after its notification this may still be false: a transaction sends
        several, and the next of them may be on its way.
        """
        return self.snapshot is not None and (
            xid in self._whole or self.snapshot.sees(xid)
        )

    def covers_all_below(self, xmin: int) -> bool:
        """Whether this holds for every transaction with a smaller number."""
        return self.snapshot is not None and self.snapshot.xmin >= xmin

    def begin(self, snapshot: Snapshot, history: str | None = None) -> None:
        """The feed listens to `history`; `snapshot` was taken after that."""
        self.lose()
        self.history = history
        self.newest = snapshot.xmax - 1

    def tell(self, xid: int) -> None:
        """A notification of a transaction was heard."""
        if self._last is not None and xid != self._last:
            self._keep(self._last)
        self._last = xid
        self.newest = max(self.newest, xid)

    def tell_whole(self) -> None:
        """No notification of what was told so far is still to come."""
        if self._last is not None:
            self._keep(self._last)
            self._last = None

    def see(self, snapshot: Snapshot) -> None:
        """All that `snapshot` sees has been heard."""
        if self.snapshot is None or snapshot.is_after(self.snapshot):
            self.snapshot = snapshot
            self._whole = {xid for xid in self._whole if not snapshot.sees(xid)}

    def agrees_with(self, snapshot: Snapshot) -> bool:
        """Whether all that was heard can have been, by a snapshot taken after it."""
        seen = self.snapshot
        return self.newest < snapshot.xmax and not any(
            xid in self._whole or (seen is not None and seen.sees(xid))
            for xid in snapshot.under_way
        )

    def lose(self) -> None:
        """The feed is gone: nothing is covered."""
        self.snapshot = None
        self.history = None
        self._whole.clear()
        self._last = None

    def _keep(self, xid: int) -> None:
        if len(self._whole) >= _AT_MOST:
            self._whole.clear()
        self._whole.add(xid)
