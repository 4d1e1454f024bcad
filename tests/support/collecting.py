"""A collector of traces: takes spans over OTLP, and keeps what it was sent."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, Self, TypeAlias, cast

import grpc
from grpc import aio
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

_SERVICE: Final = "opentelemetry.proto.collector.trace.v1.TraceService"
_SECONDS: Final = 20

Context: TypeAlias = "aio.ServicerContext[bytes, bytes]"
Attributes = dict[str, str | int | bool]


def attributes_of(written: Sequence[KeyValue]) -> Attributes:
    """Attributes as plain values."""
    return {
        each.key: cast(
            "str | int | bool", getattr(each.value, str(each.value.WhichOneof("value")))
        )
        for each in written
    }


class Collector:
    """Takes traces on a port of its own; may be told to refuse, or to be silent."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.headers: list[dict[str, str | bytes]] = []
        self.spans: list[Span] = []
        self.refuses: grpc.StatusCode | None = None
        self.rejects = 0
        self.port = 0
        self._is_silent: asyncio.Event | None = None
        self._arrived = asyncio.Condition()
        self._server = aio.server()

    @classmethod
    async def start(cls, credentials: grpc.ServerCredentials | None = None) -> Self:
        """Serves on a free port."""
        made = cls()
        handler = grpc.unary_unary_rpc_method_handler(made._export)
        handlers = {"Export": handler}
        generic = grpc.method_handlers_generic_handler(_SERVICE, handlers)
        made._server.add_generic_rpc_handlers((generic,))
        address = "127.0.0.1:0"
        if credentials is None:
            made.port = made._server.add_insecure_port(address)
        else:
            made.port = made._server.add_secure_port(address, credentials)
        await made._server.start()
        return made

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    async def close(self) -> None:
        """Ends it, whatever it is at."""
        await self._server.stop(None)

    def be_silent(self) -> asyncio.Event:
        """Answers nobody until the event that this gives is set."""
        self._is_silent = asyncio.Event()
        return self._is_silent

    async def until(self, is_there: Callable[[], bool]) -> None:
        """Waits for what it is sent."""
        async with asyncio.timeout(_SECONDS), self._arrived:
            await self._arrived.wait_for(is_there)

    def requests(self) -> list[ExportTraceServiceRequest]:
        """All that it was sent."""
        return [ExportTraceServiceRequest.FromString(each) for each in self.received]

    async def trace(self, trace_id: str) -> dict[str, list[Span]]:
        """The spans of a trace by name, once the last of it is here."""

        def ended() -> bool:
            return any(
                each.kind == Span.SPAN_KIND_SERVER for each in self._of(trace_id)
            )

        await self.until(ended)
        found: dict[str, list[Span]] = {}
        for span in self._of(trace_id):
            found.setdefault(span.name, []).append(span)
        return found

    def _of(self, trace_id: str) -> list[Span]:
        return [each for each in self.spans if each.trace_id.hex() == trace_id]

    async def _export(self, data: bytes, context: Context) -> bytes:
        if self._is_silent is not None:
            await self._is_silent.wait()
        async with self._arrived:
            self.received.append(data)
            metadata = context.invocation_metadata() or ()
            self.headers.append(dict(metadata))
            if self.refuses is None:
                self._keep(data)
            self._arrived.notify_all()
        if self.refuses is not None:
            await context.abort(self.refuses, "what was sent is `secret`")
        answer = ExportTraceServiceResponse()
        if self.rejects:
            partial = ExportTracePartialSuccess(rejected_spans=self.rejects)
            answer.partial_success.CopyFrom(partial)
        return answer.SerializeToString()

    def _keep(self, data: bytes) -> None:
        request = ExportTraceServiceRequest.FromString(data)
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                self.spans.extend(scope.spans)
