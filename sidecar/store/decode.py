"""Rows as facts. What no reference schema would hold fails closed, and is told.

A label that nobody knows, a value that is missing and a second row for one key are
no errors here: the fact gives less, and whoever counts anomalies hears of it.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final, TypeVar

from sidecar.core.ids import (
    ClusterId,
    FeatureAccessId,
    MembershipId,
    PrincipalId,
    RoleId,
    UserId,
)
from sidecar.core.model import (
    FeatureAccess,
    FeatureInstance,
    InstanceStanding,
    Membership,
    OrganizationMembership,
    OrgRole,
    Principal,
    PrincipalKind,
    ResourceRecord,
    Standing,
    UserRecord,
)
from sidecar.ports import (
    ApiKeyKey,
    ApiKeyRecord,
    GrantsKey,
    IdentityKey,
    InstanceKey,
    MembershipsKey,
    ResourceKey,
    StandingKey,
    UserKey,
)
from sidecar.store.anomalies import Anomaly, Problem, Tell
from sidecar.store.queries import Row
from sidecar.store.sharing import shared_clusters

E = TypeVar("E")


_KINDS: Final = {kind.value: kind for kind in PrincipalKind}
_ORG_ROLES: Final = {role.value: role for role in OrgRole}


def decode_user(key: UserKey, rows: Sequence[Row], tell: Tell) -> UserRecord | None:
    """A user with its principal."""
    row = only(rows, Anomaly("users", Problem.DUPLICATE_ROW, key.user_id), tell)
    if row is None:
        return None
    principal_id = text(row, "principal_id")
    return UserRecord(
        key.user_id,
        is_platform_admin=row["is_admin"] is True,
        is_system=row["is_system"] is True,
        is_active=row["is_active"] is True,
        principal=None if principal_id is None else _principal(principal_id, row, tell),
    )


def decode_identity(key: IdentityKey, rows: Sequence[Row], tell: Tell) -> UserId | None:
    """The user that an identity is."""
    anomaly = Anomaly("user_identities", Problem.DUPLICATE_ROW, key.subject)
    row = only(rows, anomaly, tell)
    user_id = None if row is None else text(row, "user_id")
    return None if user_id is None else UserId(user_id)


def decode_api_key(
    key: ApiKeyKey, rows: Sequence[Row], tell: Tell
) -> ApiKeyRecord | None:
    """An API key that has a user and a secret."""
    row = only(rows, Anomaly("api_keys", Problem.DUPLICATE_ROW, key.lookup_id), tell)
    if row is None:
        return None
    user_id, secret_hash = text(row, "user_id"), text(row, "secret_hash")
    if user_id is None or secret_hash is None:
        tell(Anomaly("api_keys", Problem.MISSING_VALUE, key.lookup_id))
        return None
    owner, expires_at = text(row, "owner_principal_id"), row["expires_at"]
    return ApiKeyRecord(
        UserId(user_id),
        secret_hash,
        None if owner is None else PrincipalId(owner),
        expires_at if isinstance(expires_at, float) else None,
        is_revoked=row["is_revoked"] is not False,
    )


def decode_grants(
    key: GrantsKey, rows: Sequence[Row], tell: Tell
) -> frozenset[ClusterId]:
    """The clusters granted to a principal."""
    clusters = [text(row, "cluster_id") for row in rows]
    if None in clusters:
        tell(Anomaly("cluster_access", Problem.MISSING_VALUE, key.principal_id))
    return shared_clusters(each for each in clusters if each is not None)


def decode_standing(key: StandingKey, rows: Sequence[Row], tell: Tell) -> Standing:
    """What a principal is within another, from rows that say which part they are."""
    parts: dict[object, list[Row]] = {}
    for row in rows:
        parts.setdefault(row["part"], []).append(row)
    membership = _membership(key, parts.get("membership", ()), tell)
    clusters = _ids(parts.get("cluster", ()))
    roles = _ids(parts.get("role", ())) if membership is not None else set()
    return Standing(
        principal=_current(key, parts.get("principal", ()), tell),
        membership=membership,
        group_ids=_groups(parts.get("group", ()), tell),
        cluster_ids=shared_clusters(clusters),
        role_ids=tuple(RoleId(each) for each in sorted(roles)),
    )


def decode_memberships(
    key: MembershipsKey, rows: Sequence[Row], tell: Tell
) -> tuple[OrganizationMembership, ...]:
    """The memberships that are the only active one in their principal.

    A principal that is missing stands there deleted, so that whoever keeps the
    fact knows that it depends on it.
    """
    times = Counter(text(row, "parent_id") for row in rows)
    for parent, count in times.items():
        if count > 1:
            name = f"{key.member_principal_id}/{parent}"
            tell(Anomaly("principal_memberships", Problem.DUPLICATE_ROW, name))
    found = (
        _organization_membership(parent, row, tell)
        for row in rows
        if (parent := text(row, "parent_id")) is not None and times[parent] == 1
    )
    return tuple(each for each in found if each is not None)


def decode_instance(
    key: InstanceKey, rows: Sequence[Row], tell: Tell
) -> InstanceStanding:
    """A feature instance and a user's access to it."""
    if not rows:
        return InstanceStanding(None, None)
    row, instance_id = rows[0], key.feature_instance_id
    instance = _only_pair("feature_instances", instance_id, row["instances"], tell)
    name = f"{key.user_id}/{instance_id}"
    access = _only_pair("feature_access", name, row["accesses"], tell)
    roles = row["role_ids"] if isinstance(row["role_ids"], list) else []
    role_ids = sorted({str(each) for each in roles if each is not None})
    return InstanceStanding(
        None
        if instance is None
        else FeatureInstance(
            instance_id, PrincipalId(instance[0]), enabled=instance[1]
        ),
        None
        if access is None
        else FeatureAccess(
            FeatureAccessId(access[0]),
            enabled=access[1],
            role_ids=tuple(RoleId(each) for each in role_ids),
        ),
    )


def decode_resource(
    key: ResourceKey, rows: Sequence[Row], tell: Tell
) -> ResourceRecord | None:
    """A row of a kind that is not deleted."""
    name = f"{key.kind}/{key.resource_id}"
    row = only(rows, Anomaly("resources", Problem.DUPLICATE_ROW, name), tell)
    if row is None or row["is_deleted"] is not False:
        return None
    owner, cluster = text(row, "owner_principal_id"), text(row, "cluster_id")
    return ResourceRecord(
        None if owner is None else PrincipalId(owner),
        None if cluster is None else ClusterId(cluster),
    )


def only(rows: Sequence[Row], duplicate: Anomaly, tell: Tell) -> Row | None:
    """The one row that there is; several are none, and are told."""
    if len(rows) > 1:
        tell(duplicate)
    return rows[0] if len(rows) == 1 else None


def text(row: Row, column: str) -> str | None:
    """The text of a column, or none."""
    value = row[column]
    return None if value is None else str(value)


def _principal(principal_id: str, row: Row, tell: Tell) -> Principal:
    return Principal(
        PrincipalId(principal_id),
        _label(row["kind"], _KINDS, ("principals", principal_id), tell),
        text(row, "name") or "",
        is_deleted=row["is_deleted"] is not False,
    )


def _current(key: StandingKey, rows: Sequence[Row], tell: Tell) -> Principal | None:
    current = key.current_principal_id
    row = only(rows, Anomaly("principals", Problem.DUPLICATE_ROW, current), tell)
    if row is None:
        return None
    return Principal(
        current,
        _label(row["label"], _KINDS, ("principals", current), tell),
        text(row, "name") or "",
        is_deleted=row["flag"] is not False,
    )


def _membership(key: StandingKey, rows: Sequence[Row], tell: Tell) -> Membership | None:
    name = f"{key.member_principal_id}/{key.current_principal_id}"
    anomaly = Anomaly("principal_memberships", Problem.DUPLICATE_ROW, name)
    row = only(rows, anomaly, tell)
    membership_id = None if row is None else text(row, "id")
    if row is None or membership_id is None:
        return None
    if row["label"] is None:
        return Membership(MembershipId(membership_id), None)
    where = ("principal_memberships", membership_id)
    role = _label(row["label"], _ORG_ROLES, where, tell)
    # A role that nobody knows is not the same as none, which still admits.
    return None if role is None else Membership(MembershipId(membership_id), role)


def _groups(rows: Sequence[Row], tell: Tell) -> tuple[PrincipalId, ...]:
    groups = []
    for row in rows:
        group_id = str(row["id"])
        if row["flag"] is not False:
            tell(Anomaly("principal_memberships", Problem.DUPLICATE_ROW, group_id))
        elif _has_known_role(row["label"], group_id, tell):
            groups.append(PrincipalId(group_id))
    return tuple(sorted(groups))


def _has_known_role(role: object, group_id: str, tell: Tell) -> bool:
    where = ("principal_memberships", group_id)
    return role is None or _label(role, _ORG_ROLES, where, tell) is not None


def _ids(rows: Sequence[Row]) -> set[str]:
    return {str(row["id"]) for row in rows if row["id"] is not None}


def _organization_membership(
    parent: str, row: Row, tell: Tell
) -> OrganizationMembership | None:
    where = ("principal_memberships", parent)
    role = None
    if row["role"] is not None:
        role = _label(row["role"], _ORG_ROLES, where, tell)
        if role is None:
            return None
    if row["id"] is None:
        missing = Principal(PrincipalId(parent), None, "", is_deleted=True)
        return OrganizationMembership(missing, role)
    return OrganizationMembership(_principal(parent, row, tell), role)


def _only_pair(
    relation: str, name: str, value: object, tell: Tell
) -> tuple[str, bool] | None:
    # Pairs of an id and whether it is enabled, as the statement gathers them.
    pairs = value if isinstance(value, list) else []
    if len(pairs) > 1:
        tell(Anomaly(relation, Problem.DUPLICATE_ROW, name))
    if len(pairs) != 1:
        return None
    one_id, enabled = pairs[0]
    if one_id is None:
        tell(Anomaly(relation, Problem.MISSING_VALUE, name))
        return None
    return str(one_id), enabled == "true"


def _label(
    value: object, known: dict[str, E], where: tuple[str, str], tell: Tell
) -> E | None:
    # Platforms write the labels of their enums in either case.
    found = known.get(str(value).lower())
    if found is None:
        tell(Anomaly(where[0], Problem.UNKNOWN_LABEL, where[1]))
    return found
