"""What your callers are told when there is no answer that allows.

One table for all frameworks: what the caller's request is to blame for is theirs to
know, anything else is 503 and says nothing.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

from authz.client.errors import (
    AuthzError,
    DeniedError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    UnauthenticatedError,
    UnavailableError,
)
from authz.client.identity import CallerOf, Headers
from authz.client.questions import Caller

_LOG: Final = logging.getLogger("authz.client")
# Envoy sets it on requests that it lets pass because nobody decided.
_UNDECIDED: Final = "x-envoy-auth-failure-mode-allowed"
# The connection to the sidecar is refused, whoever the caller is.
_NOT_THE_CALLERS: Final = frozenset({"", "PEER_NOT_ALLOWED"})
_STATUSES: Final[dict[type[AuthzError], int]] = {
    InvalidRequestError: 400,
    UnauthenticatedError: 401,
    PermissionDeniedError: 403,
    NotFoundError: 404,
}
_CODES: Final = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    503: grpc.StatusCode.UNAVAILABLE,
}
_UNAUTHENTICATED: Final = 401
_UNAVAILABLE: Final = 503


@dataclass(frozen=True, slots=True)
class Page:
    """An HTTP response that refuses."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Ending:
    """A status that refuses a gRPC call."""

    code: grpc.StatusCode
    message: str
    trailers: tuple[tuple[str, str | bytes], ...]


def caller_in(headers: Headers, caller_of: CallerOf) -> Caller:
    """Who sent a request.

    Raises:
        AuthzError: nobody is named, or the request must not be judged at all.
    """
    refuse_undecided(headers)
    caller = caller_of(headers)
    if caller is None:
        message = "a credential is needed"
        raise UnauthenticatedError(message, reason="CREDENTIAL_MISSING")
    return caller


def refuse_undecided(headers: Headers) -> None:
    """Does nothing, unless a proxy let the request pass because nobody decided.

    Raises:
        UnavailableError: it did. Whether the header is there counts, not what it says.
    """
    if _UNDECIDED in headers:
        raise UnavailableError(f"the request has the header `{_UNDECIDED}`")


def status_of(error: AuthzError) -> int:
    """The HTTP status of an error: 503, unless the caller's request is to blame."""
    if isinstance(error, DeniedError):
        return error.denial.http_status
    if error.reason in _NOT_THE_CALLERS:
        return _UNAVAILABLE
    for kind, status in _STATUSES.items():
        if isinstance(error, kind):
            return status
    return _UNAVAILABLE


def page_of(error: AuthzError) -> Page:
    """The response of an error, a problem document; a 503 is empty, and logged."""
    status = status_of(error)
    if status == _UNAVAILABLE:
        _log(error)
        return Page(status, {"retry-after": "1"}, b"")
    problem = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": error.message,
        "reason": error.reason,
    }
    if isinstance(error, DeniedError):
        problem["decision_id"] = error.decision_id
    headers = {"content-type": "application/problem+json"}
    if status == _UNAUTHENTICATED:
        headers["www-authenticate"] = 'Bearer realm="authz"'
    return Page(status, headers, json.dumps(problem).encode())


def ending_of(error: AuthzError) -> Ending:
    """The status of an error, with its reason; UNAVAILABLE has none, and is logged."""
    status = status_of(error)
    if status == _UNAVAILABLE:
        _log(error)
        return Ending(_CODES[status], "could not decide", ())
    code = _CODES[status]
    number: int = code.value[0]
    packed = any_pb2.Any()
    packed.Pack(error_details_pb2.ErrorInfo(reason=error.reason, domain="authz.v1"))
    told = status_pb2.Status(code=number, message=error.message, details=[packed])
    trailers = (("grpc-status-details-bin", told.SerializeToString()),)
    return Ending(code, error.message, trailers)


def _log(error: AuthzError) -> None:
    _LOG.warning(
        "could not decide: %s %s %s", error.code, error.reason or "-", error.message
    )
