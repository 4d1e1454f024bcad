"""Around every stream of the API: let in, decode, run, map errors, count."""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeAlias, cast

import grpc
from google.protobuf.message import Message
from grpc import aio

from sidecar.transport.shedding import Load, TurnedAway
from sidecar.transport.status import RefusedError

_OK = grpc.StatusCode.OK.name
_CANCELLED = grpc.StatusCode.CANCELLED.name

Handler: TypeAlias = "grpc.RpcMethodHandler[Message, Message]"
Context: TypeAlias = "aio.ServicerContext[Message, Message]"
Stream: TypeAlias = Callable[[Message, Context], Awaitable[None]]
Raw: TypeAlias = Callable[[bytes, Context], Awaitable[None]]


class StreamObserver(Protocol):
    """Told of every stream of the API, for metrics."""

    def ended(self, rpc: str, code: str, reason: str) -> None:
        """Counts a stream; `reason` is empty when nothing went wrong."""
        ...


def guard_stream(  # noqa: PLR0915  as around a call, all in one place
    rpc: str,
    handler: Handler,
    observer: StreamObserver,
    load: Load,
    refused: Callable[[Exception], RefusedError],
) -> Handler:
    """The handler of a stream that writes by itself, with all that is around it."""
    # Generated code always has both converters.
    decode = cast("Callable[[bytes], Message]", handler.request_deserializer)
    stream = cast("Stream", handler.unary_stream)

    async def run(data: bytes, context: Context) -> None:
        if not load.enter():
            away = load.turned_away
            observer.ended(rpc, away.code.name, away.reason.name)
            await context.abort(away.code, away.message, away.details)
        # A stream has a limit of its own, and is not to take a place for ever.
        load.leave()
        code, reason = _CANCELLED, ""
        end: TurnedAway | None = None
        try:
            await stream(decode(data), context)
            code = _OK
        except aio.AbortError:
            raise
        except Exception as error:  # noqa: BLE001  whatever it is, it ends as a status
            end = TurnedAway.of(refused(error))
            code, reason = end.code.name, end.reason.name
        finally:
            observer.ended(rpc, code, reason)
        # Out here the error is gone, with all that its frames hold on to.
        if end is not None:
            await context.abort(end.code, end.message, end.details)

    encode = handler.response_serializer
    made = grpc.unary_stream_rpc_method_handler(run, None, encode)
    return cast("Handler", made)
