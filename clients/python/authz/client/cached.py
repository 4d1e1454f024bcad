"""A client for asyncio that keeps answers while they are proven to be fresh."""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import aclosing
from typing import Final, Self, TypeVar

from grpc import aio
from typing_extensions import override

from authz.client import calls
from authz.client.asynchronous import AsyncClient, open_channel
from authz.client.attempts import Retry
from authz.client.calls import Call
from authz.client.channels import Tls
from authz.client.errors import AuthzError, NotServedError, UnavailableError
from authz.client.kept import Bounds, Kept

A = TypeVar("A")
_LOG: Final = logging.getLogger("authz.client")
_RECONNECT: Final = Retry(first_wait=0.1, longest_wait=5)
# In seconds.
_LEAST_BETWEEN_PROOFS: Final = 0.05
_MOST_BETWEEN_PROOFS: Final = 1.0
_PROOFS_IN_BOUND: Final = 5


def _clock() -> Callable[[], float]:
    # A machine that slept has not heard what changed meanwhile, so sleep must count.
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    if boot is None:
        return time.monotonic
    return lambda: time.clock_gettime(boot)


class CachedClient(AsyncClient):
    """An AsyncClient whose answers may come from memory, within the server's bound.

    No answer is staler than the sidecar's own `max_staleness`. It follows the
    sidecar's changes from when it is made until `close`; while it cannot, every
    question goes to the sidecar, as with an AsyncClient.
    """

    def __init__(
        self,
        channel: aio.Channel,
        timeout: float,
        retry: Retry,
        bounds: Bounds | None = None,
    ) -> None:
        super().__init__(channel, timeout, retry)
        self._kept = Kept(bounds or Bounds())
        self._now = _clock()
        self._has_complained = False
        loop = asyncio.get_running_loop()
        self._following = loop.create_task(self._follow(), name="authz-follow")

    @classmethod
    @override
    def connect(
        cls,
        target: str,
        *,
        tls: Tls | None = None,
        timeout: float = 1.0,
        retry: Retry | None = None,
        bounds: Bounds | None = None,
    ) -> Self:
        """A client that follows the sidecar from now on; needs a running loop.

        Args:
            target: `unix:/run/authz/authz.sock`, or `host:port`.
            tls: without, the connection is in the clear.
            timeout: seconds for each call, repetitions included.
            retry: when a call is made again.
            bounds: how much is kept.
        """
        return cls(open_channel(target, tls), timeout, retry or Retry(), bounds)

    @property
    def is_live(self) -> bool:
        """Whether answers may come from memory at this moment."""
        return self._kept.is_live(self._now())

    @override
    async def close(self) -> None:
        """Ends following, the connection, and calls that still run."""
        self._following.cancel()
        await asyncio.wait([self._following])
        self._kept.restart()
        await super().close()

    @override
    async def _ask(self, call: Call[A]) -> A:
        if not call.is_lasting:
            return await super()._ask(call)
        found = self._kept.find(call, self._now())
        if found is not None:
            return found
        epoch = self._kept.epoch
        answer = await super()._ask(call)
        self._kept.keep(call, answer, epoch, self._now())
        return answer

    async def _follow(self) -> None:
        number = 0
        while True:
            try:
                await self._follow_once()
            except AuthzError as error:
                self._complain(error)
            finally:
                # A stream that was live for a moment was worth a quick return.
                number = 1 if self.is_live else number + 1
                self._kept.restart()
            await asyncio.sleep(_RECONNECT.wait(number))

    async def _follow_once(self) -> None:
        # A task group that ends with an error forgets that it was cancelled meanwhile.
        proving = asyncio.create_task(self._prove(), name="authz-prove")
        try:
            await self._hear()
        finally:
            proving.cancel()
            await asyncio.wait([proving])

    async def _hear(self) -> None:
        async with aclosing(self.watch()) as stream:
            async for event in stream:
                self._kept.hear(event)
        raise UnavailableError("the stream of changes ended")

    async def _prove(self) -> None:
        between = _MOST_BETWEEN_PROOFS
        while True:
            asked_at = self._now()
            try:
                info = await super()._ask(calls.server_info())
            except AuthzError as error:
                # What is not proven again ends by itself.
                _LOG.debug("the sidecar did not say how fresh it is: %s", error)
            else:
                self._kept.prove(asked_at, info)
                if info.max_staleness is not None:
                    bound = info.max_staleness.total_seconds()
                    between = max(bound / _PROOFS_IN_BOUND, _LEAST_BETWEEN_PROOFS)
                    between = min(between, _MOST_BETWEEN_PROOFS)
            await asyncio.sleep(between)

    def _complain(self, error: AuthzError) -> None:
        if not isinstance(error, NotServedError):
            _LOG.info("following the sidecar again: %s", error)
        elif not self._has_complained:
            self._has_complained = True
            _LOG.warning("the sidecar serves no Watch here: no answer is kept")
