"""Writes of a platform to its own tables, and the answers before and after."""

# ruff: noqa: S608 - what is put into a write is an id of a world or a name from here

from dataclasses import dataclass

from tests.adoption.worlds import ADMIN_ROLE

ORG = "20"
LOCAL_NOW = "now() at time zone 'UTC'"


def uuid(number: int) -> str:
    """What a number of a world is called in the camel-case platform."""
    return f"'00000000-0000-4000-8000-{number:012d}'"


@dataclass(frozen=True)
class Change:
    """A question, a write, the group that tells of it, and both answers in short."""

    sentence: str
    question: dict[str, object]
    write: str
    group: str
    before: str
    after: str


def visible(user: str, resource: str) -> dict[str, object]:
    """May a user of the organization see this?"""
    return _check("CheckVisible", user, resource)


def writable(user: str, resource: str) -> dict[str, object]:
    """May a user of the organization change this?"""
    return _check("CheckWritable", user, resource)


def _check(call: str, user: str, resource: str) -> dict[str, object]:
    kind, id_ = resource.split("/")
    return {
        "call": call,
        "world": "tenancy",
        "caller": {"user_id": user, "organization_id": ORG},
        "resources": [{"kind": kind, "id": id_}],
    }


def readable(user: str, instance: str | None = None) -> dict[str, object]:
    """At which level may a user of the organization read data?"""
    query = {"context": "DATA"} | (
        {"feature_instance_id": instance} if instance is not None else {}
    )
    return {
        "call": "GetPermissions",
        "world": "permissions",
        "caller": {"user_id": user, "organization_id": ORG},
        "queries": [query],
    }


GPUSTACK = (
    Change(
        "a membership that is switched off",
        visible("2", "cluster/501"),
        "update principal_memberships set enabled = false where id = 1",
        "member",
        "OWNED",
        "NOT_A_MEMBER",
    ),
    Change(
        "a membership that is deleted as such platforms delete",
        visible("2", "cluster/501"),
        f"update principal_memberships set deleted_at = {LOCAL_NOW} where id = 1",
        "member",
        "OWNED",
        "NOT_A_MEMBER",
    ),
    Change(
        "a member who becomes an admin",
        writable("3", "cluster/501"),
        "update principal_memberships set role = 'ADMIN' where id = 2",
        "member",
        "INSUFFICIENT_ORG_ROLE",
        "ORG_ADMIN",
    ),
    Change(
        "a grant that is deleted by its time",
        visible("2", "cluster/502"),
        f"update cluster_access set deleted_at = {LOCAL_NOW} where cluster_id = 502",
        "grants",
        "GRANTED",
        "RESOURCE_NOT_FOUND",
    ),
    Change(
        "a grant to the organization",
        visible("2", "cluster/504"),
        "insert into cluster_access (cluster_id, principal_id) values (504, 20)",
        "grants",
        "RESOURCE_NOT_FOUND",
        "GRANTED",
    ),
    Change(
        "a user who is deleted by the time, still active",
        visible("2", "cluster/501"),
        f"update users set deleted_at = {LOCAL_NOW} where id = 2",
        "user",
        "OWNED",
        "INVALID_CREDENTIAL",
    ),
    Change(
        "an organization that is deleted",
        visible("2", "cluster/501"),
        f"update principals set deleted_at = {LOCAL_NOW} where id = 20",
        "principal",
        "OWNED",
        "ORGANIZATION_NOT_FOUND",
    ),
    Change(
        "a group that moves to another organization",
        visible("3", "cluster/503"),
        "update principals set parent_principal_id = 21 where id = 30",
        "principal",
        "GRANTED",
        "RESOURCE_NOT_FOUND",
    ),
    Change(
        "a worker that moves to another cluster",
        visible("2", "worker/602"),
        "update workers set cluster_id = 507 where id = 602",
        "resource",
        "GRANTED",
        "RESOURCE_NOT_FOUND",
    ),
    Change(
        "a model that changes hands",
        visible("2", "model/701"),
        "update models set owner_principal_id = 21 where id = 701",
        "resource",
        "OWNED",
        "RESOURCE_NOT_FOUND",
    ),
    Change(
        "a cluster that is removed",
        visible("2", "cluster/501"),
        "delete from clusters where id = 501",
        "resource",
        "OWNED",
        "RESOURCE_NOT_FOUND",
    ),
    Change(
        "a role assigned in the sidecar's own tables",
        readable("12"),
        "insert into authz.membership_roles values (12, 'reader')",
        "membership_roles",
        "NONE",
        "GROUP",
    ),
)

CAMEL_CASE = (
    Change(
        "a membership that is switched off",
        visible("2", "cluster/501"),
        f"""update "UserMandate" set "enabled" = false where "id" = {uuid(1)}""",
        "member",
        "OWNED",
        "NOT_A_MEMBER",
    ),
    Change(
        "a membership that is removed",
        visible("2", "cluster/501"),
        f"""delete from "UserMandate" where "id" = {uuid(1)}""",
        "member",
        "OWNED",
        "NOT_A_MEMBER",
    ),
    Change(
        "an admin whose role is taken away",
        writable("2", "cluster/501"),
        f"""delete from "UserMandateRole" where "userMandateId" = {uuid(1)}""",
        "member",
        "ORG_ADMIN",
        "INSUFFICIENT_ORG_ROLE",
    ),
    Change(
        "a member who is given the role of an admin",
        writable("3", "cluster/501"),
        f"""insert into "UserMandateRole" ("userMandateId", "roleId")
            values ({uuid(2)}, '{ADMIN_ROLE}')""",
        "member",
        "INSUFFICIENT_ORG_ROLE",
        "ORG_ADMIN",
    ),
    Change(
        "a role that is no longer called that of an admin",
        writable("2", "cluster/501"),
        f"""update "Role" set "roleLabel" = 'x' where "id" = '{ADMIN_ROLE}'""",
        "member",
        "ORG_ADMIN",
        "INSUFFICIENT_ORG_ROLE",
    ),
    Change(
        "an admin's role that becomes one of another mandate",
        writable("2", "cluster/501"),
        f"""update "Role" set "mandateId" = {uuid(21)} where "id" = '{ADMIN_ROLE}'""",
        "member",
        "ORG_ADMIN",
        "INSUFFICIENT_ORG_ROLE",
    ),
    Change(
        "a role of an instance makes nobody an admin of the mandate",
        writable("2", "cluster/501"),
        f"""update "Role" set "featureInstanceId" = 'x' where "id" = '{ADMIN_ROLE}'""",
        "member",
        "ORG_ADMIN",
        "INSUFFICIENT_ORG_ROLE",
    ),
    Change(
        "a user who is switched off",
        visible("2", "cluster/501"),
        f"""update "UserInDB" set "enabled" = false where "id" = {uuid(2)}""",
        "user",
        "OWNED",
        "INVALID_CREDENTIAL",
    ),
    Change(
        "a mandate that is deleted",
        visible("2", "cluster/501"),
        f"""update "Mandate" set "deletedAt" = 1 where "id" = {uuid(20)}""",
        "principal",
        "OWNED",
        "ORGANIZATION_NOT_FOUND",
    ),
    Change(
        "a grant in the sidecar's own table",
        visible("2", "cluster/504"),
        f"insert into authz.cluster_access values ({uuid(504)}, {uuid(20)})",
        "grants",
        "RESOURCE_NOT_FOUND",
        "GRANTED",
    ),
    Change(
        "a rule that is changed",
        readable("4"),
        """update "AccessRule" set "read" = 'm' where "roleId" = 'reader'""",
        "role",
        "GROUP",
        "MY",
    ),
    Change(
        "a role that becomes one of another mandate",
        readable("4"),
        f"""update "Role" set "mandateId" = {uuid(21)} where "id" = 'reader'""",
        "role",
        "GROUP",
        "NONE",
    ),
    Change(
        "a role of a membership that is taken away",
        readable("4"),
        f"""delete from "UserMandateRole" where "userMandateId" = {uuid(4)}""",
        "membership_roles",
        "GROUP",
        "NONE",
    ),
    Change(
        "a feature access that is switched on",
        readable("13", "shop"),
        """update "FeatureAccess" set "enabled" = true where "id" = 'jan-shop'""",
        "access",
        "GROUP",
        "ALL",
    ),
    Change(
        "a feature instance that is switched on",
        readable("14", "closed"),
        """update "FeatureInstance" set "enabled" = true where "id" = 'closed'""",
        "instance",
        "GROUP",
        "ALL",
    ),
    Change(
        "a role given through a feature access",
        readable("11", "shop"),
        """insert into "FeatureAccessRole" values ('hue-shop', 'full')""",
        "access_roles",
        "GROUP",
        "ALL",
    ),
)
