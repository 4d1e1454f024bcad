"""The store as a whole, on a real database: from memory, and from snapshots."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import asyncpg
import pytest

from sidecar.ports import (
    StandingKey,
)
from sidecar.store.source import Store
from tests.store.opened import (
    ANN,
    CLOCK,
    FRESH,
    IN_ACME,
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
