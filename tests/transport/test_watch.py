"""`Watch` over a real PostgreSQL, through both engines."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from authz.v1 import authorization_service_pb2 as api
from grpc import aio

from tests.support.serving import ENGINES, Place, Schema, Stage, refusal
from tests.transport.watching import Stream, Watched, is_drop, tells, watched

TENANCY = Place(Schema.REFERENCE, "tenancy")
both = pytest.mark.parametrize("engine", ENGINES)


@pytest.fixture
async def url(stage: Stage) -> str:
    """A world of this test's own."""
    return await stage.stored(TENANCY)


@pytest.fixture
async def database(url: str) -> AsyncIterator[asyncpg.Connection]:
    """Somebody who changes it."""
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


@pytest.fixture
async def on(stage: Stage, url: str) -> AsyncIterator[Watched]:
    """A sidecar that serves it."""
    async with watched(stage, url) as server:
        yield server


async def touch(connection: asyncpg.Connection, user: int) -> str:
    """Changes a user; gives the revision of the change."""
    async with connection.transaction():
        await connection.execute(
            "update authz.users set is_active = not is_active where id = $1", user
        )
        revision = await connection.fetchval("select authz.current_revision()")
    return str(revision)


async def feeds_end(connection: asyncpg.Connection) -> None:
    """Ends every other connection to the database."""
    await connection.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid()"
    )


@both
async def test_stream_tells_changes_and_beats(
    on: Watched, database: asyncpg.Connection, engine: str
) -> None:
    """It begins with a beat, tells a change by group and key, and goes on beating."""
    stream = Stream.of(on.stubs[engine])
    first = await stream.beat()
    revision = await touch(database, 2)
    changed = await stream.until(tells("user", "2"))
    then = await stream.beat()

    assert ["beat", "changes", "beat"] == stream.kinds()
    assert [revision] == [each.revision for each in changed.changes.changes]
    assert then.position.number > first.position.number
    assert first.position.server == then.position.server
    assert 0 <= then.staleness.ToTimedelta().total_seconds() < 5


@both
async def test_server_info_has_the_position(on: Watched, engine: str) -> None:
    """Position, staleness and its bound are told where the stream is served."""
    stub = on.stubs[engine]
    stream = Stream.of(stub)
    before = (await stream.beat()).position
    info = await stub.GetServerInfo(api.GetServerInfoRequest())
    await stream.until(lambda each: each.beat.position.number >= info.position.number)

    assert api.OPTIONAL_FEATURE_WATCH in info.features
    assert before.server == info.position.server
    assert before.number <= info.position.number
    assert 5 == info.max_staleness.ToTimedelta().total_seconds()
    assert info.HasField("staleness")


@both
async def test_resume_tells_what_came_since(
    on: Watched, database: asyncpg.Connection, engine: str
) -> None:
    """After the last beat's revision goes on without a gap and without a drop."""
    stream = Stream.of(on.stubs[engine])
    last = await stream.beat()
    stream.call.cancel()
    await touch(database, 2)
    await touch(database, 5)

    resumed = Stream.of(on.stubs[engine], last.revision)
    await resumed.until(tells("user", "5"))

    assert [("user", "2"), ("user", "5")] == resumed.changed()
    assert "drop_everything" not in resumed.kinds()


@both
async def test_resume_after_a_transaction(
    on: Watched, database: asyncpg.Connection, engine: str
) -> None:
    """A writer's revision goes on from that transaction on."""
    stream = Stream.of(on.stubs[engine])
    await touch(database, 2)
    revision = await touch(database, 5)
    await touch(database, 3)
    await stream.until(tells("user", "3"))

    resumed = Stream.of(on.stubs[engine], revision)
    await resumed.until(tells("user", "3"))

    assert [("user", "5"), ("user", "3")] == resumed.changed()


@both
async def test_resume_of_what_is_not_known_drops_everything(
    on: Watched, engine: str
) -> None:
    """What was before the feed listened is dropped, not guessed."""
    stream = Stream.of(on.stubs[engine])
    history = (await stream.beat()).revision.rpartition(".")[0]

    for old in (f"{history}.s3", f"{history}.x3"):
        resumed = Stream.of(on.stubs[engine], old)
        assert is_drop(await resumed.next())
        await resumed.beat()


@both
@pytest.mark.parametrize("revision", ["rubbish", "", "1.1-1.1.s5", "1.1-1.1.x5"])
async def test_unknown_revision_is_refused(
    on: Watched, engine: str, revision: str
) -> None:
    """Malformed, or of another history: the field is named."""
    with pytest.raises(aio.AioRpcError) as caught:
        await Stream.of(on.stubs[engine], revision).next()

    actual = refusal(caught.value)
    assert ("INVALID_ARGUMENT", "UNKNOWN_REVISION", "after_revision") == (
        actual.code,
        actual.reason,
        actual.field,
    )


@both
async def test_lost_feed_drops_everything(
    on: Watched, database: asyncpg.Connection, engine: str
) -> None:
    """When the feed is lost all is dropped, again once it is back, then it beats."""
    stream = Stream.of(on.stubs[engine])
    await stream.beat()
    await feeds_end(database)
    await stream.until(is_drop)
    back = await stream.until(is_drop)
    await stream.beat()

    assert back.drop_everything.revision


@both
async def test_no_beats_while_something_is_unwatched(
    on: Watched, database: asyncpg.Connection, engine: str
) -> None:
    """While changes may go untold all is dropped, and no beat comes."""
    store = on.serving.sidecar.store
    stream = Stream.of(on.stubs[engine])
    await stream.beat()
    await database.execute("alter table authz.users disable trigger user")
    await store.recheck()
    await stream.until(is_drop)
    before = len(stream.told)
    await touch(database, 2)
    await database.execute("truncate authz.cluster_access")
    await database.execute("truncate authz.cluster_access")
    await stream.until(tells("grants", None))
    for each in ("insert", "update", "delete", "truncate"):
        await database.execute(
            f"alter table authz.users enable always trigger authz_watch_{each}"
        )
    await store.recheck()
    await stream.until(is_drop)
    await stream.beat()

    kinds = [event.WhichOneof("event") for event in stream.told[before:]]
    assert "beat" not in kinds[: kinds.index("drop_everything")]


@both
async def test_too_many_are_turned_away_and_leaving_makes_room(
    stage: Stage, url: str, engine: str
) -> None:
    """Streams are counted over all listeners; who cancels gives the place back."""
    async with watched(stage, url, limits={"watchers": 1}) as on:
        stream = Stream.of(on.stubs["native"])
        await stream.beat()
        with pytest.raises(aio.AioRpcError) as caught:
            await Stream.of(on.stubs[engine]).next()
        source = on.serving.sidecar.store.watchers
        stream.call.cancel()
        async with asyncio.timeout(10):
            while source.watching:
                await on.stubs[engine].GetServerInfo(api.GetServerInfoRequest())
        await Stream.of(on.stubs[engine]).beat()

    actual = refusal(caught.value)
    assert ("RESOURCE_EXHAUSTED", "OVERLOADED") == (actual.code, actual.reason)


@both
async def test_stop_ends_streams_at_once(stage: Stage, url: str, engine: str) -> None:
    """An open stream does not use up the grace; its client is told to go elsewhere."""
    stop = {"linger_seconds": 0, "grace_seconds": 3600}
    async with watched(stage, url, stop=stop) as on:
        stream = Stream.of(on.stubs[engine])
        await stream.beat()
        async with asyncio.timeout(10):
            await on.stop()
        with pytest.raises(aio.AioRpcError) as caught:
            await stream.until(is_drop)

    actual = refusal(caught.value)
    assert ("UNAVAILABLE", "FACTS_UNAVAILABLE") == (actual.code, actual.reason)
    assert "the server is stopping" == actual.message


@both
async def test_malformed_notification_drops_everything(
    on: Watched, database: asyncpg.Connection, engine: str
) -> None:
    """What cannot be read, or cannot be passed on, is a loss and ends no stream."""
    stream = Stream.of(on.stubs[engine])
    last = await stream.beat()
    for payload in ("rubbish", '{"g":"user","k":["\\ud800"],"x":"742"}'):
        await database.execute("select pg_notify('authz_changes', $1)", payload)
        await stream.until(is_drop)
    await touch(database, 2)
    await stream.until(tells("user", "2"))

    resumed = Stream.of(on.stubs[engine], last.revision)
    assert is_drop(await resumed.next())


@both
async def test_undecodable_request_is_the_clients_error(
    on: Watched, engine: str
) -> None:
    """Bytes that are no message end the stream with a reason."""
    address = on.serving.sidecar.addresses[ENGINES.index(engine)]
    async with aio.insecure_channel(address) as channel:
        call = channel.unary_stream(
            "/authz.v1.AuthorizationService/Watch", lambda data: data, lambda data: data
        )(b"\xff\xff", timeout=10)
        with pytest.raises(aio.AioRpcError) as caught:
            await call.read()

    actual = refusal(caught.value)
    assert ("INVALID_ARGUMENT", "MALFORMED_MESSAGE") == (actual.code, actual.reason)


async def test_metrics_count_streams(on: Watched, database: asyncpg.Connection) -> None:
    """What is open, what was sent and how streams ended can be scraped."""
    stream = Stream.of(on.stubs["grpcio"])
    await stream.beat()
    registry = on.serving.sidecar.metrics.registry
    during = registry.get_sample_value("authz_watchers")
    await touch(database, 2)
    await stream.until(tells("user", "2"))
    stream.call.cancel()
    labels = {"rpc": "Watch", "code": "CANCELLED", "reason": ""}
    async with asyncio.timeout(10):
        while not registry.get_sample_value("authz_calls_total", labels):
            await on.stubs["grpcio"].GetServerInfo(api.GetServerInfoRequest())

    assert during == 1
    assert registry.get_sample_value("authz_watch_changes_sent_total") == 1
    assert registry.get_sample_value("authz_watchers") == 0
    assert registry.get_sample_value("authz_calls_running") == 0
