"""Gives a directory back: every row of every relation, sorted, from one snapshot."""

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg

from sidecar.core.ids import IdType
from sidecar.store.catalogue import Catalogue, read_catalogue
from sidecar.store.document_writing import Written
from sidecar.store.queries import quoted
from sidecar.store.relations import KEYS, RELATIONS, Column, Form

_ROWS_AT_ONCE: Final = 5000
_NUMBERS: Final = frozenset({IdType.BIGINT, IdType.INTEGER})

# Where PostgreSQL goes on, beyond the years that a document can tell, times end.
_FIRST: Final = "'0001-01-01 00:00:00+00'::timestamptz"
_LAST: Final = "'9999-12-31 23:59:59.999999+00'::timestamptz"

_TABLES: Final = """
select relname from pg_catalog.pg_class
where relnamespace = 'authz'::regnamespace and relkind = 'r'
"""


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of one relation, in order; the columns are those of `RELATIONS`."""

    relation: str
    rows: Sequence[tuple[Written, ...]]


async def export_rows(
    connection: asyncpg.Connection, without: Collection[str] = ()
) -> AsyncGenerator[Part, None]:
    """Gives every row, relation by relation, but for relations to leave out.

    Of tables and views alike; words are given in the case that a document has them in.
    All of it is as it was at one moment. Relations without rows are not given.

    Raises:
        StoreError: The relations are not those that the sidecar reads.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        # A time without a zone is in UTC.
        await connection.execute("set local timezone = 'UTC'")
        catalogue = await read_catalogue(connection)
        tables = {row["relname"] for row in await connection.fetch(_TABLES)}
        for relation in RELATIONS:
            if relation in without or not catalogue.has(relation):
                continue
            query = _query(relation, catalogue, is_table=relation in tables)
            mend = _mending(relation)
            cursor = await connection.cursor(query)
            while rows := await cursor.fetch(_ROWS_AT_ONCE):
                if mend:
                    yield Part(relation, [_mended(row, mend) for row in rows])
                else:
                    yield Part(relation, [tuple(row) for row in rows])


def _query(relation: str, catalogue: Catalogue, *, is_table: bool) -> str:
    columns = {column.name: column for column in RELATIONS[relation]}
    cells = ", ".join(_cell(relation, column, catalogue) for column in columns.values())
    # Rows of a table differ by their key. Of a view two may not, and must still come
    # in the same order each time.
    others = (
        () if is_table else (name for name in columns if name not in KEYS[relation])
    )
    order = ", ".join(
        [_order(relation, columns[name], catalogue) for name in KEYS[relation]]
        + [f'{quoted(name)}::text collate "C"' for name in others]
    )
    return f"select {cells} from authz.{relation} order by {order}"  # noqa: S608 names of RELATIONS only


def _cell(relation: str, column: Column, catalogue: Catalogue) -> str:
    name = quoted(column.name)
    match column.form:
        case Form.TENANCY_ID | Form.ROLE_ID:
            id_type = catalogue.type_of(relation, column.name)
            return name if id_type in _NUMBERS else f"{name}::text"
        case Form.TEXT:
            return f"{name}::text"
        case Form.FLAG:
            return f"{name}::boolean"
        case Form.TIME:
            bounded = f"greatest({_FIRST}, least({_LAST}, {name}::timestamptz))"
            written = f"to_char({bounded}, 'YYYY-MM-DD\"T\"HH24:MI:SS.US')"
            return f"case when {name} is not null then {written} end"


def _order(relation: str, column: Column, catalogue: Catalogue) -> str:
    name = quoted(column.name)
    is_id = column.form in {Form.TENANCY_ID, Form.ROLE_ID}
    if is_id and catalogue.type_of(relation, column.name) in _NUMBERS:
        return name
    return f'{name}::text collate "C"'


def _mending(relation: str) -> Mapping[int, Mapping[str, str] | None]:
    """By place, the words of a column by their lower case; none for a time."""
    mending: dict[int, Mapping[str, str] | None] = {}
    for place, column in enumerate(RELATIONS[relation]):
        if column.form is Form.TIME:
            mending[place] = None
        elif column.words:
            mending[place] = {word.lower(): word for word in column.words}
    return mending


def _mended(
    row: asyncpg.Record, mending: Mapping[int, Mapping[str, str] | None]
) -> tuple[Written, ...]:
    cells: list[Written] = list(row)
    for place, words in mending.items():
        cell = cells[place]
        if not isinstance(cell, str):
            continue
        if words is None:
            cells[place] = f"{cell.removesuffix('.000000')}Z"
        else:
            cells[place] = words.get(cell.lower(), cell)
    return tuple(cells)
