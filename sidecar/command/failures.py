"""Calls that ended without an answer: what the server said, and what to do."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import grpc
from authz.v1 import decision_pb2
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status

from sidecar.command.bare_json import Json, bare_names

_DETAILS = "grpc-status-details-bin"
_DOMAIN = "authz.v1"
_REFUSALS = frozenset(
    {
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.UNAUTHENTICATED,
    }
)
# Reasons below this number decide; those from it on are errors.
_FIRST_ERROR = decision_pb2.REASON_MALFORMED_FIELD
_REASONS = bare_names(decision_pb2.Reason.DESCRIPTOR)


# Not frozen: a context manager that an exception passes sets its traceback.
@dataclass(eq=False)
class CallFailedError(Exception):
    """A call that ended with a status.

    `reason` is the bare name of a Reason, or empty when the server gave none (when
    it was not reached, say). `fields` are the fields at fault with what is wrong.
    """

    code: grpc.StatusCode
    message: str
    reason: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_denial(self) -> bool:
        """Whether the server did decide: the caller's context is refused."""
        number = _REASONS.get(self.reason, _FIRST_ERROR)
        return self.code in _REFUSALS and number < _FIRST_ERROR

    @property
    def advice(self) -> str:
        """What to do about it; empty when there is nothing to say."""
        return _BY_REASON.get(self.reason) or _BY_CODE.get(self.code, "")

    def as_json(self) -> dict[str, Json]:
        """The failure as a document of its own."""
        error: dict[str, Json] = {
            "code": self.code.name,
            "reason": self.reason,
            "message": self.message,
            "fields": dict[str, Json](self.fields),
        }
        return {"error": error}


def failure_of(error: grpc.RpcError) -> CallFailedError:
    """What an error of gRPC's says."""
    if not isinstance(error, grpc.Call):
        return CallFailedError(grpc.StatusCode.UNKNOWN, str(error))
    status = _details(error)
    code, reason = error.code(), _reason(status)
    message = error.details() or code.name.lower().replace("_", " ")
    if code is grpc.StatusCode.UNAVAILABLE and not reason:
        # Nobody answered; of the transport's words the last say why.
        reason = message.rpartition("error: ")[2]
        message = f"cannot reach the server: {reason[:1].lower()}{reason[1:]}"
    return CallFailedError(code, message, reason, _fields(status))


def _details(call: grpc.Call) -> Status:
    metadata = dict(call.trailing_metadata() or ())
    raw = metadata.get(_DETAILS, b"")
    try:
        return Status.FromString(raw if isinstance(raw, bytes) else raw.encode())
    except DecodeError:
        return Status()


def _reason(status: Status) -> str:
    info = ErrorInfo()
    for detail in status.details:
        if detail.Unpack(info) and info.domain == _DOMAIN:
            return info.reason
    return ""


def _fields(status: Status) -> dict[str, str]:
    fields: dict[str, str] = {}
    bad = BadRequest()
    for detail in status.details:
        if detail.Unpack(bad):
            fields |= {one.field: one.description for one in bad.field_violations}
    return fields


_BY_REASON: Mapping[str, str] = {
    "INVALID_CREDENTIAL": "check the credential: the user may be unknown or inactive, "
    "the key expired or revoked",
    "INVALID_ORGANIZATION_ID": "write the organization's id as it is stored",
    "NOT_A_MEMBER": "see `ask list-contexts` for where this caller may act",
    "ORGANIZATION_NOT_FOUND": "see `ask list-contexts` for where this caller may act",
    "UNKNOWN_RESOURCE_KIND": "declare the kind in the settings, `resource_kinds`",
    "MALFORMED_FIELD": "correct the field",
    "MALFORMED_MESSAGE": "client and server must be of versions that go together",
    "UNKNOWN_REVISION": "ask without the revision, or take a newer one",
    "NOT_SERVED_HERE": "ask a listener that serves it: `ask get-server-info` says what "
    "this one serves",
    "NOT_IMPLEMENTED": "this version of the server does not have it",
    "FACTS_UNAVAILABLE": "try again, and look at the database and `authz-sidecar "
    "health`",
    "DEADLINE_TOO_NEAR": "try again with a longer --timeout",
    "OVERLOADED": "try again a little later",
    "INTERNAL": "the server's log says more; please report it",
    "PEER_NOT_ALLOWED": "have a name of your certificate added to the listener's "
    "`tls.allowed_names`",
    "WATCHER_TOO_SLOW": "begin again with --after and the last beat's revision",
}
_BY_CODE: Mapping[grpc.StatusCode, str] = {
    grpc.StatusCode.UNAVAILABLE: "is the server running? start it with "
    "`authz-sidecar serve` or `authz-sidecar dev`, or correct --address",
    grpc.StatusCode.DEADLINE_EXCEEDED: "try again with a longer --timeout",
    grpc.StatusCode.UNIMPLEMENTED: "is it an authz-sidecar that listens at --address?",
}
