"""Records of decisions to a collector, as OTLP over gRPC; imported only for that."""

import errno
from collections.abc import Mapping, Sequence
from typing import Final

import grpc
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import (
    AnyValue,
    InstrumentationScope,
    KeyValue,
)
from opentelemetry.proto.logs.v1.logs_pb2 import (
    SEVERITY_NUMBER_INFO,
    LogRecord,
    ResourceLogs,
    ScopeLogs,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from typing_extensions import override

from sidecar.audit.sink import RejectedError, Sink
from sidecar.ports import Clock
from sidecar.transport.otlp import OPTIONS, Collector

_EXPORT: Final = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
_EVENT: Final = "authz.decision"
_NANOSECONDS: Final = 1_000_000_000
# Collectors take messages of 4 MiB, unless they are told otherwise.
_MOST_BYTES: Final = 2 * 1024 * 1024


class OtlpLogs(Sink):
    """Sends each line as the body of a log record; waits for the collector."""

    def __init__(
        self,
        collector: Collector,
        version: str,
        resource: Mapping[str, str],
        clock: Clock,
    ) -> None:
        """`resource`: what every record says of the process that it comes from."""
        self._collector = collector
        self._clock = clock
        self._scope = InstrumentationScope(name="authz-sidecar", version=version)
        self._resource = Resource(
            attributes=[
                KeyValue(key=name, value=AnyValue(string_value=value))
                for name, value in resource.items()
            ]
        )
        self._channel = _channel(collector)
        self._export = self._channel.unary_unary(
            _EXPORT,
            request_serializer=ExportLogsServiceRequest.SerializeToString,
            response_deserializer=ExportLogsServiceResponse.FromString,
        )

    @override
    def write(self, lines: Sequence[bytes]) -> int:
        count = _fitting(lines)
        try:
            answer = self._export(
                self._request(lines[:count]),
                timeout=self._collector.timeout,
                metadata=self._collector.headers(),
            )
        except ValueError as error:
            problem = "the file of headers cannot be used"
            raise OSError(errno.EINVAL, problem) from error
        except grpc.RpcError as error:
            # What the collector says is not told: it may repeat what it was sent.
            problem = f"the collector answered {_code(error)}"
            if error.code() is grpc.StatusCode.INVALID_ARGUMENT:
                # These it will never take; those behind them must not wait for that.
                raise RejectedError(count, count, problem) from None
            raise OSError(errno.EIO, problem) from None
        rejected = min(answer.partial_success.rejected_log_records, count)
        if rejected > 0:
            raise RejectedError(count, rejected, "the collector rejects records")
        return count

    @override
    def close(self) -> None:
        self._channel.close()

    def _request(self, lines: Sequence[bytes]) -> ExportLogsServiceRequest:
        now = int(self._clock.wall() * _NANOSECONDS)
        records = [
            LogRecord(
                observed_time_unix_nano=now,
                severity_number=SEVERITY_NUMBER_INFO,
                event_name=_EVENT,
                body=AnyValue(string_value=line.decode("ascii").rstrip("\n")),
            )
            for line in lines
        ]
        scopes = [ScopeLogs(scope=self._scope, log_records=records)]
        sent = ResourceLogs(resource=self._resource, scope_logs=scopes)
        return ExportLogsServiceRequest(resource_logs=[sent])


def _channel(collector: Collector) -> grpc.Channel:
    tls = collector.tls
    if tls is None:
        return grpc.insecure_channel(collector.target, OPTIONS)
    credentials = grpc.ssl_channel_credentials(tls.ca, tls.key, tls.certificate)
    return grpc.secure_channel(collector.target, credentials, OPTIONS)


def _fitting(lines: Sequence[bytes]) -> int:
    """How many of the first lines one message takes, at least one."""
    size = 0
    for number, line in enumerate(lines):
        size += len(line)
        if number > 0 and size > _MOST_BYTES:
            return number
    return len(lines)


def _code(error: grpc.RpcError) -> str:
    return error.code().name if isinstance(error, grpc.Call) else "nothing"
