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
    ListenerSettings,
    Settings,
    TlsSettings,
)
from sidecar.store.clock import SystemClock
from sidecar.store.feed import FeedSettings
from sidecar.store.shelf import ShelfStats
from sidecar.store.source import Store, StoreSettings
from sidecar.store.weights import CacheSizes, Limit
from sidecar.transport.certificates import CertificateError, TlsFiles
from sidecar.transport.listener import (
    Bounds,
    Engine,
    Listener,
    ListenerError,
    Serves,
    parse_address,
)
from sidecar.transport.parse import Callers, Limits, ListenerPolicy
from sidecar.transport.peers import PeerNameError, parse_name
from sidecar.transport.tls import Tls, TlsState
from sidecar.wiring_database import pool_of, replica_of

VERSION = version("authz-sidecar")

_FACT_NAMES: dict[type[FactKey[object]], str] = {
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


def listener_of(listener: ListenerSettings, settings: Settings) -> Listener:
    """A listener; raises ListenerError for one that cannot be."""
    limits = settings.limits
    return Listener(
        parse_address(listener.address, int(listener.mode, 8)),
        frozenset(Serves(each) for each in listener.services),
        Engine(listener.engine),
        ListenerPolicy(
            Callers(listener.callers),
            listener.explain,
            Limits(
                id_bytes=limits.id_bytes,
                item_bytes=limits.item_bytes,
                item_segments=limits.item_segments,
                credential_bytes=limits.credential_bytes,
                message_bytes=limits.message_bytes,
            ),
        ),
        None if listener.tls is None else _tls_of(listener.tls, listener.address),
        Bounds(limits.connections, limits.streams),
    )


def _tls_of(tls: TlsSettings, address: str) -> Tls:
    try:
        return Tls(
            TlsFiles(tls.certificate, tls.key, tls.client_ca),
            frozenset(map(parse_name, tls.allowed_names)),
            reload_seconds=tls.reload_seconds,
            warn_days=tls.warn_days,
            connection_seconds=tls.connection_seconds,
        )
    except (CertificateError, PeerNameError) as error:
        raise ListenerError(f"listener `{address}`: {error}") from error


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


def tls_readings(states: Callable[[], Mapping[str, TlsState]]) -> list[Reading]:
    """The metrics of listeners with TLS, read when they are scraped."""

    def expiry() -> list[Sample]:
        now = SystemClock().wall()
        return [
            Sample((listener, file), end - now)
            for listener, each in states().items()
            for file, end in each.certificates.ends.items()
        ]

    def total(read: Callable[[TlsState], int]) -> Callable[[], list[Sample]]:
        return lambda: [
            Sample((listener,), float(read(each)))
            for listener, each in states().items()
        ]

    by_listener: tuple[tuple[str, str, Callable[[TlsState], int]], ...] = (
        (
            "authz_certificate_reloads",
            "New certificates that were taken over from their files.",
            lambda each: each.certificates.reloads,
        ),
        (
            "authz_certificate_reload_failures",
            "Readings of certificates that cannot be served with.",
            lambda each: each.certificates.failures,
        ),
        (
            "authz_peers_refused",
            "Calls of peers whose certificate has no allowed name.",
            lambda each: each.refused,
        ),
    )
    return [
        Reading(
            "authz_certificate_expires_seconds",
            "Seconds until a certificate in use expires.",
            ("listener", "file"),
            expiry,
        ),
        *(
            Reading(name, text, ("listener",), total(read), is_total=True)
            for name, text, read in by_listener
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
            Sample((_FACT_NAMES[key_type],), float(read(each)))
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
