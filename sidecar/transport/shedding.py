"""Turns calls away before anything is done for them, when there are too many.

Calls wait in two places. Those that wait for facts have begun, and are counted. Those
that wait for their turn on the processor have not, and nobody can count them; but a
timer waits in the same line, so how late it is tells how long the line is.
"""

import asyncio
from dataclasses import dataclass
from typing import Final

from sidecar.core.reasons import Reason
from sidecar.transport.status import RefusedError, code_of, details_of

_LOOK_SECONDS: Final = 0.1

_refused: Final = RefusedError(Reason.OVERLOADED)
# Made once: turning away has to be much less work than answering.
SHED_CODE: Final = code_of(_refused)
SHED_MESSAGE: Final = _refused.message
SHED_DETAILS: Final = details_of(_refused)


@dataclass(frozen=True, slots=True)
class LoadLimits:
    """How many calls may run at once, and how long the line for their turn may be."""

    running: int
    queue_seconds: float


class Load:
    """What the calls of all listeners together ask of this process.

    It measures the line between `start` and `close`.
    """

    def __init__(self, limits: LoadLimits) -> None:
        self._limits = limits
        self._largest = limits.running
        self._was_late = False
        self._look: asyncio.TimerHandle | None = None
        self.running = 0
        self.shed = 0
        self.queue_seconds = 0.0

    def enter(self) -> bool:
        """Whether one more call may begin; it then has to `leave`."""
        if self.running >= self._largest:
            self.shed += 1
            return False
        self.running += 1
        return True

    def leave(self) -> None:
        """A call that was let in has ended."""
        self.running -= 1

    def start(self) -> None:
        """Begins to measure the line, on the loop that runs."""
        self._look_again(asyncio.get_running_loop())

    def close(self) -> None:
        """Measures no more."""
        if self._look is not None:
            self._look.cancel()

    def note(self, late_seconds: float) -> None:
        """Takes in how late a timer was.

        Once can be anything, like a machine that slept; twice in a row is a line.
        """
        is_late = late_seconds > self._limits.queue_seconds
        self._largest = 0 if is_late and self._was_late else self._limits.running
        self._was_late = is_late
        self.queue_seconds = late_seconds

    def _look_again(self, loop: asyncio.AbstractEventLoop) -> None:
        due = loop.time() + _LOOK_SECONDS

        def look() -> None:
            self.note(loop.time() - due)
            self._look_again(loop)

        self._look = loop.call_at(due, look)
