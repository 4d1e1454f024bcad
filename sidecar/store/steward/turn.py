"""One errand, one transaction: kept, or rehearsed and given up."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Final, Protocol

import asyncpg

from sidecar.store.database import DRIVER_ERRORS, PoolSettings
from sidecar.store.dialing import dial, told
from sidecar.store.errors import StoreError
from sidecar.store.relations import RELATIONS
from sidecar.store.steward.deeds import Deed, Listing, StewardError
from sidecar.store.steward.desk import Desk

# Nobody else locks this number; it spells `steward` in ASCII.
TURN_KEY: Final = 0x73746577617264
# Beyond this somebody holds what an errand needs, and a person should be told.
LOCK_SECONDS: Final = 10

_RELATIONS: Final = """
select r.name, c.relkind = 'r' as is_table
from unnest($1::text[]) with ordinality as r (name, place)
left join (pg_catalog.pg_class as c
    join pg_catalog.pg_namespace as n on n.oid = c.relnamespace and n.nspname = 'authz')
    on c.relname = r.name
order by r.place
"""
_HAS_REVISIONS: Final = "select to_regprocedure('authz.current_revision()') is not null"


class Errand(Protocol):
    """A change that is wanted, as a value."""

    def carry_out(self, desk: Desk) -> Awaitable[Deed]:
        """Does it; raises StewardError when it cannot be done."""
        ...


class Look(Protocol):
    """Rows that are wanted, as a value."""

    def take(self, desk: Desk) -> Awaitable[Listing]:
        """Reads them; raises StewardError when a name in it names nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an errand did, and the revision from which it holds where there are any.

    A rehearsal has none: nothing of it was stored.
    """

    deed: Deed
    revision: str | None
    is_rehearsal: bool


async def carry_out(
    database: PoolSettings, errand: Errand, *, is_rehearsal: bool = False
) -> Outcome:
    """Carries an errand out in a transaction of its own, or gives it up at the end.

    Raises:
        StewardError: it cannot be done, or the relations are views.
        StoreError: the database cannot be reached, refuses or fails.
    """
    async with _connected(database) as connection:
        transaction = connection.transaction(isolation="read_committed")
        await transaction.start()
        try:
            desk = await _take_turn(connection)
            deed = await errand.carry_out(desk)
            revision = None if is_rehearsal else await _revision(connection)
        except BaseException:
            await _give_up(transaction)
            raise
        await (transaction.rollback() if is_rehearsal else transaction.commit())
        return Outcome(deed, revision, is_rehearsal)


async def look(database: PoolSettings, wanted: Look) -> Listing:
    """Reads what is wanted from one snapshot.

    Raises as `carry_out` does.
    """
    async with (
        _connected(database) as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        await _check_is_reference(connection)
        now = await connection.fetchval("select clock_timestamp()")
        return await wanted.take(Desk(connection, now))


async def _take_turn(connection: asyncpg.Connection) -> Desk:
    await _check_is_reference(connection)
    await connection.execute(f"set local lock_timeout = '{LOCK_SECONDS:d}s'")
    # Administrators take turns: what one looks up before writing, such as the next id
    # or whether a key was rotated, no other changes in between. The platform's own
    # writers take no turn; them the constraints and row locks hold off.
    await connection.execute("select pg_advisory_xact_lock($1)", TURN_KEY)
    return Desk(connection, await connection.fetchval("select clock_timestamp()"))


async def _check_is_reference(connection: asyncpg.Connection) -> None:
    for row in await connection.fetch(_RELATIONS, list(RELATIONS)):
        name, is_table = row["name"], row["is_table"]
        if is_table is None:
            raise StewardError(
                f"there is no table `authz.{name}`; run `authz-sidecar migrate`"
            )
        if not is_table:
            raise StewardError(
                f"`authz.{name}` is not a table of the reference schema but stands "
                "for a platform's own; use the platform's own tools, which know what "
                "else belongs to a change"
            )


async def _revision(connection: asyncpg.Connection) -> str | None:
    if not await connection.fetchval(_HAS_REVISIONS):
        return None
    return str(await connection.fetchval("select authz.current_revision()::text"))


async def _give_up(transaction: asyncpg.transaction.Transaction) -> None:
    # The connection may be what failed; closing it, which comes next, gives up too.
    try:
        await transaction.rollback()
    except DRIVER_ERRORS:
        return


@asynccontextmanager
async def _connected(database: PoolSettings) -> AsyncIterator[asyncpg.Connection]:
    try:
        async with asyncio.timeout(database.connect_timeout):
            connection = await dial(
                database.address,
                database.connect_timeout,
                statement_cache=database.statement_cache,
            )
    except (*DRIVER_ERRORS, ValueError) as error:
        raise StoreError(f"the database cannot be reached: {told(error)}") from error
    try:
        with _failures_in_words():
            yield connection
    finally:
        await connection.close()


@contextmanager
def _failures_in_words() -> Iterator[None]:
    try:
        yield
    except asyncpg.InsufficientPrivilegeError as error:
        raise StoreError(
            "the database role of `database.url` lacks the rights to administer; "
            "see docs/administration.md for those it needs"
        ) from error
    except asyncpg.LockNotAvailableError as error:
        raise StewardError(
            f"somebody else has held what this needs for {LOCK_SECONDS} s; "
            "nothing was changed, try again"
        ) from error
    except asyncpg.DataError as error:
        raise StewardError("something in it is nothing that can be stored") from error
    except DRIVER_ERRORS as error:
        raise StoreError(
            f"the database refuses or fails: {type(error).__name__}"
        ) from error
