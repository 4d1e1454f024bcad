"""Streams that never end by themselves, and so would hold up every stop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Endings:
    """Knows the streams that are open, to end them all."""

    def __init__(self) -> None:
        self.are_due = False
        self._open: set[asyncio.Timeout] = set()

    @asynccontextmanager
    async def lasting(self) -> AsyncIterator[None]:
        """Around one stream; raises TimeoutError once all are ended."""
        async with asyncio.timeout(0 if self.are_due else None) as ending:
            self._open.add(ending)
            try:
                yield
            finally:
                self._open.discard(ending)

    def end(self) -> None:
        """Ends every stream at once, and lets none last."""
        self.are_due = True
        now = asyncio.get_running_loop().time()
        for each in self._open:
            each.reschedule(now)
