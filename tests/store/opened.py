"""A small, quick store over a world, and what Ann is there."""

import asyncio
from collections.abc import Callable
from typing import Final

import asyncpg

from sidecar.core.ids import PrincipalId, UserId
from sidecar.core.model import Standing
from sidecar.ports import Consistency, Freshness, StandingKey, UserKey
from sidecar.store.anomalies import Anomaly
from sidecar.store.clock import SystemClock
from sidecar.store.database import PoolSettings
from sidecar.store.feed import FeedSettings
from sidecar.store.source import Store, StoreSettings

ANN: Final = UserKey(UserId("30"))
IN_ACME: Final = StandingKey(PrincipalId("3"), PrincipalId("1"))
CLOCK: Final = SystemClock()
FAST: Final = Consistency.MINIMIZE_LATENCY
FRESH: Final = Consistency.FULLY_CONSISTENT


def settings_of(url: str) -> StoreSettings:
    """Few connections, and one question that may wait for them."""
    return StoreSettings(
        PoolSettings(url, smallest=1, largest=2, waiting=1, connect_timeout=2.0),
        FeedSettings(url, url, beat_interval=0.05, max_backoff=0.1),
    )


def soon() -> float:
    """A deadline that is far enough away."""
    return CLOCK.monotonic() + 10


def ignore(_: Anomaly) -> None:
    """Nothing is odd here."""


async def standing(store: Store, freshness: Freshness = FAST) -> Standing:
    """What Ann is in Acme."""
    async with store.open(freshness, soon()) as facts:
        return await facts.get(IN_ACME)


async def until(connection: asyncpg.Connection, holds: Callable[[], object]) -> None:
    """Goes to the database and back until something holds."""
    async with asyncio.timeout(20):
        while not holds():
            await connection.execute("select 1")
