"""Settings to the edge."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time

from typing_extensions import override

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
from sidecar.observe.metrics import Reading, Sample
from sidecar.ports import Clock
from sidecar.service.asking import NamedSubject
from sidecar.service.authorization import Authorization
from sidecar.settings import IdentitySettings, Settings
from sidecar.transport.ext_authz import EdgeBacking, VerdictCounter
from sidecar.wiring import policy_of


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


def routes_readings(routes: Routes, clock: Clock) -> list[Reading]:
    """The metrics of the file of routes."""

    def shadows() -> list[Sample]:
        return [
            Sample((each.name,), _midnight(each.shadow_until) - clock.wall())
            for each in routes.current().by_name.values()
            if each.shadow_until is not None
        ]

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
        Reading(
            "authz_routes_shadow_seconds",
            "Seconds for which a rule set still lets pass what it would deny.",
            ("rule_set",),
            shadows,
        ),
    ]


def _midnight(day: date) -> float:
    return datetime.combine(day, time(), UTC).timestamp()
