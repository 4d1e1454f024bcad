"""What a client raises, and which status becomes what.

    AuthzError
    ├── DeniedError                 decided: no (only `require()` raises it)
    ├── UndecidedError              could not decide: neither yes nor no
    │   ├── UnavailableError        no server, or no facts; was tried again
    │   ├── DeadlineError           no answer in time
    │   ├── OverloadedError         the server sheds load; not tried again
    │   ├── InternalError           a defect of the server, or of the way to it
    │   ├── ProtocolError           an answer that no correct server gives
    │   └── UnmappedError           a list filter that does not fit your columns
    ├── InvalidRequestError         the question is malformed
    │   └── UnknownRevisionError    the revision is of another history
    ├── UnauthenticatedError        nobody that is known
    ├── PermissionDeniedError       this caller, or this connection, may not
    ├── NotFoundError               the requested organization does not exist
    └── NotServedError              the listener does not serve this call

None of them means allowed. Whatever is raised, do not do what was asked about.
"""

from collections.abc import Iterable
from enum import StrEnum, unique
from typing import Final

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

_DOMAIN: Final = "authz.v1"
_DETAILS: Final = "grpc-status-details-bin"


@unique
class Denial(StrEnum):
    """The kind of a denial, and the HTTP status that fits it."""

    INVALID = "INVALID"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"

    @property
    def http_status(self) -> int:
        """The status for an HTTP response."""
        return _HTTP[self]


_HTTP: Final = {
    Denial.INVALID: 400,
    Denial.UNAUTHENTICATED: 401,
    Denial.FORBIDDEN: 403,
    Denial.NOT_FOUND: 404,
}


class AuthzError(Exception):
    """There is no answer that allows.

    `code` is the bare name of a gRPC status, such as `UNAVAILABLE`; `reason` the bare
    name of a reason of the API, such as `FACTS_UNAVAILABLE`, empty when the error did
    not come from the sidecar.
    """

    code: str = "UNKNOWN"

    def __init__(self, message: str, *, reason: str = "", code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason
        self.code = code or type(self).code


class DeniedError(AuthzError):
    """A decision that was required to allow denies."""

    code = "PERMISSION_DENIED"

    def __init__(
        self, denial: Denial, reason: str, message: str, decision_id: str
    ) -> None:
        super().__init__(message, reason=reason)
        self.denial = denial
        self.decision_id = decision_id


class UndecidedError(AuthzError):
    """Nobody knows whether it is allowed."""


class UnavailableError(UndecidedError):
    """The sidecar, or its facts, cannot be reached."""

    code = "UNAVAILABLE"


class DeadlineError(UndecidedError):
    """There was no answer in time."""

    code = "DEADLINE_EXCEEDED"


class OverloadedError(UndecidedError):
    """Too much is asked at once."""

    code = "RESOURCE_EXHAUSTED"


class InternalError(UndecidedError):
    """The server failed, or ended the call with a status that it never uses."""

    code = "INTERNAL"


class ProtocolError(UndecidedError):
    """The answer contradicts itself or the question, or cannot be read."""

    code = "INTERNAL"


class UnmappedError(UndecidedError):
    """A list filter needs a column that is not there, or of another type."""

    code = "INTERNAL"


class InvalidRequestError(AuthzError):
    """The question is malformed; `field` names the field, empty when not known."""

    code = "INVALID_ARGUMENT"

    def __init__(
        self, message: str, *, reason: str = "", code: str = "", field: str = ""
    ) -> None:
        super().__init__(message, reason=reason, code=code)
        self.field = field


class UnknownRevisionError(InvalidRequestError):
    """The revision is none of this database's; ask again without."""


class UnauthenticatedError(AuthzError):
    """The credential or the user is not valid."""

    code = "UNAUTHENTICATED"


class PermissionDeniedError(AuthzError):
    """The context is forbidden, or this connection may not call here."""

    code = "PERMISSION_DENIED"


class NotFoundError(AuthzError):
    """The requested organization does not exist."""

    code = "NOT_FOUND"


class NotServedError(AuthzError):
    """The listener does not serve this call, or not for such a caller."""

    code = "UNIMPLEMENTED"


_BY_CODE: Final[dict[grpc.StatusCode, type[AuthzError]]] = {
    grpc.StatusCode.UNAUTHENTICATED: UnauthenticatedError,
    grpc.StatusCode.PERMISSION_DENIED: PermissionDeniedError,
    grpc.StatusCode.NOT_FOUND: NotFoundError,
    grpc.StatusCode.UNIMPLEMENTED: NotServedError,
    grpc.StatusCode.UNAVAILABLE: UnavailableError,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: OverloadedError,
}


def error_of(
    code: grpc.StatusCode, message: str, trailers: Iterable[tuple[str, str | bytes]]
) -> AuthzError:
    """The error as which a status is raised.

    Args:
        code: the status. One that the API never uses becomes InternalError.
        message: what it says for people.
        trailers: the trailing metadata. Details that cannot be read are left out.
    """
    reason, field = _details(trailers)
    if code is grpc.StatusCode.INVALID_ARGUMENT:
        unknown = reason == "UNKNOWN_REVISION"
        kind = UnknownRevisionError if unknown else InvalidRequestError
        return kind(message, reason=reason, field=field)
    return _BY_CODE.get(code, InternalError)(message, reason=reason, code=code.name)


def _details(trailers: Iterable[tuple[str, str | bytes]]) -> tuple[str, str]:
    packed = dict(trailers).get(_DETAILS, b"")
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    try:
        status = status_pb2.Status.FromString(
            packed.encode() if isinstance(packed, str) else packed
        )
        for detail in status.details:
            detail.Unpack(info) or detail.Unpack(bad)
    except DecodeError:
        return "", ""
    fields = [each.field for each in bad.field_violations]
    reason = info.reason if info.domain == _DOMAIN else ""
    return reason, fields[0] if fields else ""
