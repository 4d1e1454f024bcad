"""What a context may see, change, create and list: semantics §3.

Each function reads like its list on the page. A decision is its message as JSON.
"""

from dataclasses import dataclass

from tests.spec.tenancy import Context
from tests.spec.world import Kind, Row, World, only_row, part, text


@dataclass(frozen=True)
class Facts:
    """What is known of an existing resource: its id, owner and cluster."""

    id: str
    owner: str | None
    cluster: str | None


def allow(reason: str) -> Row:
    """The decision that allows."""
    return {"allowed": True, "reason": reason}


def deny(denial: str, reason: str) -> Row:
    """The decision that denies."""
    return {"allowed": False, "denial": denial, "reason": reason}


NO_RESOURCE = deny("NOT_FOUND", "RESOURCE_NOT_FOUND")


def find_resource(world: World, resource: Row) -> Facts | None:
    """The facts of a `Resource` message: as told, or as stored; none if missing."""
    name = text(resource, "kind") or ""
    kind = world.kinds[name]
    stored: Row | None
    if "attributes" in resource:
        stored = part(resource, "attributes")
    else:
        stored = only_row(world, "resources", kind=name, id=resource["id"])
        if stored is None or stored.get("deleted_at") is not None:
            return None
    owner = text(stored, "owner_principal_id") if kind.owner else None
    cluster = text(stored, "cluster_id") if kind.cluster else None
    return Facts(str(resource["id"]), owner, cluster)


def check_visible(context: Context, kind: Kind, facts: Facts | None) -> Row:
    """Whether a resource may be seen; `facts` is none for a missing one."""
    if facts is None:
        return NO_RESOURCE
    if context.bypass:
        return _allow_bypass(context)
    if facts.owner is not None and facts.owner == context.current:
        return allow("OWNED")
    if kind.visibility == "OWNED":
        return allow("GLOBAL_VISIBLE") if facts.owner is None else NO_RESOURCE
    cluster = facts.id if kind.visibility == "CLUSTER" else facts.cluster
    return allow("GRANTED") if cluster in context.clusters else NO_RESOURCE


def check_writable(
    context: Context, kind: Kind, facts: Facts | None, *, skip_visible: bool
) -> Row:
    """Whether a resource may be changed; `facts` is none for a missing one."""
    if facts is None:
        return NO_RESOURCE
    visible = check_visible(context, kind, facts)
    if not skip_visible and not visible["allowed"]:
        return visible
    if context.bypass:
        return _allow_bypass(context)
    return _check_owner_writes(context, facts.owner)


def _check_owner_writes(context: Context, owner: str | None) -> Row:
    if owner is None:
        return deny("FORBIDDEN", "GLOBAL_RESOURCE")
    if owner != context.current:
        return deny("FORBIDDEN", "OTHER_OWNER")
    if context.caller.is_platform_admin:
        return allow("ACTING_PLATFORM_ADMIN")
    if context.org_role != "admin":
        return deny("FORBIDDEN", "INSUFFICIENT_ORG_ROLE")
    return allow("ORG_ADMIN")


def check_creatable(context: Context, kind: Kind, resource: Row) -> Row:
    """Whether a `NewResource` may be created with the owner that it names."""
    owner = text(resource, "owner_principal_id") if kind.owner else None
    if context.caller.is_platform_admin:
        all_mode = context.current is None
        return allow("BYPASS_PLATFORM_ADMIN" if all_mode else "ACTING_PLATFORM_ADMIN")
    if owner is None:
        return deny("INVALID", "GLOBAL_RESOURCE")
    if owner != context.current:
        return deny("INVALID", "OTHER_OWNER")
    if context.org_role != "admin":
        return deny("INVALID", "INSUFFICIENT_ORG_ROLE")
    return allow("ORG_ADMIN")


def check_role(context: Context, gate: Row) -> Row:
    """Whether the caller passes a `RoleGate`."""
    if context.caller.is_platform_admin:
        return allow("PLATFORM_ADMIN")
    if "platform_admin" in gate:
        return deny("FORBIDDEN", "PLATFORM_ADMIN_REQUIRED")
    if context.current is None:
        return deny("FORBIDDEN", "NO_ORG_CONTEXT")
    wanted = part(gate, "any_of_org_roles")["roles"]
    if isinstance(wanted, list) and (context.org_role or "").upper() in wanted:
        return allow("ORG_ROLE")
    return deny("FORBIDDEN", "INSUFFICIENT_ORG_ROLE")


def list_filter(context: Context, kind: Kind) -> Row:
    """The `ListFilter` by tenancy alone."""
    if context.bypass:
        return {"everything": True}
    if kind.visibility == "OWNED" and not kind.owner:
        return {"everything": True}
    sides: list[Row] = []
    if kind.owner:
        sides.append(equals("OWNER_PRINCIPAL_ID", context.current))
    granted_field = _granted_field(kind)
    if granted_field is not None and context.clusters:
        values = sorted(context.clusters)
        sides.append({"in": {"field": granted_field, "values": values}})
    if not sides:
        return {"nothing": True}
    if len(sides) == 1:
        return {"condition": sides[0]}
    return {"condition": {"any_of": {"conditions": sides}}}


def narrow_filter(tenancy: Row, level: Row) -> Row:
    """Both filters at once."""
    if "nothing" in tenancy or "nothing" in level:
        return {"nothing": True}
    if "everything" in level:
        return tenancy
    if "everything" in tenancy:
        return level
    both = [tenancy["condition"], level["condition"]]
    return {"condition": {"all_of": {"conditions": both}}}


def equals(field: str, value: str | None) -> Row:
    """The condition that a field has a value."""
    return {"equals": {"field": field, "value": value}}


def _granted_field(kind: Kind) -> str | None:
    if kind.visibility == "CLUSTER":
        return "ID"
    if kind.visibility == "CLUSTER_RESOURCE" and kind.cluster:
        return "CLUSTER_ID"
    return None


def _allow_bypass(context: Context) -> Row:
    system = context.caller.is_system
    return allow("BYPASS_SYSTEM" if system else "BYPASS_PLATFORM_ADMIN")
