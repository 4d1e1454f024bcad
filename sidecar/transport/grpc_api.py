"""The API's servicer: a handler converts, calls, converts.

One class has a handler for each of twelve calls, which is what makes it long.
"""

import itertools
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from authz.v1 import authorization_service_pb2 as api
from authz.v1 import authorization_service_pb2_grpc, caller_pb2, decision_pb2
from typing_extensions import override

from sidecar.core.authorize import NamedResource
from sidecar.core.decision import Decision, Denied
from sidecar.core.model import ResourceKind, RuleContext
from sidecar.core.reasons import Reason
from sidecar.core.sql import ColumnMissingError
from sidecar.ports import Clock, Consistency, Freshness
from sidecar.service.asking import Asked, Caller, Decided, FilterQuestion
from sidecar.service.authorization import Authorization
from sidecar.transport import answers
from sidecar.transport.parse import (
    CallerParser,
    Callers,
    ListenerPolicy,
    explained,
    parse_consistency,
    parse_queries,
    parse_query,
    required,
)
from sidecar.transport.parse_resources import (
    ResourceParser,
    parse_gate,
    parse_sql,
)
from sidecar.transport.parse_rules import validate
from sidecar.transport.status import (
    DeniedError,
    RefusedError,
    malformed,
)
from sidecar.transport.watch import Watches

# A named tuple's own constructor takes twice the time.
_new = tuple.__new__
_DEFAULT_SECONDS = 1.0
_NO_DEADLINE_SECONDS = 86_400.0


if TYPE_CHECKING:
    from google.protobuf.message import Message
    from grpc import aio

Context: TypeAlias = "aio.ServicerContext[Message, Message]"


def always() -> bool:
    """Whatever is asked."""
    return True


class DecisionCounter(Protocol):
    """Told of every decision, for metrics."""

    def decided(self, rpc: str, decisions: Sequence[Decision]) -> None:
        """Counts decisions of a call."""
        ...

    def decided_often(
        self, rpc: str, decisions: Sequence[Decision], places: Sequence[int]
    ) -> None:
        """Counts each decision as often as `places` has its place."""
        self.decided(rpc, [decisions[place] for place in places])


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """What GetServerInfo tells of the server and of the listener."""

    version: str
    engine: str
    configuration_digest: str
    schema_version: int | None
    serves_reflection: bool


@dataclass(frozen=True, slots=True)
class Backing:
    """What all listeners' servicers share."""

    service: Authorization
    kinds: Mapping[str, ResourceKind]
    clock: Clock
    counter: DecisionCounter


class _Question(Protocol):
    """What every request that asks about a caller has."""

    @property
    def caller(self) -> caller_pb2.Caller: ...
    @property
    def consistency(self) -> caller_pb2.Consistency: ...
    def HasField(  # noqa: N802  protobuf's name
        self, field_name: Literal["consistency"], /
    ) -> bool: ...


class AuthorizationServicer(
    authorization_service_pb2_grpc.AuthorizationServiceServicer
):
    """Serves the API on one listener, by that listener's policy."""

    def __init__(
        self,
        backing: Backing,
        policy: ListenerPolicy,
        info: ServerInfo,
        watches: Watches | None = None,
        *,
        is_seen: Callable[[], object] | None = always,
    ) -> None:
        """`watches` is none where the listener serves no `Watch`.

        `is_seen`: whether somebody looks at the answer to the call that is under way
        before it is encoded; none for nobody, ever. Where nobody does, checks are
        answered in their encoding, and no message is made.
        """
        self._is_seen = is_seen
        self._service = backing.service
        self._clock = backing.clock
        self._counter = backing.counter
        self._policy = policy
        self._info = info
        self._watches = watches
        self._callers = CallerParser(policy)
        self._parser = ResourceParser(backing.kinds, policy.limits)
        self._prefix = secrets.token_hex(6)
        self._numbers = itertools.count(1)

    @override
    async def ResolveContext(
        self, request: api.ResolveContextRequest, context: Context
    ) -> api.ResolveContextResponse:
        found = await self._service.resolve_context(self._asked(request, context))
        if isinstance(found, Denied):
            raise DeniedError(found)
        return api.ResolveContextResponse(
            context=answers.tenant_context(found.context), revision=found.revision
        )

    @override
    async def ListContexts(
        self, request: api.ListContextsRequest, context: Context
    ) -> api.ListContextsResponse:
        found = await self._service.list_contexts(self._asked(request, context))
        if isinstance(found, Denied):
            raise DeniedError(found)
        contexts = [answers.available_context(each) for each in found.contexts]
        return api.ListContextsResponse(contexts=contexts, revision=found.revision)

    @override
    async def CheckVisible(
        self, request: api.CheckVisibleRequest, context: Context
    ) -> api.CheckVisibleResponse:
        if request.explain:
            question, named = self._explained(request, context)
            decided = await self._service.check_visible(question, named)
            return self._checked(api.CheckVisibleResponse, "CheckVisible", decided)
        freshness, caller = _freshness(request), self._callers.parse(request.caller)
        resources, places = self._parser.alike(request.resources)
        at_once = self._service.visible_at_once(caller, freshness, resources)
        if at_once is None:
            question = self._question(caller, freshness, context)
            at_once = await self._service.check_visible(question, resources)
        return self._checked(api.CheckVisibleResponse, "CheckVisible", at_once, places)

    @override
    async def CheckWritable(
        self, request: api.CheckWritableRequest, context: Context
    ) -> api.CheckWritableResponse:
        skips = request.skip_visible
        if request.explain:
            question, named = self._explained(request, context)
            decided = await self._service.check_writable(
                question, named, skip_visible=skips
            )
            return self._checked(api.CheckWritableResponse, "CheckWritable", decided)
        freshness, caller = _freshness(request), self._callers.parse(request.caller)
        resources, places = self._parser.alike(request.resources)
        at_once = self._service.writable_at_once(
            caller, freshness, resources, skip_visible=skips
        )
        if at_once is None:
            question = self._question(caller, freshness, context)
            at_once = await self._service.check_writable(
                question, resources, skip_visible=skips
            )
        return self._checked(
            api.CheckWritableResponse, "CheckWritable", at_once, places
        )

    @override
    async def CheckCreatable(
        self, request: api.CheckCreatableRequest, context: Context
    ) -> api.CheckCreatableResponse:
        question = self._asked(request, context)
        resources = self._parser.new_resources(request.resources)
        if request.explain:
            question = explained(question, resources, self._policy)
        decided = await self._service.check_creatable(question, resources)
        return self._checked(api.CheckCreatableResponse, "CheckCreatable", decided)

    @override
    async def CheckRole(
        self, request: api.CheckRoleRequest, context: Context
    ) -> api.CheckRoleResponse:
        question = self._asked(request, context)
        gate = parse_gate(request.gate, "gate")
        if request.explain:
            question = explained(question, (gate,), self._policy)
        decided = await self._service.check_role(question, gate)
        return api.CheckRoleResponse(
            decision=self._decisions("CheckRole", decided)[0],
            decision_id=self._decision_id(),
            revision=decided.revision,
        )

    @override
    async def GetPermissions(
        self, request: api.GetPermissionsRequest, context: Context
    ) -> api.GetPermissionsResponse:
        question = self._asked(request, context)
        limits = self._policy.limits
        queries = parse_queries(request.queries, question.caller, limits)
        if request.explain:
            question = explained(question, queries, self._policy)
        permitted = await self._service.get_permissions(question, queries)
        if isinstance(permitted, Denied):
            raise DeniedError(permitted)
        return answers.permitted(permitted, self._decision_id())

    @override
    async def Authorize(
        self, request: api.AuthorizeRequest, context: Context
    ) -> api.AuthorizeResponse:
        question = self._asked(request, context)
        wanted = self._parser.requirements(request.requirements, question.caller)
        if request.explain:
            question = explained(question, wanted, self._policy)
        authorized = await self._service.authorize(question, wanted)
        self._counter.decided("Authorize", [authorized.decision])
        found = authorized.context
        return api.AuthorizeResponse(
            decision=answers.decision(authorized.decision),
            decisions=answers.decisions(authorized.each),
            context=None
            if isinstance(found, Denied)
            else answers.tenant_context(found),
            decision_id=self._decision_id(),
            revision=authorized.each.revision,
        )

    @override
    async def GetListFilter(
        self, request: api.GetListFilterRequest, context: Context
    ) -> api.GetListFilterResponse:
        question = self._asked(request, context)
        wanted = self._filter_question(request, question)
        try:
            filtered = await self._service.get_list_filter(question, wanted)
        except ColumnMissingError as missing:
            problem = f"must have a column for `{missing.field.value}`"
            raise malformed("sql.columns", problem) from missing
        if isinstance(filtered, Denied):
            raise DeniedError(filtered)
        sql = None if filtered.sql is None else answers.sql_filter(filtered.sql)
        chosen = answers.list_filter(filtered.chosen)
        return api.GetListFilterResponse(
            filter=chosen, sql=sql, revision=filtered.revision
        )

    @override
    async def ValidateAccessRules(
        self, request: api.ValidateAccessRulesRequest, context: Context
    ) -> api.ValidateAccessRulesResponse:
        del context
        return validate(request.rules, self._policy.limits)

    @override
    async def GetServerInfo(
        self, request: api.GetServerInfoRequest, context: Context
    ) -> api.GetServerInfoResponse:
        del request, context
        response = api.GetServerInfoResponse(
            version=self._info.version,
            engine=self._info.engine,
            configuration_digest=self._info.configuration_digest,
            schema_version=self._info.schema_version,
            features=self._features(),
        )
        if self._watches is not None:
            self._watches.describe(response, self._prefix)
        return response

    @override
    async def Watch(  # type: ignore[override]  # it writes by itself
        self, request: api.WatchRequest, context: Context
    ) -> None:
        if self._watches is None:
            raise RefusedError(
                Reason.NOT_SERVED_HERE, "this listener does not serve `Watch`"
            )
        await self._watches.serve(request, context, self._prefix)

    def _explained(
        self,
        request: api.CheckVisibleRequest | api.CheckWritableRequest,
        context: Context,
    ) -> tuple[Asked, list[NamedResource]]:
        # An explanation names its row, so each is judged on its own.
        question = self._asked(request, context)
        resources = self._parser.resources(request.resources)
        return explained(question, resources, self._policy), resources

    def _asked(self, request: _Question, context: Context) -> Asked:
        freshness, caller = _freshness(request), self._callers.parse(request.caller)
        return self._question(caller, freshness, context)

    def _question(
        self, caller: Caller, freshness: Freshness, context: Context
    ) -> Asked:
        deadline = self._clock.monotonic() + _remaining(context)
        return _new(Asked, (caller, freshness, deadline, False))

    def _checked(
        self,
        kind: type[answers.Checked],
        rpc: str,
        decided: Decided,
        places: Sequence[int] | None = None,
    ) -> answers.Checked:
        if places is None:
            self._counter.decided(rpc, decided.decisions)
        else:
            self._counter.decided_often(rpc, decided.decisions, places)
        decision_id = self._decision_id()
        is_seen = self._is_seen is not None and self._is_seen()
        if is_seen or decided.explanations is not None:
            return answers.checked(kind, decided, decision_id, places)
        # Guards take what is encoded as it is.
        return answers.encoded(decided, decision_id, places)  # type: ignore[return-value]

    def _filter_question(
        self, request: api.GetListFilterRequest, question: Asked
    ) -> FilterQuestion:
        limits = self._policy.limits
        kind = required(request.kind, "kind", limits.id_bytes)
        sql = parse_sql(request.sql) if request.HasField("sql") else None
        if not request.HasField("permission"):
            return FilterQuestion(kind, None, sql)
        query = parse_query(request.permission, "permission", question.caller, limits)
        if query.context is not RuleContext.DATA:
            raise malformed("permission.context", "must be DATA")
        return FilterQuestion(kind, query, sql)

    def _decisions(self, rpc: str, decided: Decided) -> list[decision_pb2.Decision]:
        self._counter.decided(rpc, decided.decisions)
        return answers.decisions(decided)

    def _decision_id(self) -> str:
        return f"{self._prefix}-{next(self._numbers):x}"

    def _features(self) -> list[api.OptionalFeature.ValueType]:
        believes_all = self._policy.callers is Callers.ANY
        served = (
            (self._policy.explain, api.OPTIONAL_FEATURE_EXPLAIN),
            (self._watches is not None, api.OPTIONAL_FEATURE_WATCH),
            (believes_all, api.OPTIONAL_FEATURE_NAMED_CALLERS),
            (True, api.OPTIONAL_FEATURE_API_KEYS),
            (True, api.OPTIONAL_FEATURE_ACCESS_TOKENS),
            (self._info.serves_reflection, api.OPTIONAL_FEATURE_REFLECTION),
        )
        return [feature for is_served, feature in served if is_served]


def _freshness(request: _Question) -> Freshness:
    if request.HasField("consistency"):
        return parse_consistency(request.consistency)
    return Consistency.MINIMIZE_LATENCY


def _remaining(context: Context) -> float:
    # A call without a deadline has none or an endless one, by engine.
    remaining = context.time_remaining()
    if remaining is None or remaining > _NO_DEADLINE_SECONDS:
        return _DEFAULT_SECONDS
    return remaining
