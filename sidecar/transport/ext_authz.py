"""Envoy's ext_authz: a handler converts, asks the edge, converts."""

import itertools
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

import structlog
from google.protobuf.message import DecodeError
from google.protobuf.struct_pb2 import Struct, Value
from typing_extensions import override

from sidecar.edge.admission import Admission
from sidecar.edge.budget import within
from sidecar.edge.request import OURS, READ, EdgeRequest, Headers, Json
from sidecar.edge.verdict import Admitted, Refused, Shadowed, Verdict
from sidecar.ports import Clock
from sidecar.transport.edge_answers import Told, respond
from sidecar.transport.envoy import external_auth_pb2 as envoy
from sidecar.transport.envoy import external_auth_pb2_grpc as envoy_grpc

if TYPE_CHECKING:
    from google.protobuf.message import Message
    from grpc import aio

Context: TypeAlias = "aio.ServicerContext[Message, Message]"

SERVICE: Final = envoy.DESCRIPTOR.services_by_name["Authorization"].full_name

_JWT_AUTHN: Final = b"envoy.filters.http.jwt_authn"


_log = structlog.stdlib.get_logger("sidecar.edge")


class VerdictCounter(Protocol):
    """Told of every verdict, for metrics."""

    def judged(self, rule_set: str, outcome: str, reason: str) -> None:
        """Counts a verdict."""
        ...


@dataclass(frozen=True, slots=True)
class EdgeBacking:
    """What all listeners' edges share; `budget_seconds` is without a deadline."""

    admission: Admission
    clock: Clock
    counter: VerdictCounter
    budget_seconds: float


class ExtAuthzServicer(envoy_grpc.AuthorizationServicer):
    """Answers Envoy."""

    def __init__(self, backing: EdgeBacking, *, believes_peers: bool) -> None:
        """`believes_peers`: whether Envoy's word is taken for who calls."""
        self._backing = backing
        self._believes_peers = believes_peers
        self._prefix = secrets.token_hex(6)
        self._numbers = itertools.count(1)

    @override
    async def Check(
        self, request: envoy.CheckRequest, context: Context
    ) -> envoy.CheckResponse:
        started = perf_counter()
        asked = edge_request(request, believes_peers=self._believes_peers)
        backing, seconds = self._backing, self._seconds(context)
        deadline = backing.clock.monotonic() + seconds
        # Readings keep to the deadline themselves. Slow hashes, and keys that are
        # read anew, do not know of it.
        verdict = await within(seconds, backing.admission.judge(asked, deadline))
        decision_id = f"{self._prefix}-{next(self._numbers)}"
        self._count(verdict, decision_id)
        told = Told(decision_id, perf_counter() - started)
        return respond(verdict, asked, told)

    def _count(self, verdict: Verdict, decision_id: str) -> None:
        judged, rule_set = self._backing.counter.judged, verdict.where.rule_set
        match verdict:
            case Admitted():
                judged(rule_set, "allowed", "")
            case Refused():
                judged(rule_set, "denied", verdict.denied.reason.name)
            case Shadowed():
                reason = verdict.refused.denied.reason.name
                judged(rule_set, "shadowed", reason)
                _log.warning(
                    "edge.would_deny",
                    rule_set=rule_set,
                    route=verdict.where.route,
                    reason=reason,
                    decision_id=decision_id,
                )

    def _seconds(self, context: Context) -> float:
        remaining = context.time_remaining()
        budget = self._backing.budget_seconds
        return budget if remaining is None else min(remaining, budget)


def edge_request(message: envoy.CheckRequest, *, believes_peers: bool) -> EdgeRequest:
    """A request as the edge knows it; what is missing is empty."""
    attributes = message.attributes
    http = attributes.request.http
    return EdgeRequest(
        http.method.decode("latin-1"),
        http.path,
        Headers(_headers(http)),
        dict(attributes.context_extensions),
        *(_peer(attributes) if believes_peers else ("", {})),
    )


def _headers(
    http: envoy.AttributeContext.HttpRequest,
) -> list[tuple[bytes, bytes]]:
    # Browsers send a dozen that nothing is read from.
    found = [
        (name, entry.value)
        for entry in http.headers
        if (name := entry.key.lower()) in READ or OURS in name
    ]
    found += [
        (name, header.raw_value or header.value)
        for header in http.header_map.headers
        if (name := header.key.lower()) in READ or OURS in name
    ]
    return found


def _peer(
    attributes: envoy.AttributeContext,
) -> tuple[str, Mapping[str, Json] | None]:
    principal = attributes.source.principal.decode("utf-8", "replace")
    return principal, _payloads(attributes.metadata_context)


def _payloads(metadata: envoy.Metadata) -> Mapping[str, Json] | None:
    if not metadata.filter_metadata:
        return {}
    # A map has the entry that stands last.
    found = {entry.key: entry.value for entry in metadata.filter_metadata}
    try:
        payloads = Struct.FromString(found.get(_JWT_AUTHN, b""))
    except DecodeError:
        return None
    return {name: _plain(value) for name, value in payloads.fields.items()}


def _plain(value: Value) -> Json:
    match value.WhichOneof("kind"):
        case "string_value":
            return value.string_value
        case "number_value":
            return value.number_value
        case "struct_value":
            fields = value.struct_value.fields
            return {name: _plain(each) for name, each in fields.items()}
        case "list_value":
            return [_plain(each) for each in value.list_value.values]
        case _:
            return None
