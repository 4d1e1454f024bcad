"""API keys: `<prefix>_<lookup id>_<secret>` to a user and a pin.

A hash is `sha256:<hex>` of a secret of at least 128 random bits, for which a
fast hash is safe, or an argon2 PHC string of another system. Argon2 runs off
the loop, two at once; what verified is remembered for a minute as a keyed
digest, so that a busy key does not cost its hash each time.
"""

import asyncio
import hashlib
import hmac
import re
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from cachetools import TTLCache
from typing_extensions import override

from sidecar.ports import (
    ApiKeyKey,
    ApiKeyRecord,
    ApiKeyVerifier,
    Authenticated,
    Clock,
    Facts,
    OverloadedError,
)

_SHA256 = re.compile(r"sha256:([0-9a-f]{64})", re.ASCII)
_ARGON2_PREFIX = "$argon2"
_ARGON2_AT_ONCE = 2
_REMEMBERED = 10_000
_REMEMBERED_SECONDS = 60.0
# Compared against when there is nothing to compare with, so that an unknown key
# costs what a known one costs.
_NOBODY = "sha256:" + "0" * 64


@dataclass(frozen=True, slots=True)
class ParsedKey:
    """The parts of a key's text that matter."""

    lookup_id: str
    secret: str


def parse_key(text: str) -> ParsedKey | None:
    """The parts of a key, none when `text` is no key."""
    prefix, _, rest = text.partition("_")
    lookup_id, _, secret = rest.partition("_")
    if not (prefix and lookup_id and secret):
        return None
    return ParsedKey(lookup_id, secret)


class ApiKeys(ApiKeyVerifier):
    """Checks API keys against their stored hashes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._argon2 = PasswordHasher()
        self._executor = ThreadPoolExecutor(_ARGON2_AT_ONCE, "argon2")
        self._running = 0
        self._digest_key = secrets.token_bytes(32)
        self._verified: TTLCache[bytes, str] = TTLCache(
            _REMEMBERED, _REMEMBERED_SECONDS, timer=clock.monotonic
        )

    def close(self) -> None:
        """Ends the threads that hash."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    @override
    async def verify(self, api_key: str, facts: Facts) -> Authenticated | None:
        """Who presents this key; none for every kind of bad key.

        Raises CouldNotDecideError when facts cannot be read, and OverloadedError
        when too many slow hashes run already.
        """
        parsed = parse_key(api_key)
        if parsed is None:
            _is_sha256(api_key, _NOBODY)
            return None
        record = await facts.get(ApiKeyKey(parsed.lookup_id))
        stored = _NOBODY if record is None else record.secret_hash
        matches = await self._matches(api_key, parsed.secret, stored)
        if record is None or not matches or not self._is_current(record):
            return None
        return Authenticated(record.user_id, record.owner_principal_id)

    def _is_current(self, record: ApiKeyRecord) -> bool:
        if record.is_revoked:
            return False
        return record.expires_at is None or self._clock.wall() < record.expires_at

    async def _matches(self, api_key: str, secret: str, stored: str) -> bool:
        if not stored.startswith(_ARGON2_PREFIX):
            return _is_sha256(secret, stored)
        digest = hashlib.blake2b(api_key.encode(), key=self._digest_key).digest()
        # The hash is part of what is remembered: a changed one is verified anew.
        if self._verified.get(digest) == stored:
            return True
        matches = await self._is_argon2(secret, stored)
        if matches:
            self._verified[digest] = stored
        return matches

    async def _is_argon2(self, secret: str, stored: str) -> bool:
        if self._running >= _ARGON2_AT_ONCE:
            raise OverloadedError("too many slow key hashes at once")
        self._running += 1
        loop = asyncio.get_running_loop()
        try:
            hashing = loop.run_in_executor(
                self._executor, self._verify_argon2, stored, secret
            )
            hashing.add_done_callback(self._hashed)
        except BaseException:
            self._running -= 1
            raise
        # A caller who leaves must not free the place of a hash that still runs.
        return await asyncio.shield(hashing)

    def _hashed(self, _: "asyncio.Future[bool]") -> None:
        self._running -= 1

    def _verify_argon2(self, stored: str, secret: str) -> bool:
        try:
            return self._argon2.verify(stored, secret)
        except (Argon2Error, InvalidHashError):
            return False


def _is_sha256(secret: str, stored: str) -> bool:
    found = _SHA256.fullmatch(stored)
    wanted = _NOBODY.removeprefix("sha256:") if found is None else found[1]
    digest = hashlib.sha256(secret.encode()).hexdigest()
    return hmac.compare_digest(digest, wanted) and found is not None
