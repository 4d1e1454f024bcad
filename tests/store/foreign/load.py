"""Worlds in the two foreign schemas: their tables, and what ids are called there."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from enum import Enum, unique
from pathlib import Path
from types import MappingProxyType
from typing import Final

import asyncpg

from sidecar.core.ids import IdType
from sidecar.store.relations import RELATIONS, Column, Form
from tests.store.foreign.shipped import Platform, apply_shipped, as_owner
from tests.store.foreign.tables import CAMEL_CASE, GPUSTACK_LIKE, Table

World = Mapping[str, Sequence[Mapping[str, object]]]
Cell = str | bool | float | None


@unique
class Flavour(Enum):
    """A foreign schema: what is shipped for a platform, with an extension on top."""

    GPUSTACK_LIKE = "gpustack_like"
    CAMEL_CASE = "camel_case"


_PLATFORMS: Final = MappingProxyType(
    {
        Flavour.GPUSTACK_LIKE: Platform.GPUSTACK,
        Flavour.CAMEL_CASE: Platform.CAMEL_CASE,
    }
)
_EXTENSIONS: Final = MappingProxyType(
    {
        Flavour.GPUSTACK_LIKE: "gpustack_extension.sql",
        Flavour.CAMEL_CASE: "camel_case_extension.sql",
    }
)

# Whose ids are of the roles' side; every other relation's are of the tenancy's.
_ROLE_SIDE: Final = frozenset(
    {"feature_instances", "roles", "access_rules", "feature_access"},
)

_LEVELS: Final = MappingProxyType({"n": "NONE", "m": "MY", "g": "GROUP", "a": "ALL"})
_LEVEL_COLUMNS: Final = frozenset({"read", "create", "update", "delete"})


async def create_schema(connection: asyncpg.Connection, flavour: Flavour) -> None:
    """Make an empty database one of the flavour: functions, tables, views, triggers."""
    await apply_shipped(connection, _PLATFORMS[flavour])
    await as_owner(connection, Path(__file__).with_name(_EXTENSIONS[flavour]))


async def load_world(
    connection: asyncpg.Connection,
    document: World,
    flavour: Flavour,
) -> None:
    """Store a world in the base tables, its ids translated, in one transaction.

    Nothing is validated: what the tables take, they get.
    """
    async with connection.transaction():
        for relation in RELATIONS:
            for row in document.get(relation, ()):
                table, cells = place_row(flavour, document, relation, row)
                await insert_row(connection, f'public."{table.name}"', cells)


def translate(flavour: Flavour, relation: str, id_: str) -> str:
    """Give what an id of a relation is called in a flavour, whether a row has it.

    Ids of clusters are those of `resources`. Text that is no id of the document's type
    stays as it is. Translated ids sort as they did only where integers become uuids.
    """
    if relation in _ROLE_SIDE:
        return _hash(id_) if flavour is Flavour.GPUSTACK_LIKE else id_
    if flavour is Flavour.CAMEL_CASE and IdType.BIGINT.is_requestable(id_):
        high, low = divmod(int(id_), 10**12)
        return f"{high:08d}-0000-4000-8000-{low:012d}"
    return id_


def _hash(text: str) -> str:
    return str(int.from_bytes(hashlib.sha256(text.encode()).digest()[:6]))


def place_row(
    flavour: Flavour,
    document: World,
    relation: str,
    row: Mapping[str, object],
) -> tuple[Table, dict[str, Cell]]:
    """Give the base table of a relation's row, and what it has in each column."""
    table = _TABLES[flavour](document, relation, row)
    cells = {
        table.columns[column.name]: cell_of(
            flavour,
            relation,
            column,
            row.get(column.name, column.default),
        )
        for column in RELATIONS[relation]
        if column.name in table.columns
    }
    return table, cells


def _gpustack_table(_: World, relation: str, row: Mapping[str, object]) -> Table:
    kind = row.get("kind")
    own = {"cluster": "clusters", "worker": "workers", "model": "models"}
    if relation == "resources" and kind in own:
        return GPUSTACK_LIKE[own[str(kind)]]
    return GPUSTACK_LIKE[relation]


def _camel_table(document: World, relation: str, row: Mapping[str, object]) -> Table:
    if relation == "principals" and row.get("kind") == "org":
        return CAMEL_CASE["organizations"]
    if relation == "principal_memberships" and str(
        row["parent_principal_id"],
    ) not in _organizations(document):
        return CAMEL_CASE["group_memberships"]
    return CAMEL_CASE[relation]


def _organizations(document: World) -> set[str]:
    principals: Iterable[Mapping[str, object]] = document.get("principals", ())
    return {str(row["id"]) for row in principals if row.get("kind") == "org"}


_TABLES: Final[
    Mapping[Flavour, Callable[[World, str, Mapping[str, object]], Table]]
] = MappingProxyType(
    {Flavour.GPUSTACK_LIKE: _gpustack_table, Flavour.CAMEL_CASE: _camel_table},
)


def cell_of(flavour: Flavour, relation: str, column: Column, raw: object) -> Cell:
    """Give a value of a relation's column as the flavour writes it."""
    if raw is None or isinstance(raw, bool):
        return raw
    match column.form:
        case Form.TENANCY_ID:
            return translate(flavour, "principals", str(raw))
        case Form.ROLE_ID:
            return translate(flavour, "roles", str(raw))
        case Form.TIME:
            return _instant(flavour, raw)
        case Form.TEXT | Form.FLAG:
            return _word(flavour, relation, column.name, str(raw))


def _instant(flavour: Flavour, raw: object) -> str | float:
    if isinstance(raw, str):
        raw = datetime.fromisoformat(raw)
    elif not isinstance(raw, datetime) and isinstance(raw, date):
        raw = datetime.combine(raw, time())
    if not isinstance(raw, datetime):
        raise TypeError(f"`{raw}` is no time")
    utc = raw.astimezone(UTC) if raw.tzinfo else raw.replace(tzinfo=UTC)
    if flavour is Flavour.CAMEL_CASE:
        return utc.timestamp()
    return utc.replace(tzinfo=None).isoformat()


def _word(flavour: Flavour, relation: str, column: str, text: str) -> str:
    if flavour is Flavour.CAMEL_CASE:
        return text
    if (relation, column) in {
        ("principals", "kind"),
        ("principal_memberships", "role"),
    }:
        return text.upper()
    if relation == "access_rules" and column in _LEVEL_COLUMNS:
        return _LEVELS.get(text, text)
    return text


async def insert_row(
    connection: asyncpg.Connection,
    table: str,
    cells: Mapping[str, Cell],
) -> None:
    """Store one row; `table` is its name with the schema, quoted."""
    # The database reads each value by the type of its column: enums, uuids, times.
    columns = ", ".join(f'"{name}"' for name in cells)
    await connection.execute(
        f"insert into {table} ({columns}) select {columns}"  # noqa: S608 names of tables.py only
        f" from jsonb_populate_record(null::{table}, $1::jsonb)",
        json.dumps(cells),
    )
