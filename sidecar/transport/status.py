"""What becomes of a reason on the wire: one table, and errors as gRPC statuses."""

from dataclasses import dataclass
from typing import TypeAlias

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2

from sidecar.core.decision import Decision, Denied
from sidecar.core.reasons import Denial, Reason

DOMAIN = "authz.v1"
_RETRY_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Status:
    """A gRPC code and an HTTP status; `denial` is none but for denials."""

    grpc: grpc.StatusCode
    http: int
    denial: Denial | None = None


_OK = Status(grpc.StatusCode.OK, 200)
_INVALID = Status(grpc.StatusCode.INVALID_ARGUMENT, 400, Denial.INVALID)
_UNAUTHENTICATED = Status(grpc.StatusCode.UNAUTHENTICATED, 401, Denial.UNAUTHENTICATED)
_FORBIDDEN = Status(grpc.StatusCode.PERMISSION_DENIED, 403, Denial.FORBIDDEN)
_NOT_FOUND = Status(grpc.StatusCode.NOT_FOUND, 404, Denial.NOT_FOUND)
_BAD_REQUEST = Status(grpc.StatusCode.INVALID_ARGUMENT, 400)
_NOT_SERVED = Status(grpc.StatusCode.UNIMPLEMENTED, 501)
_UNAVAILABLE = Status(grpc.StatusCode.UNAVAILABLE, 503)
_TOO_LATE = Status(grpc.StatusCode.DEADLINE_EXCEEDED, 503)
_TOO_MUCH = Status(grpc.StatusCode.RESOURCE_EXHAUSTED, 503)
_DEFECT = Status(grpc.StatusCode.INTERNAL, 503)
_STRANGER = Status(grpc.StatusCode.PERMISSION_DENIED, 403)

TABLE: dict[Reason, tuple[Status, ...]] = {
    Reason.OWNED: (_OK,),
    Reason.GRANTED: (_OK,),
    Reason.GLOBAL_VISIBLE: (_OK,),
    Reason.BYPASS_SYSTEM: (_OK,),
    Reason.BYPASS_PLATFORM_ADMIN: (_OK,),
    Reason.ORG_ADMIN: (_OK,),
    Reason.ACTING_PLATFORM_ADMIN: (_OK,),
    Reason.PLATFORM_ADMIN: (_OK,),
    Reason.ORG_ROLE: (_OK,),
    Reason.PERMITTED: (_OK,),
    Reason.ALL_HOLD: (_OK,),
    Reason.INVALID_CREDENTIAL: (_UNAUTHENTICATED,),
    Reason.INVALID_ORGANIZATION_ID: (_INVALID,),
    Reason.UNKNOWN_RESOURCE_KIND: (_INVALID,),
    Reason.NOT_A_MEMBER: (_FORBIDDEN,),
    Reason.ORGANIZATION_NOT_FOUND: (_NOT_FOUND,),
    Reason.RESOURCE_NOT_FOUND: (_NOT_FOUND,),
    Reason.GLOBAL_RESOURCE: (_FORBIDDEN, _INVALID),
    Reason.OTHER_OWNER: (_FORBIDDEN, _INVALID),
    Reason.INSUFFICIENT_ORG_ROLE: (_FORBIDDEN, _INVALID),
    Reason.PLATFORM_ADMIN_REQUIRED: (_FORBIDDEN,),
    Reason.NO_ORG_CONTEXT: (_FORBIDDEN,),
    Reason.INSUFFICIENT_PERMISSION: (_FORBIDDEN,),
    Reason.PATH_NOT_CANONICAL: (_INVALID,),
    Reason.NO_ROUTE: (_FORBIDDEN,),
    Reason.UNKNOWN_RULE_SET: (_FORBIDDEN,),
    Reason.CREDENTIAL_MISSING: (_UNAUTHENTICATED,),
    Reason.TWO_CREDENTIALS: (_INVALID,),
    Reason.REPEATED_HEADER: (_INVALID,),
    Reason.VALUE_NOT_USABLE: (_FORBIDDEN,),
    Reason.IDENTITY_NOT_SENDABLE: (_FORBIDDEN,),
    Reason.MALFORMED_FIELD: (_BAD_REQUEST,),
    Reason.MALFORMED_MESSAGE: (_BAD_REQUEST,),
    Reason.UNKNOWN_REVISION: (_BAD_REQUEST,),
    Reason.NOT_SERVED_HERE: (_NOT_SERVED,),
    Reason.NOT_IMPLEMENTED: (_NOT_SERVED,),
    Reason.FACTS_UNAVAILABLE: (_UNAVAILABLE,),
    Reason.DEADLINE_TOO_NEAR: (_TOO_LATE,),
    Reason.OVERLOADED: (_TOO_MUCH,),
    Reason.INTERNAL: (_DEFECT,),
    Reason.PEER_NOT_ALLOWED: (_STRANGER,),
    Reason.WATCHER_TOO_SLOW: (_TOO_MUCH,),
}

_TRANSIENT = frozenset(
    {Reason.FACTS_UNAVAILABLE, Reason.OVERLOADED, Reason.WATCHER_TOO_SLOW}
)


class RefusedError(Exception):
    """The call ends with a status instead of an answer.

    `field` is the path of the request's field that caused it, none otherwise.
    """

    def __init__(
        self, reason: Reason, message: str | None = None, field: str | None = None
    ) -> None:
        super().__init__(message or reason.text)
        self.reason = reason
        self.message = message or reason.text
        self.field = field


class DeniedError(RefusedError):
    """A denial where the call has no decision to carry it."""

    def __init__(self, denied: Denied, field: str | None = None) -> None:
        super().__init__(denied.reason, field=field)
        self.denied = denied


class MalformedFieldError(RefusedError):
    """A field of the request is not as it must be."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(Reason.MALFORMED_FIELD, f"`{field}` {problem}", field)
        self._path = field
        self._problem = problem

    def under(self, prefix: str) -> "MalformedFieldError":
        """The same error with the path of the message that has the field."""
        return MalformedFieldError(f"{prefix}.{self._path}", self._problem)


def malformed(field: str, problem: str) -> MalformedFieldError:
    """The error that a field of the request is not as it must be."""
    return MalformedFieldError(field, problem)


def unknown_revision(field: str = "consistency.at_least_as_fresh") -> RefusedError:
    """The error that a field's revision is none of this database's."""
    return RefusedError(
        Reason.UNKNOWN_REVISION, f"`{field}` is no revision of this database", field
    )


def status_of(decision: Decision) -> Status:
    """The status of a decision; fails for one that the table lacks."""
    denial = decision.denial if isinstance(decision, Denied) else None
    for status in TABLE[decision.reason]:
        if status.denial is denial:
            return status
    raise KeyError(decision)


def denial_of(code: str, reason: str) -> Denied | None:
    """The denial of a call that ended with this code and reason; none for others."""
    if reason not in Reason.__members__:
        return None
    found = Reason[reason]
    for status in TABLE[found]:
        if status.denial is not None and status.grpc.name == code:
            return Denied(status.denial, found)
    return None


def code_of(error: RefusedError) -> grpc.StatusCode:
    """The gRPC code with which the call ends."""
    if isinstance(error, DeniedError):
        return status_of(error.denied).grpc
    return TABLE[error.reason][0].grpc


def details_of(error: RefusedError) -> tuple[tuple[str, bytes], ...]:
    """The trailing metadata with the error's details for programs."""
    code = code_of(error)
    status = status_pb2.Status(
        code=_NUMBERS[code],
        message=error.message,
        details=[_packed(each) for each in _details(error, code)],
    )
    return (("grpc-status-details-bin", status.SerializeToString()),)


_Detail: TypeAlias = (
    error_details_pb2.ErrorInfo
    | error_details_pb2.BadRequest
    | error_details_pb2.RetryInfo
)
_NUMBERS: dict[grpc.StatusCode, int] = {code: code.value[0] for code in grpc.StatusCode}


def _details(error: RefusedError, code: grpc.StatusCode) -> list[_Detail]:
    details: list[_Detail] = [
        error_details_pb2.ErrorInfo(reason=error.reason.name, domain=DOMAIN)
    ]
    if error.field is not None and code is grpc.StatusCode.INVALID_ARGUMENT:
        violation = error_details_pb2.BadRequest.FieldViolation(
            field=error.field, description=error.message
        )
        details.append(error_details_pb2.BadRequest(field_violations=[violation]))
    if error.reason in _TRANSIENT:
        delay = duration_pb2.Duration(seconds=_RETRY_SECONDS)
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    return details


def _packed(detail: _Detail) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(detail)
    return packed
