"""What a server says that no client may believe, message by message."""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from authz.v1 import authorization_service_pb2 as api
from authz.v1 import caller_pb2, decision_pb2, filter_pb2, permission_pb2
from google.protobuf.message import Message

Twist: TypeAlias = Callable[[decision_pb2.Decision], None]

SERVICE: Final = "authz.v1.AuthorizationService"
_ID: Final = "liar-1"
# A number that no version of the API names.
_UNKNOWN: Final = 9_999
# How many bits of a number a byte has on the wire.
_BITS: Final = 7


def honest(call: str, request: bytes) -> Message:
    """A good answer to a request: all is allowed.

    Raises:
        KeyError: the API has no such call.
    """
    return _HONEST[call](request)


def lie(mode: str, call: str, request: bytes) -> Message:
    """The answer of a mode; where the mode has no sense for a call, an empty one."""
    answer = honest(call, request)
    if mode == "honest":
        return answer
    if mode == "empty":
        return type(answer)()
    twisted = _COUNTS[mode](answer) if mode in _COUNTS else _twisted(mode, answer)
    return answer if twisted else type(answer)()


def calls() -> list[str]:
    """The calls that it answers: all but Watch."""
    return list(_HONEST)


def modes() -> list[str]:
    """The modes that are about messages; `honest` lies in nothing but its facts."""
    return ["honest", "empty", "verdict", *_COUNTS, *_TWISTS]


def _allowed(reason: decision_pb2.Reason.ValueType) -> decision_pb2.Decision:
    return decision_pb2.Decision(allowed=True, reason=reason)


def _checked(
    request_type: type[Message], answer_type: type[Message]
) -> Callable[[bytes], Message]:
    def answer(data: bytes) -> Message:
        request = request_type.FromString(data)
        count = len(getattr(request, "resources"))  # noqa: B009  of three types
        decisions = [_allowed(decision_pb2.REASON_OWNED)] * count
        return answer_type(decisions=decisions, decision_id=_ID)

    return answer


def _context() -> caller_pb2.TenantContext:
    return caller_pb2.TenantContext(
        user_id="1", is_platform_admin=True, bypass=True, write_principal_id="101"
    )


def _permissions(data: bytes) -> Message:
    count = len(api.GetPermissionsRequest.FromString(data).queries)
    level = permission_pb2.ACCESS_LEVEL_ALL
    one = permission_pb2.Permissions(
        view=True, read=level, create=level, update=level, delete=level
    )
    return api.GetPermissionsResponse(permissions=[one] * count, decision_id=_ID)


def _authorized(data: bytes) -> Message:
    count = len(api.AuthorizeRequest.FromString(data).requirements)
    return api.AuthorizeResponse(
        decision=_allowed(decision_pb2.REASON_ALL_HOLD),
        decisions=[_allowed(decision_pb2.REASON_OWNED)] * count,
        context=_context(),
        decision_id=_ID,
    )


def _filtered(data: bytes) -> Message:
    answer = api.GetListFilterResponse(filter=filter_pb2.ListFilter(everything=True))
    if api.GetListFilterRequest.FromString(data).HasField("sql"):
        answer.sql.text = "TRUE"
    return answer


def _contexts(_: bytes) -> Message:
    every = caller_pb2.AvailableContext(kind=caller_pb2.CONTEXT_KIND_ALL)
    return api.ListContextsResponse(contexts=[every])


_HONEST: Final[Mapping[str, Callable[[bytes], Message]]] = {
    "ResolveContext": lambda _: api.ResolveContextResponse(context=_context()),
    "ListContexts": _contexts,
    "CheckVisible": _checked(api.CheckVisibleRequest, api.CheckVisibleResponse),
    "CheckWritable": _checked(api.CheckWritableRequest, api.CheckWritableResponse),
    "CheckCreatable": _checked(api.CheckCreatableRequest, api.CheckCreatableResponse),
    "CheckRole": lambda _: api.CheckRoleResponse(
        decision=_allowed(decision_pb2.REASON_PLATFORM_ADMIN), decision_id=_ID
    ),
    "GetPermissions": _permissions,
    "Authorize": _authorized,
    "GetListFilter": _filtered,
    "ValidateAccessRules": lambda _: api.ValidateAccessRulesResponse(),
    "GetServerInfo": lambda _: api.GetServerInfoResponse(version="0", engine="liar"),
}


def _denied_too(decision: decision_pb2.Decision) -> None:
    decision.denial = decision_pb2.DENIAL_FORBIDDEN


def _without_reason(decision: decision_pb2.Decision) -> None:
    decision.reason = decision_pb2.REASON_UNSPECIFIED


def _with_unknown_reason(decision: decision_pb2.Decision) -> None:
    decision.MergeFromString(_number(3, _UNKNOWN))


def _with_denying_reason(decision: decision_pb2.Decision) -> None:
    decision.reason = decision_pb2.REASON_OTHER_OWNER


def _neither(decision: decision_pb2.Decision) -> None:
    decision.allowed = False


_TWISTS: Final[Mapping[str, Twist]] = {
    "allowed-with-denial": _denied_too,
    "unspecified": _without_reason,
    "unknown-reason": _with_unknown_reason,
    "denying-reason": _with_denying_reason,
    "neither": _neither,
}


def _one_more(answer: Message) -> bool:
    for name in ("decisions", "permissions"):
        each = getattr(answer, name, None)
        if each:
            each.add().CopyFrom(each[0])
            return True
    return False


def _none(answer: Message) -> bool:
    for name in ("decisions", "permissions"):
        if hasattr(answer, name):
            answer.ClearField(name)
            return True
    return False


_COUNTS: Final[Mapping[str, Callable[[Message], bool]]] = {
    "wrong-count": _one_more,
    "too-few": _none,
}


def _twisted(mode: str, answer: Message) -> bool:
    if mode == "verdict":
        return _denied_below(answer)
    if mode == "unspecified" and _without_words(answer):
        return True
    decisions = [*getattr(answer, "decisions", ())]
    if hasattr(answer, "decision"):
        decisions.append(answer.decision)
    for decision in decisions:
        _TWISTS[mode](decision)
    return bool(decisions)


def _without_words(answer: Message) -> bool:
    match answer:
        case api.GetPermissionsResponse():
            for each in answer.permissions:
                each.read = permission_pb2.ACCESS_LEVEL_UNSPECIFIED
        case api.GetListFilterResponse():
            answer.filter.condition.equals.value = "20"
        case api.ListContextsResponse():
            answer.contexts[0].kind = caller_pb2.CONTEXT_KIND_UNSPECIFIED
        case _:
            return False
    return True


def _denied_below(answer: Message) -> bool:
    if not isinstance(answer, api.AuthorizeResponse):
        return False
    first = answer.decisions[0]
    first.allowed = False
    first.denial = decision_pb2.DENIAL_FORBIDDEN
    first.reason = decision_pb2.REASON_OTHER_OWNER
    return True


def _number(field: int, value: int) -> bytes:
    # A field of numbers in protobuf's own form; its setters refuse what is unknown.
    data = bytearray([field << 3])
    while value >> _BITS:
        data.append(1 << _BITS | value & (1 << _BITS) - 1)
        value >>= _BITS
    return bytes([*data, value])
