"""A server that lies, or says nothing: a typed error, in time, and never an answer.

Long, because it is a list of lies.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import grpc
import pytest
from authz.client import (
    AccessRule,
    AnyOrgRole,
    AsyncClient,
    AuthzError,
    Client,
    DeadlineError,
    InternalError,
    InvalidRequestError,
    NotFoundError,
    NotServedError,
    OrgRole,
    OverloadedError,
    PermissionDeniedError,
    PermissionQuery,
    ProtocolError,
    RuleContext,
    UnauthenticatedError,
    UnavailableError,
    UndecidedError,
    UnknownRevisionError,
    Visible,
    calls,
)
from authz.client.calls import Call
from authz.v1 import authorization_service_pb2 as api
from authz.v1 import caller_pb2, decision_pb2, filter_pb2, permission_pb2
from google.protobuf.message import Message

from sidecar.core.reasons import Reason
from sidecar.transport.status import (
    MalformedFieldError,
    RefusedError,
    code_of,
    details_of,
)
from tests.clients.python.scripted import (
    ANN,
    CLIENTS,
    CLUSTER,
    Context,
    Handler,
    put,
    says,
    serving,
)

ALLOWED: Final = decision_pb2.Decision(
    allowed=True, reason=decision_pb2.REASON_OWNED, message="yours"
)
DENIED: Final = decision_pb2.Decision(
    denial=decision_pb2.DENIAL_NOT_FOUND, reason=decision_pb2.REASON_RESOURCE_NOT_FOUND
)
BOTH: Final = decision_pb2.Decision(
    allowed=True,
    denial=decision_pb2.DENIAL_FORBIDDEN,
    reason=decision_pb2.REASON_OWNED,
)
NEITHER: Final = decision_pb2.Decision(reason=decision_pb2.REASON_OTHER_OWNER)
YES_FOR_NO_REASON: Final = decision_pb2.Decision(allowed=True)
YES_FOR_A_NO: Final = decision_pb2.Decision(
    allowed=True, reason=decision_pb2.REASON_OTHER_OWNER
)
YES_FOR_AN_ERROR: Final = decision_pb2.Decision(
    allowed=True, reason=decision_pb2.REASON_INTERNAL
)
YES_FOR_SOMETHING: Final = decision_pb2.Decision.FromString(b"\x08\x01\x18\xe7\x07")
NO_OF_SOME_KIND: Final = decision_pb2.Decision.FromString(b"\x10\x63\x18\x19")
NO_FOR_A_YES: Final = decision_pb2.Decision(
    denial=decision_pb2.DENIAL_FORBIDDEN, reason=decision_pb2.REASON_OWNED
)
QUERY: Final = PermissionQuery(RuleContext.DATA)
LEVEL: Final = permission_pb2.ACCESS_LEVEL_ALL
CONDITION: Final = filter_pb2.FilterCondition
EQUALS: Final = CONDITION(
    equals=filter_pb2.FieldEquals(field=filter_pb2.FILTER_FIELD_ID, value="1")
)

VISIBLE: Final = calls.check_visible(ANN, CLUSTER)
LIST: Final = calls.get_list_filter(ANN, "cluster")
AUTHORIZE: Final = calls.authorize(ANN, Visible(CLUSTER))


def _visible(*decisions: decision_pb2.Decision, name: str = "d") -> Message:
    return api.CheckVisibleResponse(decisions=decisions, decision_id=name)


def _authorize(verdict: decision_pb2.Decision, each: decision_pb2.Decision) -> Message:
    return api.AuthorizeResponse(decision=verdict, decisions=[each], decision_id="d")


def _filtered(condition: filter_pb2.FilterCondition) -> Message:
    return api.GetListFilterResponse(filter=filter_pb2.ListFilter(condition=condition))


def _among_nothing() -> filter_pb2.FilterCondition:
    condition = CONDITION()
    # The field's name is a word of Python.
    among: filter_pb2.FieldIn = getattr(condition, "in")
    among.field = filter_pb2.FILTER_FIELD_ID
    return condition


LIES: Final[dict[str, tuple[Call[object], Message | bytes]]] = {
    "no decisions": (VISIBLE, b""),
    "too few decisions": (calls.check_visible(ANN, CLUSTER, CLUSTER), _visible(DENIED)),
    "too many decisions": (VISIBLE, _visible(ALLOWED, ALLOWED)),
    "no decision id": (VISIBLE, _visible(ALLOWED, name="")),
    "allowed and denied": (VISIBLE, _visible(BOTH)),
    "neither allowed nor denied": (VISIBLE, _visible(NEITHER)),
    "allowed without a reason": (VISIBLE, _visible(YES_FOR_NO_REASON)),
    "allowed with a reason to deny": (VISIBLE, _visible(YES_FOR_A_NO)),
    "allowed with an error's reason": (VISIBLE, _visible(YES_FOR_AN_ERROR)),
    "allowed with an unknown reason": (VISIBLE, _visible(YES_FOR_SOMETHING)),
    "an unknown denial": (VISIBLE, _visible(NO_OF_SOME_KIND)),
    "denied with a reason to allow": (VISIBLE, _visible(NO_FOR_A_YES)),
    "garbage": (VISIBLE, b"\xff\xfe garbage \x00"),
    "half a message": (VISIBLE, _visible(ALLOWED).SerializeToString()[:-4]),
    "no decision of a role": (
        calls.check_role(ANN, AnyOrgRole.of(OrgRole.ADMIN)),
        api.CheckRoleResponse(decision_id="d"),
    ),
    "no verdict": (
        AUTHORIZE,
        api.AuthorizeResponse(decisions=[ALLOWED], decision_id="d"),
    ),
    "a verdict against its decisions": (AUTHORIZE, _authorize(ALLOWED, DENIED)),
    "a verdict below its decisions": (AUTHORIZE, _authorize(DENIED, ALLOWED)),
    "a verdict without a context": (AUTHORIZE, _authorize(ALLOWED, ALLOWED)),
    "no permissions": (
        calls.get_permissions(ANN, QUERY),
        api.GetPermissionsResponse(decision_id="d"),
    ),
    "permissions without a level": (
        calls.get_permissions(ANN, QUERY),
        api.GetPermissionsResponse(
            permissions=[permission_pb2.Permissions(read=LEVEL)], decision_id="d"
        ),
    ),
    "no context": (calls.resolve_context(ANN), b""),
    "a context of nobody": (
        calls.resolve_context(ANN),
        api.ResolveContextResponse(context=caller_pb2.TenantContext(bypass=True)),
    ),
    "a context of no kind": (
        calls.list_contexts(ANN),
        api.ListContextsResponse(contexts=[caller_pb2.AvailableContext()]),
    ),
    "no filter": (LIST, b""),
    "an empty filter": (
        LIST,
        api.GetListFilterResponse(filter=filter_pb2.ListFilter()),
    ),
    "everything, but not": (
        LIST,
        api.GetListFilterResponse(filter=filter_pb2.ListFilter(everything=False)),
    ),
    "an empty condition": (LIST, _filtered(CONDITION())),
    "an AND of one": (
        LIST,
        _filtered(CONDITION(all_of=filter_pb2.FilterConditions(conditions=[EQUALS]))),
    ),
    "an AND with an empty part": (
        LIST,
        _filtered(
            CONDITION(
                all_of=filter_pb2.FilterConditions(conditions=[EQUALS, CONDITION()])
            )
        ),
    ),
    "one of no values": (
        LIST,
        _filtered(_among_nothing()),
    ),
    "an unknown field": (
        LIST,
        _filtered(CONDITION(equals=filter_pb2.FieldEquals(value="1"))),
    ),
    "SQL that nobody wanted": (
        LIST,
        api.GetListFilterResponse(
            filter=filter_pb2.ListFilter(nothing=True),
            sql=filter_pb2.SqlFilter(text="TRUE"),
        ),
    ),
    "a problem with no rule": (
        calls.validate_access_rules(AccessRule("1", RuleContext.UI)),
        api.ValidateAccessRulesResponse(
            problems=[permission_pb2.AccessRuleProblem(rule_index=1)]
        ),
    ),
}


@pytest.mark.parametrize("kind", CLIENTS)
@pytest.mark.parametrize("lie", LIES)
async def test_a_lie_is_no_answer(kind: str, lie: str) -> None:
    """What no correct server says is an error, whatever is allowed in it."""
    call, answer = LIES[lie]
    async with serving({call.method: says(answer)}) as target:
        with pytest.raises(ProtocolError):
            await put(kind, target, call)


@pytest.mark.parametrize("kind", CLIENTS)
async def test_the_honest_server_is_believed(kind: str) -> None:
    """The same server without a lie is answered from."""
    async with serving({"CheckVisible": says(_visible(ALLOWED))}) as target:
        answer = await put(kind, target, VISIBLE)

    assert (True, "d.0", "OWNED") == (
        answer.all_allowed,
        answer[0].decision_id,
        answer[0].reason,
    )


ERRORS: Final[dict[Reason, type[AuthzError]]] = {
    Reason.MALFORMED_FIELD: InvalidRequestError,
    Reason.UNKNOWN_REVISION: UnknownRevisionError,
    Reason.INVALID_CREDENTIAL: UnauthenticatedError,
    Reason.NOT_A_MEMBER: PermissionDeniedError,
    Reason.PEER_NOT_ALLOWED: PermissionDeniedError,
    Reason.ORGANIZATION_NOT_FOUND: NotFoundError,
    Reason.NOT_SERVED_HERE: NotServedError,
    Reason.FACTS_UNAVAILABLE: UnavailableError,
    Reason.DEADLINE_TOO_NEAR: DeadlineError,
    Reason.OVERLOADED: OverloadedError,
    Reason.INTERNAL: InternalError,
}


def ends(error: RefusedError) -> Handler:
    """A handler that ends with an error as the sidecar would."""

    async def handle(request: bytes, context: Context) -> bytes:
        del request
        await context.abort(code_of(error), error.message, details_of(error))
        return b""

    return handle


@pytest.mark.parametrize("kind", CLIENTS)
@pytest.mark.parametrize("reason", ERRORS, ids=lambda reason: reason.name)
async def test_a_status_becomes_its_error(kind: str, reason: Reason) -> None:
    """Each status is an error of its own type, with its reason, code and message."""
    refused = RefusedError(reason)
    async with serving({"CheckVisible": ends(refused)}) as target:
        with pytest.raises(AuthzError) as caught:
            await put(kind, target, VISIBLE)

    error = caught.value
    assert (ERRORS[reason], reason.name, code_of(refused).name, refused.message) == (
        type(error),
        error.reason,
        error.code,
        str(error),
    )


@pytest.mark.parametrize("kind", CLIENTS)
async def test_a_malformed_field_is_named(kind: str) -> None:
    """The error of a malformed request names the field."""
    refused = MalformedFieldError("resources[0].id", "is empty")
    async with serving({"CheckVisible": ends(refused)}) as target:
        with pytest.raises(InvalidRequestError) as caught:
            await put(kind, target, VISIBLE)

    assert "resources[0].id" == caught.value.field


@pytest.mark.parametrize("kind", CLIENTS)
@pytest.mark.parametrize("code", grpc.StatusCode, ids=lambda code: code.name)
async def test_every_status_is_an_error(kind: str, code: grpc.StatusCode) -> None:
    """No status without an answer reads as one, with garbage for details neither."""

    async def handle(request: bytes, context: Context) -> bytes:
        del request
        context.set_trailing_metadata((("grpc-status-details-bin", b"\xff\xff"),))
        context.set_code(code)
        return b""

    async with serving({"CheckVisible": handle}) as target:
        with pytest.raises(AuthzError) as caught:
            await put(kind, target, VISIBLE)

    assert "" == caught.value.reason


@pytest.mark.parametrize("kind", CLIENTS)
async def test_silence_ends_with_the_deadline(kind: str) -> None:
    """A server that never answers costs the deadline, not more."""
    asked = asyncio.Event()

    async def handle(request: bytes, context: Context) -> bytes:
        del request, context
        asked.set()
        await asyncio.Event().wait()
        return b""

    async with serving({"CheckVisible": handle}) as target:
        before = time.monotonic()
        with pytest.raises(DeadlineError):
            await put(kind, target, VISIBLE, timeout=0.3)
        after = time.monotonic()

    assert asked.is_set()
    assert 0.25 < after - before < 4


@pytest.mark.parametrize("kind", CLIENTS)
async def test_a_port_that_accepts_and_is_silent_ends_with_the_deadline(
    kind: str,
) -> None:
    """Something that accepts connections and speaks no gRPC costs the deadline."""
    server = await asyncio.start_server(_swallow, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    before = time.monotonic()
    async with server:
        with pytest.raises(UndecidedError):
            await put(kind, f"127.0.0.1:{port}", VISIBLE, timeout=0.3)

    assert time.monotonic() - before < 4


async def _swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


@pytest.mark.parametrize("kind", CLIENTS)
async def test_nobody_there_is_unavailable(kind: str, tmp_path: Path) -> None:
    """Without a server the error is that it is not available."""
    with pytest.raises(UnavailableError):
        await put(kind, f"unix:{tmp_path}/nobody", VISIBLE)


@pytest.mark.parametrize("kind", CLIENTS)
async def test_a_closed_client_has_no_answer(kind: str) -> None:
    """A question to a client that was closed ends with an error."""
    async with serving({"CheckVisible": says(_visible(ALLOWED))}) as target:
        if kind == "asyncio":
            client = AsyncClient.connect(target)
            await client.close()
            with pytest.raises(AuthzError):
                await client.check_visible(ANN, CLUSTER)
        else:
            blocking = Client.connect(target)
            blocking.close()
            with pytest.raises(AuthzError):
                blocking.check_visible(ANN, CLUSTER)


@pytest.mark.parametrize("kind", CLIENTS)
async def test_closing_ends_the_questions_that_run(kind: str) -> None:
    """Who waits for an answer while the client is closed gets an error, at once."""
    asked = asyncio.Event()

    async def handle(request: bytes, context: Context) -> bytes:
        del request, context
        asked.set()
        await asyncio.Event().wait()
        return b""

    async with serving({"CheckVisible": handle}) as target:
        if kind == "asyncio":
            client = AsyncClient.connect(target, timeout=60)
            asking = asyncio.create_task(client.check_visible(ANN, CLUSTER))
            await asked.wait()
            await client.close()
        else:
            blocking = Client.connect(target, timeout=60)
            question = asyncio.to_thread(blocking.check_visible, ANN, CLUSTER)
            asking = asyncio.create_task(question)
            await asked.wait()
            blocking.close()
        with pytest.raises(InternalError):
            await asyncio.wait_for(asking, 10)


async def test_closing_ends_a_watch_that_runs() -> None:
    """Who waits for changes while the client is closed gets an error."""
    begun = asyncio.Event()

    async def handle(request: bytes, context: Context) -> AsyncIterator[bytes]:
        del request, context
        begun.set()
        await asyncio.Event().wait()
        yield b""

    async with serving({}, {"Watch": handle}) as target:
        client = AsyncClient.connect(target)
        waiting = asyncio.create_task(anext(client.watch()))
        await begun.wait()
        await client.close()
        with pytest.raises(InternalError):
            await asyncio.wait_for(waiting, 10)


async def test_who_is_cancelled_stays_cancelled() -> None:
    """A question whose asker is cancelled does not make an error of that."""
    asked = asyncio.Event()

    async def handle(request: bytes, context: Context) -> bytes:
        del request, context
        asked.set()
        await asyncio.Event().wait()
        return b""

    async with (
        serving({"CheckVisible": handle}) as target,
        AsyncClient.connect(target, timeout=60) as client,
    ):
        asking = asyncio.create_task(client.check_visible(ANN, CLUSTER))
        await asked.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
