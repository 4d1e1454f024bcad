"""What a token claims, held against what its issuer's tokens must claim."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sidecar.core.ids import UserId
from sidecar.identity.strict_json import Json, JsonObject
from sidecar.ports import IdentityKey

# The end of the year 9999: beyond it, somebody has written milliseconds.
_LAST_SECOND: Final = 253_402_300_799
_NAME_BYTES: Final = 512


@dataclass(frozen=True, slots=True)
class IssuerRules:
    """What tokens of one issuer must be.

    `user_id_claim` names the claim that is the user's id; with none, the issuer and
    the subject are looked up. `leeway` is seconds by which clocks may differ.
    """

    issuer: str
    audiences: frozenset[str]
    algorithms: frozenset[str]
    user_id_claim: str | None = None
    leeway: float = 30.0


@dataclass(frozen=True, slots=True)
class Lifetime:
    """From when until when a token is good, in seconds since 1970, leeway in."""

    begins: float
    ends: float

    def has(self, now: float) -> bool:
        """Whether it is good at a moment; at its end it is not any more."""
        return self.begins <= now < self.ends


@dataclass(frozen=True, slots=True)
class Claimed:
    """Whom a token names, and how long."""

    who: UserId | IdentityKey
    lifetime: Lifetime


def read_issuer(claims: JsonObject) -> str | None:
    """Who says to have issued the token."""
    issuer = claims.get("iss")
    return issuer if isinstance(issuer, str) else None


def check_claims(claims: JsonObject, rules: IssuerRules, now: float) -> Claimed | None:
    """Whom the claims name; none when they break the rules of their issuer."""
    who = _who(claims, rules)
    lifetime = _lifetime(claims, rules.leeway)
    if who is None or lifetime is None or not lifetime.has(now):
        return None
    if not _is_meant_for(claims.get("aud"), rules.audiences):
        return None
    return Claimed(who, lifetime)


def is_name(value: object) -> bool:
    """Whether a value is text that can name somebody, of at most 512 bytes.

    Neither control characters nor what UTF-8 does not have.
    """
    if not isinstance(value, str) or not value or not value.isprintable():
        return False
    # A lone surrogate is not printable, so this cannot fail.
    return len(value.encode()) <= _NAME_BYTES


def _who(claims: JsonObject, rules: IssuerRules) -> UserId | IdentityKey | None:
    claim = "sub" if rules.user_id_claim is None else rules.user_id_claim
    name = claims.get(claim)
    if not isinstance(name, str) or not is_name(name):
        return None
    if rules.user_id_claim is not None:
        return UserId(name)
    return IdentityKey(rules.issuer, name)


def _lifetime(claims: JsonObject, leeway: float) -> Lifetime | None:
    ends = _second(claims.get("exp"))
    begins = _second(claims.get("nbf", 0))
    issued = _second(claims.get("iat", 0))
    if ends is None or begins is None or issued is None:
        return None
    return Lifetime(begins - leeway, ends + leeway)


def _second(value: Json) -> int | None:
    # True is an integer to Python, and a fraction no time that a token needs.
    if type(value) is not int or not 0 <= value <= _LAST_SECOND:
        return None
    return value


def _is_meant_for(value: Json, audiences: Collection[str]) -> bool:
    named = [value] if isinstance(value, str) else value
    if not isinstance(named, list):
        return False
    if not all(isinstance(each, str) for each in named):
        return False
    return any(each in audiences for each in named)
