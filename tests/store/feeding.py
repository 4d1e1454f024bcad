"""A feed for tests, and what it tells."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from math import inf

import asyncpg

from sidecar.store.beats import Question
from sidecar.store.clock import SystemClock
from sidecar.store.feed import Feed, FeedSettings

LISTENERS = """
    select pid from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()
"""


class Heard:
    """Takes down what it is told, and lets a test wait for it."""

    def __init__(self) -> None:
        self.events: list[object] = []
        self.uncacheable: set[str] = set()
        self._live_until = -inf
        self._told = asyncio.Event()

    @property
    def live_until(self) -> float:
        """Until when what is kept may answer."""
        return self._live_until

    @live_until.setter
    def live_until(self, until: float) -> None:
        self._live_until = until
        self._told.set()

    def changed(self, group: str, key: str | None) -> None:
        """A change is an event."""
        self._note((group, key))

    def drop_everything(self) -> None:
        """Dropping everything is one too."""
        self._note("everything")

    def set_uncacheable(self, groups: Iterable[str]) -> None:
        """The groups that nobody tells."""
        self.uncacheable = set(groups)
        self._told.set()

    async def until(self, holds: Callable[[], object]) -> None:
        """Waits for something to hold, which whatever is told may bring about."""
        async with asyncio.timeout(10):
            while not holds():
                self._told.clear()
                await self._told.wait()

    def _note(self, event: object) -> None:
        self.events.append(event)
        self._told.set()


def settings_of(url: str) -> FeedSettings:
    """A quick feed."""
    return FeedSettings(
        url,
        url,
        beat_interval=0.02,
        max_staleness=5.0,
        connect_timeout=2.0,
        max_backoff=0.1,
    )


@asynccontextmanager
async def started(settings: FeedSettings) -> AsyncIterator[tuple[Feed, Heard]]:
    """A feed that is live, and what it told."""
    heard = Heard()
    feed = Feed(settings, heard, SystemClock())
    await feed.start()
    try:
        yield feed, heard
    finally:
        await feed.close()


async def asked(feed: Feed) -> Question:
    """A question that was answered, and that no notification has followed."""
    while feed._beats._question is None:
        await feed.recheck()
    return feed._beats._question


async def end_listeners(connection: asyncpg.Connection) -> None:
    """Ends every connection of a feed, as a restart would."""
    rows = await connection.fetch(LISTENERS)
    for row in rows:
        await connection.execute("select pg_terminate_backend($1)", row["pid"])
