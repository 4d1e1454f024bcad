"""Stores a directory in the reference schema, all of it or nothing."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Final, Protocol

import asyncpg

from sidecar.store.bulk import BATCH_ROWS, Batch, BulkFolder, Cells
from sidecar.store.document import Document, DocumentError, Row
from sidecar.store.document_faults import Fault, Steps
from sidecar.store.document_values import why_no_bigint
from sidecar.store.errors import StoreError
from sidecar.store.refusals import REFUSALS
from sidecar.store.relations import RELATIONS, Form

# What a row can be at fault for; anything else is the database's own trouble.
_REFUSED: Final = (
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.DataError,
    asyncpg.ProgramLimitExceededError,
)

# Of a table, how much is emptied by one statement.
_PAGES_AT_ONCE: Final = 1024

_NOT_TABLES: Final = """
select name, to_regclass('authz.' || name) is null as is_missing
from unnest($1::text[]) with ordinality as wanted (name, place)
where not exists (
    select from pg_catalog.pg_class
    where oid = to_regclass('authz.' || name) and relkind = 'r'
)
order by place
limit 1
"""


@dataclass(frozen=True, slots=True)
class ImportMode:
    """`replaces`: what is stored goes first. `keeps`: no, if it is only tried."""

    replaces: bool = False
    keeps: bool = True


PLAIN: Final = ImportMode()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is: rows stored of a relation, and bytes read of `size`."""

    relation: str
    rows: int
    read: int
    size: int


Tell = Callable[[Progress], None]


class _Source(Protocol):
    """Where rows come from, and what can be said of them."""

    def fault(self, steps: Steps, reason: str) -> Fault: ...


def tell_nobody(progress: Progress) -> None:
    """Keeps progress to itself."""
    del progress


async def import_document(
    connection: asyncpg.Connection,
    document: Document,
    mode: ImportMode = PLAIN,
) -> dict[str, int]:
    """Insert every row of a document, or none; give how many by relation.

    Raises:
        DocumentError: Rows are refused; says which and why.
        StoreError: The database has not the tables of the reference schema.
    """
    _check_ids(document)
    counts = {relation: len(rows) for relation, rows in document.relations.items()}
    async with _transaction(connection, mode):
        for batch in _batches(document):
            await _store(connection, document, batch)
    return counts


async def import_folder(
    connection: asyncpg.Connection,
    folder: BulkFolder,
    mode: ImportMode = PLAIN,
    tell: Tell = tell_nobody,
) -> dict[str, int]:
    """Insert every row of a folder, or none; give how many by relation.

    The next batch is read while the database stores the one before.

    Raises:
        DocumentError: Lines are no rows, or rows are refused; says which and why.
        StoreError: The database has not the tables of the reference schema.
    """
    counts = dict.fromkeys(folder.files, 0)
    size = folder.size
    async with (
        _transaction(connection, mode),
        aclosing(_ahead(folder.batches())) as batches,
    ):
        async for batch in batches:
            await _store(connection, folder, batch)
            counts[batch.relation] += len(batch.rows)
            tell(Progress(batch.relation, counts[batch.relation], batch.read, size))
    return counts


async def _ahead(batches: Iterator[Batch]) -> AsyncGenerator[Batch, None]:
    """Reads in a thread, one batch ahead of whoever uses them."""
    reading = asyncio.create_task(asyncio.to_thread(next, batches, None))
    try:
        while (batch := await reading) is not None:
            reading = asyncio.create_task(asyncio.to_thread(next, batches, None))
            yield batch
    finally:
        # A thread cannot be stopped, only waited for.
        await asyncio.gather(reading, return_exceptions=True)


@asynccontextmanager
async def _transaction(
    connection: asyncpg.Connection, mode: ImportMode
) -> AsyncIterator[None]:
    await _check_tables(connection)
    transaction = connection.transaction()
    await transaction.start()
    try:
        if mode.replaces:
            await _clear(connection)
        yield
    except BaseException:
        await transaction.rollback()
        raise
    if mode.keeps:
        await transaction.commit()
    else:
        await transaction.rollback()


async def _check_tables(connection: asyncpg.Connection) -> None:
    for row in await connection.fetch(_NOT_TABLES, list(RELATIONS)):
        name = f"authz.{row['name']}"
        if row["is_missing"]:
            raise StoreError(f"there is no table `{name}`; run `authz-sidecar migrate`")
        raise StoreError(
            f"`{name}` is no table of the reference schema; what views show is "
            "changed in the tables behind them"
        )


async def _clear(connection: asyncpg.Connection) -> None:
    """Deletes every row, in steps: `truncate` would keep readers out until the end."""
    names = ", ".join(f"authz.{name}" for name in RELATIONS)
    await connection.execute(f"lock table {names} in share row exclusive mode")
    for relation in reversed(RELATIONS):
        if relation == "principals":
            await _delete(connection, relation, "kind = 'group'")
        await _delete(connection, relation, "true")


async def _delete(
    connection: asyncpg.Connection, relation: str, condition: str
) -> None:
    pages = await connection.fetchval(
        "select pg_relation_size($1::text::regclass)"
        " / current_setting('block_size')::bigint",
        f"authz.{relation}",
    )
    for page in range(0, pages, _PAGES_AT_ONCE):
        await connection.execute(
            f"delete from authz.{relation} where {condition}"  # noqa: S608 names of RELATIONS only
            f" and ctid >= '({page},0)' and ctid < '({page + _PAGES_AT_ONCE},0)'"
        )


def _check_ids(document: Document) -> None:
    faults = [
        document.fault((relation, index, column.name), reason)
        for relation, rows in document.relations.items()
        for column in RELATIONS[relation]
        if column.form is Form.TENANCY_ID
        for index, row in enumerate(rows)
        if isinstance(value := row[column.name], str)
        and (reason := why_no_bigint(value)) is not None
    ]
    if faults:
        raise DocumentError(*faults)


def _batches(document: Document) -> Iterator[Batch]:
    for relation, rows in document.relations.items():
        # Groups last: what stands in an earlier batch never needs a later one.
        indexes = sorted(
            range(len(rows)), key=lambda index: rows[index].get("kind") == "group"
        )
        for start in range(0, len(rows), BATCH_ROWS):
            part = indexes[start : start + BATCH_ROWS]
            cells = [_cells(relation, rows[index]) for index in part]
            yield Batch(relation, cells, part)


def _cells(relation: str, row: Row) -> Cells:
    return tuple(
        int(value)
        if column.form is Form.TENANCY_ID and isinstance(value, str)
        else value
        for column in RELATIONS[relation]
        for value in (row[column.name],)
    )


async def _store(connection: asyncpg.Connection, source: _Source, batch: Batch) -> None:
    refusal = await _try(connection, batch.relation, batch.rows)
    if refusal is None:
        return
    rows, indexes = batch.rows, batch.indexes
    while len(rows) > 1:
        half = (len(rows) + 1) // 2
        found = await _try(connection, batch.relation, rows[:half])
        if found is None:
            rows, indexes = rows[half:], indexes[half:]
        else:
            refusal, rows, indexes = found, rows[:half], indexes[:half]
    # What is left is refused by itself, or by what was stored before it.
    refusal = await _try(connection, batch.relation, rows) or refusal
    raise DocumentError(
        _explain(source, (batch.relation, indexes[0]), rows[0], refusal)
    ) from refusal


async def _try(
    connection: asyncpg.Connection,
    relation: str,
    rows: Sequence[Cells],
) -> asyncpg.PostgresError | None:
    """Stores rows, or none of them and gives why."""
    try:
        async with connection.transaction():
            await connection.copy_records_to_table(
                relation,
                schema_name="authz",
                columns=[column.name for column in RELATIONS[relation]],
                records=rows,
            )
    except _REFUSED as error:
        return error
    return None


def _explain(
    source: _Source, steps: Steps, row: Cells, error: asyncpg.PostgresError
) -> Fault:
    refusal = REFUSALS.get(error.constraint_name or "")
    if refusal is None:
        return source.fault(steps, "is refused by the database")
    names = (column.name for column in RELATIONS[str(steps[0])])
    words = {
        name: "null" if value is None else str(value)
        for name, value in zip(names, row, strict=True)
    }
    return source.fault((*steps, refusal.column), refusal.reason.format_map(words))
