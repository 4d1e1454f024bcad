"""Where an errand writes: rows of the reference schema, refusals put in words."""

# ruff: noqa: S608 - what is put into a statement is names of RELATIONS and of types

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from types import MappingProxyType
from typing import Final

import asyncpg

from sidecar.store.refusals import REFUSALS
from sidecar.store.relations import RELATIONS, Form
from sidecar.store.steward.deeds import Cell, Listing, Row, StewardError

_TYPES: Final = MappingProxyType(
    {
        Form.TENANCY_ID: "bigint",
        Form.ROLE_ID: "text",
        Form.TEXT: "text",
        Form.FLAG: "boolean",
        Form.TIME: "timestamptz",
    },
)
_LARGEST_ID: Final = 2**63 - 1
# The platform may take the same number at the same time; it will not do so for ever.
_NUMBERING_TRIES: Final = 5

Argument = str | int | bool | datetime | Sequence[str] | None


class Desk:
    """One transaction, and the database's time in it.

    `now` is taken when the turn began, so it is later than whatever was done in the
    turn before.
    """

    def __init__(self, connection: asyncpg.Connection, now: datetime) -> None:
        self._connection = connection
        self.now = now

    async def fetch(self, query: str, *arguments: Argument) -> list[Row]:
        """The rows of a query by column."""
        return [dict(row) for row in await self._connection.fetch(query, *arguments)]

    async def list(self, query: str, *arguments: Argument, limit: int) -> Listing:
        """The first rows of a query, in its order."""
        statement = await self._connection.prepare(f"{query} limit {limit + 1:d}")
        found = await statement.fetch(*arguments)
        columns = tuple(each.name for each in statement.get_attributes())
        rows = tuple(tuple(row.values()) for row in found[:limit])
        return Listing(columns, rows, len(found) > limit)

    async def insert(self, relation: str, row: Row) -> None:
        """Stores a row; raises StewardError when the database refuses it."""
        await self._insert(relation, row, "")

    async def insert_new(self, relation: str, row: Row) -> bool:
        """Stores a row unless it is there; tells whether it was not.

        Raises StewardError when the database refuses it.
        """
        return await self._insert(relation, row, " on conflict do nothing")

    async def insert_numbered(self, relation: str, row: Row) -> Row:
        """Stores a row under the next free id, and gives it with its id.

        Raises StewardError when the database refuses it.
        """
        for _ in range(_NUMBERING_TRIES):
            numbered = {"id": await self._next_id(relation), **row}
            try:
                async with self._connection.transaction():
                    await self._store(relation, numbered, "")
            except asyncpg.UniqueViolationError as error:
                if error.constraint_name != f"{relation}_pkey":
                    raise in_words(error, numbered) from error
            except asyncpg.IntegrityConstraintViolationError as error:
                raise in_words(error, numbered) from error
            else:
                return numbered
        raise StewardError("others take every new id first; try again")

    async def update(self, relation: str, row: Row, changed: Row) -> Row:
        """Changes columns of a row that has an id; gives the row as it is now.

        Raises StewardError when the database refuses it.
        """
        forms = _forms(relation)
        assigned = ", ".join(
            f'"{name}" = ${place}::{_TYPES[forms[name]]}'
            for place, name in enumerate(changed, 2)
        )
        after = {**row, **changed}
        with refusals_of(after):
            await self._connection.execute(
                f"update authz.{relation} set {assigned}"
                f" where id = $1::{_TYPES[forms['id']]}",
                *_arguments(relation, {"id": row["id"], **changed}),
            )
        return after

    async def delete(self, relation: str, row: Row) -> bool:
        """Deletes the row with these values, all not null; tells whether it was there.

        Raises StewardError when the database refuses it.
        """
        forms = _forms(relation)
        conditions = " and ".join(
            f'"{name}" = ${place}::{_TYPES[forms[name]]}'
            for place, name in enumerate(row, 1)
        )
        with refusals_of(row):
            status = await self._connection.execute(
                f"delete from authz.{relation} where {conditions}",
                *_arguments(relation, row),
            )
        return status != "DELETE 0"

    async def _insert(self, relation: str, row: Row, otherwise: str) -> bool:
        with refusals_of(row):
            return await self._store(relation, row, otherwise)

    async def _store(self, relation: str, row: Row, otherwise: str) -> bool:
        forms = _forms(relation)
        names = ", ".join(f'"{name}"' for name in row)
        values = ", ".join(
            f"${place}::{_TYPES[forms[name]]}" for place, name in enumerate(row, 1)
        )
        status = await self._connection.execute(
            f"insert into authz.{relation} ({names}) values ({values}){otherwise}",
            *_arguments(relation, row),
        )
        return status != "INSERT 0 0"

    async def _next_id(self, relation: str) -> str:
        newest: int = await self._connection.fetchval(
            f"select greatest(max(id), 0) from authz.{relation}",
        )
        if newest == _LARGEST_ID:
            raise StewardError(f"no id is left above the largest of `{relation}`")
        return str(newest + 1)


@contextmanager
def refusals_of(row: Row) -> Iterator[None]:
    """Puts into words, with the row's values, what a constraint refuses."""
    try:
        yield
    except asyncpg.IntegrityConstraintViolationError as error:
        raise in_words(error, row) from error


def in_words(
    error: asyncpg.IntegrityConstraintViolationError, row: Row
) -> StewardError:
    """What the constraint means that refused a row."""
    refusal = REFUSALS.get(error.constraint_name or "")
    if refusal is None:
        return StewardError("the database refuses the row")
    return StewardError(refusal.reason.format_map(_Words(row)))


class _Words(dict[str, str]):
    # A refusal may name a column that the database fills in, so no errand has it.
    def __init__(self, row: Row) -> None:
        super().__init__(
            (name, "null" if cell is None else str(cell)) for name, cell in row.items()
        )

    def __missing__(self, name: str) -> str:
        return f"its {name}"


def _forms(relation: str) -> Mapping[str, Form]:
    return {column.name: column.form for column in RELATIONS[relation]}


def _arguments(relation: str, row: Row) -> list[Argument]:
    forms = _forms(relation)
    return [_argument(forms[name], cell) for name, cell in row.items()]


def _argument(form: Form, cell: Cell) -> Argument:
    is_number = form is Form.TENANCY_ID and isinstance(cell, str)
    return int(cell) if is_number and isinstance(cell, str) else cell
