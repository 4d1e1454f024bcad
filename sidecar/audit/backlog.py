"""What waits to be written: bounded, and allowed calls give way to all others."""

from collections import deque
from typing import Generic, TypeVar

from sidecar.audit.record import Entry, Outcome

E = TypeVar("E", bound=Entry)


class Backlog(Generic[E]):
    """Takes entries from one thread and gives them to one other; neither waits.

    When it is full the oldest of the allowed goes first; once none of these is left,
    the oldest of the others.
    """

    def __init__(self, most_bytes: int) -> None:
        """`most_bytes`: what all entries together may weigh."""
        self._most = most_bytes
        self._allowed: deque[tuple[int, E]] = deque()
        self._others: deque[tuple[int, E]] = deque()
        # Each of these is written by one thread only, so that none needs a lock.
        self._number = 0
        self._added = 0
        self._dropped_bytes = 0
        self._taken = 0
        self.dropped = dict.fromkeys(Outcome, 0)

    def __len__(self) -> int:
        return len(self._allowed) + len(self._others)

    def put(self, entry: E) -> None:
        """Adds an entry; some other, or itself, makes room for it."""
        outcome = entry.outcome
        waiting = self._allowed if outcome is Outcome.ALLOWED else self._others
        self._number += 1
        waiting.append((self._number, entry))
        self._added += entry.weight
        while self._added - self._dropped_bytes - self._taken > self._most:
            if not self._drop():
                break

    def take(self, most: int) -> list[E]:
        """The oldest entries in their order, so many of either kind at most."""
        newest = self._number
        found = [
            *_popped(self._allowed, most, newest),
            *_popped(self._others, most, newest),
        ]
        found.sort(key=_number)
        entries = [entry for _, entry in found]
        self._taken += sum(entry.weight for entry in entries)
        return entries

    def fill(self) -> float:
        """How full it is, from 0 to 1."""
        waiting = self._added - self._dropped_bytes - self._taken
        return min(waiting / self._most, 1.0)

    def _drop(self) -> bool:
        for waiting in (self._allowed, self._others):
            oldest = _popped(waiting, 1, self._number)
            if oldest:
                entry = oldest[0][1]
                self._dropped_bytes += entry.weight
                self.dropped[entry.outcome] += 1
                return True
        # The other thread has just taken all.
        return False


def _popped(
    waiting: "deque[tuple[int, E]]", most: int, newest: int
) -> list[tuple[int, E]]:
    found: list[tuple[int, E]] = []
    try:
        while len(found) < most:
            oldest = waiting.popleft()
            if oldest[0] > newest:
                # It came meanwhile, and something older than it may have, too.
                waiting.appendleft(oldest)
                break
            found.append(oldest)
    except IndexError:
        pass
    return found


def _number(numbered: tuple[int, E]) -> int:
    return numbered[0]
