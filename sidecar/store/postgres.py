"""Facts read from PostgreSQL: each for itself, or all from one snapshot."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from math import ceil
from typing import Final, Generic, TypeVar

from asyncpg.pool import PoolConnectionProxy
from typing_extensions import override

from sidecar.ports import (
    Clock,
    DeadlineTooNearError,
    FactKey,
    Facts,
    FactsUnavailableError,
)
from sidecar.store.anomalies import Tell
from sidecar.store.database import DRIVER_ERRORS, Database
from sidecar.store.lookups import Arguments, Lookup, Lookups
from sidecar.store.queries import Queryable, Row
from sidecar.store.revisions import NOWHERE, Position, Revision, read_position
from sidecar.store.weights import parts

T = TypeVar("T")

# The question is over then, so this is time on top of its deadline.
_END_SECONDS: Final = 1.0
# A client that vanishes without a word must not keep its locks for hours: whoever
# changes the schema would wait for it, and behind that everybody.
_BEGIN: Final = """
begin isolation level repeatable read, read only;
set local idle_in_transaction_session_timeout = {milliseconds}
"""
_IDLE_READINGS: Final = 5
# Rows and their parts that are decoded before others have their turn: some
# milliseconds. One fact is decoded as a whole.
_TURN: Final = 500


@dataclass(frozen=True, slots=True)
class Reader:
    """How facts are read from a database; what is odd there is told.

    `timeout`: seconds for one reading that questions share, waiting for a
    connection included. `min_remaining`: seconds; with less than that left to a
    question nothing is read for it alone. `has_revisions`: whether the database tells
    its history.
    """

    database: Database
    lookups: Lookups
    tell: Tell
    clock: Clock
    timeout: float = 2.0
    min_remaining: float = 0.005
    has_revisions: bool = False

    @asynccontextmanager
    async def snapshot(
        self, deadline: float, at_least: Revision | None = None
    ) -> AsyncIterator[Facts]:
        """Facts of one moment; `deadline` is a time of the clock.

        Raises UnknownRevisionError when `at_least` is of another history.
        """
        try:
            async with self.database.lend(self._remaining(deadline)) as connection:
                try:
                    await connection.execute(self._begin())
                    position = await self._position(connection, at_least)
                    yield SnapshotFacts(self, connection, deadline, position.revision)
                finally:
                    await _end(connection)
        except FactsUnavailableError as error:
            self._remaining(deadline, error)
            raise

    def check(self, deadline: float) -> None:
        """Raises DeadlineTooNearError when too little time is left."""
        self._remaining(deadline)

    def _begin(self) -> str:
        idle = ceil(_IDLE_READINGS * self.timeout * 1000)
        return _BEGIN.format(milliseconds=idle)

    async def _position(
        self, connection: Queryable, at_least: Revision | None
    ) -> Position:
        position = NOWHERE
        if self.has_revisions:
            position = await read_position(connection)
        if at_least is not None:
            position.check(at_least)
        return position

    def _remaining(self, deadline: float, cause: Exception | None = None) -> float:
        remaining = deadline - self.clock.monotonic()
        if remaining < self.min_remaining:
            raise DeadlineTooNearError(
                "too little time is left to read the facts"
            ) from cause
        return remaining


class PostgresFacts(Facts):
    """Reads facts one statement at a time, for all who share them."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    @override
    async def get(self, key: FactKey[T]) -> T:
        return (await self.get_all((key,)))[0]

    @override
    async def get_all(self, keys: Sequence[FactKey[T]]) -> list[T]:
        reading = Reading.of(keys, self._reader)
        if not reading.arguments:
            return await reading.facts({})
        async with self._reader.database.lend(self._reader.timeout) as connection:
            rows = await reading.run(connection)
        # What is long to decode takes neither the connection nor its time.
        return await reading.facts(rows)


class SnapshotFacts(Facts):
    """Reads facts from one snapshot, one statement after another."""

    def __init__(
        self,
        reader: Reader,
        snapshot: Queryable,
        deadline: float,
        revision: str | None = None,
    ) -> None:
        self._revision = revision
        self._reader = reader
        self._snapshot = snapshot
        self._deadline = deadline
        self._turn = asyncio.Lock()

    @property
    @override
    def revision(self) -> str | None:
        return self._revision

    @override
    async def get(self, key: FactKey[T]) -> T:
        return (await self.get_all((key,)))[0]

    @override
    async def get_all(self, keys: Sequence[FactKey[T]]) -> list[T]:
        reading = Reading.of(keys, self._reader)
        async with self._turn:
            self._reader.check(self._deadline)
            return await reading.facts(await reading.run(self._snapshot))


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """The reading of some keys of one type; `arguments` by their position.

    A key without arguments names nothing, and nothing is asked for it.
    """

    keys: Sequence[FactKey[T]]
    lookup: Lookup[FactKey[T], T] | None
    arguments: dict[int, Arguments]
    tell: Tell

    @classmethod
    def of(cls, keys: Sequence[FactKey[T]], reader: Reader) -> "Reading[T]":
        """What is to be asked for `keys`."""
        if not keys:
            return cls(keys, None, {}, reader.tell)
        lookup = reader.lookups[type(keys[0])]
        arguments = {
            position: found
            for position, key in enumerate(keys)
            if (found := lookup.arguments(key)) is not None
        }
        return cls(keys, lookup, arguments, reader.tell)

    async def run(self, connection: Queryable) -> dict[int, list[Row]]:
        """The rows for each position; none where there are none."""
        if self.lookup is None or not self.arguments:
            return {}
        sql = self.lookup.sql
        if not self.lookup.takes_many:
            return {
                position: list(await connection.fetch(sql, *arguments))
                for position, arguments in self.arguments.items()
            }
        rows: dict[int, list[Row]] = {}
        positions = list(self.arguments)
        columns = zip(*self.arguments.values(), strict=True)
        for row in await connection.fetch(sql, *map(list, columns)):
            number = row["n"]
            if isinstance(number, int):
                rows.setdefault(positions[number - 1], []).append(row)
        return rows

    async def facts(self, rows: dict[int, list[Row]]) -> list[T]:
        """The facts in the order of the keys.

        Others have their turn in between: the roles of one caller can have a hundred
        thousand rules.
        """
        if self.lookup is None:
            return []
        facts: list[T] = []
        decoded = 0
        for position, key in enumerate(self.keys):
            if position not in self.arguments:
                facts.append(self.lookup.missing)
                continue
            found = rows.get(position, [])
            fact = self.lookup.decode(key, found, self.tell)
            facts.append(fact)
            decoded += len(found) + parts(fact)
            if decoded >= _TURN:
                decoded = 0
                await asyncio.sleep(0)
        return facts


async def _end(connection: PoolConnectionProxy) -> None:
    # A connection that does not obey is closed by the pool that it came from.
    with suppress(*DRIVER_ERRORS):
        async with asyncio.timeout(_END_SECONDS):
            await connection.execute("rollback")
