"""Facts from a replica, when it shows everything that the feed has told.

A replica is behind by nobody knows how much, and of a change that it does not show yet
the feed tells only once. So before anything is read there, the replica must have
replayed the log of the primary up to a mark: a position of which the primary said,
after the feed had told what it has told so far, that it is the end. Until it has, and
whenever there is no such mark, the primary is read.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, unique
from math import inf
from typing import Final, TypeVar

import structlog
from typing_extensions import override

from sidecar.ports import (
    CouldNotDecideError,
    FactKey,
    Facts,
    FactsUnavailableError,
    OverloadedError,
)
from sidecar.store.postgres import PostgresFacts, Reader, Reading

T = TypeVar("T")

_log: Final = structlog.get_logger()

# The transaction numbers of a replica's snapshot would not do: while it recovers, those
# under way are missing in it. Of the timeline, the WAL's own position tells at once.
_MARK: Final = """
select pg_current_wal_insert_lsn()::text as position,
    ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int
        as timeline
"""
# A replica that was left on an old timeline has positions that mean something else. It
# knows of a new one with some delay, until which it does not count.
_SHOWS: Final = """
select pg_is_in_recovery() and pg_last_wal_replay_lsn() >= $1::text::pg_lsn
    and greatest(
        (select timeline_id from pg_control_checkpoint()),
        (select min_recovery_end_timeline from pg_control_recovery())
    ) = $2 as shows
"""
# A replica gets this share of the time for a reading; the rest is for the primary.
_SHARE: Final = 0.25
# After a failure, how many seconds it is left alone.
_PAUSE: Final = 1.0

# A number for what the feed has told so far; none while it does not tell everything,
# so that facts must come from the primary.
Told = Callable[[], int | None]


@unique
class Outcome(Enum):
    """What became of a reading that a replica could serve.

    `REPLICA`: it did. `BEHIND`: it did not show everything yet. `UNMARKED`: how much it
    must show was not known yet. `FAILED`: it is away or does not answer in time.
    """

    REPLICA = "replica"
    BEHIND = "behind"
    UNMARKED = "unmarked"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ReplicaStats:
    """Whether the replica answers, and how many readings ended how."""

    is_up: bool
    readings: dict[Outcome, int]


@dataclass(frozen=True, slots=True)
class _Mark:
    told: int
    position: str
    timeline: int


class ReplicaFacts(Facts):
    """Reads facts from a replica where that is as good, else from the primary."""

    def __init__(self, replica: Reader, primary: Reader, told: Told) -> None:
        self._replica = replica
        self._primary = primary
        self._facts = PostgresFacts(primary)
        self._told = told
        self._mark: _Mark | None = None
        self._marking: asyncio.Task[None] | None = None
        self._paused_until = -inf
        self._is_up = True
        self._readings = dict.fromkeys(Outcome, 0)

    def stats(self) -> ReplicaStats:
        """How the replica is used."""
        return ReplicaStats(self._is_up, dict(self._readings))

    async def close(self) -> None:
        """Ends what is under way beside the readings, and the connections."""
        if self._marking is not None:
            self._marking.cancel()
            await asyncio.gather(self._marking, return_exceptions=True)
        await self._replica.database.close()

    async def renew(self) -> None:
        """From now on reads through connections that are opened after this."""
        await self._replica.database.renew()

    @override
    async def get(self, key: FactKey[T]) -> T:
        return (await self.get_all((key,)))[0]

    @override
    async def get_all(self, keys: Sequence[FactKey[T]]) -> list[T]:
        told = self._told()
        if told is not None:
            reading = Reading.of(keys, self._replica)
            outcome, facts = await self._try(reading, told)
            self._readings[outcome] += 1
            if facts is not None:
                return facts
        return await self._facts.get_all(keys)

    async def _try(
        self, reading: Reading[T], told: int
    ) -> tuple[Outcome, list[T] | None]:
        if self._replica.clock.monotonic() < self._paused_until:
            return Outcome.FAILED, None
        mark = self._mark
        if mark is None or mark.told != told:
            self._begin_marking(told)
            return Outcome.UNMARKED, None
        try:
            facts = await self._read(reading, mark)
        except (FactsUnavailableError, OverloadedError) as error:
            self._failed(error)
            return Outcome.FAILED, None
        self._succeeded()
        return (Outcome.BEHIND if facts is None else Outcome.REPLICA), facts

    async def _read(self, reading: Reading[T], mark: _Mark) -> list[T] | None:
        # In this order: what is read after it showed that much shows no less.
        seconds = self._replica.timeout * _SHARE
        async with self._replica.database.lend(seconds) as connection:
            shown = await connection.fetch(_SHOWS, mark.position, mark.timeline)
            if shown[0]["shows"] is not True:
                return None
            rows = await reading.run(connection)
        return await reading.facts(rows)

    def _begin_marking(self, told: int) -> None:
        if self._marking is None:
            self._marking = asyncio.create_task(self._set_mark(told))

    async def _set_mark(self, told: int) -> None:
        primary = self._primary
        try:
            async with primary.database.lend(primary.timeout) as connection:
                row = (await connection.fetch(_MARK))[0]
            position, timeline = row["position"], row["timeline"]
            if isinstance(position, str) and isinstance(timeline, int):
                self._mark = _Mark(told, position, timeline)
        except CouldNotDecideError as error:
            _log.warning("replica.unmarked", error=str(error))
        finally:
            self._marking = None

    def _failed(self, error: Exception) -> None:
        self._paused_until = self._replica.clock.monotonic() + _PAUSE
        if self._is_up:
            cause = error.__cause__ or error
            _log.warning("replica.lost", error=type(cause).__name__)
        self._is_up = False

    def _succeeded(self) -> None:
        if not self._is_up:
            _log.info("replica.back")
        self._is_up = True
