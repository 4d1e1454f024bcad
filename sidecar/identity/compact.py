"""A token in compact form taken apart: nothing in it is believed yet."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Final

from sidecar.identity.strict_json import JsonObject, MalformedJsonError, parse_object

_COMPACT: Final = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
# Each of these would let the token choose its key, or change what is signed.
_FORBIDDEN: Final = frozenset({"jku", "x5u", "jwk", "crit", "b64", "enc", "zip", "cty"})
# Tokens of other purposes, such as a logout's, have types of their own.
_TYPES: Final = frozenset({"jwt", "at+jwt", "application/jwt", "application/at+jwt"})


@dataclass(frozen=True, slots=True)
class Token:
    """The parts of a token; `key_id` is none when it names no key."""

    algorithm: str
    key_id: str | None
    claims: JsonObject
    signed: bytes
    signature: bytes


def read_token(text: str) -> Token | None:
    """The parts of a signed token, none when it is not fit to be checked."""
    found = _COMPACT.fullmatch(text)
    if found is None:
        return None
    try:
        header, claims, signature = map(_decode, found.groups())
        parsed = _Header.of(parse_object(header))
        if parsed is None:
            return None
        signed = text.rpartition(".")[0].encode("ascii")
        return Token(
            parsed.algorithm, parsed.key_id, parse_object(claims), signed, signature
        )
    except MalformedJsonError:
        return None


@dataclass(frozen=True, slots=True)
class _Header:
    algorithm: str
    key_id: str | None

    @classmethod
    def of(cls, header: JsonObject) -> "_Header | None":
        algorithm, key_id = header.get("alg"), header.get("kid")
        is_named = key_id is None or isinstance(key_id, str)
        if not isinstance(algorithm, str) or not is_named:
            return None
        if not _FORBIDDEN.isdisjoint(header) or not _is_of_a_fit_type(header):
            return None
        if "kid" in header and key_id is None:
            return None
        return cls(algorithm, key_id if isinstance(key_id, str) else None)


def _is_of_a_fit_type(header: JsonObject) -> bool:
    if "typ" not in header:
        return True
    kind = header["typ"]
    return isinstance(kind, str) and kind.lower() in _TYPES


def _decode(part: str) -> bytes:
    try:
        data = urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError as error:
        raise MalformedJsonError("no base64") from error
    # The last character has bits to spare: another text must not be the same token.
    if urlsafe_b64encode(data).rstrip(b"=") != part.encode("ascii"):
        raise MalformedJsonError("no canonical base64")
    return data
