from math import inf

import asyncpg
import pytest
from typing_extensions import override

from sidecar.store.clock import SystemClock
from sidecar.store.errors import StoreError
from sidecar.store.feed import Feed, FeedSettings
from tests.store.feeding import Heard, asked, end_listeners, settings_of, started

BEAT = """
    select pg_notify('authz_beat', format(
        '{"g":"beat","n":"other","s":"%s","x":"%s"}', pg_current_snapshot(),
        pg_current_xact_id()))
"""


async def test_feed_is_live_once_started(database: str) -> None:
    """What is read from then on may be kept, and what was kept is dropped first."""
    async with started(settings_of(database)) as (feed, heard):
        health = feed.health()

        assert (
            health.is_connected,
            health.is_live,
            health.unwatched,
        ) == (True, True, {})
        assert heard.events == ["everything"]
        assert heard.live_until > SystemClock().monotonic()


async def test_change_is_told_by_group_and_key(
    database: str, connection: asyncpg.Connection
) -> None:
    """Whatever a transaction changed is told when it commits."""
    async with started(settings_of(database)) as (_, heard):
        await connection.execute(
            "insert into authz.principals (id, kind) values (1, 'org'), (2, 'user')"
        )
        await connection.execute("truncate authz.cluster_access")
        await heard.until(lambda: ("grants", None) in heard.events)

        told = set(heard.events)
        assert {
            "everything",
            ("principal", "1"),
            ("principal", "2"),
            ("grants", None),
        } == told


async def test_malformed_notification_drops_everything(
    database: str, connection: asyncpg.Connection
) -> None:
    """Nothing in a payload is trusted but to drop."""
    async with started(settings_of(database)) as (feed, heard):
        await connection.execute("select pg_notify('authz_changes', 'rubbish')")
        await heard.until(lambda: len(heard.events) == 2)

        assert heard.events == ["everything", "everything"]
        assert feed.health().malformed == 1


async def test_beats_keep_the_feed_live(database: str) -> None:
    """Each beat that comes back moves the end of being live."""
    async with started(settings_of(database)) as (_, heard):
        first = heard.live_until
        await heard.until(lambda: heard.live_until > first)
        second = heard.live_until
        await heard.until(lambda: heard.live_until > second)


async def test_beat_of_another_is_a_proof(
    database: str, connection: asyncpg.Connection
) -> None:
    """One beat serves all: who hears it sends none, and is fresh since it asked."""
    settings = FeedSettings(database, database, beat_interval=3600)
    async with started(settings) as (feed, heard):
        question = await asked(feed)
        await connection.execute(BEAT)
        await heard.until(lambda: feed._beats._question is None)

        assert heard.live_until == question.asked + settings.max_staleness
        assert feed._beats._count == 1


async def test_change_is_a_proof(database: str, connection: asyncpg.Connection) -> None:
    """Where something changes all the time nobody needs a beat."""
    settings = FeedSettings(database, database, beat_interval=3600)
    async with started(settings) as (feed, heard):
        await asked(feed)
        before = heard.live_until
        await connection.execute(
            "insert into authz.principals (id, kind) values (1, 'org')"
        )
        await heard.until(lambda: heard.live_until > before)

        assert ("principal", "1") in heard.events


async def test_transaction_that_had_ended_is_no_proof(
    database: str, connection: asyncpg.Connection
) -> None:
    """What was on its way when the question was put says nothing of that time."""
    settings = FeedSettings(database, database, beat_interval=3600)
    async with started(settings) as (feed, heard):
        await asked(feed)
        before = heard.live_until
        old = """{"g":"user","k":["1"],"x":"3"}"""
        await connection.execute(f"select pg_notify('authz_changes', '{old}')")
        await heard.until(lambda: ("user", "1") in heard.events)

        assert before == heard.live_until


async def test_made_up_transaction_does_not_last(
    database: str, connection: asyncpg.Connection
) -> None:
    """Anybody may notify; one who tells of what cannot be costs a reconnect."""
    async with started(settings_of(database)) as (feed, heard):
        far = """{"g":"user","k":["1"],"x":"99999999"}"""
        await connection.execute(f"select pg_notify('authz_changes', '{far}')")
        await heard.until(lambda: heard.live_until == -inf)
        covered = feed.heard.covers(99999999)
        await heard.until(lambda: heard.live_until > 0)

        assert (False, 2) == (covered, feed.health().connections)


async def test_made_up_snapshot_does_not_last(
    database: str, connection: asyncpg.Connection
) -> None:
    """A beat that claims to have seen the end of what goes on is found out."""
    async with started(settings_of(database)) as (feed, heard):
        async with connection.transaction():
            xid = await connection.fetchval("select pg_current_xact_id()::text::int")
            other = await asyncpg.connect(database)
            await other.execute("select pg_current_xact_id()")
            await other.execute(
                "select pg_notify('authz_beat', format("
                """ '{"g":"beat","n":"","s":"%s:%s:","x":"%s"}',"""
                " pg_current_xact_id(), pg_current_xact_id(), pg_current_xact_id()))"
            )
            await heard.until(lambda: heard.live_until == -inf)
            await other.close()
            await heard.until(lambda: heard.live_until > 0)
            covered = feed.heard.covers(xid)

        assert (False, 2) == (covered, feed.health().connections)


async def test_what_was_heard_is_covered(
    database: str, connection: asyncpg.Connection
) -> None:
    """A transaction is, once something says that no more of it will come."""
    async with started(settings_of(database)) as (feed, heard):
        async with connection.transaction():
            xid = await connection.fetchval("select pg_current_xact_id()::text::int")
            await connection.execute(
                "insert into authz.principals (id, kind) values (1, 'org')"
            )
            await connection.execute(
                "insert into authz.principals (id, kind) values (2, 'org')"
            )
            before = feed.heard.covers(xid)
        await heard.until(lambda: feed.heard.covers(xid))

        assert not before
        assert {("principal", "1"), ("principal", "2")} < set(heard.events)
        assert feed.heard.newest >= xid


async def test_lost_connection_drops_everything_and_reconnects(
    database: str, connection: asyncpg.Connection
) -> None:
    """What was missed cannot be known; afterwards changes are told again."""
    async with started(settings_of(database)) as (feed, heard):
        await end_listeners(connection)
        await heard.until(lambda: heard.live_until == -inf)
        dropped = list(heard.events)
        await heard.until(lambda: heard.live_until > 0)
        await connection.execute(
            "insert into authz.principals (id, kind) values (1, 'org')"
        )
        await heard.until(lambda: ("principal", "1") in heard.events)

        assert dropped == ["everything", "everything"]
        assert feed.health().is_live
        assert feed.health().connections == 2


async def test_connection_that_hears_no_beats_is_given_up(database: str) -> None:
    """One that is silent without an end is as bad as one that ended."""
    settings = FeedSettings(
        database, database, beat_interval=0.02, max_staleness=1, max_backoff=0.1
    )
    async with started(settings) as (feed, heard):
        assert feed._listener is not None
        await feed._listener.fetch("unlisten authz_beat")
        await heard.until(lambda: heard.live_until == -inf)
        await heard.until(lambda: heard.live_until > 0)

        assert feed.health().connections >= 2


async def test_staleness_counts_from_when_the_beat_was_sent(database: str) -> None:
    """It is never less than the age of the newest beat that came back."""
    clock = SystemClock()
    before = clock.monotonic()
    settings = FeedSettings(database, database, beat_interval=3600)
    async with started(settings) as (feed, heard):
        sent = heard.live_until - settings.max_staleness

        assert before <= sent <= clock.monotonic()
        assert feed.staleness() >= clock.monotonic() - sent - 0.1


async def test_wall_clock_says_nothing(database: str) -> None:
    """It may jump as it likes: nobody looks at it."""

    class Jumping(SystemClock):
        @override
        def wall(self) -> float:
            raise AssertionError

    heard = Heard()
    feed = Feed(settings_of(database), heard, Jumping())
    await feed.start()
    first = heard.live_until
    await heard.until(lambda: heard.live_until > first)
    await feed.close()

    assert feed.health().connections == 1


async def test_feed_of_another_database_is_refused(
    database: str, empty_database: str
) -> None:
    """Where beats do not arrive, as behind a transaction pooler, nothing starts."""
    settings = FeedSettings(empty_database, database, connect_timeout=0.5)
    heard = Heard()
    feed = Feed(settings, heard, SystemClock())

    with pytest.raises(StoreError, match="transaction pooler"):
        await feed.start()

    assert -inf == heard.live_until


async def test_unreachable_database_is_refused(database: str) -> None:
    """A start that cannot be is an error at once."""
    address = database.replace("host=", "host=/nowhere")
    feed = Feed(settings_of(address), Heard(), SystemClock())

    with pytest.raises(StoreError, match="cannot reach"):
        await feed.start()


async def test_closed_feed_is_not_live(database: str) -> None:
    """Nothing that was kept may answer after it."""
    async with started(settings_of(database)) as (feed, heard):
        pass

    assert -inf == heard.live_until
    assert heard.events[-1] == "everything"
    assert not feed.health().is_connected
