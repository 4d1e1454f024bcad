"""What the database's own catalogue says of the relations: their id columns' types."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from sidecar.core.ids import IdType
from sidecar.store.errors import StoreError
from sidecar.store.queries import Queryable

# Every relation with its columns of ids, and with its other columns.
_RELATIONS: Final[Mapping[str, tuple[str, str]]] = {
    "principals": ("id parent_principal_id", "kind name deleted_at"),
    "users": ("id principal_id", "name is_admin is_system is_active"),
    "user_identities": ("user_id", "issuer subject"),
    "principal_memberships": (
        "id member_principal_id parent_principal_id",
        "role enabled deleted_at",
    ),
    "cluster_access": ("cluster_id principal_id", ""),
    "api_keys": (
        "id user_id owner_principal_id",
        "lookup_id secret_hash expires_at revoked_at",
    ),
    "resources": ("id owner_principal_id cluster_id", "kind deleted_at"),
    "feature_instances": ("id organization_id", "enabled"),
    "roles": ("id organization_id feature_instance_id", "label"),
    "access_rules": ("id role_id", "context item view read create update delete"),
    "membership_roles": ("membership_id role_id", ""),
    "feature_access": ("id user_id feature_instance_id", "enabled"),
    "feature_access_roles": ("feature_access_id role_id", ""),
}
RELATIONS: Final = tuple(_RELATIONS)
OPTIONAL: Final = frozenset({"user_identities"})

# `varchar` is stored and compared as `text` is, and shares its indexes.
_ID_TYPES: Final[Mapping[str, IdType]] = {
    "bigint": IdType.BIGINT,
    "integer": IdType.INTEGER,
    "uuid": IdType.UUID,
    "text": IdType.TEXT,
    "character varying": IdType.TEXT,
}

_COLUMNS: Final = """
select c.relname as relation, a.attname as column,
       pg_catalog.format_type(a.atttypid, null) as type
from pg_catalog.pg_namespace as n
join pg_catalog.pg_class as c on c.relnamespace = n.oid
join pg_catalog.pg_attribute as a on a.attrelid = c.oid
where n.nspname = $1 and c.relname = any($2::text[])
  and c.relkind in ('r', 'p', 'v', 'm', 'f')
  and a.attnum > 0 and not a.attisdropped
"""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The schema of the relations, and the types of their id columns.

    `types` is by relation and column. A relation that may be missing and is has
    none there.
    """

    schema: str
    types: Mapping[tuple[str, str], IdType]

    def type_of(self, relation: str, column: str) -> IdType:
        """The type of an id column of a relation that is there."""
        return self.types[relation, column]

    def has(self, relation: str) -> bool:
        """Whether a relation is there."""
        return any(relation == there for there, _ in self.types)


async def read_catalogue(connection: Queryable, schema: str = "authz") -> Catalogue:
    """Reads which relations a schema has and the types of their id columns.

    Raises StoreError when a relation or a column is missing,
    or an id column is of another type than ids can be.
    """
    rows = await connection.fetch(_COLUMNS, schema, list(RELATIONS))
    return judge_columns(
        schema, ((str(r["relation"]), str(r["column"]), str(r["type"])) for r in rows)
    )


def judge_columns(schema: str, columns: Iterable[tuple[str, str, str]]) -> Catalogue:
    """The catalogue that columns make: their relations, names and type names.

    Raises StoreError as `read_catalogue` does.
    """
    found: dict[str, dict[str, str]] = {}
    for relation, column, type_name in columns:
        found.setdefault(relation, {})[column] = type_name
    types: dict[tuple[str, str], IdType] = {}
    for relation, (ids, others) in _RELATIONS.items():
        there = found.get(relation)
        if there is None:
            _missing_relation(schema, relation)
            continue
        for column in (*ids.split(), *others.split()):
            if column not in there:
                raise StoreError(
                    f"`{schema}.{relation}` has no column `{column}`; "
                    "see the relations that the store needs"
                )
        for column in ids.split():
            name = f"{schema}.{relation}.{column}"
            types[relation, column] = _id_type(name, there[column])
    return Catalogue(schema, types)


def _missing_relation(schema: str, relation: str) -> None:
    if relation not in OPTIONAL:
        raise StoreError(
            f"there is no table or view `{schema}.{relation}`; run "
            "`authz-sidecar migrate`, or create a view of that name over your tables"
        )


def _id_type(column: str, type_name: str) -> IdType:
    id_type = _ID_TYPES.get(type_name)
    if id_type is None:
        raise StoreError(
            f"`{column}` is of type `{type_name}`; "
            "ids are of type bigint, integer, uuid or text"
        )
    return id_type
