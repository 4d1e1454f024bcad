"""Access tokens: JWTs of configured issuers to the users whom they name.

What a token says is held against its issuer's rules first, which costs nothing; then
its signature is checked with a key of that issuer's own. What verified is remembered
until the token ends, a minute at most, so that a busy token costs one signature.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from typing_extensions import override

from sidecar.core.ids import UserId
from sidecar.identity.claims import Claimed, IssuerRules, check_claims, read_issuer
from sidecar.identity.compact import Token, read_token
from sidecar.identity.key_ring import KeyRing, RingState
from sidecar.identity.key_set import KeySet
from sidecar.identity.key_sources import KeySource
from sidecar.identity.remembered import Remembered
from sidecar.identity.work import Work
from sidecar.ports import (
    Authenticated,
    Clock,
    CredentialVerifier,
    Facts,
    IdentityKey,
)


@dataclass(frozen=True, slots=True)
class Issuer:
    """Somebody whose tokens are believed, bound to their own keys."""

    rules: IssuerRules
    ring: KeyRing

    @classmethod
    def of(
        cls, rules: IssuerRules, source: KeySource, max_age: float, clock: Clock
    ) -> Self:
        """An issuer whose keys are not read yet, and serve `max_age` seconds."""
        pace = source.pace(max_age)
        return cls(rules, KeyRing(rules.issuer, source, pace, clock))


@dataclass(frozen=True, slots=True)
class _Verified:
    claimed: Claimed
    issuer: Issuer
    keys: KeySet


class AccessTokens(CredentialVerifier):
    """Checks access tokens of issuers whose names differ."""

    def __init__(
        self, issuers: Iterable[Issuer], clock: Clock, work: Work, most_bytes: int
    ) -> None:
        self._issuers: Mapping[str, Issuer] = {
            issuer.rules.issuer: issuer for issuer in issuers
        }
        self._clock = clock
        self._work = work
        self._most_bytes = most_bytes
        self._remembered = Remembered[_Verified](clock, work)

    async def start(self) -> None:
        """Reads the keys of all issuers; that one cannot be read is no error."""
        await asyncio.gather(*(each.ring.start() for each in self._issuers.values()))

    async def close(self) -> None:
        """Reads no more keys."""
        await asyncio.gather(*(each.ring.close() for each in self._issuers.values()))

    def tend(self) -> None:
        """Begins to read what keys are due."""
        for issuer in self._issuers.values():
            issuer.ring.tend()

    @property
    def are_usable(self) -> bool:
        """Whether the keys of every issuer can be used."""
        return all(state.is_usable for state in self.states().values())

    def states(self) -> dict[str, RingState]:
        """How the keys of each issuer are."""
        return {name: each.ring.state() for name, each in self._issuers.items()}

    @override
    async def verify(self, text: str, facts: Facts) -> Authenticated | None:
        """Who presents this token; none for every kind of bad token.

        Raises CouldNotDecideError when facts cannot be read or keys cannot be had.
        """
        if len(text) > self._most_bytes or not text.isascii():
            return None
        digest = self._remembered.digest(text)
        verified = self._recall(digest)
        if verified is None:
            verified = await self._check(text)
            if verified is None:
                return None
            self._remembered.put(digest, verified)
        return await _user(verified.claimed.who, facts)

    def _recall(self, digest: bytes) -> _Verified | None:
        found = self._remembered.get(digest)
        if found is None:
            return None
        is_good = found.claimed.lifetime.has(self._clock.wall())
        if is_good and found.issuer.ring.current() is found.keys:
            return found
        self._remembered.drop(digest)
        return None

    async def _check(self, text: str) -> _Verified | None:
        token = read_token(text)
        if token is None:
            return None
        issuer = self._issuers.get(read_issuer(token.claims) or "")
        if issuer is None or token.algorithm not in issuer.rules.algorithms:
            return None
        claimed = check_claims(token.claims, issuer.rules, self._clock.wall())
        if claimed is None:
            return None
        keys = await self._verify_signature(token, issuer.ring)
        return None if keys is None else _Verified(claimed, issuer, keys)

    async def _verify_signature(self, token: Token, ring: KeyRing) -> KeySet | None:
        found = await ring.find(token.key_id, token.algorithm)
        if found is None:
            return None
        keys, key = found
        self._work.signatures += 1
        is_right = key.verifies(token.algorithm, token.signed, token.signature)
        return keys if is_right else None


async def _user(who: UserId | IdentityKey, facts: Facts) -> Authenticated | None:
    if not isinstance(who, IdentityKey):
        return Authenticated(who, None)
    user_id = await facts.get(who)
    return None if user_id is None else Authenticated(user_id, None)
