"""Verdicts to what Envoy is told.

Only here becomes a verdict a response. An empty response means ALLOW, so each of the
three functions that make one sets `status.code`, and nothing else makes any.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import Final, TypeAlias

from google.protobuf.struct_pb2 import Struct
from google.protobuf.wrappers_pb2 import BoolValue

from sidecar.core.model import AccessLevel
from sidecar.edge.request import API_KEY, AUTHORIZATION, EdgeRequest
from sidecar.edge.verdict import (
    Admitted,
    Refused,
    Shadowed,
    Verdict,
    Where,
)
from sidecar.transport.envoy import external_auth_pb2 as envoy
from sidecar.transport.status import status_of

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
_PERMISSION_DENIED: Final = 7
_UNAUTHENTICATED: Final = 16
_HTTP_UNAUTHENTICATED: Final = 401
_OVERWRITE: Final = envoy.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD
_NOT_APPENDED: Final = BoolValue(value=False)
_REMEMBERED: Final = 4096
_Options: TypeAlias = list[envoy.HeaderValueOption]
# Headers in their order.
_Identity: TypeAlias = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Told:
    """What a response says of its own making."""

    decision_id: str
    seconds: float


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
    identity, where = _identity(verdict), verdict.where
    received = _received(request)
    # What clients make up is not remembered, so that it pushes nobody out.
    make = _passing if received else _remembered
    made = make(identity, received, strips_credentials=where.strips_credentials)
    response = envoy.CheckResponse.FromString(made)
    response.ok_response.headers[-1].header.value = told.decision_id.encode()
    _tell(response.dynamic_metadata, where, told, verdict.revision)
    return response


def _passing(
    identity: _Identity, received: tuple[bytes, ...], *, strips_credentials: bool
) -> bytes:
    """The response that lets a request pass, without what is new in each.

    The decision's id is still to be set, in the last header. As bytes, because to
    make a message of these takes a tenth of the time of making it part by part.
    """
    headers = {**dict(identity), _DECISION: ""}
    response = envoy.CheckResponse(
        status=envoy.Status(code=0),
        ok_response=envoy.OkHttpResponse(
            headers=_set(headers),
            headers_to_remove=_removed(
                received, headers, strips_credentials=strips_credentials
            ),
        ),
    )
    fields = response.dynamic_metadata.fields
    for name, value in identity:
        if name in _METADATA:
            fields[_METADATA[name]].string_value = value
    return response.SerializeToString()


_METADATA: Final = {_USER: "user_id", _PRINCIPAL: "principal_id"}
_remembered = lru_cache(_REMEMBERED)(_passing)


def _watch(verdict: Shadowed, request: EdgeRequest, told: Told) -> envoy.CheckResponse:
    headers = {_DECISION: told.decision_id}
    where = verdict.where
    reason = verdict.refused.denied.reason.name
    status = status_of(verdict.refused.denied).http
    response = envoy.CheckResponse(
        status=envoy.Status(code=0),
        ok_response=envoy.OkHttpResponse(
            headers=_set(headers),
            headers_to_remove=_removed(
                _received(request),
                headers,
                strips_credentials=where.strips_credentials,
            ),
            response_headers_to_add=_set({SHADOW: f"would-deny {status} {reason}"}),
        ),
    )
    _tell(response.dynamic_metadata, where, told, verdict.refused.revision)
    return response


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
    response = envoy.CheckResponse(
        status=envoy.Status(
            code=_UNAUTHENTICATED if is_unauthenticated else _PERMISSION_DENIED
        ),
        denied_response=envoy.DeniedHttpResponse(
            status=envoy.HttpStatus(code=status), headers=_set(headers), body=body
        ),
    )
    _tell(response.dynamic_metadata, verdict.where, told, verdict.revision)
    return response


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


def _identity(verdict: Admitted) -> _Identity:
    context = verdict.context
    if context is None:
        return ()
    headers: list[tuple[str, str]] = [(_USER, context.user.id)]
    if context.current_principal_id is not None:
        headers.append((_PRINCIPAL, context.current_principal_id))
    headers.append((_WRITE_PRINCIPAL, context.write_principal_id))
    if context.org_role is not None:
        headers.append((_ORG_ROLE, context.org_role.value))
    if verdict.level is not None:
        headers.append((_LEVEL, _LEVELS[verdict.level]))
    return tuple(headers)


_LEVELS: Final = {level: level.name.lower() for level in AccessLevel}


def _received(request: EdgeRequest) -> tuple[bytes, ...]:
    """The headers of the request that only we may set."""
    names = request.headers.names()
    return tuple([name for name in names if _OURS.fullmatch(name)])


def _removed(
    received: Iterable[bytes], kept: Mapping[str, str], *, strips_credentials: bool
) -> list[bytes]:
    """What is taken off the request: all that is ours and not set by us."""
    names = {*_NEVER, *(name.encode() for name in IDENTITY_HEADERS), *received}
    if strips_credentials:
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


def _tell(metadata: Struct, where: Where, told: Told, revision: str | None) -> None:
    """Adds what other filters and the access log may know. No secrets."""
    fields = metadata.fields
    fields["decision_id"].string_value = told.decision_id
    if where.rule_set:
        fields["rule_set"].string_value = where.rule_set
    if where.route:
        fields["route"].string_value = where.route
    if revision is not None:
        fields["revision"].string_value = revision
    fields["duration_ms"].number_value = told.seconds * 1000
    if where.lifetime_seconds is not None:
        fields["lifetime_seconds"].number_value = where.lifetime_seconds
