"""From how the parts do to the health that is told: components, and readiness."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf
from typing import Final

from sidecar.edge.reloading import Routes
from sidecar.observe.metrics import Reading, Sample
from sidecar.ports import Clock
from sidecar.store.feed import FeedHealth
from sidecar.transport.ext_authz import SERVICE as EDGE_SERVICE
from sidecar.transport.health import LIVE
from sidecar.transport.server import API_SERVICE, About

_PATIENCE_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Parts:
    """How the parts do, each asked when health is told.

    `certificates`: none without TLS.
    """

    feed: Callable[[], FeedHealth]
    keys: Callable[[], bool]
    certificates: Callable[[], bool | None]
    routes: Routes | None


class Vitals:
    """Knows how the components are, and whether questions can be answered.

    They can while memory answers or the database does, and for `max_staleness`
    after that: clients are not turned away for what is over in a moment.
    """

    def __init__(self, parts: Parts, clock: Clock, max_staleness: float) -> None:
        self._parts = parts
        self._clock = clock
        self._max_staleness = max_staleness
        self._able_at = -inf
        self._asked_at = -inf
        self._is_reachable = False

    def wants_database(self) -> bool:
        """Whether it is time to ask the database: rarely while the feed lives."""
        # A feed that has been silent for this long makes one ask.
        is_silent = self._parts.feed().staleness > self._max_staleness / 2
        if not self._is_reachable or is_silent:
            return True
        return self._clock.monotonic() - self._asked_at >= _PATIENCE_SECONDS

    def database(self, *, is_reachable: bool) -> None:
        """Takes in whether the database that facts are read from answered."""
        self._is_reachable = is_reachable
        self._asked_at = self._clock.monotonic()
        if is_reachable:
            self._able_at = self._asked_at

    def components(self) -> Mapping[str, bool]:
        """Every service and component by name, and whether it serves."""
        parts, feed = self._parts, self._parts.feed()
        is_ready = self._is_ready(feed)
        components = {
            LIVE: True,
            "": is_ready,
            API_SERVICE: is_ready,
            "database": self._is_reachable,
            "feed": feed.is_connected and feed.is_live,
            "cache": feed.is_live,
            "triggers": not feed.unwatched,
            "keys": parts.keys(),
            "draining": True,
        }
        certificates = parts.certificates()
        if certificates is not None:
            components["certificates"] = certificates
        if parts.routes is not None:
            components[EDGE_SERVICE] = is_ready
            components["routes"] = parts.routes.problem is None
        return components

    def _is_ready(self, feed: FeedHealth) -> bool:
        now = self._clock.monotonic()
        if feed.connections and feed.is_live:
            # What is known to be fresh answers, until it is not.
            self._able_at = max(self._able_at, now - feed.staleness)
        return now - self._able_at <= self._max_staleness


# These say the same as readiness, or what no scrape can find to be wrong.
_NOT_MEASURED: Final = frozenset({LIVE, API_SERVICE, EDGE_SERVICE, "draining"})
# Prometheus takes an empty label for none.
_READY: Final = "ready"


def health_readings(
    about: About, components: Callable[[], Mapping[str, bool]]
) -> list[Reading]:
    """What runs here, and its health, read when they are scraped."""
    schema = "" if about.schema_version is None else str(about.schema_version)

    def health() -> list[Sample]:
        return [
            Sample((name or _READY,), float(serves))
            for name, serves in components().items()
            if name not in _NOT_MEASURED
        ]

    return [
        Reading(
            "authz_info",
            "Always 1; the labels say which version runs, on which migration as it "
            "was at the start, and the digest of its settings.",
            ("version", "schema", "settings"),
            lambda: [Sample((about.version, schema, about.configuration_digest), 1.0)],
        ),
        Reading(
            "authz_health",
            "Whether a component serves: 1 or 0; `ready` is whether questions can be "
            "answered.",
            ("component",),
            health,
        ),
    ]
