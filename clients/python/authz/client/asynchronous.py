"""The client for asyncio."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable
from functools import wraps
from typing import Concatenate, ParamSpec, Self, TypeVar, cast

from grpc import aio

from authz.client import calls
from authz.client.answers import WatchEvent
from authz.client.attempts import Attempts, Budget, Retry
from authz.client.calls import Call
from authz.client.channels import OPTIONS, Tls
from authz.client.errors import AuthzError, InternalError, error_of
from authz.client.pending import pending

P = ParamSpec("P")
A = TypeVar("A")


def _asks(
    build: Callable[P, Call[A]],
) -> Callable[Concatenate["AsyncClient", P], Coroutine[object, object, A]]:
    @pending
    @wraps(build)
    async def ask(client: "AsyncClient", /, *args: P.args, **kwargs: P.kwargs) -> A:
        return await client._ask(build(*args, **kwargs))  # noqa: SLF001  its own

    return ask


class AsyncClient:
    """Asks a sidecar from the event loop in which it was made.

    Every method raises AuthzError when there is no answer, within its deadline.
    """

    def __init__(self, channel: aio.Channel, timeout: float, retry: Retry) -> None:
        self._channel = channel
        self._timeout = timeout
        self._budget = Budget(retry)

    @classmethod
    def connect(
        cls,
        target: str,
        *,
        tls: Tls | None = None,
        timeout: float = 1.0,
        retry: Retry | None = None,
    ) -> Self:
        """A client; the connection is made with the first question.

        Args:
            target: `unix:/run/authz/authz.sock`, or `host:port`.
            tls: without, the connection is in the clear.
            timeout: seconds for each call, repetitions included.
            retry: when a call is made again.
        """
        return cls(open_channel(target, tls), timeout, retry or Retry())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends the connection; calls that still run raise InternalError."""
        await self._channel.close(None)

    resolve_context = _asks(calls.resolve_context)
    list_contexts = _asks(calls.list_contexts)
    check_visible = _asks(calls.check_visible)
    check_writable = _asks(calls.check_writable)
    check_creatable = _asks(calls.check_creatable)
    check_role = _asks(calls.check_role)
    get_permissions = _asks(calls.get_permissions)
    authorize = _asks(calls.authorize)
    get_list_filter = _asks(calls.get_list_filter)
    validate_access_rules = _asks(calls.validate_access_rules)
    server_info = _asks(calls.server_info)

    async def watch(
        self, after_revision: str | None = None
    ) -> AsyncGenerator[WatchEvent, None]:
        """What changes, as one stream without a deadline; ends when the server ends it.

        Raises:
            AuthzError: the stream ended with a status.
        """
        call = calls.watch(after_revision)
        stream = self._channel.unary_stream(call.path, None, None)(call.request)
        try:
            async for data in stream:
                yield call.read(data)
        except aio.AioRpcError as error:
            raise _told(error) from None
        except asyncio.CancelledError:
            if _is_given_up():
                raise
            raise InternalError("the client is closed") from None
        finally:
            stream.cancel()

    async def _ask(self, call: Call[A]) -> A:
        timeout = self._timeout if call.timeout is None else call.timeout
        attempts = Attempts(self._budget, timeout, time.monotonic)
        while True:
            try:
                answer = call.read(await self._send(call, attempts.remaining()))
            except AuthzError as error:
                await asyncio.sleep(attempts.wait_after(error))
            else:
                attempts.succeed()
                return answer

    async def _send(self, call: Call[A], seconds: float) -> bytes:
        method = self._channel.unary_unary(call.path, None, None)
        try:
            data: object = await method(call.request, timeout=seconds)
        except aio.AioRpcError as error:
            raise _told(error) from None
        except aio.UsageError as error:
            raise InternalError("the client is closed") from error
        except asyncio.CancelledError:
            if _is_given_up():
                raise
            raise InternalError("the client is closed") from None
        if not isinstance(data, bytes):
            raise InternalError("the call ended without an answer")
        return data


def open_channel(target: str, tls: Tls | None) -> aio.Channel:
    """A connection that is made when it is needed."""
    if tls is None:
        return aio.insecure_channel(target, OPTIONS)
    return aio.secure_channel(
        target, tls.credentials(), options=(*OPTIONS, *tls.options())
    )


def _is_given_up() -> bool:
    # `close` cancels calls, which the library tells to those who wait for them as if
    # they had been cancelled themselves. Nobody handles that as an error.
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


def _told(error: aio.AioRpcError) -> AuthzError:
    trailers = cast("Iterable[tuple[str, str | bytes]]", error.trailing_metadata())
    return error_of(error.code(), error.details() or "", trailers or ())
