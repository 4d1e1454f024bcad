"""Spans to a collector, as OTLP over gRPC; imported only where calls are traced."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias, cast

import grpc
from grpc import aio
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import (
    AnyValue,
    InstrumentationScope,
    KeyValue,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import (
    ResourceSpans,
    ScopeSpans,
    Status,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Written
from typing_extensions import override

from sidecar.observe.outbox import Sender, SendingError
from sidecar.observe.tracing import Attribute, Kind, Span

_EXPORT: Final = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
_KINDS: Final = {
    Kind.SERVER: Written.SPAN_KIND_SERVER,
    Kind.INTERNAL: Written.SPAN_KIND_INTERNAL,
}
# What OTLP says may be tried again.
_PASSING: Final = frozenset(
    {
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.OUT_OF_RANGE,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DATA_LOSS,
    }
)
OPTIONS: Final = (
    # A collector that is back is found within seconds, not minutes.
    ("grpc.max_reconnect_backoff_ms", 5_000),
    # Where spans go the settings say, and no variable of the environment.
    ("grpc.enable_http_proxy", 0),
)

_RESOURCES: Final = ExportTraceServiceRequest.RESOURCE_SPANS_FIELD_NUMBER
_SCOPES: Final = ResourceSpans.SCOPE_SPANS_FIELD_NUMBER
_SPANS: Final = ScopeSpans.SPANS_FIELD_NUMBER
_ATTRIBUTES: Final = Written.ATTRIBUTES_FIELD_NUMBER
_WITH_LENGTH: Final = 2
_SEVEN_BITS: Final = 0x7F
_MORE: Final = 0x80
_REMEMBERED: Final = 1024
# Spans that are written before calls have their turn: half a millisecond.
_TURN: Final = 32

Headers: TypeAlias = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Tls:
    """TLS to a collector, as PEM: whom to trust, and what to show of oneself.

    None of an authority means those that come with gRPC.
    """

    ca: bytes | None
    key: bytes | None
    certificate: bytes | None


@dataclass(frozen=True, slots=True)
class Collector:
    """Where spans go. `target`: host and port; `tls` is none without TLS.

    `headers` gives what to send along, each time anew, and may raise OSError or
    ValueError. `timeout`: seconds.
    """

    target: str
    tls: Tls | None
    headers: Callable[[], Headers]
    timeout: float


class OtlpSender(Sender):
    """Sends spans to a collector."""

    def __init__(
        self, collector: Collector, version: str, resource: Mapping[str, str]
    ) -> None:
        """`resource`: what every span says of the process that it comes from."""
        self._collector = collector
        scope = InstrumentationScope(name="authz-sidecar", version=version)
        said = [_key_value(name, value) for name, value in resource.items()]
        self._scope = ScopeSpans(scope=scope).SerializeToString()
        self._resource = ResourceSpans(
            resource=Resource(attributes=said)
        ).SerializeToString()
        self._channel = _channel(collector.target, collector.tls)
        self._export = self._channel.unary_unary(
            _EXPORT,
            request_serializer=bytes,
            response_deserializer=ExportTraceServiceResponse.FromString,
        )

    @override
    async def send(self, spans: Sequence[Span]) -> int:
        try:
            headers = self._collector.headers()
        except (OSError, ValueError) as error:
            problem = "the file of headers cannot be used"
            raise SendingError(problem, is_passing=True) from error
        try:
            answer = await self._export(
                await self._request(spans),
                timeout=self._collector.timeout,
                metadata=aio.Metadata(*headers),
            )
        except aio.AioRpcError as error:
            # What the collector says is not logged: it may repeat what it was sent.
            code = error.code()
            raise SendingError(code.name, is_passing=code in _PASSING) from None
        return cast("int", answer.partial_success.rejected_spans)

    @override
    async def close(self) -> None:
        await self._channel.close(None)

    async def _request(self, spans: Sequence[Span]) -> bytes:
        entries: list[bytes] = []
        for number, span in enumerate(spans, 1):
            entries.append(_entry(_SPANS, _span(span)))
            if number % _TURN == 0:
                await asyncio.sleep(0)
        scope = _entry(_SCOPES, self._scope + b"".join(entries))
        return _entry(_RESOURCES, self._resource + scope)


def _channel(target: str, tls: Tls | None) -> aio.Channel:
    if tls is None:
        return aio.insecure_channel(target, OPTIONS)
    credentials = grpc.ssl_channel_credentials(tls.ca, tls.key, tls.certificate)
    return aio.secure_channel(target, credentials, OPTIONS)


# A message that has messages is their bytes one after another, each behind its number
# and its length. Most attributes are the same again and again; to make messages of
# them, and of those larger ones, took ten times as long.
def _span(span: Span) -> bytes:
    status = None
    if span.failure is not None:
        status = Status(code=Status.STATUS_CODE_ERROR, message=span.failure)
    written = Written(
        trace_id=span.trace_id.to_bytes(16, "big"),
        span_id=span.span_id.to_bytes(8, "big"),
        parent_span_id=span.parent_id.to_bytes(8, "big") if span.parent_id else b"",
        trace_state=span.state,
        name=span.name,
        kind=_KINDS[span.kind],
        start_time_unix_nano=span.began,
        end_time_unix_nano=span.ended,
        status=status,
    )
    attributes = [_attribute(name, value) for name, value in span.attributes.items()]
    return written.SerializeToString() + b"".join(attributes)


# By type too: one and true are the same key otherwise.
@lru_cache(_REMEMBERED, typed=True)
def _attribute(name: str, value: Attribute) -> bytes:
    return _entry(_ATTRIBUTES, _key_value(name, value).SerializeToString())


def _key_value(name: str, value: Attribute) -> KeyValue:
    match value:
        case bool():
            return KeyValue(key=name, value=AnyValue(bool_value=value))
        case int():
            return KeyValue(key=name, value=AnyValue(int_value=value))
        case str():
            return KeyValue(key=name, value=AnyValue(string_value=value))


def _entry(number: int, data: bytes) -> bytes:
    return bytes((number << 3 | _WITH_LENGTH,)) + _varint(len(data)) + data


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > _SEVEN_BITS:
        found.append(number & _SEVEN_BITS | _MORE)
        number >>= 7
    found.append(number)
    return bytes(found)
