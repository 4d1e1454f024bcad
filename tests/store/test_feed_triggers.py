"""How a feed knows that the changes of a relation are told."""

from math import inf

import asyncpg

from sidecar.store.feed import FeedSettings
from tests.store.feeding import end_listeners, settings_of, started


async def test_dropped_trigger_makes_its_group_unkept_and_unhealthy(
    database: str, connection: asyncpg.Connection
) -> None:
    """At the next look at the catalogue; and kept again after it came back."""
    async with started(settings_of(database)) as (feed, heard):
        await connection.execute("drop trigger authz_watch_update on authz.users")
        await feed.recheck()
        without = (heard.uncacheable, set(feed.health().unwatched))
        await connection.execute(
            "call authz.watch('authz.users', 'user', 'id, is_active', 'id')"
        )
        await feed.recheck()

        assert ({"user"}, {"users"}) == without
        assert set() == heard.uncacheable
        assert feed.health().unwatched == {}


async def test_triggers_are_looked_at_by_themselves(
    database: str, connection: asyncpg.Connection
) -> None:
    """Nobody has to ask for it."""
    settings = FeedSettings(database, database, beat_interval=0.02, recheck_interval=0)
    async with started(settings) as (_, heard):
        await connection.execute("drop trigger authz_watch_update on authz.users")
        await heard.until(lambda: heard.uncacheable == {"user"})


async def test_triggers_are_looked_at_after_a_reconnect(
    database: str, connection: asyncpg.Connection
) -> None:
    """They may have gone while nobody listened."""
    async with started(settings_of(database)) as (_, heard):
        await connection.execute("drop trigger authz_watch_update on authz.users")
        await end_listeners(connection)
        await heard.until(lambda: heard.live_until == -inf)
        await heard.until(lambda: heard.live_until > 0)

        assert {"user"} == heard.uncacheable
