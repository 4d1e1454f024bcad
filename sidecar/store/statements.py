"""The statements by which facts are read, one for each type of key.

A parameter is of the type of the column that it is compared with, so that the
indexes of the tables behind a view serve; a key that several relations know is
passed once for each. Labels are read as text, as platforms have enums of their own.
"""

# ruff: noqa: S608 - what is put into a statement is the schema's name, quoted, and
# names of types

from dataclasses import dataclass

from sidecar.core.ids import IdType
from sidecar.store.catalogue import Catalogue
from sidecar.store.queries import quoted

_INTEGERS = frozenset({IdType.BIGINT, IdType.INTEGER})


@dataclass(frozen=True, slots=True)
class Statements:
    """The text of each statement; `identity` is empty without its relation.

    Those that take many keys take one array for each parameter, and tell in `n`
    which key a row is for, counted from one.
    """

    users: str
    identity: str
    api_key: str
    grants: str
    standing: str
    memberships: str
    instances: str
    roles: str
    resources: str


def write_statements(catalogue: Catalogue) -> Statements:
    """The statements for a database's id types."""
    writer = _Writer(catalogue)
    return Statements(
        users=writer.users(),
        identity=writer.identity() if catalogue.has("user_identities") else "",
        api_key=writer.api_key(),
        grants=writer.grants(),
        standing=writer.standing(),
        memberships=writer.memberships(),
        instances=writer.instances(),
        roles=writer.roles(),
        resources=writer.resources(),
    )


class _Writer:
    # Only the schema's name and names of types are ever put into a statement.

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._schema = quoted(catalogue.schema)

    def users(self) -> str:
        principal = self._equal(("p", "principals.id"), ("u", "users.principal_id"))
        return f"""
select q.n, u.is_admin, u.is_system, u.is_active,
    p.id::text as principal_id, p.kind::text as kind, p.name::text as name,
    p.deleted_at is not null as is_deleted
from unnest({self._many(1, "users.id")}) with ordinality as q (id, n)
join {self._schema}.users as u on u.id = q.id
left join {self._schema}.principals as p on {principal}
"""

    def identity(self) -> str:
        return f"""
select user_id::text as user_id
from {self._schema}.user_identities
where issuer = $1::text and subject = $2::text
"""

    def api_key(self) -> str:
        # A time without a zone is one of UTC, which is what its epoch takes it for.
        return f"""
select user_id::text as user_id, secret_hash::text as secret_hash,
    owner_principal_id::text as owner_principal_id,
    extract(epoch from expires_at)::float8 as expires_at,
    revoked_at is not null as is_revoked
from {self._schema}.api_keys
where lookup_id = $1::text
"""

    def grants(self) -> str:
        return f"""
select cluster_id::text as cluster_id
from {self._schema}.cluster_access
where principal_id = {self._one(1, "cluster_access.principal_id")}
"""

    def standing(self) -> str:
        # Parameters: member and current of memberships; current of principals, as id
        # and as parent; member and current of grants.
        group = self._equal(
            ("g", "principals.id"), ("m", "principal_memberships.parent_principal_id")
        )
        granted = self._equal(
            ("a", "cluster_access.principal_id"), ("g", "principals.id")
        )
        assigned = self._equal(
            ("r", "membership_roles.membership_id"), ("m", "principal_memberships.id")
        )
        schema = self._schema
        return f"""
with memberships as (
    select m.id, m.parent_principal_id, m.role::text as role
    from {schema}.principal_memberships as m
    where m.member_principal_id =
            {self._one(1, "principal_memberships.member_principal_id")}
        and m.enabled and m.deleted_at is null
), own as (
    select m.id, m.role
    from memberships as m
    where m.parent_principal_id =
        {self._one(2, "principal_memberships.parent_principal_id")}
), live as (
    select g.id, count(*) as memberships, min(m.role) as role
    from memberships as m
    join {schema}.principals as g on {group}
    where g.parent_principal_id = {self._one(4, "principals.parent_principal_id")}
        and g.deleted_at is null and lower(g.kind::text) = 'group'
    group by g.id
), groups as (
    -- Twins of a group count whatever they are: which of them is meant is not known.
    select g.id, g.role, g.memberships > 1 or (
        select count(*) from {schema}.principals as twin where twin.id = g.id
    ) > 1 as is_doubled
    from live as g
)
select 'principal' as part, p.id::text as id, p.kind::text as label,
    p.name::text as name, p.deleted_at is not null as flag
from {schema}.principals as p
where p.id = {self._one(3, "principals.id")}
union all
select 'membership', m.id::text, m.role, null, null
from own as m
union all
select 'group', g.id::text, g.role, null, g.is_doubled
from groups as g
union all
select 'cluster', a.cluster_id::text, null, null, null
from {schema}.cluster_access as a
where a.principal_id = {self._one(5, "cluster_access.principal_id")}
union all
select 'cluster', a.cluster_id::text, null, null, null
from {schema}.cluster_access as a
where a.principal_id = {self._one(6, "cluster_access.principal_id")}
union all
select 'cluster', a.cluster_id::text, null, null, null
from groups as g
join {schema}.cluster_access as a on {granted}
where not g.is_doubled
    and (g.role is null or lower(g.role) = any ('{{admin,user}}'))
union all
select 'role', r.role_id::text, null, null, null
from own as m
join {schema}.membership_roles as r on {assigned}
"""

    def memberships(self) -> str:
        parent = self._equal(
            ("p", "principals.id"), ("m", "principal_memberships.parent_principal_id")
        )
        return f"""
select m.parent_principal_id::text as parent_id, m.role::text as role,
    p.id::text as id, p.kind::text as kind, p.name::text as name,
    p.deleted_at is not null as is_deleted
from {self._schema}.principal_memberships as m
left join {self._schema}.principals as p on {parent}
where m.member_principal_id =
        {self._one(1, "principal_memberships.member_principal_id")}
    and m.enabled and m.deleted_at is null
"""

    def instances(self) -> str:
        # Parameters: instances; the same of accesses; users of accesses.
        assigned = self._equal(
            ("r", "feature_access_roles.feature_access_id"), ("f", "feature_access.id")
        )
        schema = self._schema
        return f"""
select q.n, i.instances, f.accesses, r.role_ids
from unnest({self._many(1, "feature_instances.id")},
    {self._many(2, "feature_access.feature_instance_id")},
    {self._many(3, "feature_access.user_id")}
) with ordinality as q (id, instance_id, user_id, n)
cross join lateral (
    select array_agg(array[i.organization_id::text, i.enabled::text]) as instances
    from {schema}.feature_instances as i
    where i.id = q.id
) as i
cross join lateral (
    select array_agg(array[f.id::text, f.enabled::text]) as accesses
    from {schema}.feature_access as f
    where f.user_id = q.user_id and f.feature_instance_id = q.instance_id
) as f
cross join lateral (
    select array_agg(r.role_id::text) as role_ids
    from {schema}.feature_access as f
    join {schema}.feature_access_roles as r on {assigned}
    where f.user_id = q.user_id and f.feature_instance_id = q.instance_id
) as r
"""

    def roles(self) -> str:
        # Parameters: roles; the same of access rules.
        return f"""
select q.n, r.label::text as label, r.organization_id::text as organization_id,
    r.feature_instance_id::text as feature_instance_id, a.rules
from unnest({self._many(1, "roles.id")}, {self._many(2, "access_rules.role_id")}
) with ordinality as q (id, role_id, n)
join {self._schema}.roles as r on r.id = q.id
cross join lateral (
    select array_agg(array[
        a.id::text, a.context::text, a.item::text, a."view"::text, a."read"::text,
        a."create"::text, a."update"::text, a."delete"::text]) as rules
    from {self._schema}.access_rules as a
    where a.role_id = q.role_id
) as a
"""

    def resources(self) -> str:
        # Parameters: kinds; ids. Deleted rows are read: a twin of one is a twin.
        return f"""
select q.n, r.owner_principal_id::text as owner_principal_id,
    r.cluster_id::text as cluster_id, r.deleted_at is not null as is_deleted
from unnest($1::text[], {self._many(2, "resources.id")}
) with ordinality as q (kind, id, n)
join {self._schema}.resources as r on r.kind::text = q.kind and r.id = q.id
"""

    def _one(self, position: int, column: str) -> str:
        return f"${position}::{self._type(column).value}"

    def _many(self, position: int, column: str) -> str:
        return f"{self._one(position, column)}[]"

    def _equal(self, looked_up: tuple[str, str], known: tuple[str, str]) -> str:
        # Ids of two types are equal when their texts are. The index of the column
        # that is looked up serves, but for known texts and numbers or uuids.
        left, right = self._column(looked_up), self._column(known)
        left_type, right_type = self._type(looked_up[1]), self._type(known[1])
        if left_type is right_type or {left_type, right_type} <= _INTEGERS:
            return f"{left} = {right}"
        if left_type is IdType.TEXT:
            return f"{left} = {right}::text"
        return f"{left}::text = {right}::text"

    def _column(self, column: tuple[str, str]) -> str:
        alias, name = column
        return f"{alias}.{name.partition('.')[2]}"

    def _type(self, column: str) -> IdType:
        relation, _, name = column.partition(".")
        return self._catalogue.type_of(relation, name)
