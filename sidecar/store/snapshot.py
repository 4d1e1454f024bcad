"""Facts of one moment for many questions, without a cache or a feed."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Final, TypeVar, cast

from typing_extensions import override

from sidecar.ports import (
    Clock,
    FactKey,
    Facts,
    FactSource,
    FieldTypes,
    Freshness,
    Moment,
)
from sidecar.store.anomalies import Tell
from sidecar.store.catalogue import read_catalogue
from sidecar.store.database import Database, PoolSettings
from sidecar.store.fitting import check_fit
from sidecar.store.lookups import write_lookups
from sidecar.store.postgres import Reader
from sidecar.store.source import field_types_of

T = TypeVar("T")

_SCHEMA: Final = "authz"


class Snapshot(FactSource):
    """One snapshot as the facts of every question, whatever freshness it asks for."""

    def __init__(self, facts: Facts, field_types: FieldTypes) -> None:
        self._facts = facts
        self._field_types = field_types

    @override
    def at_hand(self, consistency: Freshness) -> Moment | None:
        del consistency
        return None

    @override
    def open(
        self, consistency: Freshness, deadline: float
    ) -> AbstractAsyncContextManager[Facts]:
        del consistency, deadline
        return nullcontext(self._facts)

    @property
    @override
    def field_types(self) -> FieldTypes:
        return self._field_types


@asynccontextmanager
async def open_snapshot(
    settings: PoolSettings, clock: Clock, tell: Tell, seconds: float
) -> AsyncIterator[Snapshot]:
    """A snapshot of a database, read only, that lives for `seconds` at most.

    `tell` hears of stored rows that fail closed. Raises StoreError when the database
    cannot serve, and CouldNotDecideError when it fails or the time is over.
    """
    database = await Database.connect(settings)
    try:
        async with database.lend(settings.connect_timeout) as connection:
            catalogue = await read_catalogue(connection, _SCHEMA)
            await check_fit(connection, catalogue)
        reader = Reader(database, write_lookups(catalogue), tell, clock)
        async with reader.snapshot(clock.monotonic() + seconds) as facts:
            yield Snapshot(_Remembered(facts), field_types_of(catalogue))
    finally:
        await database.close()


class _Remembered(Facts):
    # Within a snapshot no fact changes, so each is read once and the epoch stands.

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._known: dict[FactKey[object], object] = {}

    @property
    @override
    def epoch(self) -> int | None:
        return 0

    @override
    async def get(self, key: FactKey[T]) -> T:
        return (await self.get_all((key,)))[0]

    @override
    async def get_all(self, keys: Sequence[FactKey[T]]) -> list[T]:
        missing = [key for key in dict.fromkeys(keys) if key not in self._known]
        read = await self._facts.get_all(missing)
        self._known.update(zip(missing, read, strict=True))
        return [cast("T", self._known[key]) for key in keys]
