"""Around every call of API and edge: shedding, decoding, statuses, metrics.

Both engines run these. They touch no other service's handlers.
"""

import time
from asyncio import CancelledError, current_task
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol, TypeAlias, cast

import grpc
import structlog
from google.protobuf.message import DecodeError, Message
from grpc import aio

from sidecar.core.reasons import Reason
from sidecar.ports import (
    CouldNotDecideError,
    DeadlineTooNearError,
    FactsUnavailableError,
    OverloadedError,
    UnknownRevisionError,
    WatcherTooSlowError,
)
from sidecar.transport.shedding import Load, TurnedAway
from sidecar.transport.status import (
    RefusedError,
    unknown_revision,
)
from sidecar.transport.streams import StreamObserver, guard_stream

_OK = grpc.StatusCode.OK.name
_CANCELLED = grpc.StatusCode.CANCELLED.name
# What is counted by its own name, and what by a name that says where it belongs.
_SERVICES = {
    "authz.v1.AuthorizationService": "",
    "envoy.service.auth.v3.Authorization": "ext_authz.",
}

Handler: TypeAlias = "grpc.RpcMethodHandler[Message, Message]"
Context: TypeAlias = "aio.ServicerContext[Message, Message]"
# What is encoded already stays as it is.
Unary: TypeAlias = Callable[[Message, Context], Awaitable[Message | bytes]]
Raw: TypeAlias = Callable[[bytes, Context], Awaitable[bytes]]
# Goes around a method's handler before and after it is guarded. Where there is none,
# what serves a call is the very function that it would be without this.
Around: TypeAlias = Callable[[str, Handler, Callable[[Handler], Raw]], Raw]

_log = structlog.stdlib.get_logger("sidecar.transport")


class CallObserver(StreamObserver, Protocol):
    """Told of every call of the API, for metrics."""

    def called(self, rpc: str, code: str, reason: str, seconds: float) -> None:
        """Counts a call; `reason` is empty when it was answered."""
        ...


class Guards:
    """Stands in a server's place while handlers are registered, and guards each.

    Shed, decode, run, map errors, count. An interceptor could do the same, but the
    native engine asks it anew for each call, which costs a fifth of a small one.
    """

    def __init__(
        self,
        server: aio.Server,
        observer: CallObserver,
        load: Load,
        around: Around | None = None,
    ) -> None:
        """`server`: where the guarded handlers go."""
        self._server = server
        self._observer = observer
        self._load = load
        self._around = around

    def add_generic_rpc_handlers(self, handlers: object) -> None:
        """Takes nothing: generated code hands over each handler a second time."""

    def add_registered_method_handlers(
        self, service: str, handlers: Mapping[str, Handler]
    ) -> None:
        """Registers the handlers of a service of API or edge."""
        guarded = {
            rpc: self.guarded(service, rpc, handler)
            for rpc, handler in handlers.items()
        }
        # One engine serves the first, the other the second.
        generic = grpc.method_handlers_generic_handler(service, guarded)
        self._server.add_registered_method_handlers(service, guarded)  # type: ignore[attr-defined]  # stubs lack it
        self._server.add_generic_rpc_handlers((generic,))

    def guarded(self, service: str, rpc: str, handler: Handler) -> Handler:
        """The handler of a method, with all that goes around it."""
        name = f"{_SERVICES[service]}{rpc}"
        # Messages are decoded inside, so that one which cannot be is a clear error.
        if handler.unary_stream is not None:
            return guard_stream(name, handler, self._observer, self._load, _refused)
        if handler.unary_unary is None:
            raise AssertionError(f"nothing guards a handler such as that of {name}")
        run = self._run(f"/{service}/{rpc}", name, handler)
        return cast("Handler", grpc.unary_unary_rpc_method_handler(run))

    def _run(self, method: str, name: str, handler: Handler) -> Raw:
        def guard(handler: Handler) -> Raw:
            return _wrap(name, handler, self._observer, self._load)

        if self._around is None:
            return guard(handler)
        return self._around(method, handler, guard)


def _wrap(  # noqa: PLR0915  what every call goes through, in one place
    rpc: str, handler: Handler, observer: CallObserver, load: Load
) -> Raw:
    # Generated code always has both converters, and the servicer is asynchronous.
    decode = cast("Callable[[bytes], Message]", handler.request_deserializer)
    encode = cast("Callable[[Message], bytes]", handler.response_serializer)
    answer = cast("Unary", handler.unary_unary)

    async def run(data: bytes, context: Context) -> bytes:
        if not load.enter():
            away = load.turned_away
            observer.called(rpc, away.code.name, away.reason.name, 0.0)
            await context.abort(away.code, away.message, away.details)
        started = time.perf_counter()
        # Whatever is not known to be answered or refused was cancelled.
        code, reason = _CANCELLED, ""
        refused: TurnedAway | None = None
        try:
            made = await answer(decode(data), context)
            response = made if isinstance(made, bytes) else encode(made)
            code = _OK
        except aio.AbortError:
            raise
        except (Exception, CancelledError) as error:  # noqa: BLE001  any is a status
            refused = TurnedAway.of(_refused(error))
            code, reason = refused.code.name, refused.reason.name
        finally:
            load.leave()
            observer.called(rpc, code, reason, time.perf_counter() - started)
        # Out here the error is gone, with all that its frames hold on to. What was
        # raised on top of it would be a circle, and lie about until it is collected.
        if refused is not None:
            await context.abort(refused.code, refused.message, refused.details)
        return response

    return run


def _is_cancelled() -> bool:
    # What a handler waited for may be cancelled without the call being so. An engine
    # that is handed that takes the client to be gone, and never answers it.
    task = current_task()
    return task is None or task.cancelling() > 0


_REASONS: dict[type[CouldNotDecideError], Reason] = {
    FactsUnavailableError: Reason.FACTS_UNAVAILABLE,
    DeadlineTooNearError: Reason.DEADLINE_TOO_NEAR,
    OverloadedError: Reason.OVERLOADED,
    WatcherTooSlowError: Reason.WATCHER_TOO_SLOW,
}


def _refused(error: BaseException) -> RefusedError:
    match error:
        case CancelledError() if _is_cancelled():
            # Nobody is left to be told a status.
            raise error
        case RefusedError():
            return error
        case DecodeError():
            return RefusedError(Reason.MALFORMED_MESSAGE)
        case UnknownRevisionError():
            return unknown_revision()
        case CouldNotDecideError():
            return RefusedError(_REASONS.get(type(error), Reason.FACTS_UNAVAILABLE))
        case _:
            # A defect: told in full in the log, and not at all to the client.
            _log.error("call.defect", exc_info=error)
            return RefusedError(Reason.INTERNAL)
