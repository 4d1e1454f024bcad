"""Argon2 hashes: compared off the loop, few at once, the same one never twice."""

import asyncio
import secrets
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeAlias

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import Argon2Error, InvalidHashError

from sidecar.identity.work import Work
from sidecar.ports import OverloadedError

_PREFIX: Final = "$argon2"
_AT_ONCE: Final = 2
# One place is always left for keys that exist: who makes up keys cannot keep them out.
_IN_VAIN_AT_ONCE: Final = 1

_Asked: TypeAlias = tuple[bytes, str]


def is_slow(stored: str) -> bool:
    """Whether a stored hash is one of these."""
    return stored.startswith(_PREFIX)


class SlowHashes:
    """Compares secrets with argon2 hashes.

    `decoy` is a hash of nothing with the cost of those that are stored, to spend as
    much on a key that does not exist; none until a stored one has been seen.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._hasher = PasswordHasher()
        self._executor = ThreadPoolExecutor(_AT_ONCE, "argon2")
        self._running: dict[_Asked, asyncio.Future[bool]] = {}
        self.decoy: str | None = None

    def close(self) -> None:
        """Ends the threads."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    async def matches(self, digest: bytes, secret: str, stored: str) -> bool:
        """Whether the secret has the stored hash; `digest` stands for its key.

        Raises OverloadedError when too many run already.
        """
        self._learn(stored)
        return await self._compare((digest, stored), secret, _AT_ONCE)

    async def compare_in_vain(self, digest: bytes, secret: str) -> None:
        """Spends what a stored hash costs; raises OverloadedError likewise."""
        await self._compare((digest, self.decoy or ""), secret, _IN_VAIN_AT_ONCE)

    def _learn(self, stored: str) -> None:
        try:
            extract_parameters(stored)
        except InvalidHashError:
            return
        rest, _, hashed = stored.rpartition("$")
        size = len(hashed) * 3 // 4
        made_up = b64encode(secrets.token_bytes(size)).decode().rstrip("=")
        self.decoy = f"{rest}${made_up}"

    async def _compare(self, asked: _Asked, secret: str, at_once: int) -> bool:
        running = self._running.get(asked)
        if running is None:
            running = self._begin(asked, secret, at_once)
        # A caller who leaves must not free the place of a hash that still runs.
        return await asyncio.shield(running)

    def _begin(
        self, asked: _Asked, secret: str, at_once: int
    ) -> "asyncio.Future[bool]":
        if len(self._running) >= at_once:
            raise OverloadedError("too many slow key hashes at once")
        self._work.slow_hashes += 1
        running = asyncio.get_running_loop().run_in_executor(
            self._executor, self._verify, asked[1], secret
        )
        self._running[asked] = running
        running.add_done_callback(lambda _: self._running.pop(asked, None))
        return running

    def _verify(self, stored: str, secret: str) -> bool:
        try:
            return self._hasher.verify(stored, secret)
        except (Argon2Error, InvalidHashError):
            return False
