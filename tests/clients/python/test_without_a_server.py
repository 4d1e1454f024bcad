"""The client over a channel of grpcio-testing: no server, no socket, and no waiting."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar, cast

import grpc
import grpc_testing  # type: ignore[import-untyped]  # it has no types
import pytest
from authz.client import (
    AccessRule,
    AuthzError,
    Caller,
    Client,
    DeadlineError,
    Denial,
    InvalidRequestError,
    NewResource,
    OverloadedError,
    OwnedBy,
    PermissionQuery,
    PlatformAdmin,
    ProtocolError,
    Resource,
    Retry,
    RuleContext,
    UnavailableError,
    Visible,
)
from authz.v1 import authorization_service_pb2 as api
from authz.v1 import decision_pb2
from google.protobuf import any_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

A = TypeVar("A")
ANN: Final = Caller.user("2", organization="20")
MODEL: Final = Resource("model", "7")
SERVICE: Final = api.DESCRIPTOR.services_by_name["AuthorizationService"]
YES: Final = decision_pb2.Decision(allowed=True, reason=decision_pb2.REASON_OWNED)
NO: Final = decision_pb2.Decision(
    denial=decision_pb2.DENIAL_NOT_FOUND,
    reason=decision_pb2.REASON_RESOURCE_NOT_FOUND,
    message="the resource does not exist",
)
Ask = Callable[[Client], object]
QUESTIONS: Final[dict[str, Ask]] = {
    "ResolveContext": lambda client: client.resolve_context(ANN),
    "CheckVisible": lambda client: client.check_visible(ANN, MODEL),
    "CheckWritable": lambda client: client.check_writable(ANN, MODEL),
    "CheckCreatable": lambda client: client.check_creatable(
        ANN, NewResource("model", OwnedBy("20"))
    ),
    "CheckRole": lambda client: client.check_role(ANN, PlatformAdmin()),
    "GetPermissions": lambda client: client.get_permissions(
        ANN, PermissionQuery(RuleContext.DATA)
    ),
    "Authorize": lambda client: client.authorize(ANN, Visible(MODEL)),
    "GetListFilter": lambda client: client.get_list_filter(ANN, "model"),
}
# An empty message is a whole answer to these: no contexts, no problems.
LISTS: Final[dict[str, Ask]] = {
    "ListContexts": lambda client: client.list_contexts(ANN),
    "ValidateAccessRules": lambda client: client.validate_access_rules(
        AccessRule("1", RuleContext.UI)
    ),
    "GetServerInfo": lambda client: client.server_info(),
}


class Rpc(Protocol):
    """A call that a test ends."""

    def send_initial_metadata(self, metadata: tuple[()]) -> None:
        """Sends nothing."""

    def terminate(
        self,
        response: bytes | None,
        trailers: tuple[tuple[str, bytes], ...],
        code: grpc.StatusCode,
        details: str,
    ) -> None:
        """Ends the call."""


class Channel(Protocol):
    """What grpcio-testing's channel has for tests; it comes without types."""

    def take_unary_unary(self, method: object) -> tuple[object, bytes, Rpc]:
        """The next call of a method, as soon as it is made."""


@dataclass
class Wire:
    """A client in a thread, and the other end of its channel in the test."""

    channel: Channel
    client: Client
    pool: ThreadPoolExecutor

    def ask(self, ask: Callable[[Client], A]) -> "Future[A]":
        """Begins a question."""
        return self.pool.submit(ask, self.client)

    def take(self, method: str) -> tuple[bytes, Rpc]:
        """The call that the client makes."""
        _, request, rpc = self.channel.take_unary_unary(SERVICE.methods_by_name[method])
        return request, rpc

    def answer(self, method: str, response: Message | bytes) -> bytes:
        """Answers the next call; gives its request."""
        request, rpc = self.take(method)
        data = response if isinstance(response, bytes) else response.SerializeToString()
        rpc.send_initial_metadata(())
        rpc.terminate(data, (), grpc.StatusCode.OK, "")
        return request

    def fail(self, method: str, code: grpc.StatusCode, *details: Message) -> None:
        """Ends the next call with a status."""
        status = status_pb2.Status()
        for detail in details:
            packed = any_pb2.Any()
            packed.Pack(detail)
            status.details.append(packed)
        trailers = (("grpc-status-details-bin", status.SerializeToString()),)
        _, rpc = self.take(method)
        rpc.terminate(None, trailers, code, "told")


@pytest.fixture
def wire() -> Iterator[Wire]:
    """A client before a channel that knows of no deadline."""
    channel = grpc_testing.channel([SERVICE], grpc_testing.strict_fake_time(0))
    retry = Retry(attempts=3, first_wait=0.001, longest_wait=0.002)
    client = Client(cast("grpc.Channel", channel), 30, retry)
    with ThreadPoolExecutor(1) as pool:
        yield Wire(cast("Channel", channel), client, pool)


def test_an_answer_is_read_as_it_was_sent(wire: Wire) -> None:
    """One call carries all questions; each decision comes back in its place."""
    asked = wire.ask(lambda client: client.check_visible(ANN, MODEL, MODEL))
    answer = api.CheckVisibleResponse(decisions=[YES, NO], decision_id="d")
    request = api.CheckVisibleRequest.FromString(wire.answer("CheckVisible", answer))
    found = asked.result()

    assert ("2", "20") == (request.caller.user_id, request.caller.organization_id)
    assert ["7", "7"] == [each.id for each in request.resources]
    assert [True, False] == [each.allowed for each in found]
    assert [None, Denial.NOT_FOUND] == [each.denial for each in found]
    assert ["d.0", "d.1"] == [each.decision_id for each in found]
    assert not found.all_allowed


@pytest.mark.parametrize("method", QUESTIONS)
@pytest.mark.parametrize("answer", [b"", b"\xff\xff", b"not a message"])
def test_what_is_no_answer_is_an_error(wire: Wire, method: str, answer: bytes) -> None:
    """An empty answer and garbage are no answers, to whichever question."""
    asked = wire.ask(QUESTIONS[method])
    wire.answer(method, answer)

    assert isinstance(asked.exception(), ProtocolError)


@pytest.mark.parametrize("method", [*QUESTIONS, *LISTS])
def test_every_status_is_an_error(wire: Wire, method: str) -> None:
    """Whatever status ends a call, in no question is it an answer."""
    for code in set(grpc.StatusCode) - {
        grpc.StatusCode.OK,
        grpc.StatusCode.UNAVAILABLE,
    }:
        asked = wire.ask({**QUESTIONS, **LISTS}[method])
        wire.fail(method, code)

        assert isinstance(asked.exception(), AuthzError)


@pytest.mark.parametrize("method", LISTS)
def test_no_contexts_and_no_problems_are_answers(wire: Wire, method: str) -> None:
    """Where there may be nothing to tell, an empty answer is one."""
    asked = wire.ask(LISTS[method])
    wire.answer(method, b"")

    assert asked.exception() is None


@pytest.mark.parametrize(
    "decisions",
    [
        [],
        [YES, YES],
        [decision_pb2.Decision(allowed=True)],
        [decision_pb2.Decision()],
        [decision_pb2.Decision(allowed=True, reason=NO.reason)],
        [decision_pb2.Decision(allowed=True, reason=YES.reason, denial=NO.denial)],
        [decision_pb2.Decision(denial=NO.denial, reason=YES.reason)],
    ],
)
def test_contradictions_are_no_answers(
    wire: Wire, decisions: list[decision_pb2.Decision]
) -> None:
    """A decision that contradicts itself or the question allows nothing."""
    asked = wire.ask(lambda client: client.check_visible(ANN, MODEL))
    wire.answer(
        "CheckVisible", api.CheckVisibleResponse(decisions=decisions, decision_id="d")
    )

    assert isinstance(asked.exception(), ProtocolError)


def test_errors_carry_reason_and_field(wire: Wire) -> None:
    """What a status has in its details is on the error."""
    bad = error_details_pb2.BadRequest()
    bad.field_violations.add(field="resources[0].kind")
    asked = wire.ask(lambda client: client.check_visible(ANN, MODEL))
    wire.fail(
        "CheckVisible",
        grpc.StatusCode.INVALID_ARGUMENT,
        error_details_pb2.ErrorInfo(reason="MALFORMED_FIELD", domain="authz.v1"),
        bad,
    )
    error = asked.exception()

    assert isinstance(error, InvalidRequestError)
    assert ("INVALID_ARGUMENT", "MALFORMED_FIELD", "resources[0].kind") == (
        error.code,
        error.reason,
        error.field,
    )


def test_a_reason_of_others_is_none(wire: Wire) -> None:
    """What something on the way says is not taken for the sidecar's word."""
    asked = wire.ask(lambda client: client.check_visible(ANN, MODEL))
    wire.fail(
        "CheckVisible",
        grpc.StatusCode.PERMISSION_DENIED,
        error_details_pb2.ErrorInfo(reason="NOT_A_MEMBER", domain="proxy.example"),
    )
    error = asked.exception()

    assert isinstance(error, AuthzError)
    assert "" == error.reason


def test_only_unavailable_is_asked_again(wire: Wire) -> None:
    """A sidecar that is away is asked again, as often as is allowed and no more."""
    asked = wire.ask(lambda client: client.check_visible(ANN, MODEL))
    wire.fail("CheckVisible", grpc.StatusCode.UNAVAILABLE)
    wire.answer(
        "CheckVisible", api.CheckVisibleResponse(decisions=[YES], decision_id="d")
    )
    assert asked.result().all_allowed

    asked = wire.ask(lambda client: client.check_visible(ANN, MODEL))
    for _ in range(3):
        wire.fail("CheckVisible", grpc.StatusCode.UNAVAILABLE)
    assert isinstance(asked.exception(), UnavailableError)

    asked = wire.ask(lambda client: client.check_visible(ANN, MODEL))
    wire.fail("CheckVisible", grpc.StatusCode.RESOURCE_EXHAUSTED)
    assert isinstance(asked.exception(), OverloadedError)


def test_no_answer_in_time_is_an_error(wire: Wire) -> None:
    """A call that ends with its deadline is not asked again, and is nobody's yes."""
    asked = wire.ask(lambda client: client.check_visible(ANN, MODEL))
    wire.fail("CheckVisible", grpc.StatusCode.DEADLINE_EXCEEDED)

    assert isinstance(asked.exception(), DeadlineError)
