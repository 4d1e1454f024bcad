"""Around every call that is recorded: its span, and what became of it."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, cast

import grpc
from google.protobuf.message import DecodeError
from typing_extensions import override

from sidecar.core.decision import Decision, Denied
from sidecar.observe.trace_context import Remote, read_remote
from sidecar.observe.tracing import Attribute, Span, Tracing, current_span
from sidecar.transport.envoy import external_auth_pb2 as envoy
from sidecar.transport.ext_authz import VerdictCounter
from sidecar.transport.grpc_api import DecisionCounter
from sidecar.transport.guards import CallObserver, Context, Handler, Raw
from sidecar.transport.status import TABLE

if TYPE_CHECKING:
    from google.protobuf.message import Message

_NUMBERS: Final = {code.name: cast("int", code.value[0]) for code in grpc.StatusCode}
# Of these it is the server that failed; of the others it is who called.
_FAILURES: Final = frozenset(
    {
        grpc.StatusCode.UNKNOWN.name,
        grpc.StatusCode.DEADLINE_EXCEEDED.name,
        grpc.StatusCode.UNIMPLEMENTED.name,
        grpc.StatusCode.INTERNAL.name,
        grpc.StatusCode.UNAVAILABLE.name,
        grpc.StatusCode.DATA_LOSS.name,
    }
)
_DENIALS: Final = frozenset(
    reason.name
    for reason, statuses in TABLE.items()
    if any(status.denial is not None for status in statuses)
)
# What an answer says of itself, in its fields or in what Envoy passes on.
_TOLD: Final = ("decision_id", "revision", "rule_set", "route")
_EDGE: Final = envoy.DESCRIPTOR.services_by_name["Authorization"].full_name
_TRACEPARENT: Final = b"traceparent"


class TracedCalls:
    """Puts a span around calls that are recorded.

    `follows_http`: at the edge, whether the trace that the HTTP request names is
    followed where Envoy names none.
    """

    def __init__(self, tracing: Tracing, *, follows_http: bool) -> None:
        self._tracing = tracing
        self._follows_http = follows_http

    def around(
        self, method: str, handler: Handler, guard: Callable[[Handler], Raw]
    ) -> Raw:
        """The guarded handler, with spans."""
        rpc = method.removeprefix("/")
        service, _, name = rpc.rpartition("/")
        common: dict[str, Attribute] = {
            "rpc.system": "grpc", "rpc.service": service, "rpc.method": name
        }  # fmt: skip
        run, begin = guard(_telling(handler)), self._tracing.begin
        reads_http = self._follows_http and service == _EDGE

        async def traced(data: bytes, context: Context) -> bytes:
            began = time.time_ns()
            parent = _remote_of_call(context)
            if parent is None and reads_http:
                parent = _remote_of_http(data)
            span = begin(rpc, parent, began)
            if span is None:
                return await run(data, context)
            span.attributes.update(common)
            with span:
                return await run(data, context)

        return traced


class TracedCounts(CallObserver, DecisionCounter, VerdictCounter):
    """Stands between those who tell of calls and those who count them."""

    def __init__(
        self, calls: CallObserver, decisions: DecisionCounter, verdicts: VerdictCounter
    ) -> None:
        self._calls = calls
        self._decisions = decisions
        self._verdicts = verdicts

    @override
    def called(self, rpc: str, code: str, reason: str, seconds: float) -> None:
        span = current_span()
        if span is not None:
            _note_end(span, code, reason)
        self._calls.called(rpc, code, reason, seconds)

    @override
    def ended(self, rpc: str, code: str, reason: str) -> None:
        self._calls.ended(rpc, code, reason)

    @override
    def decided(self, rpc: str, decisions: Sequence[Decision]) -> None:
        span = current_span()
        if span is not None and decisions:
            _note_decisions(span, decisions)
        self._decisions.decided(rpc, decisions)

    @override
    def decided_often(
        self, rpc: str, decisions: Sequence[Decision], places: Sequence[int]
    ) -> None:
        if current_span() is None:
            self._decisions.decided_often(rpc, decisions, places)
        else:
            super().decided_often(rpc, decisions, places)

    @override
    def judged(self, rule_set: str, outcome: str, reason: str) -> None:
        span = current_span()
        if span is not None:
            span.attributes["authz.decision"] = outcome
            if reason:
                span.attributes["authz.reason"] = reason
        self._verdicts.judged(rule_set, outcome, reason)


def _note_end(span: Span, code: str, reason: str) -> None:
    span.attributes["rpc.grpc.status_code"] = _NUMBERS[code]
    if reason:
        span.attributes["authz.reason"] = reason
    if reason in _DENIALS:
        span.attributes["authz.decision"] = "denied"
    if code in _FAILURES:
        span.failure = reason or code


def _note_decisions(span: Span, decisions: Sequence[Decision]) -> None:
    denied = [each for each in decisions if isinstance(each, Denied)]
    span.attributes["authz.decision"] = "denied" if denied else "allowed"
    span.attributes["authz.reason"] = (denied or decisions)[0].reason.name
    span.attributes["authz.decisions"] = len(decisions)
    span.attributes["authz.denied"] = len(denied)


def _telling(handler: Handler) -> Handler:
    # Generated code always has both converters.
    encode = cast("Callable[[Message], bytes]", handler.response_serializer)

    def encoded(response: "Message") -> bytes:
        span = current_span()
        if span is not None:
            span.attributes.update(_told(response))
        return encode(response)

    answer = cast("Callable[[Message, Context], Message]", handler.unary_unary)
    made = grpc.unary_unary_rpc_method_handler(
        answer, handler.request_deserializer, encoded
    )
    return cast("Handler", made)


def _told(response: "Message") -> Iterator[tuple[str, Attribute]]:
    if isinstance(response, envoy.CheckResponse):
        fields = response.dynamic_metadata.fields
        for name in _TOLD:
            if name in fields:
                yield f"authz.{name}", fields[name].string_value
        return
    for name in _TOLD:
        if getattr(response, name, ""):
            yield f"authz.{name}", getattr(response, name)


def _remote_of_call(context: Context) -> Remote | None:
    metadata = context.invocation_metadata()
    if not metadata:
        return None
    return read_remote(cast("Sequence[tuple[str, str | bytes]]", metadata))


def _remote_of_http(data: bytes) -> Remote | None:
    # Most requests name none, and are not decoded twice.
    if _TRACEPARENT not in data:
        return None
    try:
        http = envoy.CheckRequest.FromString(data).attributes.request.http
    except DecodeError:
        return None
    headers = [(each.key, each.value) for each in http.headers]
    headers += [
        (each.key, each.raw_value or each.value) for each in http.header_map.headers
    ]
    return read_remote(
        (name.decode("latin-1").lower(), value) for name, value in headers
    )
