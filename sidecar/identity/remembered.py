"""What verified a moment ago, under keyed digests: no credential stays in memory."""

import hashlib
import secrets
from collections import OrderedDict
from typing import Generic, TypeVar

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
        self._clock = clock
        self._most = most
        self._seconds = seconds
        # Nobody who reads the memory learns more than that a text was right, and
        # nobody outside can choose texts whose digests collide.
        self._key = secrets.token_bytes(32)
        # In the order of their use; with each, until when it is remembered.
        self._values: OrderedDict[bytes, tuple[T, float]] = OrderedDict()

    def digest(self, text: str) -> bytes:
        """The name under which a credential is remembered; `text` is ASCII."""
        self._work.digests += 1
        return hashlib.blake2b(text.encode("ascii"), key=self._key).digest()

    def get(self, digest: bytes) -> T | None:
        """What is remembered; none when nothing is, or not any more."""
        found = self._values.get(digest)
        if found is None:
            return None
        value, until = found
        if until <= self._clock.monotonic():
            del self._values[digest]
            return None
        self._values.move_to_end(digest)
        return value

    def put(self, digest: bytes, value: T) -> None:
        """Remembers; the one that was used least lately gives way."""
        now = self._clock.monotonic()
        self._values[digest] = value, now + self._seconds
        self._values.move_to_end(digest)
        self._forget(now)

    def drop(self, digest: bytes) -> None:
        """Forgets."""
        self._values.pop(digest, None)

    def _forget(self, now: float) -> None:
        """What was not used since it ended, and what is too much."""
        values = self._values
        while len(values) > self._most or next(iter(values.values()))[1] <= now:
            values.popitem(last=False)

    def __len__(self) -> int:
        return len(self._values)
