"""The one thread that makes lines of entries and writes them."""

import time
from collections.abc import Callable, Sequence
from threading import Event, Thread
from typing import Final, Generic, TypeVar

import structlog

from sidecar.audit.backlog import Backlog
from sidecar.audit.record import Entry, Outcome
from sidecar.audit.sink import RejectedError, Sink

E = TypeVar("E", bound=Entry)

_IDLE_SECONDS: Final = 0.05
_RETRY_SECONDS: Final = 0.25
_TAKEN: Final = 128
# How long it works before it lets the thread that decides have its turn, and for how
# long that is: longer turns when much waits, since more than that is then dropped.
_TURN_SECONDS: Final = 0.000_1
_LONGEST_TURN_SECONDS: Final = 0.002
_PAUSE_SECONDS: Final = 0.000_05

_log = structlog.stdlib.get_logger("sidecar.audit")


class Writer(Generic[E]):
    """Writes what waits, between `start` and `close`."""

    def __init__(
        self, backlog: Backlog[E], line: Callable[[E], bytes], sink: Sink
    ) -> None:
        """`line` makes the line of an entry."""
        self._backlog = backlog
        self._line = line
        self._sink = sink
        self._closing = Event()
        # A pipe that nobody reads keeps the thread for good, but not the process.
        self._thread = Thread(target=self._run, name="decision-log", daemon=True)
        self._in_hand: list[E] = []
        self.written = 0
        self.failed = dict.fromkeys(Outcome, 0)
        self.problem: str | None = None

    def start(self) -> None:
        """Begins to write."""
        self._thread.start()

    def close(self, seconds: float) -> int:
        """Writes what waits, for so long at most; gives how many were not written."""
        self._closing.set()
        self._thread.join(seconds)
        if self._thread.is_alive():
            return len(self._in_hand) + len(self._backlog)
        self._sink.close()
        return sum(self.failed.values())

    def _run(self) -> None:
        while True:
            is_last = self._closing.is_set()
            self._in_hand = self._backlog.take(_TAKEN)
            if self._in_hand:
                self._write(self._lines(self._in_hand))
            elif is_last:
                return
            else:
                self._closing.wait(_IDLE_SECONDS)

    def _lines(self, entries: Sequence[E]) -> list[tuple[E, bytes]]:
        found = []
        begun = time.perf_counter()
        longer = self._backlog.fill() * _LONGEST_TURN_SECONDS
        turn = _TURN_SECONDS + longer
        for entry in entries:
            try:
                found.append((entry, self._line(entry)))
            except Exception as error:  # noqa: BLE001  a defect: the others are written
                self.failed[entry.outcome] += 1
                self._failing("defect", error)
            if time.perf_counter() - begun > turn and not self._closing.is_set():
                # All threads share one lock, and whoever releases it only for a moment
                # takes it again before the other has woken up.
                time.sleep(_PAUSE_SECONDS)
                begun = time.perf_counter()
        return found

    def _write(self, made: Sequence[tuple[E, bytes]]) -> None:
        while made:
            is_last = self._closing.is_set()
            try:
                done = self._sink.write([line for _, line in made])
            except OSError as error:
                done = lost = 0
                self._failing((error.strerror or "it failed").lower(), None)
            except RejectedError as error:
                done, lost = error.taken, error.lost
                self._failing(str(error), None)
                self._lose([entry for entry, _ in made[:done]], lost)
            else:
                lost = 0
                self._recovered()
            self.written += done - lost
            made = made[done:]
            if made and is_last:
                for entry, _ in made:
                    self.failed[entry.outcome] += 1
                return
            if done == 0:
                self._closing.wait(_RETRY_SECONDS)

    def _lose(self, entries: Sequence[E], lost: int) -> None:
        # As nobody says which are lost, it is denials, which are missed the most.
        ordered = sorted(entries, key=lambda entry: entry.outcome is not Outcome.DENIED)
        for entry in ordered[:lost]:
            self.failed[entry.outcome] += 1

    def _failing(self, problem: str, error: Exception | None) -> None:
        if self.problem != problem:
            _log.error("decision_log.failing", problem=problem, exc_info=error)
        self.problem = problem

    def _recovered(self) -> None:
        if self.problem is not None:
            _log.info("decision_log.recovered")
        self.problem = None
