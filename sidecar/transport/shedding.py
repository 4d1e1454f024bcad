"""Turns calls away before anything is done for them, when there are too many.

Calls wait in two places. Those that wait for facts have begun, and are counted. Those
that wait for their turn on the processor have not, and nobody can count them; but a
timer waits in the same line, so how late it is tells how long the line is.
"""

import asyncio
from dataclasses import dataclass
from typing import Final

import grpc

from sidecar.core.reasons import Reason
from sidecar.transport.status import RefusedError, code_of, details_of

_LOOK_SECONDS: Final = 0.1

# While a server ends, how long it is waited for that calls cease.
_QUIET_SECONDS: Final = 0.05
_QUIET_LOOKS: Final = 10


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """With what a call ends that is not answered.

    For calls that are not let in it is made once: turning away has to be much less
    work than answering.
    """

    reason: Reason
    code: grpc.StatusCode
    message: str
    details: tuple[tuple[str, bytes], ...]

    @classmethod
    def of(cls, refused: RefusedError) -> "TurnedAway":
        """The end of a call that is refused."""
        code, details = code_of(refused), details_of(refused)
        return cls(refused.reason, code, refused.message, details)


_OVERLOADED: Final = TurnedAway.of(RefusedError(Reason.OVERLOADED))
_STOPPING: Final = TurnedAway.of(
    RefusedError(Reason.FACTS_UNAVAILABLE, "could not decide: the server is stopping")
)


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
        self.turned_away = _OVERLOADED
        self.running = 0
        self.shed = 0
        self.queue_seconds = 0.0

    def enter(self) -> bool:
        """Whether one more call may begin; it then has to `leave`.

        If not, it ends as `turned_away` says.
        """
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
        self.queue_seconds = late_seconds
        if self.turned_away is _STOPPING:
            return
        is_late = late_seconds > self._limits.queue_seconds
        self._largest = 0 if is_late and self._was_late else self._limits.running
        self._was_late = is_late

    async def cease(self) -> None:
        """Lets no call in any more, and returns once hardly any comes.

        An engine that ends cancels what it has received and not yet begun, which no
        client asks again. What is turned away here is asked again, and later.
        """
        self.turned_away, self._largest = _STOPPING, 0
        for _ in range(_QUIET_LOOKS):
            before = self.shed
            await asyncio.sleep(_QUIET_SECONDS)
            if self.shed == before:
                return

    def _look_again(self, loop: asyncio.AbstractEventLoop) -> None:
        due = loop.time() + _LOOK_SECONDS

        def look() -> None:
            self.note(loop.time() - due)
            self._look_again(loop)

        self._look = loop.call_at(due, look)
