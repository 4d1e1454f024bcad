"""What the routes of now make of a request that a log has.

The edge's own code finds the route and its requirements. It is stopped where it would
ask whether these hold: that is for a running server to say.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

from typing_extensions import override

from sidecar import wiring, wiring_edge
from sidecar.core.authorize import Requirement
from sidecar.core.decision import BAD_CREDENTIAL, Decision
from sidecar.core.ids import PrincipalId, UserId
from sidecar.edge.admission import RULE_SET_EXTENSION
from sidecar.edge.callers import Peers
from sidecar.edge.reloading import Routes
from sidecar.edge.request import ORGANIZATION, EdgeRequest, Headers
from sidecar.edge.routes import Access, Permits, Route, RowMustBe, RuleSet, Wanted
from sidecar.edge.values import Namespace, Reference, Value
from sidecar.edge.verdict import VALUE_NOT_USABLE, decision_of
from sidecar.service.asking import Asked, Authorized, NamedUser
from sidecar.settings import Settings
from sidecar.store.clock import SystemClock
from sidecar.tools.decision_records import Fields
from sidecar.transport.wanted import wanted

if TYPE_CHECKING:
    from sidecar.service.authorization import Authorization


class RequestUnknownError(Exception):
    """What the routes look at is not in the log; says what it is."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request as the log has it; `user_id` is none when nobody is named."""

    method: str
    path: str
    rule_set: str
    user_id: str | None = None
    pinned_principal_id: str | None = None
    organization_id: str = ""


@dataclass(frozen=True, slots=True)
class Ruled:
    """What the routes say: `decision`, or when there is none, `requirements`.

    These are as `Authorize` takes them. `is_open`: whether it is the same for all
    callers.

    `only_watches`: whether a denial would let the request pass all the same.
    """

    route: str
    requirements: Sequence[Fields]
    decision: Decision | None
    only_watches: bool
    is_open: bool


async def rule(settings: Settings, routes: Path, request: Request) -> Ruled:
    """What the routes in a file make of a request.

    Raises:
        RoutesError: the file cannot be read, or cannot hold.
        RequestUnknownError: they look at what is not known of the request.
    """
    read = Routes.read(routes, wiring.policy_of(settings).kinds)
    clock = SystemClock()
    service = cast("Authorization", _Stopping())
    backing = wiring_edge.edge_of(settings, service, read, clock, _Nobody())
    if backing is None:
        raise AssertionError("there are routes")
    admission = replace(backing.admission, peers=_Named(request))
    rules = read.current().choose(request.rule_set or None)
    target = request.path.encode("latin-1", "replace")
    route = None if rules is None else _route(rules, request.method, target)
    if route is not None:
        _refuse_unknown(route)
    asked = EdgeRequest(
        request.method,
        target,
        Headers(_headers(request)),
        {RULE_SET_EXTENSION: request.rule_set} if request.rule_set else {},
    )
    ruled = Ruled(
        route="" if route is None else route.name,
        requirements=(),
        decision=None,
        only_watches=rules is not None and _watches(rules, clock.wall()),
        is_open=route is None or route.access is Access.PUBLIC,
    )
    try:
        verdict = await admission.judge(asked, clock.monotonic() + 1)
    except _StoppedError as stopped:
        if route is not None and route.wanted and not stopped.requirements:
            # So the edge says that it could not take a value from the request.
            return replace(ruled, decision=VALUE_NOT_USABLE)
        # Whose a new row would be is for the server to say.
        requirements = wanted(stopped.requirements, BAD_CREDENTIAL)
        return replace(ruled, requirements=cast("list[Fields]", requirements))
    return replace(ruled, decision=decision_of(verdict))


def _route(rules: RuleSet, method: str, target: bytes) -> Route | None:
    match = rules.table.aim(method, target).match
    return None if match is None else match.route


def _refuse_unknown(route: Route) -> None:
    names = sorted(
        {
            value.name
            for each in route.wanted
            for value in _values(each)
            if isinstance(value, Reference) and value.namespace is Namespace.EXTENSIONS
        }
    )
    if names:
        listed = ", ".join(f"`{{ext.{name}}}`" for name in names)
        raise RequestUnknownError(
            f"route `{route.name}` takes {listed} from Envoy's configuration, which is "
            "not in the log"
        )


def _values(wanted: Wanted) -> Sequence[Value | None]:
    match wanted:
        case RowMustBe():
            return [wanted.id]
        case Permits():
            return [*(wanted.item or ()), wanted.feature_instance_id]
        case _:
            return []


def _headers(request: Request) -> list[tuple[bytes, bytes]]:
    if not request.organization_id:
        return []
    return [(ORGANIZATION, request.organization_id.encode())]


def _watches(rules: RuleSet, now: float) -> bool:
    until = rules.shadow_until
    return until is not None and datetime.fromtimestamp(now, UTC).date() < until


class _StoppedError(Exception):
    def __init__(self, requirements: Sequence[Requirement]) -> None:
        super().__init__()
        self.requirements = requirements


class _Stopping:
    async def authorize(
        self, asked: Asked, requirements: Sequence[Requirement]
    ) -> Authorized:
        del asked
        raise _StoppedError(requirements)


@dataclass(frozen=True, slots=True)
class _Named(Peers):
    request: Request

    @override
    def subject(self, request: EdgeRequest) -> NamedUser | None:
        known = self.request
        if known.user_id is None:
            return None
        pinned = known.pinned_principal_id
        return NamedUser(
            UserId(known.user_id), None if pinned is None else PrincipalId(pinned)
        )


class _Nobody:
    def judged(self, rule_set: str, outcome: str, reason: str) -> None:
        """Counts nothing."""
