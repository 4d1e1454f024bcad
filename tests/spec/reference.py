"""The rules a second time: slow, obvious, and without a line of the sidecar's.

`answer` takes a question as the API's request in JSON (snake_case fields, bare enum
names) and gives the answer that the rules demand. Only requests of a valid shape are
answered; the stored data may be malformed.
"""

from tests.spec.checks import (
    allow,
    check_creatable,
    check_role,
    check_visible,
    check_writable,
    deny,
    find_resource,
    list_filter,
    narrow_filter,
)
from tests.spec.permissions import (
    level_filter,
    no_permissions,
    permissions,
    reaches,
    validate_rules,
)
from tests.spec.tenancy import (
    Caller,
    Context,
    Denied,
    identify,
    list_contexts,
    resolve,
)
from tests.spec.world import Kind, Row, World, part, parts

__all__ = ["Kind", "World", "answer"]

STATUS = {
    "INVALID": "INVALID_ARGUMENT",
    "UNAUTHENTICATED": "UNAUTHENTICATED",
    "FORBIDDEN": "PERMISSION_DENIED",
    "NOT_FOUND": "NOT_FOUND",
}
UNKNOWN_KIND = Denied("INVALID", "UNKNOWN_RESOURCE_KIND")


def answer(world: World, call: str, request: Row) -> Row:
    """The answer to a call: the response, or the status with which it ends.

    A response lacks what is for people (`message`, `explanation`) and what names the
    answer (`decision_id`, `revision`). A status is `{"status": .., "reason": ..}`.
    """
    if call == "ValidateAccessRules":
        return {"problems": validate_rules(request)}
    caller = identify(world, part(request, "caller"))
    if call == "ListContexts":
        return _list_contexts(world, caller)
    context = caller if isinstance(caller, Denied) else resolve(world, caller)
    return CALLS[call](world, context, request)


def _resolve_context(_: World, context: Context | Denied, __: Row) -> Row:
    return _status(context) if isinstance(context, Denied) else _show(context)


def _list_contexts(world: World, caller: Caller | Denied) -> Row:
    contexts = caller if isinstance(caller, Denied) else list_contexts(world, caller)
    if isinstance(contexts, Denied):
        return _status(contexts)
    return {"contexts": contexts}


def _authorize(world: World, context: Context | Denied, request: Row) -> Row:
    requirements = parts(request, "requirements")
    decisions = [_decide(world, context, needed) for needed in requirements]
    tried = list(zip(requirements, decisions, strict=True))
    visible_first = [found for needed, found in tried if "visible" in needed] + [
        found for needed, found in tried if "visible" not in needed
    ]
    failed = [found for found in visible_first if not found["allowed"]]
    verdict = failed[0] if failed else allow("ALL_HOLD")
    response: Row = {"decision": verdict, "decisions": decisions}
    return response if isinstance(context, Denied) else {**response, **_show(context)}


def _get_list_filter(world: World, context: Context | Denied, request: Row) -> Row:
    kind = world.kinds.get(str(request["kind"]))
    if kind is None:
        return _status(UNKNOWN_KIND)
    if isinstance(context, Denied):
        return _status(context)
    selection = list_filter(context, kind)
    if "permission" in request:
        read = permissions(world, context, part(request, "permission"))["read"]
        selection = narrow_filter(selection, level_filter(context, read))
    return {"filter": selection}


def _get_permissions(world: World, context: Context | Denied, request: Row) -> Row:
    queries = parts(request, "queries")
    if not isinstance(context, Denied):
        return {
            "permissions": [permissions(world, context, asked) for asked in queries]
        }
    if context.denial in ("FORBIDDEN", "NOT_FOUND"):
        return {"permissions": [no_permissions() for _ in queries]}
    return _status(context)


def _check_visible(world: World, context: Context | Denied, request: Row) -> Row:
    needed: list[Row] = [{"visible": one} for one in parts(request, "resources")]
    return _decide_each(world, context, needed)


def _check_writable(world: World, context: Context | Denied, request: Row) -> Row:
    skip = request.get("skip_visible", False)
    needed: list[Row] = [
        {"writable": {"resource": one, "skip_visible": skip}}
        for one in parts(request, "resources")
    ]
    return _decide_each(world, context, needed)


def _check_creatable(world: World, context: Context | Denied, request: Row) -> Row:
    needed: list[Row] = [{"creatable": one} for one in parts(request, "resources")]
    return _decide_each(world, context, needed)


def _check_role(world: World, context: Context | Denied, request: Row) -> Row:
    return {"decision": _decide(world, context, {"role": request["gate"]})}


def _decide_each(world: World, context: Context | Denied, needed: list[Row]) -> Row:
    return {"decisions": [_decide(world, context, one) for one in needed]}


def _decide(world: World, context: Context | Denied, requirement: Row) -> Row:
    """The decision on one `Requirement`: the kind first, then the context."""
    resource = _resource_of(requirement)
    kind = None if resource is None else world.kinds.get(str(resource["kind"]))
    if resource is not None and kind is None:
        return deny(UNKNOWN_KIND.denial, UNKNOWN_KIND.reason)
    if isinstance(context, Denied):
        return deny(context.denial, context.reason)
    if resource is not None and kind is not None:
        return _check_resource(world, context, kind, requirement)
    if "role" in requirement:
        return check_role(context, part(requirement, "role"))
    return _check_permission(world, context, part(requirement, "permission"))


def _resource_of(requirement: Row) -> Row | None:
    if "writable" in requirement:
        return part(part(requirement, "writable"), "resource")
    for name in ("visible", "creatable"):
        if name in requirement:
            return part(requirement, name)
    return None


def _check_resource(
    world: World, context: Context, kind: Kind, requirement: Row
) -> Row:
    if "creatable" in requirement:
        return check_creatable(context, kind, part(requirement, "creatable"))
    if "visible" in requirement:
        facts = find_resource(world, part(requirement, "visible"))
        return check_visible(context, kind, facts)
    writable = part(requirement, "writable")
    facts = find_resource(world, part(writable, "resource"))
    skip = bool(writable.get("skip_visible", False))
    return check_writable(context, kind, facts, skip_visible=skip)


def _check_permission(world: World, context: Context, requirement: Row) -> Row:
    granted = permissions(world, context, part(requirement, "query"))
    operation = str(requirement["operation"])
    if reaches(granted, operation, requirement.get("least_level")):
        return allow("PERMITTED")
    return deny("FORBIDDEN", "INSUFFICIENT_PERMISSION")


def _show(context: Context) -> Row:
    """The field `context`: a `TenantContext` with absent optional fields left out."""
    caller = context.caller
    shown: Row = {
        "user_id": caller.user_id,
        "is_platform_admin": caller.is_platform_admin,
        "is_system": caller.is_system,
        "accessible_cluster_ids": sorted(context.clusters),
        "current_is_personal_scope": context.personal,
        "bypass": context.bypass,
        "has_org_context": context.current is not None,
        "write_principal_id": context.current or caller.own_principal_id,
    }
    if context.current is not None:
        shown["current_principal_id"] = context.current
    if context.org_role is not None:
        shown["org_role"] = context.org_role.upper()
    return {"context": shown}


def _status(denied: Denied) -> Row:
    return {"status": STATUS[denied.denial], "reason": denied.reason}


CALLS = {
    "ResolveContext": _resolve_context,
    "CheckVisible": _check_visible,
    "CheckWritable": _check_writable,
    "CheckCreatable": _check_creatable,
    "CheckRole": _check_role,
    "GetPermissions": _get_permissions,
    "Authorize": _authorize,
    "GetListFilter": _get_list_filter,
}
