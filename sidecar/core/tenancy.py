"""Tenancy: as which tenant a user acts (docs/semantics.md §2)."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, unique
from typing import assert_never

from sidecar.core.decision import BAD_CREDENTIAL, Denied, Outcome, Step
from sidecar.core.ids import ClusterId, IdType, PrincipalId
from sidecar.core.model import (
    OrganizationMembership,
    OrgRole,
    PrincipalKind,
    PrincipalSource,
    Standing,
    TenantContext,
    User,
    UserRecord,
)
from sidecar.core.reasons import Denial, Reason

INVALID_ORGANIZATION_ID = Denied(Denial.INVALID, Reason.INVALID_ORGANIZATION_ID)
NOT_A_MEMBER = Denied(Denial.FORBIDDEN, Reason.NOT_A_MEMBER)
ORGANIZATION_NOT_FOUND = Denied(Denial.NOT_FOUND, Reason.ORGANIZATION_NOT_FOUND)


@dataclass(frozen=True, slots=True)
class Acting:
    """The principal that a user chose to act as; none is All mode."""

    principal_id: PrincipalId | None
    source: PrincipalSource


@unique
class Lookup(Enum):
    """Which facts a choice of principal needs before it resolves."""

    NONE = "none"
    OWN_GRANTS = "own grants"
    STANDING = "standing"


def authenticate(record: UserRecord | None) -> User | Denied:
    """Who a stored user is; everyone unfit gets the same denial."""
    if record is None or not record.is_active or record.principal is None:
        return BAD_CREDENTIAL
    principal = record.principal
    if principal.kind is not PrincipalKind.USER or principal.is_deleted:
        return BAD_CREDENTIAL
    return User(
        record.id,
        principal.id,
        principal.name,
        record.is_platform_admin,
        record.is_system,
    )


def choose_principal(
    user: User,
    pinned: PrincipalId | None,
    requested: str,
    id_type: IdType,
) -> Acting | Denied:
    """Step 1: which principal. `requested` is raw text, empty when absent."""
    if pinned is not None:
        return Acting(pinned, PrincipalSource.PINNED)
    if requested:
        if not id_type.is_requestable(requested):
            return INVALID_ORGANIZATION_ID
        return Acting(PrincipalId(requested), PrincipalSource.REQUESTED)
    if user.is_platform_admin:
        return Acting(None, PrincipalSource.ALL_MODE)
    return Acting(user.principal_id, PrincipalSource.OWN)


def needed_lookup(user: User, acting: Acting) -> Lookup:
    """Which facts `resolve_…` needs for this choice: steps 2, 3 and 4."""
    if acting.principal_id is None or user.is_system:
        return Lookup.NONE
    if acting.principal_id == user.principal_id:
        return Lookup.OWN_GRANTS
    return Lookup.STANDING


def resolve_without_lookup(user: User, acting: Acting) -> TenantContext:
    """Step 2: All mode, or a system user as any principal, existing or not."""
    return TenantContext(user, acting.principal_id, acting.source)


def resolve_personal(
    user: User, acting: Acting, own_grants: frozenset[ClusterId]
) -> TenantContext:
    """Step 3: the user's own principal, for platform admins too."""
    return TenantContext(
        user,
        acting.principal_id,
        acting.source,
        accessible_cluster_ids=own_grants,
        current_is_personal_scope=True,
    )


def resolve_organization(
    user: User, acting: Acting, standing: Standing
) -> TenantContext | Denied:
    """Step 4: membership before existence, so that outsiders cannot probe."""
    membership = standing.membership
    if membership is None and not user.is_platform_admin:
        return NOT_A_MEMBER
    if standing.principal is None or not standing.principal.is_live_organization:
        return ORGANIZATION_NOT_FOUND
    return TenantContext(
        user,
        acting.principal_id,
        acting.source,
        org_role=None if membership is None else membership.org_role,
        accessible_cluster_ids=standing.cluster_ids,
    )


@unique
class ContextKind(Enum):
    """What kind of tenant a caller may act as."""

    PERSONAL = "PERSONAL"
    ORGANIZATION = "ORGANIZATION"
    ALL = "ALL"
    PINNED = "PINNED"


@dataclass(frozen=True, slots=True)
class AvailableContext:
    """One tenant as which a caller may act."""

    kind: ContextKind
    principal_id: PrincipalId | None
    org_role: OrgRole | None
    name: str


def available_contexts(
    user: User, memberships: Iterable[OrganizationMembership], id_type: IdType
) -> tuple[AvailableContext, ...]:
    """Personal scope, each live organization by id, All mode for an admin."""
    organizations = sorted(
        (each for each in memberships if each.principal.is_live_organization),
        key=lambda each: id_type.sort_key(each.principal.id),
    )
    contexts = [
        AvailableContext(ContextKind.PERSONAL, user.principal_id, None, user.name)
    ]
    contexts += [
        AvailableContext(
            ContextKind.ORGANIZATION,
            each.principal.id,
            each.org_role,
            each.principal.name,
        )
        for each in organizations
    ]
    if user.is_platform_admin:
        contexts.append(AvailableContext(ContextKind.ALL, None, None, ""))
    return tuple(contexts)


def pinned_context(
    context: TenantContext, standing: Standing | None
) -> AvailableContext:
    """The one context of a pinned caller, resolved."""
    current = context.current_principal_id
    if current == context.user.principal_id:
        return AvailableContext(ContextKind.PERSONAL, current, None, context.user.name)
    principal = None if standing is None else standing.principal
    if principal is None or not principal.is_live_organization:
        return AvailableContext(ContextKind.PINNED, current, None, "")
    return AvailableContext(
        ContextKind.ORGANIZATION, current, context.org_role, principal.name
    )


def explain_context(
    acting: Acting, resolved: TenantContext | Denied, standing: Standing | None
) -> tuple[Step, ...]:
    """Tells where the current principal came from and what it came to."""
    current = "none" if acting.principal_id is None else f"`{acting.principal_id}`"
    steps = [
        Step(
            "context.principal",
            Outcome.FACT,
            f"current principal {current}: {acting.source.value}",
        )
    ]
    if standing is not None:
        steps += _standing_steps(standing)
    match resolved:
        case Denied():
            steps.append(Step("context", Outcome.DENIED, resolved.reason.text))
        case TenantContext():
            steps.append(Step("context", Outcome.FACT, _context_facts(resolved)))
        case _:
            assert_never(resolved)
    return tuple(steps)


def _standing_steps(standing: Standing) -> tuple[Step, Step, Step]:
    membership = standing.membership
    groups = ", ".join(f"`{each}`" for each in standing.group_ids)
    principal = standing.principal
    return (
        Step(
            "context.membership",
            Outcome.FACT,
            "no active membership"
            if membership is None
            else f"active membership `{membership.id}`, org role "
            f"{_role_name(membership.org_role)}",
        ),
        Step("context.groups", Outcome.FACT, f"groups: {groups or 'none'}"),
        Step(
            "context.organization",
            Outcome.FACT,
            "no such principal"
            if principal is None
            else f"principal of kind {_kind_name(principal.kind)}, "
            f"{'deleted' if principal.is_deleted else 'live'}",
        ),
    )


def _context_facts(context: TenantContext) -> str:
    user = context.user
    names = (
        (user.is_platform_admin, "platform admin"),
        (user.is_system, "system user"),
        (context.current_is_personal_scope, "personal scope"),
        (context.bypass, "bypass"),
    )
    flags = ", ".join(name for holds, name in names if holds)
    return (
        f"user `{user.id}` ({flags or 'no special standing'}), org role "
        f"{_role_name(context.org_role)}, "
        f"{len(context.accessible_cluster_ids)} accessible clusters"
    )


def _role_name(role: OrgRole | None) -> str:
    return "none" if role is None else role.value


def _kind_name(kind: PrincipalKind | None) -> str:
    return "unknown" if kind is None else kind.value
