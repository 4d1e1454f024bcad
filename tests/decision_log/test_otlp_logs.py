"""Records reach a collector of OpenTelemetry, whole and in their order."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsPartialSuccess,
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from sidecar.audit.sink import RejectedError
from sidecar.store.clock import SystemClock
from sidecar.transport.otlp import Collector
from sidecar.transport.otlp_logs import OtlpLogs
from tests.decision_log.playing import Player
from tests.edge.checking import checking
from tests.support.edge import ROUTES
from tests.support.serving import ENGINES

SERVICE = "opentelemetry.proto.collector.logs.v1.LogsService"
REQUEST = {
    "caller": {"user_id": "1", "organization_id": "1"},
    "resources": [{"kind": "cluster", "id": "1"}],
}


@dataclass
class Received:
    """What a collector was sent, and where it listens; it may refuse."""

    address: str = ""
    requests: list[ExportLogsServiceRequest] = field(default_factory=list)
    metadata: list[dict[str, str | bytes]] = field(default_factory=list)
    refuses: grpc.StatusCode | None = None
    rejects: int = 0

    def records(self) -> list[LogRecord]:
        """All records, in their order."""
        return [
            record
            for request in self.requests
            for each in request.resource_logs
            for scope in each.scope_logs
            for record in scope.log_records
        ]


@pytest.fixture
def collector() -> Iterator[Received]:
    """A collector of logs on a port of its own."""
    found = Received()

    def export(data: bytes, context: grpc.ServicerContext) -> bytes:
        if found.refuses is not None:
            context.abort(found.refuses, "not now")
        found.metadata.append(dict(context.invocation_metadata()))
        found.requests.append(ExportLogsServiceRequest.FromString(data))
        partial = ExportLogsPartialSuccess(rejected_log_records=found.rejects)
        answer = ExportLogsServiceResponse(partial_success=partial)
        return answer.SerializeToString()

    server = grpc.server(ThreadPoolExecutor(1))
    handlers = {"Export": grpc.unary_unary_rpc_method_handler(export)}
    generic = grpc.method_handlers_generic_handler(SERVICE, handlers)
    server.add_generic_rpc_handlers((generic,))
    found.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield found
    server.stop(None).wait()


def _sink(collector: Received, *headers: tuple[str, str]) -> OtlpLogs:
    address = Collector(collector.address, None, lambda: headers, 10)
    return OtlpLogs(address, "1", {"service.name": "mine"}, SystemClock())


async def test_collector_receives_what_was_answered(
    example: str, collector: Received, tmp_path: Path
) -> None:
    """Each answer is the body of a record, with what the resource is called."""
    headers = tmp_path / "headers"
    headers.write_text("x-token: of the collector")
    settings = {
        "to": "otlp",
        "collector": {
            "endpoint": f"http://{collector.address}",
            "service_name": "mine",
            "headers_file": str(headers),
        },
    }
    async with checking(example, ROUTES, decision_log=settings) as running:
        player = Player(running)
        played = [
            await player.ask(engine, "CheckVisible", REQUEST)
            for engine in ENGINES
            for _ in range(20)
        ]

    records = collector.records()
    bodies = [json.loads(each.body.string_value) for each in records]
    names = {
        (attribute.key, attribute.value.string_value)
        for request in collector.requests
        for each in request.resource_logs
        for attribute in each.resource.attributes
    }
    assert [each.answer["decision_id"] for each in played] == [
        each["decision_id"] for each in bodies
    ]
    assert ("service.name", "mine") in names
    assert {"authz.decision"} == {each.event_name for each in records}
    assert {"of the collector"} == {each["x-token"] for each in collector.metadata}


def test_refusal_is_told_and_what_was_refused_can_be_sent_again(
    collector: Received,
) -> None:
    """While a collector refuses, nothing counts as written."""
    sink = _sink(collector)
    collector.refuses = grpc.StatusCode.UNAVAILABLE
    with pytest.raises(OSError, match="the collector answered UNAVAILABLE"):
        sink.write([b"{}\n"])

    collector.refuses = None
    taken = sink.write([b"{}\n"])
    sink.close()

    assert (1, 1) == (taken, len(collector.records()))


@pytest.mark.parametrize(
    ("refuses", "rejects", "lost"),
    [(grpc.StatusCode.INVALID_ARGUMENT, 0, 3), (None, 2, 2), (None, 7, 3)],
)
def test_what_is_rejected_for_good_is_lost_and_nothing_waits_for_it(
    collector: Received, refuses: grpc.StatusCode | None, rejects: int, lost: int
) -> None:
    """A collector that answers may have taken nothing all the same."""
    sink = _sink(collector)
    collector.refuses, collector.rejects = refuses, rejects
    with pytest.raises(RejectedError, match="the collector") as caught:
        sink.write([b"{}\n"] * 3)
    sink.close()

    assert (3, lost) == (caught.value.taken, caught.value.lost)


def test_message_is_no_larger_than_collectors_take(collector: Received) -> None:
    """Of many long lines only so many are sent at once, and none is left out."""
    sink = _sink(collector)
    lines = [b"x" * 700_000 + b"\n"] * 7

    taken = [sink.write(lines), sink.write(lines[2:])]
    sink.close()

    assert [2, 2] == taken
    assert all(each.ByteSize() < 4 * 1024 * 1024 for each in collector.requests)
