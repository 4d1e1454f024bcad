"""Tenancy checks: visible, writable, creatable, role gates (semantics.md §3).

Each check is a table; its rows read top-down as the rules do.
"""

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

from sidecar.core.decision import Allowed, Check, Decision, Denied, Rule
from sidecar.core.ids import ClusterId, PrincipalId
from sidecar.core.model import OrgRole, Resource, TenantContext, Visibility
from sidecar.core.reasons import Denial, Reason

RESOURCE_NOT_FOUND = Denied(Denial.NOT_FOUND, Reason.RESOURCE_NOT_FOUND)
INSUFFICIENT_ORG_ROLE = Denied(Denial.FORBIDDEN, Reason.INSUFFICIENT_ORG_ROLE)
_GLOBAL_RESOURCE = Denied(Denial.FORBIDDEN, Reason.GLOBAL_RESOURCE)
_OTHER_OWNER = Denied(Denial.FORBIDDEN, Reason.OTHER_OWNER)
_BYPASS_SYSTEM = Allowed(Reason.BYPASS_SYSTEM)
_BYPASS_PLATFORM_ADMIN = Allowed(Reason.BYPASS_PLATFORM_ADMIN)
_OWNED = Allowed(Reason.OWNED)
_GRANTED = Allowed(Reason.GRANTED)
_GLOBAL_VISIBLE = Allowed(Reason.GLOBAL_VISIBLE)
_ORG_ADMIN = Allowed(Reason.ORG_ADMIN)
_ACTING_PLATFORM_ADMIN = Allowed(Reason.ACTING_PLATFORM_ADMIN)


class OfResource(NamedTuple):
    """May this context do something with this row? None: there is no such row."""

    context: TenantContext
    resource: Resource | None


# Kind, owner and cluster of a row.
Columns: TypeAlias = tuple[str, PrincipalId, ClusterId | None]


def check_visible(visibility: Visibility) -> Check[OfResource]:
    """The check whether a row of such a kind is visible."""
    return _VISIBLE[visibility]


def check_writable(
    visibility: Visibility, *, skip_visible: bool = False
) -> Check[OfResource]:
    """The check whether a row is writable; with `skip_visible`, only that."""
    return _WRITABLE_ALONE if skip_visible else _WRITABLE[visibility]


def standings_of(
    context: TenantContext, rows: Iterable[Columns]
) -> list[tuple[str, bool, bool]]:
    """How rows stand to a context: kind, whether its own, whether in a cluster of its.

    Of a row that is somebody's, and of a kind that is judged by its columns, no rule
    looks at anything else: what stands alike is judged alike.
    """
    current, clusters = context.current_principal_id, context.accessible_cluster_ids
    return [
        (kind, owner == current, cluster in clusters) for kind, owner, cluster in rows
    ]


def _missing(asked: OfResource) -> Decision | None:
    return RESOURCE_NOT_FOUND if asked.resource is None else None


def _bypass(asked: OfResource) -> Decision | None:
    if not asked.context.bypass:
        return None
    return _BYPASS_SYSTEM if asked.context.user.is_system else _BYPASS_PLATFORM_ADMIN


def _global_visible(asked: OfResource) -> Decision | None:
    return _GLOBAL_VISIBLE if _owner(asked) is None else None


def _owned(asked: OfResource) -> Decision | None:
    return _OWNED if _is_owned(asked) else None


def _granted_itself(asked: OfResource) -> Decision | None:
    resource = asked.resource
    clusters = asked.context.accessible_cluster_ids
    return (
        _GRANTED
        if resource is not None and ClusterId(resource.id) in clusters
        else None
    )


def _granted_cluster(asked: OfResource) -> Decision | None:
    resource = asked.resource
    clusters = asked.context.accessible_cluster_ids
    if resource is None or resource.cluster_id is None:
        return None
    return _GRANTED if resource.cluster_id in clusters else None


def _global_refused(asked: OfResource) -> Decision | None:
    return _GLOBAL_RESOURCE if _owner(asked) is None else None


def _other_owner(asked: OfResource) -> Decision | None:
    return None if _is_owned(asked) else _OTHER_OWNER


def _platform_admin(asked: OfResource) -> Decision | None:
    return _ACTING_PLATFORM_ADMIN if asked.context.user.is_platform_admin else None


def _org_admin(asked: OfResource) -> Decision | None:
    return _ORG_ADMIN if asked.context.org_role is OrgRole.ADMIN else None


def _owner(asked: OfResource) -> PrincipalId | None:
    return None if asked.resource is None else asked.resource.owner_principal_id


def _is_owned(asked: OfResource) -> bool:
    resource = asked.resource
    if resource is None or resource.owner_principal_id is None:
        return False
    return resource.owner_principal_id == asked.context.current_principal_id


def _show_existence(asked: OfResource) -> str:
    resource = asked.resource
    if resource is None:
        return "there is no such resource"
    return f"{resource.kind.name} `{resource.id}` exists"


def _show_standing(asked: OfResource) -> str:
    user = asked.context.user
    return (
        f"system user: {_yes(user.is_system)}, platform admin: "
        f"{_yes(user.is_platform_admin)}, current principal: {_show_current(asked)}"
    )


def _show_owner(asked: OfResource) -> str:
    owner = _owner(asked)
    shown = "nobody (global)" if owner is None else f"`{owner}`"
    return f"owner: {shown}, current principal: {_show_current(asked)}"


def _show_grant(asked: OfResource) -> str:
    resource = asked.resource
    cluster = None if resource is None else resource.cluster_id
    shown = "none" if cluster is None else f"`{cluster}`"
    count = len(asked.context.accessible_cluster_ids)
    return f"cluster of the resource: {shown}, accessible clusters: {count}"


def _show_own_grant(asked: OfResource) -> str:
    count = len(asked.context.accessible_cluster_ids)
    return f"the resource is itself a cluster, accessible clusters: {count}"


def _show_org_role(asked: OfResource) -> str:
    role = asked.context.org_role
    return f"org role: {'none' if role is None else role.value}"


def _show_current(asked: OfResource) -> str:
    current = asked.context.current_principal_id
    return "none" if current is None else f"`{current}`"


def _yes(value: bool) -> str:  # noqa: FBT001  a word for a flag, nothing to name
    return "yes" if value else "no"


_EXISTS = Rule("exists", _missing, _show_existence)
_BYPASS = Rule("bypass", _bypass, _show_standing)
_IS_OWNED = Rule("visible.owned", _owned, _show_owner)

_VISIBLE: dict[Visibility, Check[OfResource]] = {
    Visibility.OWNED: Check(
        (
            _EXISTS,
            _BYPASS,
            Rule("visible.global", _global_visible, _show_owner),
            _IS_OWNED,
        ),
        RESOURCE_NOT_FOUND,
    ),
    Visibility.CLUSTER: Check(
        (
            _EXISTS,
            _BYPASS,
            _IS_OWNED,
            Rule("visible.granted", _granted_itself, _show_own_grant),
        ),
        RESOURCE_NOT_FOUND,
    ),
    Visibility.CLUSTER_RESOURCE: Check(
        (
            _EXISTS,
            _BYPASS,
            _IS_OWNED,
            Rule("visible.granted", _granted_cluster, _show_grant),
        ),
        RESOURCE_NOT_FOUND,
    ),
}


def _unless_visible(visibility: Visibility) -> Rule[OfResource]:
    visible = _VISIBLE[visibility]

    def judge(asked: OfResource) -> Decision | None:
        decision = visible.decide(asked)
        return decision if isinstance(decision, Denied) else None

    def show(asked: OfResource) -> str:
        tried = visible.explain(asked)
        return "; ".join(f"{step.rule} {step.outcome.value}" for step in tried)

    return Rule("writable.visible", judge, show)


_CHANGEABLE: tuple[Rule[OfResource], ...] = (
    _BYPASS,
    Rule("writable.global", _global_refused, _show_owner),
    Rule("writable.owner", _other_owner, _show_owner),
    Rule("writable.platform_admin", _platform_admin, _show_standing),
    Rule("writable.org_admin", _org_admin, _show_org_role),
)
_WRITABLE_ALONE = Check((_EXISTS, *_CHANGEABLE), INSUFFICIENT_ORG_ROLE)
_WRITABLE: dict[Visibility, Check[OfResource]] = {
    visibility: Check(
        (_EXISTS, _unless_visible(visibility), *_CHANGEABLE), INSUFFICIENT_ORG_ROLE
    )
    for visibility in Visibility
}
