"""From messages to answers; what no correct server sends is a ProtocolError.

A field that is missing, a word that is not known, a number of answers that is not the
number of questions: none of it may come out as an answer.

Long, because it is a list: one short function for each message.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Final, TypeVar

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError, Message

from authz.client import answers
from authz.client.errors import Denial, ProtocolError
from authz.client.levels import AccessLevel, OrgRole
from authz.v1 import authorization_service_pb2 as api
from authz.v1 import caller_pb2, decision_pb2, permission_pb2

M = TypeVar("M", bound=Message)
W = TypeVar("W", bound=StrEnum)
D = TypeVar(
    "D", api.CheckVisibleResponse, api.CheckWritableResponse, api.CheckCreatableResponse
)

# Which reasons go with yes and which with no is part of the contract; a reason in
# neither set is one that a decision cannot have.
ALLOWING: Final = frozenset(
    {
        "OWNED",
        "GRANTED",
        "GLOBAL_VISIBLE",
        "BYPASS_SYSTEM",
        "BYPASS_PLATFORM_ADMIN",
        "ORG_ADMIN",
        "ACTING_PLATFORM_ADMIN",
        "PLATFORM_ADMIN",
        "ORG_ROLE",
        "PERMITTED",
        "ALL_HOLD",
    }
)
DENYING: Final = frozenset(
    {
        "INVALID_CREDENTIAL",
        "INVALID_ORGANIZATION_ID",
        "UNKNOWN_RESOURCE_KIND",
        "NOT_A_MEMBER",
        "ORGANIZATION_NOT_FOUND",
        "RESOURCE_NOT_FOUND",
        "GLOBAL_RESOURCE",
        "OTHER_OWNER",
        "INSUFFICIENT_ORG_ROLE",
        "PLATFORM_ADMIN_REQUIRED",
        "NO_ORG_CONTEXT",
        "INSUFFICIENT_PERMISSION",
    }
)


def decoded(kind: type[M], data: bytes) -> M:
    """The message in bytes from the wire."""
    try:
        return kind.FromString(data)
    except DecodeError as error:
        raise ProtocolError("the answer is no message of this API") from error


def resolved_context(data: bytes) -> answers.ResolvedContext:
    """The answer of ResolveContext."""
    message = decoded(api.ResolveContextResponse, data)
    _wants(message.HasField("context"), "context")
    return answers.ResolvedContext(_context(message.context), revision_of(message))


def available_contexts(data: bytes) -> answers.AvailableContexts:
    """The answer of ListContexts."""
    message = decoded(api.ListContextsResponse, data)
    contexts = tuple(_available(each) for each in message.contexts)
    return answers.AvailableContexts(contexts, revision_of(message))


def decisions(kind: type[D], count: int, data: bytes) -> answers.Decisions:
    """The answer of a check of `count` resources."""
    message = decoded(kind, data)
    each = _numbered(message.decisions, message.decision_id, count)
    return answers.Decisions(each, message.decision_id, revision_of(message))


def checked_role(data: bytes) -> answers.CheckedRole:
    """The answer of CheckRole."""
    message = decoded(api.CheckRoleResponse, data)
    _wants(message.HasField("decision"), "decision")
    _wants(message.decision_id != "", "decision_id")
    return answers.CheckedRole(
        _decision(message.decision, message.decision_id),
        message.decision_id,
        revision_of(message),
    )


def authorization(count: int, data: bytes) -> answers.Authorization:
    """The answer of Authorize for `count` requirements."""
    message = decoded(api.AuthorizeResponse, data)
    _wants(message.HasField("decision"), "decision")
    each = _numbered(message.decisions, message.decision_id, count)
    verdict = _decision(message.decision, message.decision_id)
    if verdict.allowed is not all(one.allowed for one in each):
        raise ProtocolError("the answer's verdict is not that of its decisions")
    has_context = message.HasField("context")
    _wants(has_context or not verdict.allowed, "context")
    return answers.Authorization(
        verdict,
        each,
        _context(message.context) if has_context else None,
        message.decision_id,
        revision_of(message),
    )


def permissions_list(count: int, data: bytes) -> answers.PermissionsList:
    """The answer of GetPermissions to `count` queries."""
    message = decoded(api.GetPermissionsResponse, data)
    _wants(message.decision_id != "", "decision_id")
    _counts(len(message.permissions), count)
    each = tuple(_permissions(one) for one in message.permissions)
    return answers.PermissionsList(each, message.decision_id, revision_of(message))


def rule_problems(count: int, data: bytes) -> answers.RuleProblems:
    """The answer of ValidateAccessRules on `count` rules."""
    message = decoded(api.ValidateAccessRulesResponse, data)
    _wants(all(each.rule_index < count for each in message.problems), "rule_index")
    return answers.RuleProblems(tuple(_problem(each) for each in message.problems))


def server_info(data: bytes) -> answers.ServerInfo:
    """The answer of GetServerInfo; features that are not known here are left out."""
    message = decoded(api.GetServerInfoResponse, data)
    names = api.OptionalFeature.items()
    known = {number: name.removeprefix("OPTIONAL_FEATURE_") for name, number in names}
    return answers.ServerInfo(
        message.version,
        message.engine,
        message.configuration_digest,
        message.schema_version if message.HasField("schema_version") else None,
        frozenset(known[each] for each in message.features if each in known),
        _position(message),
        _seconds(message.staleness) if message.HasField("staleness") else None,
        _seconds(message.max_staleness) if message.HasField("max_staleness") else None,
    )


def watch_event(data: bytes) -> answers.WatchEvent:
    """One message of Watch."""
    message = decoded(api.WatchResponse, data)
    match message.WhichOneof("event"):
        case "changes":
            return answers.Changes(
                tuple(_change(each) for each in message.changes.changes)
            )
        case "drop_everything":
            return answers.DropEverything(revision_of(message.drop_everything))
        case "beat":
            beat = message.beat
            staleness = _seconds(beat.staleness) if beat.HasField("staleness") else None
            return answers.Beat(beat.revision, staleness, _position(beat))
        case _:
            # It may be news of a change that a newer server tells in another way.
            raise ProtocolError("the stream has a message that is not known here")


def word(kind: type[W], name: str) -> W:
    """A bare name as a member of its enum."""
    try:
        return kind(name)
    except ValueError as error:
        raise ProtocolError(f"the answer has the unknown word `{name}`") from error


def revision_of(
    message: api.ResolveContextResponse
    | api.ListContextsResponse
    | api.CheckVisibleResponse
    | api.CheckWritableResponse
    | api.CheckCreatableResponse
    | api.CheckRoleResponse
    | api.GetPermissionsResponse
    | api.AuthorizeResponse
    | api.GetListFilterResponse
    | api.WatchResponse.DropEverything,
) -> str | None:
    """The revision of an answer, if it has one."""
    return message.revision if message.HasField("revision") else None


def _numbered(
    found: Sequence[decision_pb2.Decision], decision_id: str, count: int
) -> tuple[answers.Decision, ...]:
    _wants(decision_id != "", "decision_id")
    _counts(len(found), count)
    return tuple(
        _decision(each, f"{decision_id}.{number}") for number, each in enumerate(found)
    )


def _decision(message: decision_pb2.Decision, decision_id: str) -> answers.Decision:
    reason = _name(decision_pb2.Reason.items(), message.reason, "REASON_")
    denial = _name(decision_pb2.Denial.items(), message.denial, "DENIAL_")
    is_denied = denial != "UNSPECIFIED"
    if message.allowed is is_denied:
        raise ProtocolError("the answer has a decision that both allows and denies")
    if reason not in (ALLOWING if message.allowed else DENYING):
        raise ProtocolError(f"the answer has a decision with the reason `{reason}`")
    return answers.Decision(
        message.allowed,
        word(Denial, denial) if is_denied else None,
        reason,
        message.message,
        decision_id,
        message.explanation if message.HasField("explanation") else None,
    )


def _context(message: caller_pb2.TenantContext) -> answers.TenantContext:
    _wants(message.user_id != "", "context.user_id")
    current = message.current_principal_id
    write = message.write_principal_id
    return answers.TenantContext(
        user_id=message.user_id,
        is_platform_admin=message.is_platform_admin,
        is_system=message.is_system,
        current_principal_id=current
        if message.HasField("current_principal_id")
        else None,
        org_role=_org_role(message),
        accessible_cluster_ids=tuple(message.accessible_cluster_ids),
        current_is_personal_scope=message.current_is_personal_scope,
        bypass=message.bypass,
        has_org_context=message.has_org_context,
        write_principal_id=write if message.HasField("write_principal_id") else None,
    )


def _available(message: caller_pb2.AvailableContext) -> answers.AvailableContext:
    kind = _name(caller_pb2.ContextKind.items(), message.kind, "CONTEXT_KIND_")
    principal = message.principal_id if message.HasField("principal_id") else None
    return answers.AvailableContext(
        word(answers.ContextKind, kind), principal, _org_role(message), message.name
    )


def _org_role(
    message: caller_pb2.TenantContext | caller_pb2.AvailableContext,
) -> OrgRole | None:
    if not message.HasField("org_role"):
        return None
    name = _name(caller_pb2.OrgRole.items(), message.org_role, "ORG_ROLE_")
    return word(OrgRole, name)


def _permissions(message: permission_pb2.Permissions) -> answers.Permissions:
    return answers.Permissions(
        message.view,
        _level(message.read),
        _level(message.create),
        _level(message.update),
        _level(message.delete),
        message.explanation if message.HasField("explanation") else None,
    )


def _level(number: int) -> AccessLevel:
    name = _name(permission_pb2.AccessLevel.items(), number, "ACCESS_LEVEL_")
    if name not in AccessLevel.__members__:
        raise ProtocolError("the answer lacks a level")
    return AccessLevel(name)


def _problem(message: permission_pb2.AccessRuleProblem) -> answers.RuleProblem:
    fault = _name(
        permission_pb2.AccessRuleFault.items(), message.reason, "ACCESS_RULE_FAULT_"
    )
    return answers.RuleProblem(
        message.rule_index, message.field, fault, message.message
    )


def _change(message: api.Change) -> answers.Change:
    key = message.key if message.HasField("key") else None
    return answers.Change(message.group, key, message.revision)


def _position(
    message: api.GetServerInfoResponse | api.WatchResponse.Beat,
) -> answers.Position | None:
    if not message.HasField("position") or message.position.server == "":
        return None
    return answers.Position(message.position.server, message.position.number)


def _seconds(duration: Duration) -> timedelta:
    try:
        return duration.ToTimedelta()
    except (OverflowError, ValueError) as error:
        raise ProtocolError("the answer has a duration that is none") from error


def _name(items: Iterable[tuple[str, int]], number: int, prefix: str) -> str:
    for name, value in items:
        if value == number:
            return name.removeprefix(prefix)
    raise ProtocolError(f"the answer has the unknown number {number}")


def _counts(found: int, wanted: int) -> None:
    if found != wanted or found == 0:
        raise ProtocolError(f"the answer has {found} parts instead of {wanted}")


def _wants(is_there: bool, field: str) -> None:  # noqa: FBT001  reads as a sentence
    if not is_there:
        raise ProtocolError(f"the answer lacks `{field}`")
