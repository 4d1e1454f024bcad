"""Which base table and columns hold a relation's columns in each foreign schema."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Table:
    """A base table: its name, and its column for each column of the relation."""

    name: str
    columns: MappingProxyType[str, str]


def _table(name: str, same: str = "", /, **renamed: str) -> Table:
    columns = {column: column for column in same.split()} | renamed
    return Table(name, MappingProxyType(columns))


# `resources` is for the kinds that have no table of their own.
GPUSTACK_LIKE: Final = MappingProxyType(
    {
        "principals": _table(
            "principals", "id kind name parent_principal_id deleted_at"
        ),
        "users": _table(
            "users", "id principal_id is_admin is_system is_active", name="username"
        ),
        "user_identities": _table(
            "user_logins", "user_id", issuer="provider", subject="external_id"
        ),
        "principal_memberships": _table(
            "principal_memberships",
            "id member_principal_id parent_principal_id role enabled deleted_at",
        ),
        "cluster_access": _table("cluster_access", "cluster_id principal_id"),
        "api_keys": _table(
            "api_keys",
            "id user_id owner_principal_id expires_at",
            lookup_id="access_key",
            secret_hash="hashed_secret_key",  # noqa: S106 the name of a column
            revoked_at="deleted_at",
        ),
        "clusters": _table("clusters", "id owner_principal_id deleted_at"),
        "workers": _table("workers", "id owner_principal_id cluster_id deleted_at"),
        "models": _table("models", "id owner_principal_id cluster_id deleted_at"),
        "resources": _table(
            "other_resources",
            "id owner_principal_id cluster_id deleted_at",
            kind="type",
        ),
        "feature_instances": _table("features", "id enabled", organization_id="org_id"),
        "roles": _table(
            "permission_roles",
            "id",
            label="title",
            organization_id="org_id",
            feature_instance_id="feature_id",
        ),
        "access_rules": _table(
            "permission_rules",
            "id role_id context item",
            view="visible",
            read="read_level",
            create="create_level",
            update="update_level",
            delete="delete_level",
        ),
        "membership_roles": _table("member_roles", "membership_id role_id"),
        "feature_access": _table(
            "feature_users", "id user_id enabled", feature_instance_id="feature_id"
        ),
        "feature_access_roles": _table(
            "feature_user_roles", "role_id", feature_access_id="feature_user_id"
        ),
    }
)

# Organizations, and memberships in groups, have tables of their own.
CAMEL_CASE: Final = MappingProxyType(
    {
        "organizations": _table(
            "Mandate", "id", name="mandateName", deleted_at="deletedAt"
        ),
        "principals": _table(
            "Party",
            "id",
            kind="partyKind",
            name="displayName",
            parent_principal_id="mandateId",
            deleted_at="deletedAt",
        ),
        "users": _table(
            "UserInDB",
            "id",
            principal_id="partyId",
            name="username",
            is_admin="isPlatformAdmin",
            is_system="isServiceAccount",
            is_active="enabled",
        ),
        "user_identities": _table(
            "UserLogin", issuer="authority", subject="externalId", user_id="userId"
        ),
        "principal_memberships": _table(
            "UserMandate",
            "id enabled",
            member_principal_id="partyId",
            parent_principal_id="mandateId",
            role="orgRole",
            deleted_at="deletedAt",
        ),
        "group_memberships": _table(
            "GroupMember",
            "id enabled",
            member_principal_id="partyId",
            parent_principal_id="groupId",
            role="groupRole",
            deleted_at="deletedAt",
        ),
        "cluster_access": _table(
            "ClusterGrant", cluster_id="clusterId", principal_id="partyId"
        ),
        "api_keys": _table(
            "ApiKey",
            "id",
            user_id="userId",
            lookup_id="lookupId",
            secret_hash="secretHash",  # noqa: S106 the name of a column
            owner_principal_id="ownerId",
            expires_at="expiresAt",
            revoked_at="revokedAt",
        ),
        "resources": _table(
            "Resource",
            "id",
            kind="resourceType",
            owner_principal_id="ownerId",
            cluster_id="clusterId",
            deleted_at="deletedAt",
        ),
        "feature_instances": _table(
            "FeatureInstance", "id enabled", organization_id="mandateId"
        ),
        "roles": _table(
            "Role",
            "id",
            label="roleLabel",
            organization_id="mandateId",
            feature_instance_id="featureInstanceId",
        ),
        "access_rules": _table(
            "AccessRule",
            "id context item view read create update delete",
            role_id="roleId",
        ),
        "membership_roles": _table(
            "UserMandateRole", membership_id="userMandateId", role_id="roleId"
        ),
        "feature_access": _table(
            "FeatureAccess",
            "id enabled",
            user_id="userId",
            feature_instance_id="featureInstanceId",
        ),
        "feature_access_roles": _table(
            "FeatureAccessRole", feature_access_id="featureAccessId", role_id="roleId"
        ),
    }
)
