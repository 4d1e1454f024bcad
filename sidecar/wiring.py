"""Settings to the values that each part is handed."""

from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import version

from sidecar.core.model import ResourceKind, Visibility
from sidecar.core.permissions import RolePrecedence
from sidecar.observe.metrics import Reading, Sample, flag_samples
from sidecar.ports import (
    ApiKeyKey,
    FactKey,
    GrantsKey,
    IdentityKey,
    InstanceKey,
    MembershipsKey,
    ResourceKey,
    RoleKey,
    StandingKey,
    UserKey,
)
from sidecar.service.asking import Policy
from sidecar.settings import (
    Cache,
    Settings,
)
from sidecar.store.feed import FeedSettings
from sidecar.store.shelf import ShelfStats
from sidecar.store.source import Store, StoreSettings
from sidecar.store.watchers import WatchSettings
from sidecar.store.weights import CacheSizes, Limit
from sidecar.wiring_database import pool_of, replica_of

VERSION = version("authz-sidecar")

FACT_NAMES: dict[type[FactKey[object]], str] = {
    UserKey: "user",
    IdentityKey: "identity",
    ApiKeyKey: "api_key",
    GrantsKey: "grants",
    StandingKey: "standing",
    MembershipsKey: "memberships",
    InstanceKey: "instance",
    RoleKey: "role",
    ResourceKey: "resource",
}


def policy_of(settings: Settings) -> Policy:
    """What the operator declares about decisions."""
    kinds = {
        name: ResourceKind(name, Visibility(kind.visibility), kind.owner, kind.cluster)
        for name, kind in settings.resource_kinds.items()
    }
    return Policy(kinds, RolePrecedence(settings.role_precedence))


def store_settings(settings: Settings) -> StoreSettings:
    """What the store needs to know."""
    database, freshness = settings.database, settings.freshness
    url, feed_url = database.url.get_secret_value(), database.feed_url
    return StoreSettings(
        pool=pool_of(database),
        feed=FeedSettings(
            url=url if feed_url is None else feed_url.get_secret_value(),
            facts_url=url,
            beat_interval=freshness.beat_interval,
            max_staleness=freshness.max_staleness,
            recheck_interval=freshness.trigger_check_interval,
            connect_timeout=database.connect_seconds,
            password_file=database.password_file,
        ),
        cache=_cache_sizes(settings.cache),
        replica=replica_of(database),
        watch=WatchSettings(settings.limits.watchers, settings.limits.watch_backlog),
    )


def _cache_sizes(cache: Cache) -> CacheSizes:
    absent = cache.absent
    others = Limit(cache.others, absent)
    return CacheSizes(
        users=Limit(cache.users, absent),
        identities=others,
        api_keys=others,
        grants=others,
        standings=Limit(cache.standings, absent),
        memberships=others,
        instances=others,
        roles=Limit(cache.roles, absent),
        resources=Limit(cache.resources, absent),
    )


def store_readings(store: Store, relations: Iterable[str]) -> list[Reading]:
    """The store's metrics, read when they are scraped."""
    known = sorted(relations)

    def watched() -> list[Sample]:
        unwatched = store.feed_health().unwatched
        return flag_samples({name: name not in unwatched for name in known})

    def one(read: Callable[[], float]) -> Callable[[], list[Sample]]:
        return lambda: [Sample((), float(read()))]

    return [
        *_cache_readings(store.cache_stats),
        Reading(
            "authz_feed_live",
            "Whether facts may be answered from memory: 1 or 0.",
            (),
            one(lambda: store.feed_health().is_live),
        ),
        Reading(
            "authz_feed_connected",
            "Whether the feed has its connection: 1 or 0.",
            (),
            one(lambda: store.feed_health().is_connected),
        ),
        Reading(
            "authz_feed_staleness_seconds",
            "Seconds for which a change could have been missed.",
            (),
            one(lambda: store.feed_health().staleness),
        ),
        Reading(
            "authz_feed_connections",
            "Connections that the feed has had.",
            (),
            one(lambda: store.feed_health().connections),
            is_total=True,
        ),
        Reading(
            "authz_feed_changes",
            "Changes that the feed has heard.",
            (),
            one(lambda: store.feed_health().changes),
            is_total=True,
        ),
        Reading(
            "authz_feed_malformed",
            "Notifications that could not be read, each of which dropped everything.",
            (),
            one(lambda: store.feed_health().malformed),
            is_total=True,
        ),
        Reading(
            "authz_relation_watched",
            "Whether the relation has its change triggers: 1 or 0.",
            ("relation",),
            watched,
        ),
        Reading(
            "authz_pool_connections",
            "Connections to the database by state.",
            ("state",),
            lambda: _pool_samples(store),
        ),
        Reading(
            "authz_pool_refused",
            "Questions refused because too many waited for a connection.",
            (),
            one(lambda: store.pool_stats().refused),
            is_total=True,
        ),
    ]


def _pool_samples(store: Store) -> list[Sample]:
    stats = store.pool_stats()
    return [
        Sample(("open",), stats.open),
        Sample(("idle",), stats.idle),
        Sample(("asked_for",), stats.asking),
    ]


_Stats = Mapping[type[FactKey[object]], ShelfStats]


def _cache_readings(stats: Callable[[], _Stats]) -> list[Reading]:
    def by_fact(read: Callable[[ShelfStats], int]) -> Callable[[], list[Sample]]:
        return lambda: [
            Sample((FACT_NAMES[key_type],), float(read(each)))
            for key_type, each in stats().items()
        ]

    totals: tuple[tuple[str, str, Callable[[ShelfStats], int]], ...] = (
        ("hits", "Facts answered from memory.", lambda each: each.hits),
        ("misses", "Facts that were not in memory.", lambda each: each.misses),
        ("joined", "Misses that joined a load under way.", lambda each: each.joined),
        ("loads", "Loads from the database.", lambda each: each.loads),
        ("load_errors", "Loads that failed.", lambda each: each.load_errors),
        ("evictions", "Facts pushed out by others.", lambda each: each.evictions),
    )
    gauges: tuple[tuple[str, str, Callable[[ShelfStats], int]], ...] = (
        ("entries", "Facts in memory.", lambda each: each.entries),
        ("weight", "Weight of the facts in memory.", lambda each: each.weight),
    )
    return [
        Reading(f"authz_cache_{name}", text, ("fact",), by_fact(read), is_total)
        for rows, is_total in ((totals, True), (gauges, False))
        for name, text, read in rows
    ]
