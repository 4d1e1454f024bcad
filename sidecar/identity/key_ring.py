"""The keys of one issuer as they are now: read, read again, and how old they may be.

A bad token and one that cannot be judged are told apart here. A key is unknown only
when the latest reading worked and lacks it; when nobody can know, nobody decides.
"""

import asyncio
from dataclasses import dataclass
from typing import Final

import structlog

from sidecar.identity.key_set import (
    KeySet,
    MalformedKeySetError,
    VerifyingKey,
    choose,
    parse_key_set,
)
from sidecar.identity.key_sources import KeySource, KeySourceError, Pace
from sidecar.ports import Clock, FactsUnavailableError

_NEVER: Final = float("-inf")
_FIRST_RETRY_SECONDS: Final = 1.0

_log = structlog.stdlib.get_logger("sidecar.identity")


@dataclass(frozen=True, slots=True)
class RingState:
    """What operators see of a ring; `age` is in seconds, none before any reading."""

    is_usable: bool
    age: float | None
    readings: int
    failures: int


class KeyRing:
    """The keys of an issuer; all methods run on the loop."""

    def __init__(
        self, issuer: str, source: KeySource, pace: Pace, clock: Clock
    ) -> None:
        self.issuer = issuer
        self._source = source
        self._pace = pace
        self._clock = clock
        self._keys: KeySet | None = None
        self._document = b""
        self._read_at = _NEVER
        self._began = _NEVER
        self._due = _NEVER
        self._failed_in_a_row = 0
        self._reading: asyncio.Task[None] | None = None
        self._is_closed = False
        self._readings = 0
        self._failures = 0

    async def start(self) -> None:
        """Reads the keys; that it fails is told, and no error."""
        self.tend()
        if self._reading is not None:
            await self._reading

    async def close(self) -> None:
        """Reads no more."""
        self._is_closed = True
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    def tend(self) -> None:
        """Begins to read the keys anew when it is time to."""
        if self._clock.monotonic() >= self._due:
            self._begin()

    def current(self) -> KeySet:
        """The keys as they are; another object when they are others.

        Raises:
            FactsUnavailableError: they are too old, or were never read.
        """
        self.tend()
        if self._keys is None or not self._is_young():
            raise FactsUnavailableError(f"the keys of `{self.issuer}` cannot be had")
        return self._keys

    async def find(
        self, key_id: str | None, algorithm: str
    ) -> tuple[KeySet, VerifyingKey] | None:
        """The key that is meant, with its set; none when there is none.

        Raises:
            FactsUnavailableError: it cannot be known whether there is.
        """
        self.tend()
        if self._keys is None or not self._is_young() or not self._keys.named(key_id):
            await self._read_again()
        keys = self.current()
        named = keys.named(key_id)
        if not named and not self._is_certain():
            raise FactsUnavailableError(f"the keys of `{self.issuer}` may be others")
        key = choose(named, algorithm)
        return None if key is None else (keys, key)

    def state(self) -> RingState:
        """How the ring is now."""
        is_usable = self._keys is not None and self._is_young()
        age = None if self._keys is None else self._clock.monotonic() - self._read_at
        return RingState(is_usable, age, self._readings, self._failures)

    def _is_young(self) -> bool:
        return self._clock.monotonic() - self._read_at < self._pace.max_age

    def _is_certain(self) -> bool:
        return self._reading is None and self._failed_in_a_row == 0

    async def _read_again(self) -> None:
        if self._clock.monotonic() - self._began >= self._pace.apart:
            self._begin()
        if self._reading is not None:
            # It goes on for the others when this one is tired of waiting.
            await asyncio.wait({self._reading}, timeout=self._pace.patience)

    def _begin(self) -> None:
        if self._reading is not None or self._is_closed:
            return
        self._began = self._clock.monotonic()
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        self._readings += 1
        try:
            document = await self._source.read()
            if self._keys is None or document != self._document:
                self._keys = await asyncio.to_thread(parse_key_set, document)
                self._document = document
                _log.info("keys.read", issuer=self.issuer, keys=len(self._keys.keys))
            self._succeed()
        except (KeySourceError, MalformedKeySetError) as error:
            self._fail(str(error))
        except Exception as error:  # noqa: BLE001  a defect must not end the readings
            self._fail("defect")
            _log.error("keys.defect", issuer=self.issuer, exc_info=error)
        finally:
            self._reading = None

    def _succeed(self) -> None:
        self._read_at = self._began
        self._due = self._began + self._pace.refresh
        self._failed_in_a_row = 0

    def _fail(self, reason: str) -> None:
        self._failures += 1
        wait = _FIRST_RETRY_SECONDS * 2**self._failed_in_a_row
        self._due = self._clock.monotonic() + min(wait, self._pace.apart)
        # Doubled until it is as long as the rest; more would only be a large number.
        self._failed_in_a_row = min(self._failed_in_a_row + 1, 16)
        _log.warning("keys.unreadable", issuer=self.issuer, reason=reason)
