"""Spans on the wire, as a collector reads them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Written
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from sidecar.observe.outbox import SendingError
from sidecar.observe.tracing import Attribute, Kind, Span
from sidecar.transport.otlp import Collector as Address
from sidecar.transport.otlp import Headers, OtlpSender, Tls
from tests.support.authority import Authority
from tests.support.collecting import Collector, attributes_of

_SECONDS = 20
_RESOURCE = {"service.name": "a" * 200, "service.version": "1"}


def _span(attributes: dict[str, Attribute] | None = None) -> Span:
    span = Span("call", Kind.SERVER, (2**128 - 1, 2**64 - 1, "a=1"), lambda _: None, 7)
    span.attributes.update(attributes or {})
    span.end()
    return span


@asynccontextmanager
async def _sending(
    collector: Collector, tls: Tls | None = None, headers: Headers = ()
) -> AsyncIterator[OtlpSender]:
    target = f"127.0.0.1:{collector.port}"
    address = Address(target, tls, lambda: headers, _SECONDS)
    sender = OtlpSender(address, "1.2.3", _RESOURCE)
    try:
        yield sender
    finally:
        await sender.close()


@pytest.fixture(scope="module")
async def collector() -> AsyncIterator[Collector]:
    """Takes what most tests send."""
    made = await Collector.start()
    yield made
    await made.close()


async def test_a_span_is_read_as_it_was_made(collector: Collector) -> None:
    """Every field arrives, with its type."""
    attributes: dict[str, Attribute] = {
        "one": 1, "true": True, "also": 1, "large": 2**40, "empty": "", "text": "ä",
    }  # fmt: skip
    span = _span(attributes)
    span.failure = "FACTS_UNAVAILABLE"

    async with _sending(collector) as sender:
        assert 0 == await sender.send([span])

    sent = ExportTraceServiceRequest.FromString(collector.received[-1])
    (resource,) = sent.resource_spans
    (scope,) = resource.scope_spans
    (written,) = scope.spans
    assert _RESOURCE == attributes_of(resource.resource.attributes)
    assert ("authz-sidecar", "1.2.3") == (scope.scope.name, scope.scope.version)
    assert list(attributes.items()) == list(attributes_of(written.attributes).items())
    assert [int, bool, int, int, str, str] == [
        type(each) for each in attributes_of(written.attributes).values()
    ]
    del written.attributes[:]
    assert written == Written(
        trace_id=b"\xff" * 16,
        span_id=span.span_id.to_bytes(8, "big"),
        parent_span_id=b"\xff" * 8,
        trace_state="a=1",
        name="call",
        kind=Written.SPAN_KIND_SERVER,
        start_time_unix_nano=7,
        end_time_unix_nano=span.ended,
        status=Status(code=Status.STATUS_CODE_ERROR, message="FACTS_UNAVAILABLE"),
    )


@pytest.mark.parametrize("length", [0, 1, 100, 127, 128, 16_383, 16_384, 2_100_000])
async def test_lengths_are_written_as_they_are(
    collector: Collector, length: int
) -> None:
    """Also those that take two bytes and more."""
    spans = [_span({"text": "x" * length, "after": 1}) for _ in range(2)]

    async with _sending(collector) as sender:
        await sender.send(spans[: 1 if length > 1_000_000 else 2])

    found = [attributes_of(each.attributes) for each in collector.spans[-1:]]
    assert [{"text": "x" * length, "after": 1}] == found


async def test_one_is_not_true(collector: Collector) -> None:
    """What is equal in Python keeps its own type, in whichever order it comes."""
    values: list[Attribute] = [True, 1, False, 0]

    async with _sending(collector) as sender:
        await sender.send([_span({"equal": each}) for each in values])

    found = [attributes_of(each.attributes)["equal"] for each in collector.spans[-4:]]
    assert list(map(repr, values)) == list(map(repr, found))


async def test_many_spans_go_at_once(collector: Collector) -> None:
    """None is lost between the turns in which they are written."""
    spans = [_span({"number": number}) for number in range(100)]

    async with _sending(collector) as sender:
        await sender.send(spans)

    found = [
        attributes_of(each.attributes)["number"] for each in collector.spans[-100:]
    ]
    assert list(range(100)) == found


async def test_tls_needs_the_authority_and_shows_a_certificate() -> None:
    """The collector is told only over a connection that proves both sides."""
    authority, stranger = Authority(), Authority("stranger")
    server, client = authority.server(), authority.client("dns:authz.example")
    collector = await Collector.start(
        grpc.ssl_server_credentials(
            [(server.key_pem, server.pem)], authority.pem, require_client_auth=True
        )
    )
    shown = (client.key_pem, client.pem)

    async with _sending(collector, Tls(authority.pem, *shown)) as sender:
        assert 0 == await sender.send([_span()])
    for tls in (
        Tls(stranger.pem, *shown),
        Tls(None, *shown),
        Tls(authority.pem, None, None),
        None,
    ):
        async with _sending(collector, tls) as sender:
            with pytest.raises(SendingError):
                await sender.send([_span()])

    assert 1 == len(collector.received)
    await collector.close()


@pytest.mark.parametrize(
    ("code", "is_passing"),
    [
        (grpc.StatusCode.UNAVAILABLE, True),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, True),
        (grpc.StatusCode.UNAUTHENTICATED, False),
        (grpc.StatusCode.INVALID_ARGUMENT, False),
        (grpc.StatusCode.UNIMPLEMENTED, False),
    ],
)
async def test_refusal_says_its_code_and_no_more(
    code: grpc.StatusCode,
    is_passing: bool,  # noqa: FBT001  the value itself
) -> None:
    """What a collector says may repeat what it was sent."""
    collector = await Collector.start()
    collector.refuses = code
    async with _sending(collector) as sender:
        with pytest.raises(SendingError) as raised:
            await sender.send([_span()])

    assert (code.name, is_passing) == (str(raised.value), raised.value.is_passing)
    assert raised.value.__cause__ is None
    await collector.close()


async def test_what_a_collector_rejects_is_told() -> None:
    """It may take a part."""
    collector = await Collector.start()
    collector.rejects = 2
    async with _sending(collector) as sender:
        assert 2 == await sender.send([_span(), _span(), _span()])
    await collector.close()


async def test_without_its_headers_nothing_is_sent(collector: Collector) -> None:
    """A file that cannot be read now may be there later."""

    def headers() -> Headers:
        raise FileNotFoundError

    before = len(collector.received)
    address = Address(f"127.0.0.1:{collector.port}", None, headers, _SECONDS)
    sender = OtlpSender(address, "1", {})
    with pytest.raises(SendingError) as raised:
        await sender.send([_span()])
    await sender.close()

    assert raised.value.is_passing
    assert before == len(collector.received)
