"""Looking at a database: one read-only transaction, bounded, that outlives refusals."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

import asyncpg

from sidecar.store.database import DRIVER_ERRORS
from sidecar.store.errors import StoreError
from sidecar.store.queries import Row

PlanNode = Mapping[str, object]

# Names are written in full then, and no object of the platform's shadows another.
_SETUP: Final = """
set local search_path = pg_catalog;
set local plan_cache_mode = force_generic_plan;
set local max_parallel_workers_per_gather = 0;
set local work_mem = '64MB';
set local jit = off;
"""


@dataclass(frozen=True, slots=True)
class Patient:
    """What is looked at, and what the settings say of it. Times are in seconds.

    `clusters` are the declared kinds whose rows are clusters; `kinds`, all of them.
    `seconds` bounds each look at the database.
    """

    url: str
    feed_url: str
    pool_max: int = 8
    keeps_statements: bool = True
    load_timeout: float = 2.0
    kinds: frozenset[str] = frozenset()
    clusters: frozenset[str] = frozenset()
    connect_timeout: float = 5.0
    seconds: float = 30.0
    schema: str = "authz"


@dataclass(frozen=True, slots=True)
class Look:
    """One transaction of a patient; what it could not see is noted."""

    connection: asyncpg.Connection
    patient: Patient
    unchecked: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def attempt(self, what: str) -> AsyncIterator[None]:
        """Notes that `what` could not be looked at, when the database refuses."""
        try:
            async with self.connection.transaction():
                yield
        except asyncpg.PostgresError as error:
            self.unchecked.append(f"{what}: {said(error)}")

    async def fetch(self, query: str, *args: object) -> Sequence[Row]:
        """The rows of an answer."""
        rows: Sequence[Row] = await self.connection.fetch(query, *args)
        return rows

    async def value(self, query: str, *args: object) -> object:
        """The one value of an answer."""
        found: object = await self.connection.fetchval(query, *args)
        return found

    async def explain(self, statement: str, *, without_scans: bool) -> PlanNode:
        """The root of the plan of a statement whose parameters nobody knows.

        `without_scans`: reading a table as a whole is chosen only where nothing else
        can be. Raises what the driver raises when the statement does not fit.
        """
        await self.connection.execute(
            f"set local enable_seqscan = {'off' if without_scans else 'on'}"
        )
        try:
            async with self.connection.transaction():
                plan = await self._explained(statement)
        finally:
            # What is prepared outlives the end of a savepoint.
            await self.connection.execute("deallocate all")
        root: PlanNode = json.loads(plan)[0]["Plan"]
        return root

    async def _explained(self, statement: str) -> str:
        await self.connection.execute(f"prepare authz_doctor as {statement}")
        count = await self.value(
            "select cardinality(parameter_types) from pg_prepared_statements"
            " where name = 'authz_doctor'"
        )
        nulls = ", ".join(["null"] * int(str(count)))
        arguments = f"({nulls})" if nulls else ""
        return str(
            await self.value(
                "explain (verbose, costs off, format json)"
                f" execute authz_doctor{arguments}"
            )
        )


@asynccontextmanager
async def looking(patient: Patient) -> AsyncIterator[Look]:
    """A look at what `url` leads to; raises StoreError when there is none."""
    connection = await connect(patient.url, patient.connect_timeout)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            milliseconds = max(1, int(patient.seconds * 1000))
            await connection.execute(f"set local statement_timeout = {milliseconds}")
            await connection.execute(_SETUP)
            yield Look(connection, patient)
    except DRIVER_ERRORS as error:
        raise StoreError(f"the database cannot be looked at: {said(error)}") from error
    finally:
        with suppress(*DRIVER_ERRORS):
            await connection.close(timeout=1.0)


async def connect(url: str, seconds: float) -> asyncpg.Connection:
    """One connection; raises StoreError with the reason."""
    try:
        return await asyncpg.connect(url, timeout=seconds, statement_cache_size=0)
    except (*DRIVER_ERRORS, ValueError) as error:
        raise StoreError(f"the database cannot be reached: {said(error)}") from error


def said(error: Exception) -> str:
    """What the database or the driver said, in one line."""
    if isinstance(error, asyncpg.QueryCanceledError):
        return "it takes too long"
    if isinstance(error, TimeoutError):
        return "it does not answer in time"
    lines = str(error).splitlines()
    return (lines[0].rstrip(".") if lines else "") or type(error).__name__
