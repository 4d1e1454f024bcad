"""Envoy's ext_authz: a handler converts, asks the edge, converts.

Only here becomes a verdict a response. An empty response means ALLOW, so each of the
three functions that make one sets `status.code`, and nothing else makes any.
"""

import itertools
import json
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from time import perf_counter
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

import structlog
from google.protobuf.message import DecodeError
from google.protobuf.struct_pb2 import Struct, Value
from google.protobuf.wrappers_pb2 import BoolValue
from typing_extensions import override

from sidecar.core.model import AccessLevel, TenantContext
from sidecar.edge.admission import Admission
from sidecar.edge.budget import within
from sidecar.edge.request import API_KEY, AUTHORIZATION, EdgeRequest, Headers, Json
from sidecar.edge.verdict import (
    Admitted,
    Refused,
    Shadowed,
    Verdict,
    Where,
)
from sidecar.ports import Clock
from sidecar.transport.envoy import external_auth_pb2 as envoy
from sidecar.transport.envoy import external_auth_pb2_grpc as envoy_grpc
from sidecar.transport.status import status_of

if TYPE_CHECKING:
    from google.protobuf.message import Message
    from grpc import aio

Context: TypeAlias = "aio.ServicerContext[Message, Message]"

SERVICE: Final = envoy.DESCRIPTOR.services_by_name["Authorization"].full_name

_USER: Final = "x-authz-user-id"
_PRINCIPAL: Final = "x-authz-principal-id"
_WRITE_PRINCIPAL: Final = "x-authz-write-principal-id"
_ORG_ROLE: Final = "x-authz-org-role"
_LEVEL: Final = "x-authz-access-level"
_DECISION: Final = "x-authz-decision-id"
SHADOW: Final = "x-authz-shadow"
IDENTITY_HEADERS: Final = (
    _USER, _PRINCIPAL, _WRITE_PRINCIPAL, _ORG_ROLE, _LEVEL, _DECISION,
)  # fmt: skip
# Servers that write headers as variables do not tell `-` from `_`.
_OURS: Final = re.compile(rb"x[-_]authz[-_].*", re.DOTALL)
# Nothing that asks to be taken for something else passes.
_NEVER: Final = (b"x-http-method-override", b"x-envoy-auth-failure-mode-allowed")
_CREDENTIALS: Final = (AUTHORIZATION, API_KEY)
_JWT_AUTHN: Final = b"envoy.filters.http.jwt_authn"
_PERMISSION_DENIED: Final = 7
_UNAUTHENTICATED: Final = 16
_HTTP_UNAUTHENTICATED: Final = 401
_OVERWRITE: Final = envoy.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD
_NOT_APPENDED: Final = BoolValue(value=False)
_Options: TypeAlias = list[envoy.HeaderValueOption]


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


@dataclass(frozen=True, slots=True)
class Told:
    """What a response says of its own making."""

    decision_id: str
    seconds: float


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
) -> Iterator[tuple[bytes, bytes]]:
    for entry in http.headers:
        yield entry.key, entry.value
    for header in http.header_map.headers:
        yield header.key, header.raw_value or header.value


def _peer(
    attributes: envoy.AttributeContext,
) -> tuple[str, Mapping[str, Json] | None]:
    principal = attributes.source.principal.decode("utf-8", "replace")
    return principal, _payloads(attributes.metadata_context)


def _payloads(metadata: envoy.Metadata) -> Mapping[str, Json] | None:
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


def respond(verdict: Verdict, request: EdgeRequest, told: Told) -> envoy.CheckResponse:
    """The response of a verdict: code 0 for what passes, and for nothing else."""
    match verdict:
        case Admitted():
            return _admit(verdict, request, told)
        case Shadowed():
            return _watch(verdict, request, told)
        case Refused():
            return _refuse(verdict, request, told)


def _admit(verdict: Admitted, request: EdgeRequest, told: Told) -> envoy.CheckResponse:
    identity = {**dict(_identity(verdict)), _DECISION: told.decision_id}
    return envoy.CheckResponse(
        status=envoy.Status(code=0),
        ok_response=envoy.OkHttpResponse(
            headers=_set(identity),
            headers_to_remove=_removed(request, verdict.where, identity),
        ),
        dynamic_metadata=_metadata(verdict.where, told, verdict.context),
    )


def _watch(verdict: Shadowed, request: EdgeRequest, told: Told) -> envoy.CheckResponse:
    identity = {_DECISION: told.decision_id}
    reason = verdict.refused.denied.reason.name
    status = status_of(verdict.refused.denied).http
    return envoy.CheckResponse(
        status=envoy.Status(code=0),
        ok_response=envoy.OkHttpResponse(
            headers=_set(identity),
            headers_to_remove=_removed(request, verdict.where, identity),
            response_headers_to_add=_set({SHADOW: f"would-deny {status} {reason}"}),
        ),
        dynamic_metadata=_metadata(verdict.where, told, None),
    )


def _refuse(verdict: Refused, request: EdgeRequest, told: Told) -> envoy.CheckResponse:
    status = status_of(verdict.denied).http
    headers = dict(verdict.headers)
    body = verdict.denied.reason.text
    if request.is_grpc:
        headers["content-type"] = "text/plain"
    else:
        headers["content-type"] = "application/problem+json"
        body = _problem(verdict, status, told)
    is_unauthenticated = status == _HTTP_UNAUTHENTICATED
    return envoy.CheckResponse(
        status=envoy.Status(
            code=_UNAUTHENTICATED if is_unauthenticated else _PERMISSION_DENIED
        ),
        denied_response=envoy.DeniedHttpResponse(
            status=envoy.HttpStatus(code=status), headers=_set(headers), body=body
        ),
        dynamic_metadata=_metadata(verdict.where, told, None),
    )


def _problem(verdict: Refused, status: int, told: Told) -> str:
    reason = verdict.denied.reason
    return json.dumps(
        {
            "type": "about:blank",
            "title": HTTPStatus(status).phrase,
            "status": status,
            "detail": reason.text,
            "reason": reason.name,
            "decision_id": told.decision_id,
        }
    )


def _identity(verdict: Admitted) -> Iterator[tuple[str, str]]:
    context = verdict.context
    if context is None:
        return
    yield _USER, context.user.id
    if context.current_principal_id is not None:
        yield _PRINCIPAL, context.current_principal_id
    yield _WRITE_PRINCIPAL, context.write_principal_id
    if context.org_role is not None:
        yield _ORG_ROLE, context.org_role.value
    if verdict.level is not None:
        yield _LEVEL, _LEVELS[verdict.level]


_LEVELS: Final = {level: level.name.lower() for level in AccessLevel}


def _removed(
    request: EdgeRequest, where: Where, kept: Mapping[str, str]
) -> list[bytes]:
    """What is taken off the request: all that is ours and not set by us."""
    names = {*_NEVER, *(name.encode() for name in IDENTITY_HEADERS)}
    names.update(name for name in request.headers.names() if _OURS.fullmatch(name))
    if where.strips_credentials:
        names.update(_CREDENTIALS)
    return sorted(names.difference(name.encode() for name in kept))


def _set(headers: Mapping[str, str]) -> _Options:
    return [
        envoy.HeaderValueOption(
            header=envoy.HeaderValue(key=name.encode(), value=value.encode()),
            append=_NOT_APPENDED,
            append_action=_OVERWRITE,
        )
        for name, value in headers.items()
    ]


def _metadata(where: Where, told: Told, context: TenantContext | None) -> Struct:
    """What other filters and the access log may know. No secrets."""
    metadata = Struct()
    fields = metadata.fields
    for name, text in _named(where, told, context):
        fields[name].string_value = text
    fields["duration_ms"].number_value = told.seconds * 1000
    if where.lifetime_seconds is not None:
        fields["lifetime_seconds"].number_value = where.lifetime_seconds
    return metadata


def _named(
    where: Where, told: Told, context: TenantContext | None
) -> Iterable[tuple[str, str]]:
    yield "decision_id", told.decision_id
    if where.rule_set:
        yield "rule_set", where.rule_set
    if where.route:
        yield "route", where.route
    if context is None:
        return
    yield "user_id", context.user.id
    if context.current_principal_id is not None:
        yield "principal_id", context.current_principal_id
