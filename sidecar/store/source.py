"""The store put together: facts from memory while the feed is live."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Self

from typing_extensions import override

from sidecar.core.filters import Field
from sidecar.ports import (
    AtLeast,
    Clock,
    Consistency,
    FactKey,
    Facts,
    FactSource,
    FactsUnavailableError,
    FieldTypes,
    Freshness,
    Moment,
)
from sidecar.store.anomalies import Tell
from sidecar.store.cache import CachedFacts
from sidecar.store.catalogue import Catalogue, read_catalogue
from sidecar.store.database import Database, PoolSettings, PoolStats
from sidecar.store.errors import StoreError
from sidecar.store.feed import Feed, FeedHealth, FeedSettings
from sidecar.store.fitting import check_fit
from sidecar.store.lookups import write_lookups
from sidecar.store.postgres import PostgresFacts, Reader
from sidecar.store.replicas import ReplicaFacts, ReplicaStats, Told
from sidecar.store.revisions import Revision, covers, has_revisions, revision_of
from sidecar.store.shelf import ShelfStats
from sidecar.store.watchers import Watchers, WatchSettings
from sidecar.store.weights import CacheSizes


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """What the store needs to know. Times are in seconds.

    `load_timeout` bounds one reading that questions share; with less than
    `min_remaining` left to a question nothing is read for it. `replica`: where facts
    for memory are read while it is not behind.
    """

    pool: PoolSettings
    feed: FeedSettings
    cache: CacheSizes = field(default_factory=CacheSizes)
    schema: str = "authz"
    load_timeout: float = 2.0
    min_remaining: float = 0.005
    replica: PoolSettings | None = None
    watch: WatchSettings = field(default_factory=WatchSettings)


@dataclass(frozen=True, slots=True)
class StoreHealth:
    """Whether the database answers, how the feed does, how the pool is used."""

    is_reachable: bool
    feed: FeedHealth
    pool: PoolStats


class Store(FactSource):
    """Facts of one database, between `start` and `close`.

    `watchers` passes on what changes.
    """

    def __init__(  # noqa: PLR0913  all its parts
        self,
        *,
        catalogue: Catalogue,
        origins: "_Origins",
        cache: CachedFacts,
        feed: Feed,
        watchers: Watchers,
        closing: AsyncExitStack,
    ) -> None:
        self._reader = origins.primary
        self._replica = origins.replica
        self._cache = cache
        self._feed = feed
        self.watchers = watchers
        self._closing = closing
        self._field_types = field_types_of(catalogue)
        self._told: tuple[object, str | None] = (None, None)
        self._moment = Moment(-1, None)

    @classmethod
    async def start(
        cls,
        settings: StoreSettings,
        clock: Clock,
        tell: Tell,
        around_loader: Callable[[Facts], Facts] | None = None,
    ) -> Self:
        """Connects, looks at the relations and begins to listen.

        `tell` hears of stored rows that fail closed. `around_loader` goes around what
        reads facts for memory. Raises StoreError, with everything closed again, when
        the database cannot serve.
        """
        async with AsyncExitStack() as closing:
            database = await Database.connect(settings.pool)
            closing.push_async_callback(database.close)
            catalogue, knows_history = await _read_catalogue(database, settings)
            reader = Reader(
                database,
                write_lookups(catalogue),
                tell,
                clock,
                settings.load_timeout,
                settings.min_remaining,
                knows_history,
            )
            replica = await _replica(settings.replica, reader, lambda: cache.epoch)
            origins = _Origins(reader, replica)
            closing.push_async_callback(origins.close)
            loader = origins.loader
            if around_loader is not None:
                loader = around_loader(loader)
            cache = CachedFacts(loader, clock, settings.cache, settings.min_remaining)
            closing.push_async_callback(cache.close)
            watchers = Watchers(settings.watch)
            feed = Feed(
                settings.feed,
                cache,
                clock,
                renewed=origins.renew,
                followers=(watchers.journal,),
            )
            watchers.follow(feed)
            await feed.start()
            closing.push_async_callback(feed.close)
            return cls(
                catalogue=catalogue,
                origins=origins,
                cache=cache,
                feed=feed,
                watchers=watchers,
                closing=closing.pop_all(),
            )

    async def close(self) -> None:
        """Stops listening and closes every connection."""
        await self._closing.aclose()

    @override
    def at_hand(self, consistency: Freshness) -> Moment | None:
        if consistency is not Consistency.MINIMIZE_LATENCY:
            return None
        epoch = self._cache.epoch
        if epoch is None:
            return None
        # The same object until something changes: it is asked for on each call.
        revision, last = self._revision(), self._moment
        if epoch != last.epoch or revision is not last.revision:
            last = self._moment = Moment(epoch, revision)
        return last

    @override
    def open(
        self, consistency: Freshness, deadline: float
    ) -> AbstractAsyncContextManager[Facts]:
        if consistency is Consistency.MINIMIZE_LATENCY:
            return self._cache.within(deadline, self._revision())
        if not isinstance(consistency, AtLeast):
            return self._reader.snapshot(deadline)
        wanted = Revision.parse(consistency.revision)
        # What is not covered, a snapshot of the primary answers, in which whatever was
        # committed shows; and the database says whether it is of this history.
        if self._cache.live and covers(self._feed.heard, wanted):
            return self._cache.within(deadline, self._revision())
        return self._reader.snapshot(deadline, wanted)

    @property
    @override
    def field_types(self) -> FieldTypes:
        return self._field_types

    async def health(self, seconds: float) -> StoreHealth:
        """How the store does; the database has `seconds` to answer."""
        database = self._reader.database
        return StoreHealth(
            await database.is_reachable(seconds), self._feed.health(), database.stats()
        )

    async def recheck(self) -> None:
        """Looks at once whether the triggers are there."""
        await self._feed.recheck()

    def feed_health(self) -> FeedHealth:
        """How the feed does."""
        return self._feed.health()

    def pool_stats(self) -> PoolStats:
        """How the pool is used."""
        return self._reader.database.stats()

    def replica_stats(self) -> ReplicaStats | None:
        """How the replica is used; none without one."""
        return None if self._replica is None else self._replica.stats()

    def cache_stats(self) -> dict[type[FactKey[object]], ShelfStats]:
        """What each cache did and holds."""
        return self._cache.stats()

    def _revision(self) -> str | None:
        # The text is the same until the feed hears more, and every answer carries it.
        heard = self._feed.heard
        if heard.snapshot is not self._told[0]:
            self._told = heard.snapshot, revision_of(heard)
        return self._told[1]


@dataclass(frozen=True, slots=True)
class _Origins:
    primary: Reader
    replica: ReplicaFacts | None

    @property
    def loader(self) -> Facts:
        return PostgresFacts(self.primary) if self.replica is None else self.replica

    async def renew(self) -> None:
        await self.primary.database.renew()
        if self.replica is not None:
            await self.replica.renew()

    async def close(self) -> None:
        if self.replica is not None:
            await self.replica.close()


async def _replica(
    settings: PoolSettings | None, primary: Reader, told: Told
) -> ReplicaFacts | None:
    if settings is None:
        return None
    database = await Database.connect(settings)
    return ReplicaFacts(replace(primary, database=database), primary, told)


async def _read_catalogue(
    database: Database, settings: StoreSettings
) -> tuple[Catalogue, bool]:
    try:
        async with database.lend(settings.pool.connect_timeout) as connection:
            catalogue = await read_catalogue(connection, settings.schema)
            await check_fit(connection, catalogue)
            knows_history = await has_revisions(connection)
    except FactsUnavailableError as error:
        raise StoreError("the database does not say what is in it") from error
    return catalogue, knows_history


def field_types_of(catalogue: Catalogue) -> FieldTypes:
    """The types of the id columns that questions and filters name."""
    principal = catalogue.type_of("principals", "id")
    return FieldTypes(
        principal,
        {
            Field.OWNER_PRINCIPAL_ID: catalogue.type_of(
                "resources", "owner_principal_id"
            ),
            Field.CLUSTER_ID: catalogue.type_of("resources", "cluster_id"),
            Field.ID: catalogue.type_of("resources", "id"),
            Field.CREATED_BY: catalogue.type_of("users", "id"),
            Field.ORGANIZATION_ID: principal,
        },
    )
