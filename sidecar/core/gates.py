"""Checks on the caller alone: creatable and role gates (semantics.md §3)."""

from dataclasses import dataclass
from typing import assert_never

from sidecar.core.decision import Allowed, Check, Decision, Denied, Rule
from sidecar.core.ids import PrincipalId
from sidecar.core.model import OrgRole, TenantContext
from sidecar.core.reasons import Denial, Reason

_PLATFORM_ADMIN_REQUIRED = Denied(Denial.FORBIDDEN, Reason.PLATFORM_ADMIN_REQUIRED)
_NO_ORG_CONTEXT = Denied(Denial.FORBIDDEN, Reason.NO_ORG_CONTEXT)
_INSUFFICIENT_ORG_ROLE = Denied(Denial.FORBIDDEN, Reason.INSUFFICIENT_ORG_ROLE)
_CANNOT_CREATE = Denied(Denial.INVALID, Reason.INSUFFICIENT_ORG_ROLE)
_NEEDS_OWNER = Denied(Denial.INVALID, Reason.GLOBAL_RESOURCE)
_NEEDS_OWN_OWNER = Denied(Denial.INVALID, Reason.OTHER_OWNER)
_IS_PLATFORM_ADMIN = Allowed(Reason.PLATFORM_ADMIN)


@dataclass(frozen=True, slots=True)
class Creation:
    """May this context create a row owned by this principal? None: global."""

    context: TenantContext
    owner_principal_id: PrincipalId | None


@dataclass(frozen=True, slots=True)
class PlatformAdminGate:
    """Only platform admins pass."""


@dataclass(frozen=True, slots=True)
class OrgRoleGate:
    """Members with one of these roles pass, and platform admins."""

    roles: frozenset[OrgRole]


RoleGate = PlatformAdminGate | OrgRoleGate


@dataclass(frozen=True, slots=True)
class Passing:
    """Does this context pass this gate?"""

    context: TenantContext
    roles: frozenset[OrgRole]


def check_gate(gate: RoleGate) -> tuple[Check[Passing], frozenset[OrgRole]]:
    """The check of a gate, and the roles that it lets through."""
    match gate:
        case PlatformAdminGate():
            return _PLATFORM_ADMIN, frozenset()
        case OrgRoleGate(roles):
            return _ANY_ORG_ROLE, roles
        case _:
            assert_never(gate)


def _admin_creates(asked: Creation) -> Decision | None:
    if not asked.context.user.is_platform_admin:
        return None
    if asked.context.has_org_context:
        return Allowed(Reason.ACTING_PLATFORM_ADMIN)
    return Allowed(Reason.BYPASS_PLATFORM_ADMIN)


def _no_owner(asked: Creation) -> Decision | None:
    return _NEEDS_OWNER if asked.owner_principal_id is None else None


def _other_owner(asked: Creation) -> Decision | None:
    owner = asked.owner_principal_id
    return None if owner == asked.context.current_principal_id else _NEEDS_OWN_OWNER


def _org_admin_creates(asked: Creation) -> Decision | None:
    is_admin = asked.context.org_role is OrgRole.ADMIN
    return Allowed(Reason.ORG_ADMIN) if is_admin else None


def _platform_admin(asked: Passing) -> Decision | None:
    return _IS_PLATFORM_ADMIN if asked.context.user.is_platform_admin else None


def _no_org_context(asked: Passing) -> Decision | None:
    return None if asked.context.has_org_context else _NO_ORG_CONTEXT


def _has_role(asked: Passing) -> Decision | None:
    has_role = asked.context.org_role in asked.roles
    return Allowed(Reason.ORG_ROLE) if has_role else None


def _show_owner(asked: Creation) -> str:
    current = asked.context.current_principal_id or "none"
    owner = asked.owner_principal_id or "nobody (global)"
    return f"owner to be: `{owner}`, current principal: `{current}`"


def _show_creator(asked: Creation) -> str:
    return _show_user(asked.context)


def _show_passer(asked: Passing) -> str:
    return _show_user(asked.context)


def _show_roles(asked: Passing) -> str:
    wanted = ", ".join(sorted(role.value for role in asked.roles))
    return f"{_show_user(asked.context)}, wanted: {wanted}"


def _show_user(context: TenantContext) -> str:
    role = "none" if context.org_role is None else context.org_role.value
    admin = "yes" if context.user.is_platform_admin else "no"
    return f"platform admin: {admin}, org role: {role}"


CREATABLE: Check[Creation] = Check(
    (
        Rule("creatable.platform_admin", _admin_creates, _show_creator),
        Rule("creatable.global", _no_owner, _show_owner),
        Rule("creatable.owner", _other_owner, _show_owner),
        Rule("creatable.org_admin", _org_admin_creates, _show_creator),
    ),
    _CANNOT_CREATE,
)
_PLATFORM_ADMIN: Check[Passing] = Check(
    (Rule("role.platform_admin", _platform_admin, _show_passer),),
    _PLATFORM_ADMIN_REQUIRED,
)
_ANY_ORG_ROLE: Check[Passing] = Check(
    (
        Rule("role.platform_admin", _platform_admin, _show_passer),
        Rule("role.no_org_context", _no_org_context, _show_passer),
        Rule("role.any_of_org_roles", _has_role, _show_roles),
    ),
    _INSUFFICIENT_ORG_ROLE,
)
