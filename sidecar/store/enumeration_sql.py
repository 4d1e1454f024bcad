"""The statements that list candidates: rather too many rows than too few.

They run through cursors, so a list may be as long as it is: only the database
sorts, and nobody holds it.
"""

# ruff: noqa: S608 - what is put into a statement is the schema's name, quoted, names
# of types, and filters as the core writes them

from dataclasses import dataclass
from typing import Final

from sidecar.core.ids import IdType
from sidecar.store.catalogue import Catalogue
from sidecar.store.queries import quoted

_INTEGERS: Final = frozenset({IdType.BIGINT, IdType.INTEGER})


@dataclass(frozen=True, slots=True)
class Enumerations:
    """The text of each statement.

    Those that are near take the principals as the ids of users' own principals, of
    parents of memberships, and the cluster; `near_organizations` takes principals as
    their ids, and the cluster.
    """

    users: str
    near_users: str
    organizations: str
    near_organizations: str
    pinned_keys: str
    feature_instances: str
    resources: str


def write_enumerations(catalogue: Catalogue) -> Enumerations:
    """The statements for a database's id types."""
    schema = quoted(catalogue.schema)
    writer = _Writer(catalogue, schema)
    return Enumerations(
        users=f"select u.id::text as id from {schema}.users as u order by u.id",
        near_users=writer.near_users(),
        organizations=f"""
select n.id::text as id from (
    select distinct p.id from {schema}.principals as p
    where lower(p.kind::text) = 'org'
) as n
order by n.id
""",
        near_organizations=writer.near_organizations(),
        pinned_keys=f"""
select k.user_id::text as user_id, k.lookup_id::text as lookup_id
from {schema}.api_keys as k
where k.user_id = any({writer.many(1, "api_keys.user_id")})
    and k.owner_principal_id is not null
order by k.lookup_id
""",
        feature_instances=f"""
select distinct f.feature_instance_id::text as id
from {schema}.feature_access as f
where f.user_id = {writer.one(1, "feature_access.user_id")}
    and f.feature_instance_id is not null
order by 1
""",
        # Twins of a row are none, as for a check; deleted ones are twins as well.
        resources=f"""
from {schema}.resources as r
where r.kind::text = $1::text and r.deleted_at is null and {{}} and (
    select count(*) from {schema}.resources as twin
    where twin.kind = r.kind and twin.id = r.id
) = 1
""",
    )


class _Writer:
    def __init__(self, catalogue: Catalogue, schema: str) -> None:
        self._catalogue = catalogue
        self._schema = schema

    def near_users(self) -> str:
        schema = self._schema
        own_of_granted = self._equal(
            ("u", "users.principal_id"), ("a", "cluster_access.principal_id")
        )
        in_granted = self._equal(
            ("m", "principal_memberships.parent_principal_id"),
            ("a", "cluster_access.principal_id"),
        )
        of_member = self._equal(
            ("u", "users.principal_id"),
            ("m", "principal_memberships.member_principal_id"),
        )
        parents = self.many(2, "principal_memberships.parent_principal_id")
        return f"""
with granted as (
    select a.principal_id from {schema}.cluster_access as a
    where a.cluster_id = {self.one(3, "cluster_access.cluster_id")}
), near as (
    select u.id from {schema}.users as u
    where u.principal_id = any({self.many(1, "users.principal_id")})
    union all
    select u.id from granted as a join {schema}.users as u on {own_of_granted}
    union all
    select u.id from {schema}.principal_memberships as m
    join {schema}.users as u on {of_member}
    where m.parent_principal_id = any({parents})
    union all
    select u.id from granted as a
    join {schema}.principal_memberships as m on {in_granted}
    join {schema}.users as u on {of_member}
    union all
    select u.id from {schema}.users as u where u.is_admin or u.is_system
)
select n.id::text as id from (select distinct id from near) as n order by n.id
"""

    def near_organizations(self) -> str:
        schema = self._schema
        granted = self._equal(
            ("p", "principals.id"), ("a", "cluster_access.principal_id")
        )
        return f"""
with near as (
    select p.id, p.parent_principal_id from {schema}.principals as p
    where p.id = any({self.many(1, "principals.id")})
    union all
    select p.id, p.parent_principal_id from {schema}.cluster_access as a
    join {schema}.principals as p on {granted}
    where a.cluster_id = {self.one(2, "cluster_access.cluster_id")}
)
select n.id::text as id from near as n
union
select n.parent_principal_id::text from near as n
where n.parent_principal_id is not null
order by id
"""

    def one(self, position: int, column: str) -> str:
        """A parameter of the type of a column."""
        return f"${position}::{self._type(column).value}"

    def many(self, position: int, column: str) -> str:
        """A parameter that is an array of the type of a column."""
        return f"{self.one(position, column)}[]"

    def _equal(self, left: tuple[str, str], right: tuple[str, str]) -> str:
        # Ids of two types are equal when their texts are.
        types = {self._type(left[1]), self._type(right[1])}
        cast = "" if len(types) == 1 or types <= _INTEGERS else "::text"
        return f"{_column(left)}{cast} = {_column(right)}{cast}"

    def _type(self, column: str) -> IdType:
        relation, _, name = column.partition(".")
        return self._catalogue.type_of(relation, name)


def _column(column: tuple[str, str]) -> str:
    alias, name = column
    return f"{alias}.{name.partition('.')[2]}"
