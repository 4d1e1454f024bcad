"""A request at the edge as plain values, and what its headers say of the caller."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

AUTHORIZATION: Final = b"authorization"
API_KEY: Final = b"x-api-key"
ORGANIZATION: Final = b"x-organization-id"
ORIGIN: Final = b"origin"
REQUESTED_METHOD: Final = b"access-control-request-method"
_CONTENT_TYPE: Final = b"content-type"
# From these something is read, and what has this in its name may be one that only
# we may set. No other header needs to be in a request.
READ: Final = frozenset(
    {AUTHORIZATION, API_KEY, ORGANIZATION, ORIGIN, REQUESTED_METHOD, _CONTENT_TYPE}
)
OURS: Final = b"authz"

_SECURITY: Final = (AUTHORIZATION, API_KEY, ORGANIZATION)
_BLANKS: Final = b" \t"
Json = str | float | bool | None | Sequence["Json"] | Mapping[str, "Json"]


class RepeatedHeaderError(Exception):
    """A security header has two values."""


class Headers:
    """Headers by lower-case name, with every value that arrived."""

    def __init__(self, pairs: Iterable[tuple[bytes, bytes]]) -> None:
        self._values: dict[bytes, list[bytes]] = {}
        for name, value in pairs:
            self._values.setdefault(name.lower(), []).append(value)

    def names(self) -> Iterable[bytes]:
        """Every name."""
        return self._values.keys()

    def first(self, name: bytes) -> bytes | None:
        """The first value of a header; none when it is not there."""
        values = self._values.get(name)
        return None if values is None else values[0].strip(_BLANKS)

    def security(self) -> "SecurityHeaders":
        """The headers that say who calls.

        Raises:
            RepeatedHeaderError: one of them has two values, on two lines or joined.
        """
        found: list[bytes | None] = []
        for name in _SECURITY:
            values = self._values.get(name)
            if values is None:
                found.append(None)
                continue
            if len(values) > 1 or b"," in values[0]:
                raise RepeatedHeaderError
            found.append(values[0].strip(_BLANKS))
        return SecurityHeaders(*found)


@dataclass(frozen=True, slots=True)
class SecurityHeaders:
    """What the headers say of the caller; none for a header that is not there."""

    authorization: bytes | None
    api_key: bytes | None
    organization: bytes | None


@dataclass(frozen=True, slots=True)
class EdgeRequest:
    """What is known of a request.

    `peer` is the identity in the client's verified certificate, or empty;
    `extensions` and `jwt_payloads`, by their keys, come from Envoy, never from the
    client. `jwt_payloads` is none when there are some that cannot be read.
    """

    method: str
    target: bytes
    headers: Headers
    extensions: Mapping[str, str] = field(default_factory=dict)
    peer: str = ""
    jwt_payloads: Mapping[str, Json] | None = field(default_factory=dict)

    @property
    def is_grpc(self) -> bool:
        """Whether a gRPC client asks, who reads statuses and not pages."""
        return (self.headers.first(_CONTENT_TYPE) or b"").startswith(
            b"application/grpc"
        )
