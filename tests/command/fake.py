"""The fake server: answers as it is told, and remembers what it was asked."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

import grpc
from authz.v1 import authorization_service_pb2 as pb
from google.protobuf import any_pb2
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status
from grpc_health.v1 import health_pb2

from sidecar.command.bare_json import Json, from_bare, to_bare

SERVICE = pb.DESCRIPTOR.services_by_name["AuthorizationService"]


Handler: TypeAlias = "grpc.RpcMethodHandler[Message, Message]"
Service: TypeAlias = "grpc.GenericRpcHandler[Message, Message]"


@dataclass(frozen=True)
class Refusal:
    """A status with which a call ends."""

    code: grpc.StatusCode
    message: str = "no"
    reason: str = ""
    field: str = ""

    def details(self) -> bytes:
        """The status for programs."""
        status = Status(message=self.message)
        if self.reason:
            info = ErrorInfo(reason=self.reason, domain="authz.v1")
            status.details.append(_packed(info))
        if self.field:
            violation = BadRequest.FieldViolation(
                field=self.field, description=self.message
            )
            status.details.append(_packed(BadRequest(field_violations=[violation])))
        return status.SerializeToString()


@dataclass
class FakeServer:
    """What is answered, by rpc: fields of the response, or a refusal."""

    address: str
    answers: dict[str, dict[str, object] | Refusal] = field(default_factory=dict)
    requests: dict[str, dict[str, Json]] = field(default_factory=dict)
    seconds_left: float = 0.0
    health: int = health_pb2.HealthCheckResponse.SERVING
    # Cleared by a test of what happens when no answer comes.
    may_answer: threading.Event = field(default_factory=threading.Event)

    def answer(
        self, rpc: str, request: Message, context: grpc.ServicerContext
    ) -> Message:
        """Answers one call."""
        self.requests[rpc] = to_bare(request)
        self.seconds_left = context.time_remaining() or 0.0
        self.may_answer.wait(30)
        answer = self.answers.get(rpc, {})
        if isinstance(answer, Refusal):
            details = ("grpc-status-details-bin", answer.details())
            context.set_trailing_metadata((details,))
            context.abort(answer.code, answer.message)
        response = GetMessageClass(SERVICE.methods_by_name[rpc].output_type)
        return from_bare(answer, response)


@contextmanager
def serving(address: str) -> Iterator[FakeServer]:
    """Runs a fake server."""
    fake = FakeServer(address)
    fake.may_answer.set()
    with ThreadPoolExecutor(2) as pool:
        server = grpc.server(pool)
        server.add_generic_rpc_handlers((_api(fake), _health(fake)))
        server.add_insecure_port(address)
        server.start()
        try:
            yield fake
        finally:
            fake.may_answer.set()
            server.stop(None).wait()


def _api(fake: FakeServer) -> Service:
    return grpc.method_handlers_generic_handler(
        SERVICE.full_name,
        {name: _handler(fake, name) for name in SERVICE.methods_by_name},
    )


def _handler(fake: FakeServer, rpc: str) -> Handler:
    method = SERVICE.methods_by_name[rpc]

    def answer(request: Message, context: grpc.ServicerContext) -> Message:
        return fake.answer(rpc, request, context)

    def stream(request: Message, context: grpc.ServicerContext) -> Iterator[Message]:
        yield fake.answer(rpc, request, context)

    decode: Callable[[bytes], Message] = GetMessageClass(method.input_type).FromString
    if method.server_streaming:
        return grpc.unary_stream_rpc_method_handler(stream, decode, _encode)
    return grpc.unary_unary_rpc_method_handler(answer, decode, _encode)


def _health(fake: FakeServer) -> Service:
    def check(
        request: health_pb2.HealthCheckRequest, context: grpc.ServicerContext
    ) -> health_pb2.HealthCheckResponse:
        if request.service not in {"", "feed"}:
            context.abort(grpc.StatusCode.NOT_FOUND, "")
        status = health_pb2.HealthCheckResponse()
        status.status = fake.health
        return status

    handler = grpc.unary_unary_rpc_method_handler(
        check, health_pb2.HealthCheckRequest.FromString, _encode
    )
    return grpc.method_handlers_generic_handler(
        "grpc.health.v1.Health", {"Check": handler}
    )


def _encode(message: Message) -> bytes:
    return message.SerializeToString()


def _packed(detail: Message) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(detail)
    return packed
