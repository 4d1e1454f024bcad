"""API keys: `<prefix>_<lookup id>_<secret>` to a user and a pin.

A hash is `sha256:<hex>` of a secret of at least 128 random bits, for which a
fast hash is safe, or an argon2 PHC string of another system. A known key, an
unknown one and a wrong secret each cost one comparison; argon2 runs off the loop.
What verified is remembered for a minute, under a keyed digest; the stored key is
read each time all the same, so that its end, its revocation and a new hash hold.
"""

import hashlib
import hmac
import re
from collections.abc import Collection
from dataclasses import dataclass

from typing_extensions import override

from sidecar.identity.remembered import Remembered
from sidecar.identity.slow_hashes import SlowHashes, is_slow
from sidecar.identity.work import Work
from sidecar.ports import (
    ApiKeyKey,
    ApiKeyRecord,
    Authenticated,
    Clock,
    CredentialVerifier,
    Facts,
)

# Printable ASCII without blanks; only the secret may have underscores. An id that
# is not there is remembered, so it is short.
_KEY = re.compile(r"([!-^`-~]+)_([!-^`-~]{1,256})_([!-~]+)", re.ASCII)
_SHA256 = re.compile(r"sha256:([0-9a-f]{64})", re.ASCII)
# Compared with when there is nothing to compare with.
_NOBODY = "sha256:" + "0" * 64


@dataclass(frozen=True, slots=True)
class ParsedKey:
    """The parts of a key's text."""

    prefix: str
    lookup_id: str
    secret: str


def parse_key(text: str) -> ParsedKey | None:
    """The parts of a key, none when `text` is no key."""
    found = _KEY.fullmatch(text)
    return None if found is None else ParsedKey(*found.groups())


class ApiKeys(CredentialVerifier):
    """Checks API keys against their stored hashes.

    `prefixes` are those of the keys that are accepted; empty means all.
    """

    def __init__(
        self, clock: Clock, work: Work | None = None, prefixes: Collection[str] = ()
    ) -> None:
        self._clock = clock
        self._prefixes = frozenset(prefixes)
        self._work = Work() if work is None else work
        self._slow = SlowHashes(self._work)
        self._verified = Remembered[str](clock, self._work)

    def close(self) -> None:
        """Ends the threads that hash."""
        self._slow.close()

    @override
    async def verify(self, text: str, facts: Facts) -> Authenticated | None:
        """Who presents this key; none for every kind of bad key.

        Raises CouldNotDecideError when facts cannot be read, and OverloadedError
        when too many slow hashes run already.
        """
        parsed = parse_key(text)
        if parsed is None or not self._is_accepted(parsed.prefix):
            self._is_sha256(text, _NOBODY)
            return None
        record = await facts.get(ApiKeyKey(parsed.lookup_id))
        digest = self._verified.digest(text)
        if record is None:
            await self._compare_in_vain(digest, parsed.secret)
            return None
        matches = await self._matches(digest, parsed.secret, record.secret_hash)
        if not matches or not self._is_current(record):
            return None
        return Authenticated(record.user_id, record.owner_principal_id)

    def _is_accepted(self, prefix: str) -> bool:
        return not self._prefixes or prefix in self._prefixes

    def _is_current(self, record: ApiKeyRecord) -> bool:
        if record.is_revoked:
            return False
        return record.expires_at is None or self._clock.wall() < record.expires_at

    async def _compare_in_vain(self, digest: bytes, secret: str) -> None:
        # Where slow hashes are stored, an answer that comes at once would tell that
        # there is no such key.
        if self._slow.decoy is None:
            self._is_sha256(secret, _NOBODY)
        else:
            await self._slow.compare_in_vain(digest, secret)

    async def _matches(self, digest: bytes, secret: str, stored: str) -> bool:
        # The hash is part of what is remembered: a changed one is verified anew.
        if self._verified.get(digest) == stored:
            return True
        if is_slow(stored):
            matches = await self._slow.matches(digest, secret, stored)
        else:
            matches = self._is_sha256(secret, stored)
        if matches:
            self._verified.put(digest, stored)
        return matches

    def _is_sha256(self, secret: str, stored: str) -> bool:
        self._work.hashes += 1
        found = _SHA256.fullmatch(stored)
        wanted = _NOBODY.removeprefix("sha256:") if found is None else found[1]
        digest = hashlib.sha256(secret.encode()).hexdigest()
        return hmac.compare_digest(digest, wanted) and found is not None
