"""Answers to messages."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import TypeVar

from authz.v1 import authorization_service_pb2 as api
from authz.v1 import caller_pb2, decision_pb2, filter_pb2, permission_pb2

from sidecar.core.decision import Decision, Denied, Step
from sidecar.core.filters import (
    AllOf,
    AnyOf,
    Condition,
    Equals,
    Field,
    In,
    ListFilter,
    Total,
)
from sidecar.core.ids import IdType
from sidecar.core.model import AccessLevel, OrgRole, Permissions, TenantContext
from sidecar.core.permissions import JudgedRole
from sidecar.core.sql import SqlFilter, SqlParameter
from sidecar.core.tenancy import AvailableContext
from sidecar.service.asking import Decided, Explanation, PermissionReasons, Permitted

Checked = TypeVar(
    "Checked",
    api.CheckVisibleResponse,
    api.CheckWritableResponse,
    api.CheckCreatableResponse,
)

_ORG_ROLES: dict[OrgRole, caller_pb2.OrgRole.ValueType] = {
    OrgRole.ADMIN: caller_pb2.ORG_ROLE_ADMIN,
    OrgRole.USER: caller_pb2.ORG_ROLE_USER,
}
_LEVELS: dict[AccessLevel, permission_pb2.AccessLevel.ValueType] = {
    AccessLevel.NONE: permission_pb2.ACCESS_LEVEL_NONE,
    AccessLevel.MY: permission_pb2.ACCESS_LEVEL_MY,
    AccessLevel.GROUP: permission_pb2.ACCESS_LEVEL_GROUP,
    AccessLevel.ALL: permission_pb2.ACCESS_LEVEL_ALL,
}
_FIELDS: dict[Field, filter_pb2.FilterField.ValueType] = {
    field: filter_pb2.FilterField.Value(f"FILTER_FIELD_{field.value}")
    for field in Field
}
_DECISIONS: dict[Decision, decision_pb2.Decision] = {}


def decision(decided: Decision) -> decision_pb2.Decision:
    """One decision, the same object every time: treat it as read-only."""
    message = _DECISIONS.get(decided)
    if message is None:
        # There are as many entries as the core has decisions, some thirty.
        message = _DECISIONS[decided] = _decision(decided)
    return message


def checked(
    kind: type[Checked],
    decided: Decided,
    decision_id: str,
    places: Sequence[int] | None = None,
) -> Checked:
    """The response of a check; `places` has whose decision is which, if not in turn."""
    if decided.explanations is None:
        # To copy a thousand messages into another one takes three times as long.
        return kind.FromString(encoded(decided, decision_id, places))
    return kind(
        decisions=decisions(decided), decision_id=decision_id, revision=decided.revision
    )


def encoded(
    decided: Decided, decision_id: str, places: Sequence[int] | None = None
) -> bytes:
    """The same, encoded, for what is not explained; one of any kind looks alike.

    Raises IndexError for an id of more than 127 bytes, which none of ours has.
    """
    each, name, revision = decided.decisions, decision_id.encode(), decided.revision
    # Encoded messages put together are merged, so that none has to be made.
    if len(each) == 1:
        head = _ENCODED[each[0]] * (1 if places is None else len(places))
    elif places is None:
        head = b"".join(map(_encoded, each))
    else:
        different = [_ENCODED[decision] for decision in each]
        head = b"".join(map(different.__getitem__, places))
    tail = b"" if revision is None else _revision(revision)
    return b"".join((head, _ID_OF[len(name)], name, tail))


# What comes before an id of so many bytes: its field, and its length.
_ID_OF = [bytes((2 << 3 | 2, length)) for length in range(128)]


# The same until something changes; every answer carries it.
@lru_cache(maxsize=1)
def _revision(revision: str) -> bytes:
    return api.CheckVisibleResponse(revision=revision).SerializeToString()


class _Encoded(dict[Decision, bytes]):
    # One element of a response each.
    def __missing__(self, decided: Decision) -> bytes:
        response = api.CheckVisibleResponse(decisions=[decision(decided)])
        data = self[decided] = response.SerializeToString()
        return data


_ENCODED = _Encoded()
_encoded = _ENCODED.__getitem__
_bits = attrgetter("bits")


class _EncodedPermissions(dict[int, bytes]):
    # By their bits.
    def __missing__(self, bits: int) -> bytes:
        granted = Permissions.of_bits(bits)
        message = permission_pb2.Permissions(
            view=granted.view,
            read=_LEVELS[granted.read],
            create=_LEVELS[granted.create],
            update=_LEVELS[granted.update],
            delete=_LEVELS[granted.delete],
        )
        response = api.GetPermissionsResponse(permissions=[message])
        data = self[bits] = response.SerializeToString()
        return data


_ENCODED_PERMISSIONS = _EncodedPermissions()


def decisions(decided: Decided) -> list[decision_pb2.Decision]:
    """Decisions in order, with their explanations where there are some."""
    plain = [decision(each) for each in decided.decisions]
    if decided.explanations is None:
        return plain
    return [
        explained_decision(each, why)
        for each, why in zip(plain, decided.explanations, strict=True)
    ]


def explained_decision(
    plain: decision_pb2.Decision, why: Explanation
) -> decision_pb2.Decision:
    """A decision with its explanation."""
    message = decision_pb2.Decision()
    message.CopyFrom(plain)
    message.explanation.CopyFrom(_explanation(why))
    return message


def tenant_context(context: TenantContext) -> caller_pb2.TenantContext:
    """A resolved context."""
    message = caller_pb2.TenantContext(
        user_id=context.user.id,
        is_platform_admin=context.user.is_platform_admin,
        is_system=context.user.is_system,
        accessible_cluster_ids=sorted(context.accessible_cluster_ids),
        current_is_personal_scope=context.current_is_personal_scope,
        bypass=context.bypass,
        has_org_context=context.has_org_context,
        write_principal_id=context.write_principal_id,
    )
    if context.current_principal_id is not None:
        message.current_principal_id = context.current_principal_id
    if context.org_role is not None:
        message.org_role = _ORG_ROLES[context.org_role]
    return message


def available_context(context: AvailableContext) -> caller_pb2.AvailableContext:
    """One context that may be chosen."""
    return caller_pb2.AvailableContext(
        kind=caller_pb2.ContextKind.Value(f"CONTEXT_KIND_{context.kind.value}"),
        principal_id=context.principal_id,
        org_role=None if context.org_role is None else _ORG_ROLES[context.org_role],
        name=context.name,
    )


def permitted(answer: Permitted, decision_id: str) -> api.GetPermissionsResponse:
    """The response of GetPermissions."""
    bits = map(_bits, answer.permissions)
    encoded = b"".join(map(_ENCODED_PERMISSIONS.__getitem__, bits))
    response = api.GetPermissionsResponse.FromString(encoded)
    for message, why in zip(response.permissions, answer.reasons or (), strict=False):
        message.explanation.CopyFrom(_permission_explanation(why))
    response.decision_id = decision_id
    if answer.revision is not None:
        response.revision = answer.revision
    return response


def list_filter(chosen: ListFilter) -> filter_pb2.ListFilter:
    """A list filter."""
    match chosen:
        case Total.EVERYTHING:
            return filter_pb2.ListFilter(everything=True)
        case Total.NOTHING:
            return filter_pb2.ListFilter(nothing=True)
        case Equals() | In() | AllOf() | AnyOf():
            return filter_pb2.ListFilter(condition=_condition(chosen))


def sql_filter(rendered: SqlFilter) -> filter_pb2.SqlFilter:
    """A filter as SQL."""
    return filter_pb2.SqlFilter(
        text=rendered.text,
        parameters=[_parameter(each) for each in rendered.parameters],
    )


def _decision(decided: Decision) -> decision_pb2.Decision:
    reason = decision_pb2.Reason.Value(f"REASON_{decided.reason.name}")
    text = decided.reason.text
    if not isinstance(decided, Denied):
        return decision_pb2.Decision(allowed=True, reason=reason, message=text)
    denial = decision_pb2.Denial.Value(f"DENIAL_{decided.denial.name}")
    return decision_pb2.Decision(denial=denial, reason=reason, message=text)


def _explanation(why: Explanation) -> decision_pb2.Explanation:
    message = decision_pb2.Explanation(steps=_steps(why.steps))
    if why.permission is not None:
        message.permission.CopyFrom(_permission_explanation(why.permission))
    return message


def _steps(steps: Iterable[Step]) -> list[decision_pb2.ExplanationStep]:
    return [
        decision_pb2.ExplanationStep(
            rule=step.rule,
            outcome=decision_pb2.StepOutcome.Value(f"STEP_OUTCOME_{step.outcome.name}"),
            detail=step.detail,
        )
        for step in steps
    ]


def _permission_explanation(
    why: PermissionReasons,
) -> permission_pb2.PermissionExplanation:
    return permission_pb2.PermissionExplanation(
        basis=permission_pb2.PermissionBasis.Value(
            f"PERMISSION_BASIS_{why.basis.name}"
        ),
        roles=[_role(each) for each in why.roles],
        steps=[f"{step.rule}: {step.detail}" for step in why.steps],
    )


def _role(judged: JudgedRole) -> permission_pb2.RoleExplanation:
    held, role, rule = judged.held, judged.held.role, judged.rule
    scope = "UNSPECIFIED" if role is None else role.scope.name
    return permission_pb2.RoleExplanation(
        role_id=held.role_id,
        label="" if role is None else role.label,
        scope=permission_pb2.RoleScope.Value(f"ROLE_SCOPE_{scope}"),
        source=permission_pb2.RoleSource.Value(f"ROLE_SOURCE_{held.source.value}"),
        outcome=permission_pb2.RoleOutcome.Value(
            f"ROLE_OUTCOME_{judged.outcome.value}"
        ),
        rule_id=None if rule is None else rule.id,
        rule_item=None if rule is None else rule.item,
    )


def _condition(condition: Condition) -> filter_pb2.FilterCondition:
    match condition:
        case Equals(field, value):
            equals = filter_pb2.FieldEquals(field=_FIELDS[field], value=value)
            return filter_pb2.FilterCondition(equals=equals)
        case In(field, values):
            message = filter_pb2.FilterCondition()
            among = getattr(message, "in")
            among.field = _FIELDS[field]
            among.values.extend(values)
            return message
        case AllOf(conditions):
            return filter_pb2.FilterCondition(all_of=_conditions(conditions))
        case AnyOf(conditions):
            return filter_pb2.FilterCondition(any_of=_conditions(conditions))


def _conditions(conditions: Sequence[Condition]) -> filter_pb2.FilterConditions:
    return filter_pb2.FilterConditions(
        conditions=[_condition(each) for each in conditions]
    )


def _parameter(parameter: SqlParameter) -> filter_pb2.SqlParameter:
    value = parameter.value
    if isinstance(value, str):
        return _one(parameter.type, value)
    return _several(parameter.type, value)


def _one(kind: IdType, value: str) -> filter_pb2.SqlParameter:
    match kind:
        case IdType.BIGINT | IdType.INTEGER:
            return filter_pb2.SqlParameter(int64=int(value))
        case IdType.UUID:
            return filter_pb2.SqlParameter(uuid=value)
        case IdType.TEXT:
            return filter_pb2.SqlParameter(text=value)


def _several(kind: IdType, values: tuple[str, ...]) -> filter_pb2.SqlParameter:
    match kind:
        case IdType.BIGINT | IdType.INTEGER:
            numbers = filter_pb2.Int64Values(values=[int(value) for value in values])
            return filter_pb2.SqlParameter(int64_array=numbers)
        case IdType.UUID:
            texts = filter_pb2.TextValues(values=values)
            return filter_pb2.SqlParameter(uuid_array=texts)
        case IdType.TEXT:
            texts = filter_pb2.TextValues(values=values)
            return filter_pb2.SqlParameter(text_array=texts)
