"""Admits requests or refuses them: routes to requirements, and the service judges."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Final

from sidecar.core.authorize import (
    MayCreateOwn,
    MustBeVisible,
    MustBeWritable,
    MustPass,
    MustPermit,
    NamedResource,
    Requirement,
)
from sidecar.core.decision import BAD_CREDENTIAL, Denied
from sidecar.core.ids import FeatureInstanceId, ResourceId
from sidecar.core.permissions import PermissionQuery
from sidecar.core.reasons import Denial
from sidecar.core.rules import is_item
from sidecar.edge.callers import (
    BadCredentialError,
    EdgeLimits,
    Peers,
    TwoCredentialsError,
    read_caller,
)
from sidecar.edge.request import (
    ORIGIN,
    REQUESTED_METHOD,
    EdgeRequest,
    RepeatedHeaderError,
    SecurityHeaders,
)
from sidecar.edge.routes import (
    Access,
    Cors,
    HasRole,
    Match,
    MayCreate,
    Permits,
    RowMustBe,
    RuleSet,
    RuleSets,
    Wanted,
)
from sidecar.edge.sending import is_sendable
from sidecar.edge.values import Value, Values
from sidecar.edge.verdict import (
    CREDENTIAL_MISSING,
    IDENTITY_NOT_SENDABLE,
    NO_ROUTE,
    PATH_NOT_CANONICAL,
    REPEATED_HEADER,
    TWO_CREDENTIALS,
    UNKNOWN_RULE_SET,
    VALUE_NOT_USABLE,
    Admitted,
    Refused,
    Shadowed,
    Verdict,
    Where,
)
from sidecar.ports import Clock, Consistency
from sidecar.service.asking import Asked, Authorized, Caller
from sidecar.service.authorization import Authorization

RULE_SET_EXTENSION: Final = "rule_set"


class _UnusableValueError(Exception):
    """A requirement names a value that the request lacks or that cannot be one."""


@dataclass(frozen=True, slots=True)
class Admission:
    """The edge's one question: may this request pass?

    `rule_sets` gives those that hold now.
    """

    service: Authorization
    rule_sets: Callable[[], RuleSets]
    peers: Peers
    clock: Clock
    limits: EdgeLimits

    async def judge(self, request: EdgeRequest, deadline: float) -> Verdict:
        """Whether a request may pass; `deadline` is a time of `Clock.monotonic`.

        Raises CouldNotDecideError, never for what the request says.
        """
        rules = self.rule_sets().choose(request.extensions.get(RULE_SET_EXTENSION))
        if rules is None:
            return _refuse(request, Where(), None, UNKNOWN_RULE_SET)
        verdict = await self._judge(request, rules, deadline)
        if isinstance(verdict, Refused) and self._only_watches(rules):
            return Shadowed(verdict.where, verdict)
        return verdict

    def _only_watches(self, rules: RuleSet) -> bool:
        until = rules.shadow_until
        return until is not None and _today(self.clock) < until

    async def _judge(  # noqa: PLR0911  each step may end it
        self, request: EdgeRequest, rules: RuleSet, deadline: float
    ) -> Verdict:
        where = rules.where
        aim = rules.table.aim(request.method, request.target)
        if aim.segments is None:
            return _refuse(request, where, rules.cors, PATH_NOT_CANONICAL)
        try:
            security = request.headers.security()
        except RepeatedHeaderError:
            return _refuse(request, where, rules.cors, REPEATED_HEADER)
        if rules.cors.preflights and _is_preflight(request, rules, aim.segments):
            return Admitted(where, None)
        match = aim.match
        if match is None:
            return _refuse(request, where, rules.cors, NO_ROUTE)
        where = match.route.where
        found = await self._judge_route(request, security, match, deadline)
        if found is None:
            return Admitted(where, None)
        if isinstance(found, Denied):
            return _refuse(request, where, rules.cors, found)
        return _conclude(request, where, rules.cors, found)

    async def _judge_route(
        self,
        request: EdgeRequest,
        security: SecurityHeaders,
        match: Match,
        deadline: float,
    ) -> Authorized | Denied | None:
        """The service's answer, a denial without asking it, or none for nobody."""
        route = match.route
        if route.access is Access.PUBLIC:
            return None
        caller = self._caller(request, security)
        if caller is None:
            optional = route.access is Access.OPTIONAL
            return None if optional else CREDENTIAL_MISSING
        if isinstance(caller, Denied):
            return caller
        values = Values(match.parameters, request.extensions)
        try:
            wanted = [self._requirement(each, values) for each in route.wanted]
        except _UnusableValueError:
            # Told to callers who are somebody: others learn nothing but that.
            wanted = None
        asked = Asked(caller, Consistency.MINIMIZE_LATENCY, deadline)
        found = await self.service.authorize(asked, wanted or ())
        if wanted is None:
            return replace(found, decision=VALUE_NOT_USABLE)
        return found

    def _caller(
        self, request: EdgeRequest, security: SecurityHeaders
    ) -> Caller | Denied | None:
        try:
            return read_caller(request, security, self.peers, self.limits)
        except TwoCredentialsError:
            return TWO_CREDENTIALS
        except BadCredentialError:
            return BAD_CREDENTIAL

    def _requirement(self, wanted: Wanted, values: Values) -> Requirement:
        match wanted:
            case RowMustBe(kind, id_, writable):
                return _row(kind, self._id(id_, values), writable=writable)
            case MayCreate(kind):
                return MayCreateOwn(kind)
            case HasRole(gate):
                return MustPass(gate)
            case Permits():
                return MustPermit(
                    self._query(wanted, values), wanted.operation, wanted.least
                )

    def _query(self, wanted: Permits, values: Values) -> PermissionQuery:
        item: str | None = None
        if wanted.item is not None:
            item = values.item(wanted.item)
            if item is None or not self._is_item(item):
                raise _UnusableValueError
        instance: FeatureInstanceId | None = None
        if wanted.feature_instance_id is not None:
            instance = FeatureInstanceId(self._id(wanted.feature_instance_id, values))
        return PermissionQuery(wanted.context, item, instance)

    def _is_item(self, item: str) -> bool:
        limits = self.limits
        return (
            is_item(item)
            and len(item.encode()) <= limits.item_bytes
            and item.count(".") < limits.item_segments
        )

    def _id(self, value: Value, values: Values) -> str:
        text = values.of(value)
        if not text or len(text.encode()) > self.limits.id_bytes:
            raise _UnusableValueError
        return text


# The same rows are asked for again and again, and none of these can change.
@lru_cache(4096)
def _row(kind: str, id_: str, *, writable: bool) -> Requirement:
    row = NamedResource(kind, ResourceId(id_))
    if writable:
        return MustBeWritable(row, skip_visible=False)
    return MustBeVisible(row)


def _today(clock: Clock) -> date:
    return datetime.fromtimestamp(clock.wall(), UTC).date()


def _is_preflight(
    request: EdgeRequest, rules: RuleSet, segments: tuple[str, ...]
) -> bool:
    if request.method != "OPTIONS" or request.headers.first(ORIGIN) is None:
        return False
    wanted = request.headers.first(REQUESTED_METHOD)
    if wanted is None:
        return False
    return rules.table.find(wanted.decode("latin-1"), segments) is not None


def _conclude(
    request: EdgeRequest, where: Where, cors: Cors, found: Authorized
) -> Verdict:
    context, revision = found.context, found.each.revision
    # Without any requirement all hold, whoever asks: the context is judged first.
    if isinstance(context, Denied):
        return _refuse(request, where, cors, context, revision)
    if isinstance(found.decision, Denied):
        return _refuse(request, where, cors, found.decision, revision)
    if not is_sendable(context):
        return _refuse(request, where, cors, IDENTITY_NOT_SENDABLE, revision)
    return Admitted(where, context, found.each.least_level, revision)


def _refuse(
    request: EdgeRequest,
    where: Where,
    cors: Cors | None,
    denied: Denied,
    revision: str | None = None,
) -> Refused:
    headers = dict(_challenge(denied))
    if cors is not None:
        headers.update(_cors_headers(request, cors))
    return Refused(where, denied, headers, revision)


def _challenge(denied: Denied) -> Iterator[tuple[str, str]]:
    if denied.denial is not Denial.UNAUTHENTICATED:
        return
    # RFC 6750: who showed nothing is told no error.
    error = "" if denied is CREDENTIAL_MISSING else ', error="invalid_token"'
    yield "www-authenticate", f'Bearer realm="authz"{error}'


def _cors_headers(request: EdgeRequest, cors: Cors) -> Iterator[tuple[str, str]]:
    if not cors.origins:
        return
    # What is said depends on the origin, also where nothing is said.
    yield "vary", "Origin"
    origin = (request.headers.first(ORIGIN) or b"").decode("latin-1")
    if origin in cors.origins:
        yield "access-control-allow-origin", origin
        if cors.credentials:
            yield "access-control-allow-credentials", "true"
