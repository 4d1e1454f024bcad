"""The store as a whole, on a real database.

Long, because it is one thing told in many short parts.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace

import asyncpg
import pytest

from sidecar.core.filters import Field
from sidecar.core.ids import IdType, PrincipalId, RoleId, UserId
from sidecar.core.model import Standing
from sidecar.ports import (
    Consistency,
    DeadlineTooNearError,
    FactsUnavailableError,
    OverloadedError,
    RoleKey,
    StandingKey,
    UserKey,
)
from sidecar.store.anomalies import Anomaly
from sidecar.store.clock import SystemClock
from sidecar.store.database import PoolSettings
from sidecar.store.document import read_document
from sidecar.store.errors import StoreError
from sidecar.store.feed import FeedSettings
from sidecar.store.importer import import_document
from sidecar.store.source import Store, StoreSettings
from tests.store.places import WORLD

ANN = UserKey(UserId("30"))
IN_ACME = StandingKey(PrincipalId("3"), PrincipalId("1"))
CLOCK = SystemClock()
FAST, FRESH = Consistency.MINIMIZE_LATENCY, Consistency.FULLY_CONSISTENT


def settings_of(url: str) -> StoreSettings:
    """A small, quick store."""
    return StoreSettings(
        PoolSettings(url, smallest=1, largest=2, waiting=1, connect_timeout=2.0),
        FeedSettings(url, url, beat_interval=0.05, max_backoff=0.1),
    )


def soon() -> float:
    """A deadline that is far enough away."""
    return CLOCK.monotonic() + 10


def ignore(_: Anomaly) -> None:
    """Nothing is odd here."""


@pytest.fixture
async def world(database: str, connection: asyncpg.Connection) -> str:
    """The address of a database with a world in it."""
    await import_document(connection, read_document(WORLD))
    return database


@pytest.fixture
async def store(world: str) -> AsyncIterator[Store]:
    """A store that has started."""
    store = await Store.start(settings_of(world), CLOCK, ignore)
    yield store
    await store.close()


async def standing(store: Store, consistency: Consistency = FAST) -> Standing:
    """What Ann is in Acme."""
    async with store.open(consistency, soon()) as facts:
        return await facts.get(IN_ACME)


async def until(connection: asyncpg.Connection, holds: Callable[[], object]) -> None:
    """Goes to the database and back until something holds."""
    async with asyncio.timeout(10):
        while not holds():
            await connection.execute("select 1")


async def end_others(connection: asyncpg.Connection) -> None:
    """Ends all other connections to the database, as a restart would."""
    await connection.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid()"
    )


async def test_revoked_membership_denies_at_the_next_question(
    store: Store, connection: asyncpg.Connection
) -> None:
    """Once the change was told, memory holds nothing of it."""
    before = await standing(store)
    await connection.execute(
        "update authz.principal_memberships set enabled = false where id = 31"
    )
    await until(connection, lambda: store.feed_health().changes == 1)

    after = await standing(store)

    assert before.membership is not None
    assert after.membership is None


async def test_second_question_asks_no_database(store: Store) -> None:
    """What is in memory is the answer, for any number of questions."""
    first = await standing(store)

    second = await standing(store)

    assert first is second
    assert store.cache_stats()[StandingKey].hits == 1


async def test_fully_consistent_reads_behind_memory(
    store: Store, connection: asyncpg.Connection
) -> None:
    """Without waiting for anybody to tell, a commit shows in the next question."""
    await standing(store)
    await connection.execute(
        "update authz.principal_memberships set enabled = false where id = 31"
    )

    found = await standing(store, FRESH)

    assert found.membership is None


async def test_fully_consistent_reads_one_snapshot(
    store: Store, connection: asyncpg.Connection
) -> None:
    """What is committed after its first look does not show."""
    async with store.open(FRESH, soon()) as facts:
        await facts.get(ANN)
        await connection.execute("delete from authz.membership_roles")
        found = await facts.get(IN_ACME)
        again = await facts.get_all([IN_ACME, IN_ACME])

    assert len(found.role_ids) == 2
    assert [found, found] == again


async def test_snapshot_answers_many_who_ask_at_once(store: Store) -> None:
    """One connection answers one after another."""
    async with store.open(FRESH, soon()) as facts:
        found = await asyncio.gather(facts.get(ANN), facts.get(ANN), facts.get(ANN))

    assert len({each.id for each in found if each}) == 1


async def test_snapshot_leaves_its_connection_as_new(
    store: Store, connection: asyncpg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    """Questions that fail half-way do not spoil the pool."""
    for _ in range(5):
        with suppress(ZeroDivisionError):
            async with store.open(FRESH, soon()) as facts:
                await facts.get(ANN)
                raise ZeroDivisionError
    rows = await connection.fetch(
        "select from pg_stat_activity where state like 'idle in transaction%'"
        " and datname = current_database()"
    )

    assert rows == []
    assert store.pool_stats().asking == 0
    assert caplog.records == []


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


async def test_types_of_fields_are_those_of_the_columns(store: Store) -> None:
    """Filters are made of ids of these types."""
    types = store.field_types

    assert IdType.BIGINT is types.organization
    assert dict.fromkeys(Field, IdType.BIGINT) == types.fields


async def test_without_identities_nobody_has_one(
    database: str, connection: asyncpg.Connection
) -> None:
    """The relation may be missing."""
    await connection.execute("drop table authz.user_identities")

    store = await Store.start(settings_of(database), CLOCK, ignore)
    async with store.open(FAST, soon()) as facts:
        role = await facts.get(RoleKey(RoleId("x")))
    await store.close()

    assert role is None


async def test_start_that_fails_closes_what_it_opened(
    empty_database: str, empty_connection: asyncpg.Connection
) -> None:
    """A database without the relations is refused, and left alone."""
    with pytest.raises(StoreError, match="authz-sidecar migrate"):
        await Store.start(settings_of(empty_database), CLOCK, ignore)

    others = await empty_connection.fetch(
        "select from pg_stat_activity where datname = current_database()"
        " and pid <> pg_backend_pid() and backend_type = 'client backend'"
    )
    assert others == []


async def test_relations_that_cannot_be_compared_are_refused(
    database: str, connection: asyncpg.Connection
) -> None:
    """What no statement can read is found at the start, and named."""
    await connection.execute(
        "drop table authz.api_keys; create table authz.api_keys (id int, user_id int,"
        " owner_principal_id int, lookup_id int, secret_hash text, expires_at"
        " timestamp, revoked_at timestamp)"
    )

    with pytest.raises(StoreError, match="api key cannot be read"):
        await Store.start(settings_of(database), CLOCK, ignore)


async def test_unreachable_database_is_refused(database: str) -> None:
    """The start says so in words."""
    address = database.replace("host=", "host=/nowhere")

    with pytest.raises(StoreError, match="cannot be reached"):
        await Store.start(settings_of(address), CLOCK, ignore)


async def test_store_works_without_prepared_statements(world: str) -> None:
    """As it must through a transaction pooler."""
    settings = settings_of(world)
    pool = replace(settings.pool, statement_cache=0)
    store = await Store.start(replace(settings, pool=pool), CLOCK, ignore)

    found = [await standing(store, consistency) for consistency in Consistency]
    await store.close()

    assert found[0] == found[1]
