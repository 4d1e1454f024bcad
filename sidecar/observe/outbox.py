"""Spans on their way out: few wait, and who makes them never does.

Nothing here reaches back: what cannot be sent is dropped and counted.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, unique
from typing import Final, Protocol

import structlog

from sidecar.observe.tracing import Span

_log = structlog.stdlib.get_logger("sidecar.tracing")

_TRIES: Final = 3
_LONGEST_PAUSE_SECONDS: Final = 30.0


class SendingError(Exception):
    """Spans could not be sent; `is_passing`: trying again may help."""

    def __init__(self, problem: str, *, is_passing: bool) -> None:
        super().__init__(problem)
        self.is_passing = is_passing


class Sender(Protocol):
    """Sends spans to who collects them."""

    async def send(self, spans: Sequence[Span]) -> int:
        """Sends spans; how many of them were refused. Raises SendingError."""
        ...

    async def close(self) -> None:
        """Lets go of the connection."""
        ...


@unique
class Fate(Enum):
    """What became of a span.

    `SENT`: it was taken. `DROPPED`: too many were waiting. `LOST`: it could not be
    sent. `REFUSED`: who collects them did not want it.
    """

    SENT = "sent"
    DROPPED = "dropped"
    LOST = "lost"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many spans may wait, how many are sent at once, and seconds between.

    `pause`: seconds after a first failure; after each more it is twice as long.
    """

    waiting: int
    batch: int
    interval: float
    pause: float = 1.0


class Outbox:
    """Sends what ended, on the event loop, between `start` and `close`."""

    def __init__(self, sender: Sender, bounds: Bounds) -> None:
        self.fates = dict.fromkeys(Fate, 0)
        self.is_well = True
        self._sender = sender
        self._bounds = bounds
        self._waiting: deque[Span] = deque()
        self._sending: Sequence[Span] = ()
        self._is_due = asyncio.Event()
        self._pause = bounds.pause
        self._task: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many spans have not been sent yet."""
        return len(self._waiting) + len(self._sending)

    def add(self, span: Span) -> None:
        """Takes a span that has ended, or drops it; never waits."""
        if self.waiting >= self._bounds.waiting:
            self.fates[Fate.DROPPED] += 1
            return
        self._waiting.append(span)
        if len(self._waiting) >= self._bounds.batch:
            self._is_due.set()

    def start(self) -> None:
        """Begins to send."""
        self._task = asyncio.create_task(self._run())

    async def close(self, seconds: float) -> None:
        """Sends what still waits, for so many seconds, and counts the rest as lost."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        # Tried once: nobody waits for a collector that is away.
        self._waiting.extendleft(reversed(self._sending))
        with suppress(Exception):
            async with asyncio.timeout(seconds):
                while self._waiting:
                    await self._send(self._next())
        self.fates[Fate.LOST] += self.waiting
        self._waiting.clear()
        self._sending = ()
        await self._sender.close()

    async def _run(self) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._is_due.wait(), self._bounds.interval)
            self._is_due.clear()
            while self._waiting:
                await self._deliver(self._next())

    def _next(self) -> Sequence[Span]:
        count = min(len(self._waiting), self._bounds.batch)
        self._sending = [self._waiting.popleft() for _ in range(count)]
        return self._sending

    async def _deliver(self, spans: Sequence[Span]) -> None:
        for _ in range(_TRIES):
            try:
                await self._send(spans)
            except Exception as error:  # noqa: BLE001  whatever it is, it stays here
                self._failed(error)
                if not (isinstance(error, SendingError) and error.is_passing):
                    break
                await asyncio.sleep(self._pause)
                self._pause = min(2 * self._pause, _LONGEST_PAUSE_SECONDS)
            else:
                return
        self.fates[Fate.LOST] += len(spans)
        self._sending = ()

    async def _send(self, spans: Sequence[Span]) -> None:
        # Whatever a collector says, no more became of them than there were.
        refused = min(max(await self._sender.send(spans), 0), len(spans))
        self._sending = ()
        self.fates[Fate.SENT] += len(spans) - refused
        self.fates[Fate.REFUSED] += refused
        self._pause = self._bounds.pause
        if not self.is_well:
            _log.info("tracing.back")
        self.is_well = True

    def _failed(self, error: Exception) -> None:
        # Once, however long it lasts: the metrics tell the rest.
        if self.is_well:
            problem = str(error) if isinstance(error, SendingError) else repr(error)
            _log.warning("tracing.lost", problem=problem)
        self.is_well = False
