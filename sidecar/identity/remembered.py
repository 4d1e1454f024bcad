"""What verified a moment ago, under keyed digests: no credential stays in memory."""

import hashlib
import secrets
from typing import Generic, TypeVar

from cachetools import TTLCache

from sidecar.identity.work import Work
from sidecar.ports import Clock

T = TypeVar("T")

_MOST = 10_000
_SECONDS = 60.0


class Remembered(Generic[T]):
    """Values by credential, at most `most`, each for at most `seconds`.

    Only what verified is put in, so that made-up credentials push nobody out.
    """

    def __init__(
        self, clock: Clock, work: Work, most: int = _MOST, seconds: float = _SECONDS
    ) -> None:
        self._work = work
        # Nobody who reads the memory learns more than that a text was right, and
        # nobody outside can choose texts whose digests collide.
        self._key = secrets.token_bytes(32)
        self._values: TTLCache[bytes, T] = TTLCache(
            most, seconds, timer=clock.monotonic
        )

    def digest(self, text: str) -> bytes:
        """The name under which a credential is remembered; `text` is ASCII."""
        self._work.digests += 1
        return hashlib.blake2b(text.encode("ascii"), key=self._key).digest()

    def get(self, digest: bytes) -> T | None:
        """What is remembered; none when nothing is, or not any more."""
        return self._values.get(digest)

    def put(self, digest: bytes, value: T) -> None:
        """Remembers; the one that was used least lately gives way."""
        self._values[digest] = value

    def drop(self, digest: bytes) -> None:
        """Forgets."""
        self._values.pop(digest, None)

    def __len__(self) -> int:
        return len(self._values)
