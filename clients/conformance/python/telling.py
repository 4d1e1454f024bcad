"""From what the Python client answers or raises to bare JSON."""

from collections.abc import Iterable
from enum import Enum
from typing import TypeAlias, assert_never

from authz.client import (
    AllOf,
    Answer,
    AnyOf,
    Authorization,
    AuthzError,
    AvailableContext,
    AvailableContexts,
    CheckedRole,
    Decision,
    Decisions,
    Equals,
    Everything,
    In,
    InvalidRequestError,
    ListFilter,
    Nothing,
    Permissions,
    PermissionsList,
    ResolvedContext,
    RuleProblem,
    RuleProblems,
    SqlFilter,
    TenantContext,
)

Json: TypeAlias = "bool | int | str | list[Json] | dict[str, Json]"
Row: TypeAlias = dict[str, Json]
Condition: TypeAlias = AllOf | AnyOf | Equals | In


def answer(given: Answer) -> Row:  # noqa: C901, PLR0911, PLR0912  one branch for each call
    """An answer of any call."""
    match given:
        case ResolvedContext():
            return {"context": _context(given.context)}
        case AvailableContexts():
            return {"contexts": [_available(each) for each in given]}
        case Decisions():
            return {"decisions": _decisions(given)}
        case CheckedRole():
            return {"decision": _decision(given.decision)}
        case PermissionsList():
            return {"permissions": [_permissions(each) for each in given]}
        case Authorization():
            return _authorization(given)
        case ListFilter():
            return _list_filter(given)
        case RuleProblems():
            return {"problems": [_problem(each) for each in given]}
        case _:
            raise TypeError(f"`{type(given).__name__}` is the answer of no vector")


def error(raised: AuthzError) -> Row:
    """An error of any call."""
    told: Row = {"code": raised.code, "reason": raised.reason}
    if isinstance(raised, InvalidRequestError) and raised.field:
        told["field"] = raised.field
    return told


def _decisions(given: Iterable[Decision]) -> list[Json]:
    return [_decision(each) for each in given]


def _decision(given: Decision) -> Row:
    told: Row = {"allowed": given.allowed, "reason": given.reason}
    return _with(told, denial=given.denial)


def _authorization(given: Authorization) -> Row:
    told: Row = {
        "decision": _decision(given.decision),
        "decisions": _decisions(given.decisions),
    }
    if given.context is not None:
        told["context"] = _context(given.context)
    return told


def _context(given: TenantContext) -> Row:
    told: Row = {
        "user_id": given.user_id,
        "is_platform_admin": given.is_platform_admin,
        "is_system": given.is_system,
        "accessible_cluster_ids": list(given.accessible_cluster_ids),
        "current_is_personal_scope": given.current_is_personal_scope,
        "bypass": given.bypass,
        "has_org_context": given.has_org_context,
    }
    return _with(
        told,
        current_principal_id=given.current_principal_id,
        org_role=given.org_role,
        write_principal_id=given.write_principal_id,
    )


def _available(given: AvailableContext) -> Row:
    told: Row = {"kind": given.kind.value, "name": given.name}
    return _with(told, principal_id=given.principal_id, org_role=given.org_role)


def _permissions(given: Permissions) -> Row:
    return {
        "view": given.view,
        "read": given.read.value,
        "create": given.create.value,
        "update": given.update.value,
        "delete": given.delete.value,
    }


def _problem(given: RuleProblem) -> Row:
    return {
        "rule_index": given.rule_index,
        "field": given.field,
        "reason": given.reason,
    }


def _list_filter(given: ListFilter) -> Row:
    told: Row = {"filter": _selection(given.selection)}
    if given.sql is not None:
        told["sql"] = _sql(given.sql)
    return told


def _selection(given: Everything | Nothing | Condition) -> Row:
    match given:
        case Everything():
            return {"everything": True}
        case Nothing():
            return {"nothing": True}
        case AllOf() | AnyOf() | Equals() | In():
            return {"condition": _condition(given)}
        case _:
            assert_never(given)


def _condition(given: Condition) -> Row:
    match given:
        case AllOf(conditions):
            return {"all_of": {"conditions": [_condition(each) for each in conditions]}}
        case AnyOf(conditions):
            return {"any_of": {"conditions": [_condition(each) for each in conditions]}}
        case Equals(field, value):
            return {"equals": {"field": field.value, "value": value}}
        case In(field, values):
            return {"in": {"field": field.value, "values": list(values)}}
        case _:
            assert_never(given)


def _sql(given: SqlFilter) -> Row:
    return {
        "text": given.text,
        "parameters": [_parameter(each) for each in given.parameters],
    }


def _parameter(value: int | str | list[int] | list[str]) -> Row:
    # The worlds have no ids that are uuids, which Python takes as text too.
    match value:
        case int():
            return {"int64": value}
        case str():
            return {"text": value}
        case [int(), *_]:
            return {"int64_array": {"values": list(value)}}
        case _:
            return {"text_array": {"values": list(value)}}


def _with(told: Row, **optional: Enum | str | None) -> Row:
    for name, value in optional.items():
        if value is not None:
            told[name] = str(value.value if isinstance(value, Enum) else value)
    return told
