"""A store whose database is locked, lost or altered, and what its health tells."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import pytest

from sidecar.core.ids import UserId
from sidecar.ports import (
    Consistency,
    DeadlineTooNearError,
    FactsUnavailableError,
    OverloadedError,
    UserKey,
)
from sidecar.store.source import Store
from tests.store.opened import (
    ANN,
    CLOCK,
    FAST,
    ignore,
    settings_of,
    soon,
    standing,
    until,
)


@pytest.fixture
async def store(world: str) -> AsyncIterator[Store]:
    """A store that has started."""
    store = await Store.start(settings_of(world), CLOCK, ignore)
    yield store
    await store.close()


async def end_others(connection: asyncpg.Connection) -> None:
    """Ends all other connections to the database, as a restart would."""
    await connection.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid()"
    )


@pytest.mark.parametrize("consistency", Consistency)
async def test_too_near_deadline_reads_nothing(
    store: Store, consistency: Consistency
) -> None:
    """The caller hears at once that there is no time."""
    with pytest.raises(DeadlineTooNearError):
        async with store.open(consistency, CLOCK.monotonic() + 0.001) as facts:
            await facts.get(ANN)


@pytest.mark.parametrize("consistency", Consistency)
async def test_locked_table_is_waited_for_until_the_deadline(
    store: Store, connection: asyncpg.Connection, consistency: Consistency
) -> None:
    """A database that does not answer costs a question its time, and no more."""
    async with connection.transaction():
        await connection.execute("lock table authz.users")
        with pytest.raises(DeadlineTooNearError):
            async with store.open(consistency, CLOCK.monotonic() + 0.1) as facts:
                await facts.get(ANN)

    async with store.open(consistency, soon()) as facts:
        assert await facts.get(ANN) is not None


async def test_shared_reading_has_a_time_of_its_own(
    world: str, connection: asyncpg.Connection
) -> None:
    """Nobody joins a reading that hangs for longer than that."""
    settings = replace(settings_of(world), load_timeout=0.05)
    store = await Store.start(settings, CLOCK, ignore)
    async with connection.transaction():
        await connection.execute("lock table authz.users")
        with pytest.raises(FactsUnavailableError):
            async with store.open(FAST, soon()) as facts:
                await facts.get(ANN)
    await store.close()


async def test_too_many_who_wait_are_turned_away(
    store: Store, connection: asyncpg.Connection
) -> None:
    """Two connections and one who waits; the next is refused at once."""
    keys = [UserKey(UserId(str(number))) for number in range(4)]
    async with connection.transaction():
        await connection.execute("lock table authz.users")
        async with store.open(FAST, soon()) as facts:
            waiting = [asyncio.create_task(facts.get(key)) for key in keys[:3]]
            await until(connection, lambda: store.pool_stats().asking == 3)
            with pytest.raises(OverloadedError):
                await facts.get(keys[3])
            assert store.pool_stats().refused == 1

    assert await asyncio.gather(*waiting) == [None, None, None]


async def test_lost_connections_come_back(
    store: Store, connection: asyncpg.Connection
) -> None:
    """After a restart everything is read anew."""
    before = await standing(store)
    await end_others(connection)
    await until(connection, lambda: not store.feed_health().is_live)
    await until(connection, lambda: store.feed_health().is_live)

    after = await standing(store)

    assert before == after
    assert before is not after


async def test_errors_say_nothing_of_the_driver(
    store: Store, connection: asyncpg.Connection
) -> None:
    """Clients read them."""
    await connection.execute("alter table authz.users rename is_admin to is_root")

    with pytest.raises(FactsUnavailableError, match=r"^the database cannot be read$"):
        async with store.open(FAST, soon()) as facts:
            await facts.get(ANN)


async def test_dropped_trigger_makes_its_relation_uncached_and_unhealthy(
    store: Store, connection: asyncpg.Connection
) -> None:
    """A change that nobody tells shows in the next question all the same."""
    await connection.execute("call authz.unwatch('authz.users')")
    await store.recheck()
    async with store.open(FAST, soon()) as facts:
        before = await facts.get(ANN)
        await connection.execute("update authz.users set is_active = false")
        after = await facts.get(ANN)

    assert before is not None
    assert after is not None
    assert (before.is_active, after.is_active) == (True, False)
    assert {"users"} == set((await store.health(1)).feed.unwatched)


async def test_health_tells_of_database_feed_and_pool(store: Store) -> None:
    """All is well once started."""
    health = await store.health(1)

    assert health.is_reachable
    assert health.feed.is_live
    assert 1 <= health.pool.open <= 2


async def test_unreachable_database_shows_in_health(
    store: Store, connection: asyncpg.Connection
) -> None:
    """A database that does not answer in time is not reachable."""
    async with connection.transaction():
        await connection.execute("lock table authz.users")
        async with store.open(FAST, soon()) as facts:
            waiting = [
                asyncio.create_task(facts.get(UserKey(UserId(str(number)))))
                for number in range(2)
            ]
            await until(connection, lambda: store.pool_stats().asking == 2)
            health = await store.health(0.05)

    assert not health.is_reachable
    assert await asyncio.gather(*waiting) == [None, None]
