"""What the tests of administration share: a world with names, and errands in it."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import asyncpg

from sidecar.store.database import PoolSettings
from sidecar.store.embedded import EmbeddedPostgres
from sidecar.store.migrate import migrate
from sidecar.store.steward.deeds import Change, Deed, Listing, Row, StewardError
from sidecar.store.steward.turn import Errand, Look, carry_out, look

T = TypeVar("T")

WORLD = (Path(__file__).parent / "steward.sql").read_text("utf-8")

OF_PAIR = """
select id, role, enabled, deleted_at is not null as ended
from authz.principal_memberships
where member_principal_id = $1 and parent_principal_id = $2 order by id
"""


class Worlds:
    """Databases with that world, each a copy of one that nobody uses."""

    def __init__(self, postgres: EmbeddedPostgres, name: str) -> None:
        self._postgres = postgres
        self._name = name
        self._numbers = itertools.count()

    async def new(self) -> str:
        """The address of another one."""
        number = next(self._numbers)
        if number == 0:
            await self._make_template()
        connection = await asyncpg.connect(self._postgres.url())
        await connection.execute(
            f"create database {self._name}_{number} template {self._name}"
        )
        await connection.close()
        return self._postgres.url(f"{self._name}_{number}")

    async def _make_template(self) -> None:
        self._postgres.create_database(self._name)
        connection = await asyncpg.connect(self._postgres.url(self._name))
        await migrate(connection)
        await connection.execute(WORLD)
        await connection.close()


async def do(url: str, errand: Errand) -> Deed:
    """What an errand does, in a transaction of its own."""
    return (await carry_out(PoolSettings(url), errand)).deed


async def refused(url: str, errand: Errand) -> str:
    """Why an errand cannot be done."""
    try:
        deed = await do(url, errand)
    except StewardError as error:
        return str(error)
    raise AssertionError(f"was done: {deed}")


async def see(url: str, wanted: Look) -> Listing:
    """What is found."""
    return await look(PoolSettings(url), wanted)


async def at_once(url: str, *errands: Errand) -> list[Deed | str]:
    """What errands do that administrators give at the same moment, or why not."""

    async def one(errand: Errand) -> Deed | str:
        try:
            return await do(url, errand)
        except StewardError as error:
            return str(error)

    return await asyncio.gather(*map(one, errands))


async def until_somebody_waits(connection: asyncpg.Connection) -> None:
    """Until another connection to the same database waits for a lock."""
    query = (
        "select exists (select from pg_stat_activity where wait_event_type = 'Lock'"
        " and datname = current_database())"
    )
    async with asyncio.timeout(10):
        while not await connection.fetchval(query):
            # Within a transaction activity is a snapshot, unless it is dropped.
            await connection.execute("select pg_stat_clear_snapshot()")


def only(deed: Deed) -> Change:
    """The one change of a deed."""
    (change,) = deed.changes
    return change


def changed(change: Change) -> dict[str, tuple[object, object]]:
    """The columns that differ, before and after."""
    before: Row = change.before or {}
    after: Row = change.after or {}
    return {
        name: (before.get(name), after.get(name))
        for name in {**before, **after}
        if before.get(name) != after.get(name)
    }


@asynccontextmanager
async def meanwhile(work: Coroutine[None, None, T]) -> AsyncIterator[asyncio.Task[T]]:
    """Work that goes on beside the test, and ends with it."""
    async with asyncio.TaskGroup() as group:
        yield group.create_task(work)


async def of_pair(
    connection: asyncpg.Connection, member: int, parent: int
) -> list[tuple[object, ...]]:
    """The memberships of a pair: id, role, enabled, ended."""
    return [tuple(row) for row in await connection.fetch(OF_PAIR, member, parent)]
