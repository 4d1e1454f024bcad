"""A primary with its replica, and a store that reads from both."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import asyncpg

from sidecar.ports import Consistency, StandingKey
from sidecar.store.database import PoolSettings
from sidecar.store.document import read_document
from sidecar.store.feed import FeedSettings
from sidecar.store.importer import import_document
from sidecar.store.migrate import migrate
from sidecar.store.replicas import Outcome, ReplicaFacts
from sidecar.store.source import Store, StoreSettings
from tests.store.opened import FAST, standing, until
from tests.store.places import WORLD
from tests.support.cluster import Cluster, Node

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


@asynccontextmanager
async def connected(made: tuple[Cluster, Node]) -> AsyncIterator[Pair]:
    """Connections to both."""
    one, replica = made
    writer = await asyncpg.connect(one.primary.url())
    follower = await asyncpg.connect(replica.url())
    yield Pair(one, replica, writer, follower)
    writer.terminate()
    follower.terminate()


async def fill(node: Node) -> None:
    """Stores a world."""
    connection = await asyncpg.connect(node.url())
    await migrate(connection)
    await import_document(connection, read_document(WORLD))
    await connection.close()


async def is_member(store: Store, consistency: Consistency = FAST) -> bool:
    """Whether Ann has a membership that counts in Acme."""
    return (await standing(store, consistency)).membership is not None


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
