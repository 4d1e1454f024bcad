"""Facts from a real replica that lags, goes away, and becomes the primary."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace

import asyncpg
import pytest

from sidecar.core.ids import PrincipalId
from sidecar.ports import Consistency, CouldNotDecideError, StandingKey
from sidecar.store.anomalies import Anomaly
from sidecar.store.clock import SystemClock
from sidecar.store.database import PoolSettings
from sidecar.store.document import read_document
from sidecar.store.feed import FeedSettings
from sidecar.store.importer import import_document
from sidecar.store.migrate import migrate
from sidecar.store.replicas import Outcome, ReplicaFacts
from sidecar.store.source import Store, StoreSettings
from tests.store.places import WORLD
from tests.support.cluster import Cluster, Node, caught_up, cluster

IN_ACME = StandingKey(PrincipalId("3"), PrincipalId("1"))
CLOCK = SystemClock()
FAST, FRESH = Consistency.MINIMIZE_LATENCY, Consistency.FULLY_CONSISTENT
TOGGLE = "update authz.principal_memberships set enabled = $1 where id = 31"
GRANT, REVOKE = (TOGGLE.replace("$1", word) for word in ("true", "false"))


@dataclass(frozen=True)
class Pair:
    """A primary and its replica, with a world in them, and a connection to each."""

    cluster: Cluster
    replica: Node
    writer: asyncpg.Connection
    follower: asyncpg.Connection

    def settings(self) -> StoreSettings:
        """A small, quick store that reads from the replica."""
        primary = self.cluster.primary
        hosts = f"{primary.host},{self.replica.host}"
        url = f"postgresql://postgres@{hosts}/postgres"
        pool = PoolSettings(url, 1, 2, connect_timeout=5.0, wanted="primary")
        replica = replace(pool, url=self.replica.url(), smallest=0, wanted="standby")
        feed = FeedSettings(url, url, beat_interval=0.05, max_backoff=0.1)
        return StoreSettings(pool, feed, replica=replica)

    async def commit(self, store: Store, *, enabled: bool) -> None:
        """Enables or disables Ann's membership, and waits until the feed told it."""
        before = store.feed_health().changes
        await self.writer.execute(TOGGLE, enabled)
        await until(self.writer, lambda: store.feed_health().changes > before)


@pytest.fixture(scope="module")
def made() -> Iterator[tuple[Cluster, Node]]:
    """A primary with the reference schema and a world, and its replica."""
    with cluster() as one:
        asyncio.run(fill(one.primary))
        yield one, one.replica()


@asynccontextmanager
async def connected(made: tuple[Cluster, Node]) -> AsyncIterator[Pair]:
    """Connections to both."""
    one, replica = made
    writer = await asyncpg.connect(one.primary.url())
    follower = await asyncpg.connect(replica.url())
    yield Pair(one, replica, writer, follower)
    writer.terminate()
    follower.terminate()


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


async def fill(node: Node) -> None:
    """Stores a world."""
    connection = await asyncpg.connect(node.url())
    await migrate(connection)
    await import_document(connection, read_document(WORLD))
    await connection.close()


def ignore(_: Anomaly) -> None:
    """Nothing is odd here."""


async def until(connection: asyncpg.Connection, holds: Callable[[], object]) -> None:
    """Goes to the database and back until something holds."""
    async with asyncio.timeout(20):
        while not holds():
            await connection.execute("select 1")


async def is_member(store: Store, consistency: Consistency = FAST) -> bool:
    """Whether Ann has a membership that counts in Acme."""
    async with store.open(consistency, CLOCK.monotonic() + 10) as facts:
        return (await facts.get(IN_ACME)).membership is not None


async def is_member_anew(store: Store) -> bool:
    """The same, where memory does not have it, and has missed nothing."""
    store._cache.shelves[StandingKey].clear()
    return await is_member(store)


def read(store: Store, outcome: Outcome) -> int:
    """How many readings ended so."""
    stats = store.replica_stats()
    assert stats is not None
    return stats.readings[outcome]


async def marked(store: Store) -> None:
    """Asks until it is known how much the replica must show."""
    async with asyncio.timeout(20):
        before = -1
        while read(store, Outcome.UNMARKED) != before:
            before = read(store, Outcome.UNMARKED)
            await is_member_anew(store)
            await asyncio.gather(*filter(None, (origin(store)._marking,)))


def origin(store: Store) -> ReplicaFacts:
    """The part that is looked at."""
    assert store._replica is not None
    return store._replica


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


async def test_failover_to_the_replica_while_asked() -> None:
    """The promoted one is found, and what was told before counts for nothing."""
    with cluster() as one:
        await fill(one.primary)
        async with connected((one, one.replica())) as pair:
            await caught_up(pair.writer, pair.follower)
            store = await Store.start(pair.settings(), CLOCK, ignore)
            asking = asyncio.create_task(ask_on(store))
            await until(pair.follower, lambda: read(store, Outcome.REPLICA))
            connections = store.feed_health().connections
            one.primary.stop("immediate")
            pair.replica.promote()
            await until(pair.follower, lambda: not store.feed_health().is_connected)
            await until(
                pair.follower, lambda: store.feed_health().connections > connections
            )
            replica_reads = read(store, Outcome.REPLICA)
            await pair.follower.execute(REVOKE)
            await until(pair.follower, lambda: store.feed_health().changes)
            answers = [await is_member_anew(store) for _ in range(20)]
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            await store.close()

    assert set(answers) == {False}
    assert read(store, Outcome.REPLICA) == replica_reads


async def test_replica_of_an_old_timeline_is_not_believed() -> None:
    """Left behind by a failover, it may show what never was, and lack what is."""
    with cluster() as one:
        await fill(one.primary)
        left = one.replica("left")
        async with connected((one, one.replica("heir"))) as pair:
            await caught_up(pair.writer, pair.follower)
            await left_alone(left)
            one.primary.stop()
            pair.replica.promote()
            await pair.follower.execute(REVOKE)
            heir = replace(pair.settings().pool, url=pair.replica.url())
            settings = replace(
                pair.settings(),
                pool=heir,
                feed=replace(pair.settings().feed, url=heir.url, facts_url=heir.url),
                replica=replace(heir, url=left.url(), wanted="standby", smallest=0),
            )
            store = await Store.start(settings, CLOCK, ignore)
            await marked(store)
            mark = origin(store)._mark
            assert mark is not None
            # As if it had replayed more of its own line than the heir has of the new.
            origin(store)._mark = replace(mark, position="0/1")
            answer = await is_member_anew(store)
            await store.close()

    assert not answer
    assert read(store, Outcome.REPLICA) == 0


async def left_alone(node: Node) -> None:
    """Has a replica follow nobody."""
    connection = await asyncpg.connect(node.url())
    await connection.execute("alter system set primary_conninfo = ''")
    await connection.execute("select pg_reload_conf()")
    await connection.close()


async def ask_on(store: Store) -> None:
    """Asks for ever; what cannot be answered is an error and no denial."""
    while True:
        with suppress(CouldNotDecideError):
            assert await is_member_anew(store) in {True, False}
        await asyncio.sleep(0)
