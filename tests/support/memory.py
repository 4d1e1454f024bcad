"""A fake of the port for facts: reads a directory document, plainly.

Long, because it is one thing told in many short parts.
"""

from collections.abc import Sequence
from types import TracebackType
from typing import Self, TypeVar, cast

from sidecar.core.filters import Field
from sidecar.core.ids import (
    ClusterId,
    FeatureAccessId,
    FeatureInstanceId,
    IdType,
    MembershipId,
    PrincipalId,
    RoleId,
    UserId,
)
from sidecar.core.model import (
    FeatureAccess,
    InstanceStanding,
    Membership,
    OrganizationMembership,
    Principal,
    PrincipalKind,
    ResourceRecord,
    Role,
    Standing,
    UserRecord,
)
from sidecar.core.rules import StoredRole, compile_role
from sidecar.ports import (
    ApiKeyKey,
    ApiKeyRecord,
    FactKey,
    FieldTypes,
    Freshness,
    GrantsKey,
    IdentityKey,
    InstanceKey,
    MembershipsKey,
    Moment,
    ResourceKey,
    RoleKey,
    StandingKey,
    UserKey,
)
from tests.support.rows import Row, feature_instance, org_role, rule, seconds

T = TypeVar("T")
Document = dict[str, list[Row]]


class MemoryFacts:
    """Facts and their source, out of a document whose ids are all text."""

    def __init__(
        self,
        document: Document,
        organization: IdType = IdType.BIGINT,
        epoch: int | None = None,
    ) -> None:
        """Without an `epoch` nothing is remembered between questions."""
        self._document = document
        self._epoch = epoch
        self.field_types = FieldTypes(organization, dict.fromkeys(Field, IdType.BIGINT))

    def at_hand(self, consistency: Freshness) -> Moment | None:
        """All of it, where anything may be remembered."""
        del consistency
        return None if self._epoch is None else Moment(self._epoch, None)

    def open(self, consistency: Freshness, deadline: float) -> Self:
        """The same facts for every question."""
        del consistency, deadline
        return self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

    @property
    def revision(self) -> str | None:
        """None is known."""
        return None

    @property
    def epoch(self) -> int | None:
        """Always the same, or none."""
        return self._epoch

    async def get(self, key: FactKey[T]) -> T:
        """The fact of a key."""
        return cast("T", self._read(key))

    async def get_all(self, keys: Sequence[FactKey[T]]) -> list[T]:
        """The facts of several keys."""
        return [cast("T", self._read(key)) for key in keys]

    def _read(self, key: FactKey[T]) -> object:
        match key:
            case UserKey(user_id):
                return self._user(user_id)
            case GrantsKey(principal_id):
                return self._grants(principal_id)
            case StandingKey(member, current):
                return self._standing(member, current)
            case MembershipsKey(member):
                return self._memberships(member)
            case _:
                return self._read_other(key)

    def _read_other(self, key: FactKey[T]) -> object:
        match key:
            case IdentityKey(issuer, subject):
                return self._identity(issuer, subject)
            case ApiKeyKey(lookup_id):
                return self._api_key(lookup_id)
            case InstanceKey(user_id, instance_id):
                return self._instance(user_id, instance_id)
            case RoleKey(role_id):
                return self._role(role_id)
            case _:
                assert isinstance(key, ResourceKey)
                return self._resource(key.kind, key.resource_id)

    def _identity(self, issuer: str, subject: str) -> UserId | None:
        row = self._one("user_identities", issuer=issuer, subject=subject)
        return None if row is None else UserId(str(row["user_id"]))

    def _rows(self, relation: str, **wanted: object) -> list[Row]:
        return [
            row
            for row in self._document.get(relation, [])
            if all(row.get(column) == value for column, value in wanted.items())
        ]

    def _one(self, relation: str, **wanted: object) -> Row | None:
        rows = self._rows(relation, **wanted)
        return rows[0] if len(rows) == 1 else None

    def _principal(self, principal_id: object) -> Principal | None:
        row = self._one("principals", id=principal_id)
        if row is None:
            return None
        kinds = {kind.value: kind for kind in PrincipalKind}
        return Principal(
            PrincipalId(str(row["id"])),
            kinds.get(str(row.get("kind"))),
            str(row.get("name") or ""),
            row.get("deleted_at") is not None,
        )

    def _user(self, user_id: str) -> UserRecord | None:
        row = self._one("users", id=user_id)
        if row is None:
            return None
        return UserRecord(
            UserId(user_id),
            row.get("is_admin", False) is True,
            row.get("is_system", False) is True,
            row.get("is_active", True) is True,
            self._principal(row.get("principal_id")),
        )

    def _api_key(self, lookup_id: str) -> ApiKeyRecord | None:
        row = self._one("api_keys", lookup_id=lookup_id)
        if row is None:
            return None
        pinned = row.get("owner_principal_id")
        return ApiKeyRecord(
            UserId(str(row["user_id"])),
            str(row["secret_hash"]),
            None if pinned is None else PrincipalId(str(pinned)),
            seconds(row.get("expires_at")),
            row.get("revoked_at") is not None,
        )

    def _grants(self, *principals: str) -> frozenset[ClusterId]:
        return frozenset(
            ClusterId(str(row["cluster_id"]))
            for row in self._rows("cluster_access")
            if row.get("principal_id") in principals
        )

    def _membership(self, member: str, parent: str) -> Membership | None:
        found = self._actives(member, parent)
        if len(found) != 1:
            return None
        role = org_role(found[0])
        if role is None and found[0].get("role") is not None:
            return None
        return Membership(MembershipId(str(found[0]["id"])), role)

    def _actives(self, member: str, parent: str) -> list[Row]:
        return [
            row
            for row in self._rows(
                "principal_memberships",
                member_principal_id=member,
                parent_principal_id=parent,
            )
            if row.get("enabled", True) is True and row.get("deleted_at") is None
        ]

    def _standing(self, member: str, current: str) -> Standing:
        membership = self._membership(member, current)
        groups = tuple(
            PrincipalId(str(row["id"]))
            for row in self._rows(
                "principals", kind="group", parent_principal_id=current
            )
            if row.get("deleted_at") is None
            and self._one("principals", id=row["id"]) is not None
            and self._membership(member, str(row["id"])) is not None
        )
        roles = (
            []
            if membership is None
            else self._rows("membership_roles", membership_id=membership.id)
        )
        return Standing(
            self._principal(current),
            membership,
            groups,
            self._grants(member, current, *groups),
            tuple(RoleId(str(row["role_id"])) for row in roles),
        )

    def _memberships(self, member: str) -> tuple[OrganizationMembership, ...]:
        parents = {
            str(row["parent_principal_id"])
            for row in self._rows("principal_memberships", member_principal_id=member)
        }
        found = [
            (principal, self._membership(member, principal.id))
            for parent in parents
            if (principal := self._principal(parent)) is not None
        ]
        return tuple(
            OrganizationMembership(principal, membership.org_role)
            for principal, membership in found
            if membership is not None
        )

    def _instance(self, user_id: str, instance_id: str) -> InstanceStanding:
        row = self._one("feature_instances", id=instance_id)
        instance = None if row is None else feature_instance(row)
        access = self._one(
            "feature_access", user_id=user_id, feature_instance_id=instance_id
        )
        if access is None:
            return InstanceStanding(instance, None)
        roles = self._rows("feature_access_roles", feature_access_id=access["id"])
        return InstanceStanding(
            instance,
            FeatureAccess(
                FeatureAccessId(str(access["id"])),
                access.get("enabled", True) is True,
                tuple(RoleId(str(row["role_id"])) for row in roles),
            ),
        )

    def _role(self, role_id: str) -> Role | None:
        row = self._one("roles", id=role_id)
        if row is None:
            return None
        organization, instance = (
            row.get("organization_id"),
            row.get("feature_instance_id"),
        )
        rules = self._rows("access_rules", role_id=role_id)
        stored = StoredRole(
            RoleId(role_id),
            str(row.get("label") or ""),
            None if organization is None else PrincipalId(str(organization)),
            None if instance is None else FeatureInstanceId(str(instance)),
            tuple(rule(row) for row in rules),
        )
        return compile_role(stored)[0]

    def _resource(self, kind: str, resource_id: str) -> ResourceRecord | None:
        row = self._one("resources", kind=kind, id=resource_id)
        if row is None or row.get("deleted_at") is not None:
            return None
        owner, cluster = row.get("owner_principal_id"), row.get("cluster_id")
        return ResourceRecord(
            None if owner is None else PrincipalId(str(owner)),
            None if cluster is None else ClusterId(str(cluster)),
        )
