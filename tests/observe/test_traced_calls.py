"""Traces of calls, as a collector receives them.

Long, for the sidecars and the questions that all of these share.
"""

import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import asyncpg
import grpc
import pytest
from authz.v1 import authorization_service_pb2 as api
from authz.v1.caller_pb2 import Caller, Consistency
from google.protobuf.message import Message
from grpc import aio
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from sidecar.store.embedded import EmbeddedPostgres
from sidecar.transport.envoy import external_auth_pb2 as envoy
from tests.edge.checking import CHECK, Checking, checking
from tests.edge.making import request
from tests.support.collecting import Attributes, Collector, attributes_of
from tests.support.edge import ANN, ROUTES, stored_example
from tests.support.serving import ENGINES

API: Final = "authz.v1.AuthorizationService"
EDGE: Final = "envoy.service.auth.v3.Authorization/Check"
VISIBLE: Final = f"{API}/CheckVisible"
PARENT: Final = "b7ad6b7169203331"
ANN_HERSELF: Final = Caller(user_id="1", organization_id="1")
_NUMBERS: Final = itertools.count(1)


@dataclass
class Traced:
    """A sidecar and the collector of its traces."""

    checking: Checking
    collector: Collector

    async def ask(
        self, engine: str, call: str, message: Message, *metadata: tuple[str, str]
    ) -> bytes:
        """The encoded answer of a call; raises AioRpcError."""
        method = self.checking.channels[engine].unary_unary(
            call if call.startswith("/") else f"/{API}/{call}",
            request_serializer=bytes,
            response_deserializer=bytes,
        )
        sent = aio.Metadata(*metadata)
        return cast(
            "bytes",
            await method(message.SerializeToString(), timeout=10, metadata=sent),
        )


@asynccontextmanager
async def traced(
    url: str, collector: Collector, **changed: object
) -> AsyncIterator[Traced]:
    """A sidecar that traces, until the end."""
    settings = {
        "endpoint": collector.url, "sample_ratio": 0, "interval_seconds": 0.01,
        "timeout_seconds": 10, **changed,
    }  # fmt: skip
    async with checking(url, ROUTES, tracing=settings) as running:
        yield Traced(running, collector)


@pytest.fixture(scope="module")
async def own_url(postgres: EmbeddedPostgres) -> str:
    """A database of this module's."""
    return await stored_example(postgres, "traced")


@pytest.fixture(scope="module")
async def collector() -> AsyncIterator[Collector]:
    """Takes the traces of most tests here."""
    made = await Collector.start()
    yield made
    await made.close()


@pytest.fixture(scope="module")
async def sidecar(own_url: str, collector: Collector) -> AsyncIterator[Traced]:
    """Traces what its callers trace, and nothing else."""
    headers = Path(__file__).with_name("collector_headers.txt")
    async with traced(own_url, collector, headers_file=str(headers)) as running:
        yield running


def parent(*, is_sampled: bool = True) -> tuple[str, str]:
    """A new trace, and its header."""
    trace = f"{next(_NUMBERS):032x}"
    return trace, f"00-{trace}-{PARENT}-0{int(is_sampled)}"


def visible(*ids: str) -> api.CheckVisibleRequest:
    """Whether Ann sees workers."""
    asked = api.CheckVisibleRequest(caller=ANN_HERSELF)
    for each in ids:
        asked.resources.add(kind="worker", id=each)
    return asked


def alike() -> api.CheckVisibleRequest:
    """Three rows of Ann's and two of somebody else's, with all that they carry."""
    asked = api.CheckVisibleRequest(caller=ANN_HERSELF)
    for number, owner in enumerate(("1", "404", "1", "404", "1")):
        row = asked.resources.add(kind="worker", id=str(number + 1))
        row.attributes.owner_principal_id = owner
        row.attributes.cluster_id = "1"
    return asked


def only(spans: Sequence[Span]) -> tuple[Span, Attributes]:
    """The one span of a name, with its attributes."""
    assert 1 == len(spans)
    return spans[0], attributes_of(spans[0].attributes)


@pytest.mark.parametrize("engine", ENGINES)
async def test_call_is_recorded_under_its_caller(sidecar: Traced, engine: str) -> None:
    """The server's span has the caller's trace, and says what was decided."""
    trace, header = parent()
    response = api.CheckVisibleResponse.FromString(
        await sidecar.ask(
            engine, "CheckVisible", visible("11", "404"),
            ("traceparent", header), ("tracestate", "vendor=opaque"),
        )
    )  # fmt: skip

    span, said = only((await sidecar.collector.trace(trace))[VISIBLE])

    assert PARENT == span.parent_span_id.hex()
    assert "vendor=opaque" == span.trace_state
    assert Span.SPAN_KIND_SERVER == span.kind
    assert 0 < span.start_time_unix_nano < span.end_time_unix_nano
    assert Status.STATUS_CODE_UNSET == span.status.code
    assert {
        "rpc.system": "grpc",
        "rpc.service": API,
        "rpc.method": "CheckVisible",
        "rpc.grpc.status_code": 0,
        "authz.decision": "denied",
        "authz.reason": "RESOURCE_NOT_FOUND",
        "authz.decisions": 2,
        "authz.denied": 1,
        "authz.decision_id": response.decision_id,
        "authz.revision": response.revision,
    } == said


@pytest.mark.parametrize("engine", ENGINES)
async def test_first_reading_is_recorded_as_load(sidecar: Traced, engine: str) -> None:
    """Below the decision is each look-up, below what had to be read its load."""
    trace, header = parent()
    first = 500 + 10 * ENGINES.index(engine)
    ids = [str(first + number) for number in range(3)]

    await sidecar.ask(engine, "CheckVisible", visible(*ids), ("traceparent", header))

    spans = await sidecar.collector.trace(trace)
    server, _ = only(spans[VISIBLE])
    decision, how = only(spans["authz.decision"])
    looked_up = {
        attributes_of(each.attributes)["authz.fact"]: each
        for each in spans["authz.lookup"]
    }
    lookup = looked_up["resource"]
    load = next(
        each for each in spans["authz.load"] if each.parent_span_id == lookup.span_id
    )
    assert server.span_id == decision.parent_span_id
    assert {"authz.consistency": "minimize_latency"} == how
    assert decision.span_id == lookup.parent_span_id
    assert {
        "authz.fact": "resource",
        "authz.keys": 3,
        "authz.from_memory": False,
    } == attributes_of(lookup.attributes)
    assert {"authz.fact": "resource", "authz.keys": 3} == attributes_of(load.attributes)


@pytest.mark.parametrize("engine", ENGINES)
async def test_memory_needs_no_load(sidecar: Traced, engine: str) -> None:
    """What is held is looked up, and nothing is read for it."""
    await sidecar.ask(engine, "CheckVisible", visible("12"))
    trace, header = parent()

    await sidecar.ask(engine, "CheckVisible", visible("12"), ("traceparent", header))

    spans = await sidecar.collector.trace(trace)
    _, said = only(spans["authz.lookup"])
    assert {
        "authz.fact": "resource",
        "authz.keys": 1,
        "authz.from_memory": True,
    } == said
    assert {VISIBLE, "authz.decision", "authz.lookup"} == set(spans)


async def test_snapshot_is_told_from_memory(sidecar: Traced) -> None:
    """Who asks for the newest facts sees in the trace what that takes."""
    asked = visible("12")
    asked.consistency.CopyFrom(Consistency(fully_consistent=True))
    trace, header = parent()

    await sidecar.ask("native", "CheckVisible", asked, ("traceparent", header))

    spans = await sidecar.collector.trace(trace)
    _, said = only(spans["authz.decision"])
    assert {"authz.consistency": "fully_consistent"} == said
    assert all(
        attributes_of(each.attributes)["authz.from_memory"] is False
        for each in spans["authz.lookup"]
    )


@pytest.mark.parametrize("engine", ENGINES)
async def test_denial_without_an_answer_is_recorded(
    sidecar: Traced, engine: str
) -> None:
    """A denial that ends the call is a decision, and no failure of the server."""
    trace, header = parent()
    asked = api.ResolveContextRequest(caller=Caller(user_id="nobody"))

    with pytest.raises(aio.AioRpcError):
        await sidecar.ask(engine, "ResolveContext", asked, ("traceparent", header))

    span, said = only((await sidecar.collector.trace(trace))[f"{API}/ResolveContext"])
    assert Status.STATUS_CODE_UNSET == span.status.code
    assert ("denied", "INVALID_CREDENTIAL", 16) == (
        said["authz.decision"],
        said["authz.reason"],
        said["rpc.grpc.status_code"],
    )


@pytest.mark.parametrize("engine", ENGINES)
async def test_request_that_cannot_be_decoded_is_recorded(
    sidecar: Traced, engine: str
) -> None:
    """Whatever ends a call, there is a span that says so."""
    trace, header = parent()
    method = sidecar.checking.channels[engine].unary_unary(
        f"/{VISIBLE}", request_serializer=bytes, response_deserializer=bytes
    )
    with pytest.raises(aio.AioRpcError):
        await method(b"\xff", metadata=aio.Metadata(("traceparent", header)))

    _, said = only((await sidecar.collector.trace(trace))[VISIBLE])
    assert ("MALFORMED_MESSAGE", 3) == (
        said["authz.reason"],
        said["rpc.grpc.status_code"],
    )


@pytest.mark.parametrize("engine", ENGINES)
async def test_edge_is_recorded_under_envoy(sidecar: Traced, engine: str) -> None:
    """Envoy's own trace is followed, and the route is named, not the path."""
    trace, header = parent()
    message = request("/workers/11", {"x-api-key": ANN, "x-organization-id": "1"})

    answer = envoy.CheckResponse.FromString(
        await sidecar.ask(engine, CHECK, message, ("traceparent", header))
    )

    span, said = only((await sidecar.collector.trace(trace))[EDGE])
    told = answer.dynamic_metadata.fields
    assert PARENT == span.parent_span_id.hex()
    assert {
        "rpc.system": "grpc",
        "rpc.service": "envoy.service.auth.v3.Authorization",
        "rpc.method": "Check",
        "rpc.grpc.status_code": 0,
        "authz.decision": "allowed",
        "authz.decision_id": told["decision_id"].string_value,
        "authz.revision": told["revision"].string_value,
        "authz.rule_set": "api",
        "authz.route": told["route"].string_value,
    } == said


async def test_edge_denial_has_its_reason(sidecar: Traced) -> None:
    """A verdict that refuses is no failed call."""
    trace, header = parent()

    await sidecar.ask("native", CHECK, request("/me"), ("traceparent", header))

    span, said = only((await sidecar.collector.trace(trace))[EDGE])
    assert Status.STATUS_CODE_UNSET == span.status.code
    assert ("denied", "CREDENTIAL_MISSING") == (
        said["authz.decision"],
        said["authz.reason"],
    )


@pytest.mark.parametrize("engine", ENGINES)
async def test_calls_are_as_they_were(sidecar: Traced, engine: str) -> None:
    """A trace changes no answer, however its headers look."""
    allowed = request("/workers/11", {"x-api-key": ANN, "x-organization-id": "1"})
    for header in (parent()[1], "00-malformed", "", "\x7e" * 2_000):
        pairs = ("traceparent", header), ("tracestate", "authz=allowed")
        passed = await sidecar.ask(engine, CHECK, allowed, *pairs)
        refused = await sidecar.ask(engine, CHECK, request("/me"), *pairs)

        codes = [
            envoy.CheckResponse.FromString(each).status.code
            for each in (passed, refused)
        ]
        assert [0, 16] == codes


@pytest.mark.parametrize("is_sampled", [False, True])
async def test_everything_is_counted_all_the_same(
    sidecar: Traced,
    is_sampled: bool,  # noqa: FBT001  the value itself
) -> None:
    """Whether a call is recorded or not, metrics have it once."""
    counted = (
        ("authz_calls_total", {"rpc": "CheckVisible", "code": "OK", "reason": ""}),
        ("authz_calls_total", {"rpc": "ext_authz.Check", "code": "OK", "reason": ""}),
        (
            "authz_decisions_total",
            {"rpc": "CheckVisible", "decision": "allowed", "reason": "OWNED"},
        ),
        (
            "authz_edge_verdicts_total",
            {"rule_set": "api", "outcome": "denied", "reason": "CREDENTIAL_MISSING"},
        ),
    )
    registry = sidecar.checking.sidecar.metrics.registry

    def counts() -> list[float]:
        return [registry.get_sample_value(*each) or 0 for each in counted]

    before = counts()
    header = ("traceparent", parent(is_sampled=is_sampled)[1])
    await sidecar.ask("native", "CheckVisible", visible("11"), header)
    await sidecar.ask("native", CHECK, request("/me"), header)

    assert [each + 1 for each in before] == counts()


@pytest.mark.parametrize("is_sampled", [False, True])
async def test_alike_rows_are_counted_each(
    sidecar: Traced,
    is_sampled: bool,  # noqa: FBT001  the value itself
) -> None:
    """They are judged once, but metrics and the span have every one of them."""
    registry = sidecar.checking.sidecar.metrics.registry

    def counts() -> list[float]:
        return [
            registry.get_sample_value(
                "authz_decisions_total", {"rpc": "CheckVisible", **labels}
            )
            or 0
            for labels in (
                {"decision": "allowed", "reason": "OWNED"},
                {"decision": "denied", "reason": "RESOURCE_NOT_FOUND"},
            )
        ]

    owned, missing = counts()
    trace, header = parent(is_sampled=is_sampled)
    await sidecar.ask("native", "CheckVisible", alike(), ("traceparent", header))

    assert [owned + 3, missing + 2] == counts()
    if is_sampled:
        _, said = only((await sidecar.collector.trace(trace))[VISIBLE])
        assert (5, 2) == (said["authz.decisions"], said["authz.denied"])


async def test_only_what_its_caller_records_is_recorded(sidecar: Traced) -> None:
    """Neither a trace that nobody records, nor a malformed one, nor one in HTTP."""
    left_out, header = parent(is_sampled=False)
    in_http, http_header = parent()
    await sidecar.ask("native", "CheckVisible", visible("11"), ("traceparent", header))
    await sidecar.ask(
        "native", "CheckVisible", visible("11"), ("traceparent", f"00-{left_out}-1-01")
    )
    await sidecar.ask("native", CHECK, request("/me", {"traceparent": http_header}))
    last, header = parent()
    await sidecar.ask("native", "CheckVisible", visible("11"), ("traceparent", header))
    await sidecar.collector.trace(last)

    traces = {each.trace_id.hex() for each in sidecar.collector.spans}
    assert not {left_out, in_http} & traces
    assert all(int(each, 16) < next(_NUMBERS) for each in traces)


async def test_http_is_followed_on_demand(own_url: str, collector: Collector) -> None:
    """With `follow_http`, where Envoy names no trace, that of the request counts."""
    trace, header = parent()
    envoys, envoys_header = parent()
    message = request("/me", {"traceparent": header}, raw=[("tracestate", "a=1")])
    async with traced(own_url, collector, follow_http=True) as running:
        await running.ask("grpcio", CHECK, message)
        await running.ask("grpcio", CHECK, message, ("traceparent", envoys_header))

    span, _ = only((await collector.trace(trace))[EDGE])
    assert "a=1" == span.trace_state
    assert {EDGE} == set(await collector.trace(envoys))


async def test_ratio_chooses_among_calls_without_a_trace(own_url: str) -> None:
    """At one, all are recorded, under a trace of their own; stopping sends the rest."""
    collector = await Collector.start()
    async with traced(
        own_url, collector, sample_ratio=1, interval_seconds=60, batch_spans=100
    ) as running:
        for _ in range(3):
            await running.ask("native", "CheckVisible", visible("11"))
        assert not collector.spans

    await collector.close()
    recorded = [each for each in collector.spans if each.name == VISIBLE]
    assert 3 == len({each.trace_id for each in recorded})
    assert {b""} == {each.parent_span_id for each in recorded}


async def test_every_span_says_whose_it_is(sidecar: Traced) -> None:
    """Which service, which version and which process."""
    trace, header = parent()
    await sidecar.ask("native", "CheckVisible", visible("11"), ("traceparent", header))
    await sidecar.collector.trace(trace)

    sent = ExportTraceServiceRequest.FromString(sidecar.collector.received[-1])
    said = attributes_of(sent.resource_spans[0].resource.attributes)
    assert {"service.name", "service.version", "service.instance.id"} == set(said)
    assert "authz-sidecar" == said["service.name"]


async def test_no_id_and_no_credential_leaves(sidecar: Traced) -> None:
    """Nothing in what is exported is a credential, an id, a path, or a statement."""
    secret = "gpk_annlaptop_SECRET-that-nobody-knows"  # noqa: S105  made up
    trace, header = parent()
    pairs = [("traceparent", header), ("authorization", f"Bearer {secret}")]
    await sidecar.ask(
        "native", CHECK,
        request("/workers/741190885?q=1", {"x-api-key": secret}), *pairs,
    )  # fmt: skip
    await sidecar.collector.trace(trace)
    trace, header = parent()
    asked = api.CheckVisibleRequest(caller=Caller(api_key=secret))
    asked.resources.add(kind="worker", id="741190885")
    await sidecar.ask("native", "CheckVisible", asked, ("traceparent", header))
    asked.caller.CopyFrom(
        Caller(user_id="user-741190885", organization_id="org-741190885")
    )
    await sidecar.ask("native", "CheckVisible", asked, ("traceparent", header))
    await sidecar.collector.trace(trace)

    exported = b"".join(sidecar.collector.received)
    assert [] == [
        word
        for word in (secret, "annlaptop", "SECRET", "741190885", ANN, "select", "?q=")
        if word.encode() in exported
    ]


async def test_headers_of_the_file_are_sent_along(sidecar: Traced) -> None:
    """The collector gets its token, and only there it is."""
    trace, header = parent()
    await sidecar.ask("native", "CheckVisible", visible("11"), ("traceparent", header))
    await sidecar.collector.trace(trace)

    assert "Bearer of-the-collector" == sidecar.collector.headers[-1]["authorization"]
    assert not any(b"of-the-collector" in each for each in sidecar.collector.received)


async def test_dead_collector_changes_nothing(own_url: str) -> None:
    """Calls are answered, the metric says what was lost, and stopping does not wait."""
    collector = await Collector.start()
    await collector.close()
    async with traced(own_url, collector, sample_ratio=1, batch_spans=1) as running:
        for engine in ENGINES:
            answer = await running.ask(engine, "CheckVisible", visible("11"))
            response = api.CheckVisibleResponse.FromString(answer)
            assert [True] == [each.allowed for each in response.decisions]
        registry = running.checking.sidecar.metrics.registry

    lost = registry.get_sample_value("authz_trace_spans_total", {"outcome": "lost"})
    assert lost is not None
    assert 2 <= lost
    assert 0 == registry.get_sample_value("authz_trace_spans_waiting")


async def test_silent_collector_delays_nobody(own_url: str) -> None:
    """While it takes its time calls are answered, and what is too much is dropped."""
    collector = await Collector.start()
    answers = collector.be_silent()
    async with traced(
        own_url, collector, sample_ratio=1, batch_spans=1, queue_spans=4,
        flush_seconds=0,
    ) as running:  # fmt: skip
        for _ in range(5):
            await running.ask("native", "CheckVisible", visible("11"))
        registry = running.checking.sidecar.metrics.registry
        dropped = registry.get_sample_value(
            "authz_trace_spans_total", {"outcome": "dropped"}
        )
        assert dropped is not None
        assert 5 < dropped
        assert 4 == registry.get_sample_value("authz_trace_spans_waiting")

    assert [] == collector.spans
    answers.set()
    await collector.close()


async def test_failed_reading_is_recorded_as_failed(
    postgres: EmbeddedPostgres, collector: Collector
) -> None:
    """A call that could not be decided is a failure of the server, without detail."""
    name = f"traced_{next(_NUMBERS)}"
    url = await stored_example(postgres, name)
    trace, header = parent()
    async with traced(url, collector) as running:
        connection = await asyncpg.connect(url)
        await connection.execute("alter table authz.users rename to away")
        await connection.close()
        with pytest.raises(aio.AioRpcError) as raised:
            await running.ask(
                "native", "CheckVisible", visible("11"), ("traceparent", header)
            )

    assert grpc.StatusCode.UNAVAILABLE == raised.value.code()
    spans = await collector.trace(trace)
    server, said = only(spans[VISIBLE])
    load, _ = only(spans["authz.load"])
    assert Status.STATUS_CODE_ERROR == server.status.code
    assert ("FACTS_UNAVAILABLE", 14) == (
        said["authz.reason"],
        said["rpc.grpc.status_code"],
    )
    assert (
        Status(code=Status.STATUS_CODE_ERROR, message="FactsUnavailableError")
        == load.status
    )
