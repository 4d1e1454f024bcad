"""From a vector's request in bare JSON to a question of the Python client."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from authz.client import (
    AccessLevel,
    AccessRule,
    AnyOrgRole,
    Attributes,
    Caller,
    Creatable,
    Field,
    InRole,
    NewResource,
    Operation,
    OrgRole,
    OwnedBy,
    PermissionQuery,
    Permitted,
    Placeholders,
    PlatformAdmin,
    Resource,
    RuleContext,
    SqlOptions,
    Unowned,
    Visible,
    Writable,
)

Json: TypeAlias = "bool | int | str | list[Json] | dict[str, Json]"
Row: TypeAlias = Mapping[str, object]
Gate: TypeAlias = PlatformAdmin | AnyOrgRole
Requirement: TypeAlias = Visible | Writable | Creatable | InRole | Permitted


class NotAskableError(Exception):
    """The client's API cannot ask this."""


@dataclass(frozen=True, slots=True)
class Question:
    """A method of the client and its arguments."""

    method: str
    positional: tuple[object, ...]
    named: Mapping[str, object] = field(default_factory=dict)


def question(call: str, request: Row) -> Question:
    """The question that a request is; raises NotAskableError."""
    return _QUESTIONS[call](request)


def _options(request: Row) -> dict[str, object]:
    consistency = _part(request, "consistency")
    options: dict[str, object] = {
        name: consistency[name]
        for name in ("at_least_as_fresh", "fully_consistent")
        if name in consistency
    }
    if "explain" in request:
        options["explain"] = request["explain"]
    return options


def _of_caller(method: str) -> Callable[[Row], Question]:
    return lambda asked: Question(method, (_caller(asked),), _options(asked))


def _resources(method: str) -> Callable[[Row], Question]:
    def ask(asked: Row) -> Question:
        named = _options(asked)
        if "skip_visible" in asked:
            named["skip_visible"] = asked["skip_visible"]
        resources = map(_resource, _parts(asked, "resources"))
        return Question(method, (_caller(asked), *resources), named)

    return ask


def _creatable(asked: Row) -> Question:
    resources = map(_new_resource, _parts(asked, "resources"))
    return Question("check_creatable", (_caller(asked), *resources), _options(asked))


def _role(asked: Row) -> Question:
    gate = _gate(_part(asked, "gate"))
    return Question("check_role", (_caller(asked), gate), _options(asked))


def _permissions(asked: Row) -> Question:
    queries = map(_query, _parts(asked, "queries"))
    return Question("get_permissions", (_caller(asked), *queries), _options(asked))


def _authorize(asked: Row) -> Question:
    requirements = map(_requirement, _parts(asked, "requirements"))
    return Question("authorize", (_caller(asked), *requirements), _options(asked))


def _list_filter(asked: Row) -> Question:
    named = _options(asked)
    if "permission" in asked:
        named["permission"] = _query(_part(asked, "permission"))
    if "sql" in asked:
        named["sql"] = _sql(_part(asked, "sql"))
    return Question("get_list_filter", (_caller(asked), asked["kind"]), named)


def _rules(asked: Row) -> Question:
    rules = map(_rule, _parts(asked, "rules"))
    return Question("validate_access_rules", tuple(rules))


_QUESTIONS: Final[Mapping[str, Callable[[Row], Question]]] = {
    "ResolveContext": _of_caller("resolve_context"),
    "ListContexts": _of_caller("list_contexts"),
    "CheckVisible": _resources("check_visible"),
    "CheckWritable": _resources("check_writable"),
    "CheckCreatable": _creatable,
    "CheckRole": _role,
    "GetPermissions": _permissions,
    "Authorize": _authorize,
    "GetListFilter": _list_filter,
    "ValidateAccessRules": _rules,
}


def _caller(asked: Row) -> Caller:
    caller = _part(asked, "caller")
    organization = _text(caller, "organization_id")
    pinned = _text(caller, "pinned_principal_id")
    if "user_id" in caller:
        name = str(caller["user_id"])
        return Caller.user(name, organization=organization, pinned_to=pinned)
    if "subject" in caller:
        subject = _part(caller, "subject")
        return Caller.subject(
            str(subject["issuer"]),
            str(subject["subject"]),
            organization=organization,
            pinned_to=pinned,
        )
    if pinned is not None or not caller.keys() & {"api_key", "access_token"}:
        raise NotAskableError("a caller is one of four, and only two take a pin")
    if "api_key" in caller:
        return Caller.api_key(str(caller["api_key"]), organization=organization)
    return Caller.access_token(str(caller["access_token"]), organization=organization)


def _resource(row: Row) -> Resource:
    attributes = None
    if "attributes" in row:
        known = _part(row, "attributes")
        attributes = Attributes(_owner(known), _text(known, "cluster_id"))
    return Resource(str(row["kind"]), str(row["id"]), attributes)


def _new_resource(row: Row) -> NewResource:
    return NewResource(str(row["kind"]), _owner(row))


def _owner(row: Row) -> OwnedBy | Unowned | None:
    if "owner_principal_id" in row:
        return OwnedBy(str(row["owner_principal_id"]))
    return Unowned() if row.get("global") else None


def _gate(row: Row) -> Gate:
    if row.get("platform_admin"):
        return PlatformAdmin()
    if "any_of_org_roles" in row:
        roles = _list(_part(row, "any_of_org_roles"), "roles")
        return AnyOrgRole.of(*(OrgRole(str(each)) for each in roles))
    raise NotAskableError("a gate is one of two")


def _query(row: Row) -> PermissionQuery:
    context = RuleContext(str(row["context"]))
    return PermissionQuery(
        context, _text(row, "item"), _text(row, "feature_instance_id")
    )


def _requirement(row: Row) -> Requirement:
    if "visible" in row:
        return Visible(_resource(_part(row, "visible")))
    if "writable" in row:
        writable = _part(row, "writable")
        skips = bool(writable.get("skip_visible", False))
        return Writable(_resource(_part(writable, "resource")), skip_visible=skips)
    if "creatable" in row:
        return Creatable(_new_resource(_part(row, "creatable")))
    if "role" in row:
        return InRole(_gate(_part(row, "role")))
    permission = _part(row, "permission")
    return Permitted(
        _query(_part(permission, "query")),
        Operation(str(permission["operation"])),
        _level(permission, "least_level"),
    )


def _sql(row: Row) -> SqlOptions:
    columns = {
        Field(str(each["field"])): str(each["column"])
        for each in _parts(row, "columns")
    }
    first = row.get("first_parameter", 1)
    style = Placeholders(str(row["placeholder_style"]))
    return SqlOptions(columns, style, first if isinstance(first, int) else 1)


def _rule(row: Row) -> AccessRule:
    return AccessRule(
        role_id=str(row["role_id"]),
        context=RuleContext(str(row["context"])),
        item=_text(row, "item"),
        view=bool(row.get("view", False)),
        read=_level(row, "read"),
        create=_level(row, "create"),
        update=_level(row, "update"),
        delete=_level(row, "delete"),
    )


def _level(row: Row, name: str) -> AccessLevel | None:
    return AccessLevel(str(row[name])) if name in row else None


def _text(row: Row, name: str) -> str | None:
    return str(row[name]) if name in row else None


def _part(row: Row, name: str) -> Row:
    value = row.get(name, {})
    if not isinstance(value, Mapping):
        raise NotAskableError(f"`{name}` is not a message")
    return value


def _list(row: Row, name: str) -> list[object]:
    value = row.get(name, [])
    if not isinstance(value, list):
        raise NotAskableError(f"`{name}` is not a list")
    return value


def _parts(row: Row, name: str) -> list[Row]:
    return [_part({name: each}, name) for each in _list(row, name)]
