"""The checks of what rows mean: kinds, words, rules, and scopes against places."""

# ruff: noqa: S608 - what is put into a statement are names that the catalogue gave

from collections.abc import Callable, Iterator
from typing import Final

from sidecar.store.doctor.row_check import RowCheck
from sidecar.store.doctor.row_sql import KEYS, Tables
from sidecar.store.doctor.rule_checks import RULE_FAULTS


def write_meaning(tables: Tables, clusters: frozenset[str]) -> Iterator[RowCheck]:
    """The checks of all relations that are complete.

    `clusters`: the declared kinds whose rows are clusters.
    """
    for relations, write in _CHECKS:
        if tables.has(*relations):
            yield from write(tables)
    if tables.has("resources", "cluster_access") and clusters:
        yield from _clusters(tables, clusters)


def _principals(tables: Tables) -> Iterator[RowCheck]:
    name = tables.name("principals")
    begin = f"select r.id::text as key from {name} as r where"
    yield RowCheck(
        "kind-unknown",
        "principals.kind",
        "`principals.kind` is none of user, org, group",
        f"{begin} lower(r.kind::text) not in ('user', 'org', 'group')",
        "let the view give one of these words",
    )
    parent = tables.equal(
        ("p", "principals", "id"), ("r", "principals", "parent_principal_id")
    )
    yield RowCheck(
        "group-outside",
        "principals.parent_principal_id",
        "a group has no parent of kind org",
        f"{begin} lower(r.kind::text) = 'group' and not exists (select from {name} "
        f"as p where {parent} and lower(p.kind::text) = 'org')",
        "give it the organization that it is part of",
    )
    unexpected = "lower({}kind::text) in ('user', 'org') and {}parent_principal_id"
    sql = (
        f"update {name} set parent_principal_id = null "
        f"where {unexpected.format('', '')} is not null;"
    )
    yield RowCheck(
        "parent-unexpected",
        "principals.parent_principal_id",
        "a user or an organization has a parent",
        f"{begin} {unexpected.format('r.', 'r.')} is not null",
        "" if tables.is_table("principals") else "let the view give null there",
        (sql,) if tables.is_table("principals") else (),
    )


def _organizations(tables: Tables, relation: str) -> RowCheck:
    equal = tables.equal(("p", "principals", "id"), ("r", relation, "organization_id"))
    return RowCheck(
        "organization-unfit",
        f"{relation}.organization_id",
        f"`{relation}.organization_id` names no principal of kind org",
        f"select r.id::text as key from {tables.name(relation)} as r "
        "where r.organization_id is not null and not exists "
        f"(select from {tables.name('principals')} as p "
        f"where {equal} and lower(p.kind::text) = 'org')",
        "name an organization",
    )


def _instances(tables: Tables) -> Iterator[RowCheck]:
    yield _organizations(tables, "feature_instances")


def _roles(tables: Tables) -> Iterator[RowCheck]:
    yield _organizations(tables, "roles")


def _users(tables: Tables) -> Iterator[RowCheck]:
    users = tables.name("users")
    equal = tables.equal(("p", "principals", "id"), ("r", "users", "principal_id"))
    yield RowCheck(
        "user-unfit",
        "users.principal_id",
        "`users.principal_id` names no principal of kind user",
        f"select r.id::text as key from {users} as r where not exists "
        f"(select from {tables.name('principals')} as p "
        f"where {equal} and lower(p.kind::text) = 'user')",
        "give each user a principal of its own, of kind user",
    )
    yield RowCheck(
        "principal-shared",
        "users.principal_id",
        "several users have one principal",
        f"select r.principal_id::text as key from {users} as r "
        "where r.principal_id is not null group by r.principal_id having count(*) > 1",
        "give each user a principal of its own",
    )


def _memberships(tables: Tables) -> Iterator[RowCheck]:
    name = tables.name("principal_memberships")
    yield RowCheck(
        "org-role-unknown",
        "principal_memberships.role",
        "`principal_memberships.role` is none of admin, user",
        f"select r.id::text as key from {name} as r "
        "where lower(r.role::text) not in ('admin', 'user')",
        "let the view give admin, user or null",
    )
    pair = "r.member_principal_id, r.parent_principal_id"
    yield RowCheck(
        "membership-doubled",
        "principal_memberships",
        "several active memberships of one principal in another",
        f"select concat_ws('/', {pair}) as key from {name} as r "
        "where r.enabled and r.deleted_at is null "
        f"group by {pair} having count(*) > 1",
        "end all but the one that is meant; they may differ in role",
    )


def _api_keys(tables: Tables) -> Iterator[RowCheck]:
    begin = f"select r.id::text as key from {tables.name('api_keys')} as r where"
    yield RowCheck(
        "secret-hash-unreadable",
        "api_keys.secret_hash",
        "`api_keys.secret_hash` is neither `sha256:` with 64 lower-case hex digits "
        "nor an argon2 hash",
        f"{begin} r.revoked_at is null and r.secret_hash::text !~ "
        r"'^(sha256:[0-9a-f]{64}|\$argon2(id|i|d)\$[^[:space:]]+)$'",
        "revoke the key and give out another; if its secret is in the table as it "
        "is, whoever reads it can use it",
    )
    yield RowCheck(
        "lookup-id-unfit",
        "api_keys.lookup_id",
        "`api_keys.lookup_id` is empty or has an underscore",
        f"{begin} r.revoked_at is null and (r.lookup_id::text = '' "
        "or strpos(r.lookup_id::text, '_') > 0)",
        "give out another key",
    )


def _rules(tables: Tables) -> Iterator[RowCheck]:
    name = tables.name("access_rules")
    for code, (what, condition, words) in RULE_FAULTS.items():
        select = f"select r.id::text as key from {name} as r where {condition}"
        yield RowCheck(code, "access_rules", what, select, words)
    key = "r.role_id, lower(r.context::text), r.item::text"
    yield RowCheck(
        "rule-doubled",
        "access_rules",
        "a role has several rules for one context and item",
        f"select concat_ws('/', {key}) as key from {name} as r "
        f"group by {key} having count(*) > 1",
        "keep the one that is meant",
    )


_INSTANCE: Final = (
    ("i", "feature_instances", "id"),
    ("r", "roles", "feature_instance_id"),
)
_WORDS_OF_MISFITS: Final = "take the role away there, or give one that fits"


def _torn(tables: Tables) -> Iterator[RowCheck]:
    differ = tables.differ(
        ("i", "feature_instances", "organization_id"), ("r", "roles", "organization_id")
    )
    yield RowCheck(
        "role-scope-torn",
        "roles",
        "a role's organization is not that of its feature instance",
        f"select r.id::text as key from {tables.name('roles')} as r "
        f"join {tables.name('feature_instances')} as i "
        f"on {tables.equal(*_INSTANCE)} where {differ}",
        "let the organization be null, or that of the instance",
    )


def _misfit_in_membership(tables: Tables) -> Iterator[RowCheck]:
    parent = ("m", "principal_memberships", "parent_principal_id")
    of_role = tables.differ(("r", "roles", "organization_id"), parent)
    of_instance = tables.differ(("i", "feature_instances", "organization_id"), parent)
    membership = tables.equal(
        ("m", "principal_memberships", "id"), ("a", "membership_roles", "membership_id")
    )
    role = tables.equal(("r", "roles", "id"), ("a", "membership_roles", "role_id"))
    yield RowCheck(
        "role-misfits",
        "membership_roles",
        "a role of another organization is assigned to a membership",
        "select concat_ws('/', a.membership_id, a.role_id) as key "
        f"from {tables.name('membership_roles')} as a "
        f"join {tables.name('principal_memberships')} as m on {membership} "
        f"join {tables.name('roles')} as r on {role} "
        f"left join {tables.name('feature_instances')} as i "
        f"on {tables.equal(*_INSTANCE)} where {of_role} or {of_instance}",
        _WORDS_OF_MISFITS,
    )


def _misfit_in_access(tables: Tables) -> Iterator[RowCheck]:
    access = tables.equal(
        ("f", "feature_access", "id"),
        ("a", "feature_access_roles", "feature_access_id"),
    )
    role = tables.equal(("r", "roles", "id"), ("a", "feature_access_roles", "role_id"))
    instance = tables.equal(
        ("i", "feature_instances", "id"), ("f", "feature_access", "feature_instance_id")
    )
    other_instance = tables.differ(
        ("r", "roles", "feature_instance_id"),
        ("f", "feature_access", "feature_instance_id"),
    )
    other_organization = tables.differ(
        ("r", "roles", "organization_id"), ("i", "feature_instances", "organization_id")
    )
    yield RowCheck(
        "role-misfits",
        "feature_access_roles",
        "a role of another feature instance or organization is assigned to an access",
        "select concat_ws('/', a.feature_access_id, a.role_id) as key "
        f"from {tables.name('feature_access_roles')} as a "
        f"join {tables.name('feature_access')} as f on {access} "
        f"join {tables.name('roles')} as r on {role} "
        f"left join {tables.name('feature_instances')} as i on {instance} "
        f"where {other_instance} "
        f"or r.feature_instance_id is null and {other_organization}",
        _WORDS_OF_MISFITS,
    )


def _clusters(tables: Tables, clusters: frozenset[str]) -> Iterator[RowCheck]:
    resources = tables.name("resources")
    kinds = ", ".join("'" + each.replace("'", "''") + "'" for each in sorted(clusters))
    yield RowCheck(
        "cluster-global",
        "resources.owner_principal_id",
        "a cluster has no owner",
        f"select {KEYS['resources']} as key from {resources} as r where r.kind::text "
        f"in ({kinds}) and r.owner_principal_id is null and r.deleted_at is null",
        "give it an owner, unless it is meant for whoever is granted it",
    )
    for relation in ("cluster_access", "resources"):
        equal = tables.equal(("c", "resources", "id"), ("r", relation, "cluster_id"))
        yield RowCheck(
            "cluster-unknown",
            f"{relation}.cluster_id",
            f"`{relation}.cluster_id` names no resource that is a cluster",
            f"select {KEYS[relation]} as key from {tables.name(relation)} as r "
            "where r.cluster_id is not null and not exists "
            f"(select from {resources} as c where {equal} "
            f"and c.kind::text in ({kinds}))",
            "name a cluster that is there, or delete the row",
        )


_CHECKS: Final[
    tuple[tuple[tuple[str, ...], Callable[[Tables], Iterator[RowCheck]]], ...]
] = (
    (("principals",), _principals),
    (("feature_instances", "principals"), _instances),
    (("roles", "principals"), _roles),
    (("users", "principals"), _users),
    (("principal_memberships",), _memberships),
    (("api_keys",), _api_keys),
    (("access_rules",), _rules),
    (("roles", "feature_instances"), _torn),
    (
        ("roles", "feature_instances", "membership_roles", "principal_memberships"),
        _misfit_in_membership,
    ),
    (
        ("roles", "feature_instances", "feature_access_roles", "feature_access"),
        _misfit_in_access,
    ),
)
