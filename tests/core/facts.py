"""Facts for unit tests of the core: one user, one organization, and variations."""

from sidecar.core.ids import (
    ClusterId,
    FeatureAccessId,
    FeatureInstanceId,
    MembershipId,
    PrincipalId,
    ResourceId,
    RoleId,
    RuleId,
    UserId,
)
from sidecar.core.model import (
    AccessLevel,
    AccessRule,
    FeatureAccess,
    FeatureInstance,
    InstanceStanding,
    Membership,
    OrgRole,
    Permissions,
    Principal,
    PrincipalKind,
    PrincipalSource,
    Resource,
    ResourceKind,
    Role,
    RuleContext,
    Standing,
    TenantContext,
    User,
    Visibility,
)

OWN = PrincipalId("101")
ACME = PrincipalId("20")
GLOBEX = PrincipalId("21")
SHOP = FeatureInstanceId("shop")
CLUSTER = ClusterId("501")


def user(*, is_platform_admin: bool = False, is_system: bool = False) -> User:
    """Ann."""
    return User(UserId("1"), OWN, "Ann", is_platform_admin, is_system)


def acting(
    who: User, current: PrincipalId | None, role: OrgRole | None = None
) -> TenantContext:
    """Somebody acting as a principal, with one cluster."""
    source = PrincipalSource.ALL_MODE if current is None else PrincipalSource.REQUESTED
    return TenantContext(who, current, source, role, frozenset({CLUSTER}))


def resource(
    visibility: Visibility, owner: PrincipalId | None, cluster: ClusterId | None = None
) -> Resource:
    """A row with the id 7, of a kind that carries everything."""
    kind = ResourceKind("thing", visibility, carries_owner=True, carries_cluster=True)
    return Resource(kind, ResourceId("7"), owner, cluster)


def principal(
    kind: PrincipalKind | None = PrincipalKind.ORG, *, is_deleted: bool = False
) -> Principal:
    """Acme, or what became of it."""
    return Principal(ACME, kind, "Acme", is_deleted)


def standing(*role_ids: str, is_member: bool = True) -> Standing:
    """A member of Acme with roles."""
    membership = Membership(MembershipId("1"), OrgRole.USER) if is_member else None
    roles = tuple(map(RoleId, role_ids))
    return Standing(principal(), membership, (), frozenset({CLUSTER}), roles)


def instance_standing(
    *role_ids: str, enabled: bool = True, access: bool = True
) -> InstanceStanding:
    """Access with roles to the shop of Acme; `enabled` is the access, not the shop."""
    instance = FeatureInstance(SHOP, ACME, enabled=True)
    roles = tuple(map(RoleId, role_ids))
    through = FeatureAccess(FeatureAccessId("1"), enabled, roles)
    return InstanceStanding(instance, through if access else None)


def permissions(levels: str, *, view: bool = True) -> Permissions:
    """Permissions as the worked cases write them: `gmnn` is read, create, ..."""
    read, create, update, delete = (AccessLevel("nmga".index(each)) for each in levels)
    return Permissions(view, read, create, update, delete)


def role(
    role_id: str,
    organization: PrincipalId | None = None,
    instance: FeatureInstanceId | None = None,
    **rules: str,
) -> Role:
    """A role with DATA rules: item to levels; `generic` is the one without an item."""
    found = {
        item: AccessRule(RuleId(f"{role_id}/{name}"), item, permissions(levels))
        for name, levels in rules.items()
        for item in (None if name == "generic" else name.replace("_", "."),)
    }
    return Role(
        RoleId(role_id), role_id, organization, instance, {RuleContext.DATA: found}
    )
