"""Whom Envoy has verified: a client certificate's SPIFFE id, a token's payload.

Envoy has checked the certificate or the signature, and nobody but Envoy can say so.
Which of them are believed is configured; what is not is no credential.
"""

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import Enum, unique
from typing import Final, TypeAlias

from sidecar.identity.claims import is_name

_SCHEME: Final = "spiffe://"
_TRUST_DOMAIN: Final = re.compile(r"[a-z0-9._-]{1,255}", re.ASCII)
_SEGMENT: Final = re.compile(r"[A-Za-z0-9._-]+", re.ASCII)
# What stands for a folder in a path is the name of nobody.
_NO_SEGMENTS: Final = frozenset({".", ".."})
_ID_BYTES: Final = 2048


@unique
class Unusable(Enum):
    """Something is presented, and nobody can be named by it: a bad credential."""

    PEER = "peer"


@dataclass(frozen=True, slots=True)
class Peer:
    """A name to look up in `user_identities`."""

    issuer: str
    subject: str


PeerOrNot: TypeAlias = Peer | Unusable | None


def is_trust_domain(text: str) -> bool:
    """Whether `text` can be a SPIFFE trust domain, such as `prod.example`."""
    return _TRUST_DOMAIN.fullmatch(text) is not None


def read_spiffe_id(principal: str, trust_domains: AbstractSet[str]) -> PeerOrNot:
    """The workload that a verified certificate names; none for other certificates.

    `principal` is the identity that Envoy has taken from the certificate. The issuer
    of a workload is `spiffe://<trust domain>`, its subject the whole id. With no
    trust domain configured, certificates name nobody.
    """
    if not trust_domains or not principal.startswith(_SCHEME):
        return None
    if len(principal) > _ID_BYTES:
        return Unusable.PEER
    domain, *segments = principal.removeprefix(_SCHEME).split("/")
    if domain not in trust_domains or not is_trust_domain(domain):
        return Unusable.PEER
    if not segments or not all(map(_is_segment, segments)):
        return Unusable.PEER
    return Peer(f"{_SCHEME}{domain}", principal)


def read_jwt_payload(
    payload: Mapping[str, object] | None, issuers: AbstractSet[str]
) -> PeerOrNot:
    """Whom the payload of a token names that Envoy's `jwt_authn` has verified.

    None when there is no payload, or no issuer is configured.
    """
    if payload is None or not issuers:
        return None
    issuer, subject = payload.get("iss"), payload.get("sub")
    if not isinstance(issuer, str) or issuer not in issuers:
        return Unusable.PEER
    if not isinstance(subject, str) or not is_name(subject):
        return Unusable.PEER
    return Peer(issuer, subject)


def _is_segment(text: str) -> bool:
    return _SEGMENT.fullmatch(text) is not None and text not in _NO_SEGMENTS
