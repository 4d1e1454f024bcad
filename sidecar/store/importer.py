"""Stores a directory document in the reference schema, all of it or nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import asyncpg

from sidecar.core.ids import IdType
from sidecar.store.document import Document, DocumentError, Row
from sidecar.store.refusals import REFUSALS
from sidecar.store.relations import RELATIONS, Column, Form, Value

_ARRAYS: Final = MappingProxyType(
    {
        Form.TENANCY_ID: "bigint[]",
        Form.ROLE_ID: "text[]",
        Form.TEXT: "text[]",
        Form.FLAG: "boolean[]",
        Form.TIME: "timestamptz[]",
    },
)

# What a row can be at fault for; anything else is the database's own trouble.
_REFUSED: Final = (
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.DataError,
    asyncpg.ProgramLimitExceededError,
)


@dataclass(frozen=True, slots=True)
class _Numbered:
    """A row and its place in the document."""

    index: int
    row: Row


async def import_document(
    connection: asyncpg.Connection,
    document: Document,
) -> dict[str, int]:
    """Insert every row of a document, or none; give how many by relation.

    Raises:
        DocumentError: A row is refused; the path names it, the reason says why.
    """
    _check_ids(document)
    relation = ""
    try:
        async with connection.transaction():
            for relation, rows in document.relations.items():
                await _insert(connection, relation, _numbered(rows))
    except _REFUSED as error:
        raise await _find_refused(connection, document, relation) from error
    return {relation: len(rows) for relation, rows in document.relations.items()}


def _check_ids(document: Document) -> None:
    for relation, rows in document.relations.items():
        for column in RELATIONS[relation]:
            if column.form is Form.TENANCY_ID:
                _check_column(relation, column.name, rows)


def _check_column(relation: str, column: str, rows: Sequence[Row]) -> None:
    for index, row in enumerate(rows):
        value = row[column]
        if isinstance(value, str) and not IdType.BIGINT.names(value):
            raise DocumentError(
                f"{relation}[{index}].{column}",
                f"`{value}` is not a whole number of 64 bits without leading zeros",
            )


def _numbered(rows: Sequence[Row]) -> list[_Numbered]:
    # Groups last: a prefix of the rows is then never refused for what follows it.
    return sorted(
        (_Numbered(index, row) for index, row in enumerate(rows)),
        key=lambda numbered: numbered.row.get("kind") == "group",
    )


async def _insert(
    connection: asyncpg.Connection,
    relation: str,
    rows: Sequence[_Numbered],
) -> None:
    columns = RELATIONS[relation]
    names = ", ".join(f'"{column.name}"' for column in columns)
    arrays = ", ".join(
        f"${place}::{_ARRAYS[column.form]}" for place, column in enumerate(columns, 1)
    )
    await connection.execute(
        f"insert into authz.{relation} ({names}) select * from unnest({arrays})",  # noqa: S608 names of RELATIONS only
        *(_array(column, rows) for column in columns),
    )


def _array(column: Column, rows: Sequence[_Numbered]) -> list[Value | int]:
    values = [numbered.row[column.name] for numbered in rows]
    if column.form is Form.TENANCY_ID:
        return [int(value) if isinstance(value, str) else None for value in values]
    return [*values]


async def _find_refused(
    connection: asyncpg.Connection,
    document: Document,
    relation: str,
) -> DocumentError:
    """Do it again by halves, to learn which row it was; keep nothing of it."""
    found = DocumentError(relation, "a row is refused by the database")
    attempt = connection.transaction()
    await attempt.start()
    try:
        for earlier, rows in document.relations.items():
            if earlier == relation:
                break
            await _insert(connection, earlier, _numbered(rows))
        rest = _numbered(document.relations[relation])
        while rest:
            half = rest[: (len(rest) + 1) // 2]
            refusal = await _try(connection, relation, half)
            if refusal is None:
                rest = rest[len(half) :]
            elif len(half) == 1:
                found = _explain(relation, half[0], refusal)
                break
            else:
                rest = half
    finally:
        await attempt.rollback()
    return found


async def _try(
    connection: asyncpg.Connection,
    relation: str,
    rows: Sequence[_Numbered],
) -> asyncpg.PostgresError | None:
    try:
        async with connection.transaction():
            await _insert(connection, relation, rows)
    except _REFUSED as error:
        return error
    return None


def _explain(
    relation: str,
    numbered: _Numbered,
    error: asyncpg.PostgresError,
) -> DocumentError:
    path = f"{relation}[{numbered.index}]"
    refusal = REFUSALS.get(error.constraint_name or "")
    if refusal is None:
        return DocumentError(path, "is refused by the database")
    return DocumentError(
        f"{path}.{refusal.column}",
        refusal.reason.format_map(_words(numbered.row)),
    )


def _words(row: Row) -> Mapping[str, str]:
    return {
        name: "null" if value is None else str(value) for name, value in row.items()
    }
