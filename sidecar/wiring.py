"""Settings to the values that each part is handed."""

from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import version

from typing_extensions import override

from sidecar.core.model import ResourceKind, Visibility
from sidecar.core.permissions import RolePrecedence
from sidecar.edge.admission import Admission
from sidecar.edge.callers import BadCredentialError, EdgeLimits, Peers
from sidecar.edge.reloading import Routes
from sidecar.edge.request import EdgeRequest
from sidecar.identity.peers import (
    PeerOrNot,
    Unusable,
    read_jwt_payload,
    read_spiffe_id,
)
from sidecar.observe.metrics import Reading, Sample, flag_samples
from sidecar.ports import (
    ApiKeyKey,
    Clock,
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
from sidecar.service.asking import NamedSubject, Policy
from sidecar.service.authorization import Authorization
from sidecar.settings import (
    Cache,
    IdentitySettings,
    ListenerSettings,
    Settings,
)
from sidecar.store.database import PoolSettings
from sidecar.store.feed import FeedSettings
from sidecar.store.shelf import ShelfStats
from sidecar.store.source import Store, StoreSettings
from sidecar.store.weights import CacheSizes, Limit
from sidecar.transport.ext_authz import EdgeBacking, VerdictCounter
from sidecar.transport.listener import Engine, Listener, Serves, parse_address
from sidecar.transport.parse import Callers, Limits, ListenerPolicy

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
    url = database.url.get_secret_value()
    feed_url = database.feed_url
    return StoreSettings(
        pool=PoolSettings(
            url,
            smallest=database.pool_min,
            largest=database.pool_max,
            waiting=database.pool_waiting,
            connect_timeout=database.connect_seconds,
            statement_cache=100 if database.prepared_statements else 0,
        ),
        feed=FeedSettings(
            url=url if feed_url is None else feed_url.get_secret_value(),
            beat_url=url,
            beat_interval=freshness.beat_interval,
            max_staleness=freshness.max_staleness,
            recheck_interval=freshness.trigger_check_interval,
            connect_timeout=database.connect_seconds,
        ),
        cache=_cache_sizes(settings.cache),
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


def routes_of(settings: Settings) -> Routes | None:
    """The routes at the edge, none when there is no edge; raises RoutesError."""
    path = settings.edge.routes_file
    return None if path is None else Routes.read(path, policy_of(settings).kinds)


def edge_of(
    settings: Settings,
    service: Authorization,
    routes: Routes | None,
    clock: Clock,
    counter: VerdictCounter,
) -> EdgeBacking | None:
    """The edge, none when there are no routes."""
    if routes is None:
        return None
    limits = settings.limits
    admission = Admission(
        service,
        routes.current,
        _Peers(settings.identity),
        clock,
        EdgeLimits(
            id_bytes=limits.id_bytes,
            item_bytes=limits.item_bytes,
            item_segments=limits.item_segments,
            credential_bytes=limits.credential_bytes,
        ),
    )
    return EdgeBacking(admission, clock, counter, settings.edge.budget)


class _Peers(Peers):
    """Whom Envoy has verified: a token's payload, or else a certificate."""

    def __init__(self, settings: IdentitySettings) -> None:
        self._trust_domains = frozenset(settings.spiffe_trust_domains)
        self._payload_key = settings.jwt_authn.payload_key
        self._issuers = frozenset(settings.jwt_authn.issuers)

    @override
    def subject(self, request: EdgeRequest) -> NamedSubject | None:
        peer = self._payload(request) or read_spiffe_id(
            request.peer, self._trust_domains
        )
        if isinstance(peer, Unusable):
            raise BadCredentialError
        return None if peer is None else NamedSubject(peer.issuer, peer.subject, None)

    def _payload(self, request: EdgeRequest) -> PeerOrNot:
        if self._payload_key is None:
            return None
        if request.jwt_payloads is None:
            return Unusable.PEER
        if self._payload_key not in request.jwt_payloads:
            return None
        payload = request.jwt_payloads[self._payload_key]
        if not isinstance(payload, Mapping):
            return Unusable.PEER
        return read_jwt_payload(payload, self._issuers)


def routes_readings(routes: Routes) -> list[Reading]:
    """The metrics of the file of routes."""
    return [
        Reading(
            "authz_routes_good",
            "Whether the file of routes holds as it is now: 1 or 0.",
            (),
            lambda: [Sample((), float(routes.problem is None))],
        ),
        Reading(
            "authz_routes_reloads",
            "Changed files of routes that were taken over.",
            (),
            lambda: [Sample((), routes.reloads)],
            is_total=True,
        ),
        Reading(
            "authz_routes_failures",
            "Changed files of routes that were refused.",
            (),
            lambda: [Sample((), routes.failures)],
            is_total=True,
        ),
    ]


def listener_of(listener: ListenerSettings, settings: Settings) -> Listener:
    """A listener; raises ListenerError for an address that cannot be."""
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
