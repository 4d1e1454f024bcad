"""Who calls: from headers and the connection to a caller that is to be judged."""

import re
from dataclasses import dataclass
from typing import Final, Protocol

from sidecar.edge.request import EdgeRequest, SecurityHeaders
from sidecar.service.asking import (
    Caller,
    NamedSubject,
    NamedUser,
    PresentedApiKey,
    PresentedToken,
)

_BEARER: Final = re.compile(rb"[Bb][Ee][Aa][Rr][Ee][Rr] +([^ ]+)")
# A compact JWS; no part of it can have a dot.
_DOTS_OF_A_TOKEN: Final = 2
# A text that no column can have. Whether the wish for an organization counts at all
# is judged first, so what cannot be one is passed on as this.
_NO_ID: Final = "\0"


@dataclass(frozen=True, slots=True)
class EdgeLimits:
    """How large what a request brings may be, in bytes of UTF-8."""

    id_bytes: int = 256
    item_bytes: int = 512
    item_segments: int = 32
    credential_bytes: int = 16 * 1024


class TwoCredentialsError(Exception):
    """A request shows two credentials, so that it would be two callers."""


class BadCredentialError(Exception):
    """A credential is there and none that anybody could check."""


class Peers(Protocol):
    """Knows callers whom Envoy has verified."""

    def subject(self, request: EdgeRequest) -> NamedUser | NamedSubject | None:
        """Whom a certificate or a payload names, where the configuration trusts it.

        Raises:
            BadCredentialError: it is trusted and names nobody.
        """
        ...


def read_caller(
    request: EdgeRequest, security: SecurityHeaders, peers: Peers, limits: EdgeLimits
) -> Caller | None:
    """The caller, none when nothing says who it is.

    Raises:
        TwoCredentialsError: there are two credentials.
        BadCredentialError: a credential cannot be read.
    """
    organization = _organization(security.organization or b"", limits.id_bytes)
    most_bytes = limits.credential_bytes
    authorization, key = security.authorization, security.api_key
    if authorization is not None and key is not None:
        raise TwoCredentialsError
    if key is not None:
        return Caller(PresentedApiKey(_credential(key, most_bytes)), organization)
    if authorization is not None:
        text = _credential(_bearer(authorization), most_bytes)
        if text.count(".") == _DOTS_OF_A_TOKEN:
            return Caller(PresentedToken(text), organization)
        return Caller(PresentedApiKey(text), organization)
    subject = peers.subject(request)
    return None if subject is None else Caller(subject, organization)


def _bearer(value: bytes) -> bytes:
    match = _BEARER.fullmatch(value)
    if match is None:
        raise BadCredentialError
    return match[1]


def _credential(value: bytes, most_bytes: int) -> str:
    if not value or len(value) > most_bytes:
        raise BadCredentialError
    try:
        return value.decode("ascii")
    except UnicodeDecodeError as error:
        raise BadCredentialError from error


def _organization(value: bytes, most_bytes: int) -> str:
    if len(value) > most_bytes:
        return _NO_ID
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return _NO_ID
