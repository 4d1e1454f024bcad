"""Facts from a real replica that lags and goes away."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from sidecar.store.replicas import Outcome
from sidecar.store.source import Store
from tests.store.opened import CLOCK, FRESH, ignore, until
from tests.store.pairs import (
    GRANT,
    REVOKE,
    TOGGLE,
    Pair,
    connected,
    fill,
    is_member,
    is_member_anew,
    marked,
    origin,
    read,
)
from tests.support.cluster import Cluster, Node, caught_up, cluster


@pytest.fixture(scope="module")
def made() -> Iterator[tuple[Cluster, Node]]:
    """A primary with the reference schema and a world, and its replica."""
    with cluster() as one:
        asyncio.run(fill(one.primary))
        yield one, one.replica()


@pytest.fixture
async def pair(made: tuple[Cluster, Node]) -> AsyncIterator[Pair]:
    """The two as they were in the beginning."""
    async with connected(made) as pair:
        await pair.writer.execute(GRANT)
        await caught_up(pair.writer, pair.follower)
        yield pair
        last = await asyncpg.connect(pair.replica.url())
        await last.execute("select pg_wal_replay_resume()")
        await last.close()


@pytest.fixture
async def store(pair: Pair) -> AsyncIterator[Store]:
    """A store that reads from the replica."""
    store = await Store.start(pair.settings(), CLOCK, ignore)
    yield store
    await store.close()


async def test_replica_answers_once_it_shows_all(store: Store, pair: Pair) -> None:
    """The first reading finds out how much that is; then the primary is left alone."""
    await marked(store)
    await caught_up(pair.writer, pair.follower)
    before = read(store, Outcome.REPLICA)

    answer = await is_member_anew(store)

    assert answer
    assert read(store, Outcome.REPLICA) == before + 1


async def test_replica_that_lags_is_not_believed(store: Store, pair: Pair) -> None:
    """What the feed told and the replica does not show yet, the primary is asked."""
    await marked(store)
    await pair.follower.execute("select pg_wal_replay_pause()")
    await pair.commit(store, enabled=False)
    at_once = await is_member(store)
    await marked(store)
    behind = read(store, Outcome.BEHIND)
    later = await is_member_anew(store)
    is_stale = await pair.follower.fetchval(
        "select enabled from authz.principal_memberships where id = 31"
    )

    assert (at_once, later, is_stale) == (False, False, True)
    assert read(store, Outcome.BEHIND) == behind + 1


async def test_replica_that_caught_up_is_believed_again(
    store: Store, pair: Pair
) -> None:
    """Being behind ends by itself."""
    await pair.follower.execute("select pg_wal_replay_pause()")
    await pair.commit(store, enabled=False)
    await marked(store)
    await pair.follower.execute("select pg_wal_replay_resume()")
    await caught_up(pair.writer, pair.follower)
    before = read(store, Outcome.REPLICA)

    answer = await is_member_anew(store)

    assert not answer
    assert read(store, Outcome.REPLICA) == before + 1


async def test_transaction_that_began_early_and_committed_late_is_seen(
    store: Store, pair: Pair
) -> None:
    """A replica's snapshot hides who is under way, so its numbers are not believed."""
    other = await asyncpg.connect(pair.cluster.primary.url())
    transaction = other.transaction()
    await transaction.start()
    await other.execute(REVOKE)
    await pair.writer.execute("select pg_current_xact_id()")
    await caught_up(pair.writer, pair.follower)
    await marked(store)
    before = store.feed_health().changes
    await pair.follower.execute("select pg_wal_replay_pause()")
    await transaction.commit()
    await until(other, lambda: store.feed_health().changes > before)
    await marked(store)

    answer = await is_member_anew(store)
    await other.close()

    assert not answer


async def test_long_transaction_does_not_send_all_to_the_primary(
    store: Store, pair: Pair
) -> None:
    """Who has not committed holds nothing up."""
    other = await asyncpg.connect(pair.cluster.primary.url())
    transaction = other.transaction()
    await transaction.start()
    await other.execute("select pg_current_xact_id()")
    await pair.commit(store, enabled=False)
    await marked(store)
    await caught_up(pair.writer, pair.follower)
    before = read(store, Outcome.REPLICA)

    answer = await is_member_anew(store)
    await transaction.rollback()
    await other.close()

    assert not answer
    assert read(store, Outcome.REPLICA) == before + 1


async def test_start_beside_a_replica_that_lags(pair: Pair) -> None:
    """What was never told, because nobody listened, counts as well."""
    await pair.follower.execute("select pg_wal_replay_pause()")
    await pair.writer.execute(REVOKE)
    store = await Store.start(pair.settings(), CLOCK, ignore)
    await marked(store)
    behind = read(store, Outcome.BEHIND)
    answer = await is_member_anew(store)
    later = read(store, Outcome.BEHIND)
    await store.close()

    assert not answer
    assert later == behind + 1


async def test_fully_consistent_asks_the_primary(store: Store, pair: Pair) -> None:
    """Though the replica be behind and nothing told."""
    await marked(store)
    before = origin(store).stats()
    await pair.follower.execute("select pg_wal_replay_pause()")
    await pair.writer.execute(REVOKE)

    answer = await is_member(store, FRESH)

    assert not answer
    assert origin(store).stats() == before


async def test_without_the_feed_only_the_primary_is_read(
    store: Store, pair: Pair
) -> None:
    """Nobody tells then what the replica must show."""
    await marked(store)
    before = origin(store).stats()
    await pair.follower.execute("select pg_wal_replay_pause()")
    await store._feed.close()
    await pair.writer.execute(REVOKE)

    answer = await is_member(store)

    assert not answer
    assert origin(store).stats() == before


async def test_relation_without_triggers_is_read_from_the_primary(
    store: Store, pair: Pair
) -> None:
    """A change that nobody tells must show in the next answer."""
    await pair.writer.execute("call authz.unwatch('authz.principal_memberships')")
    try:
        await store.recheck()
        await caught_up(pair.writer, pair.follower)
        before = origin(store).stats()
        await pair.follower.execute("select pg_wal_replay_pause()")
        await pair.writer.execute(REVOKE)
        answer = await is_member(store)
    finally:
        await pair.writer.execute(
            "call authz.watch('authz.principal_memberships', 'member', 'id,"
            " member_principal_id, parent_principal_id, role, enabled, deleted_at',"
            " 'member_principal_id')"
        )

    assert not answer
    assert origin(store).stats() == before


async def test_changes_while_the_replica_stops_and_goes(
    store: Store, pair: Pair
) -> None:
    """Whatever it shows when, each answer is what was committed and told last."""
    choose = random.Random(3)  # noqa: S311 - the same each time
    wrong = 0
    for _ in range(60):
        turn = choose.choice(["pg_wal_replay_pause", "pg_wal_replay_resume"])
        await pair.follower.execute(f"select {turn}()")
        enabled = choose.random() < 0.5
        await pair.writer.execute(TOGGLE, not enabled)
        await pair.commit(store, enabled=enabled)
        for _ in range(choose.randrange(4)):
            wrong += await is_member_anew(store) != enabled
            await asyncio.gather(*filter(None, (origin(store)._marking,)))

    assert wrong == 0
    assert read(store, Outcome.REPLICA) > 0
    assert read(store, Outcome.BEHIND) > 0


async def test_replica_that_is_away_costs_nothing_but_the_primary(
    pair: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    """It may be away at the start already, and is used when it comes."""
    pair.replica.stop()
    store = await Store.start(pair.settings(), CLOCK, ignore)
    await marked(store)
    without = await is_member_anew(store)
    is_up = origin(store).stats().is_up
    pair.replica.start()
    async with asyncio.timeout(20):
        while not origin(store).stats().is_up:
            await is_member_anew(store)
    await store.close()

    assert (without, is_up) == (True, False)
    assert read(store, Outcome.FAILED) > 0
    told = [each for each in caplog.records if each.levelno > logging.WARNING]
    assert [] == told
