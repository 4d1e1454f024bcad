"""Health by component, and readiness: over a database that goes and comes back."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import asyncpg
import grpc
import pytest
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from sidecar.store.embedded import EmbeddedPostgres
from sidecar.transport.health import LIVE
from sidecar.transport.server import API_SERVICE
from tests.support.serving import (
    ENGINES,
    Place,
    Schema,
    Serving,
    Stage,
    socket_folder,
)

TENANCY = Place(Schema.REFERENCE, "tenancy")
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class Silenced:
    """A PostgreSQL of the test's own, which can be made silent as a whole."""

    def __init__(self, folder: Path, server: EmbeddedPostgres) -> None:
        self._folder = folder
        self.server = server

    @contextmanager
    def silent(self) -> Iterator[None]:
        """While it lasts, no process of it does anything, and no socket closes."""
        main = int((self._folder / "postmaster.pid").read_text().split()[0])
        os.kill(main, signal.SIGSTOP)
        children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
        stopped = [*map(int, children), main]
        for each in stopped:
            os.kill(each, signal.SIGSTOP)
        try:
            yield
        finally:
            for each in stopped:
                os.kill(each, signal.SIGCONT)


@pytest.fixture
def silenced() -> Iterator[Silenced]:
    """A PostgreSQL that no other test asks."""
    with socket_folder() as folder:
        data = Path(folder) / "data"
        with EmbeddedPostgres(data, durable=False) as server:
            yield Silenced(data, server)


@pytest.fixture
async def over_silenced(silenced: Silenced) -> AsyncIterator[Serving]:
    """A sidecar over it, with little patience."""
    with socket_folder() as folder:
        stage = Stage(silenced.server, Path(folder))
        url = await stage.stored(TENANCY)
        freshness = {"max_staleness": 3.0, "beat_interval": 0.3}
        yield await stage.start(
            url, freshness=freshness, database={"url": url, "connect_seconds": 1.0}
        )
        await stage.close()


@asynccontextmanager
async def health_of(serving: Serving) -> AsyncIterator[health_pb2_grpc.HealthStub]:
    """Asks one of the listeners for health."""
    async with aio.insecure_channel(serving.sidecar.addresses[0]) as channel:
        yield health_pb2_grpc.HealthStub(channel)


async def is_well(stub: health_pb2_grpc.HealthStub, name: str) -> bool:
    """Whether a component says that it serves."""
    request = health_pb2.HealthCheckRequest(service=name)
    return bool(SERVING == (await stub.Check(request, timeout=5)).status)


async def becomes(
    stub: health_pb2_grpc.HealthStub, name: str, *, well: bool, seconds: float
) -> float:
    """How long until the component says so."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    async with asyncio.timeout(seconds):
        watching = stub.Watch(health_pb2.HealthCheckRequest(service=name))
        while ((await watching.read()).status == SERVING) is not well:
            pass
        watching.cancel()
    return loop.time() - begun


async def test_a_silent_database_is_unready_beyond_the_bound_only(
    silenced: Silenced, over_silenced: Serving
) -> None:
    """Ready while memory answers, then not; alive all along; and all well again."""
    async with health_of(over_silenced) as stub:
        before = {
            name: await is_well(stub, name)
            for name in ("", API_SERVICE, LIVE, "database", "feed", "cache", "draining")
        }
        with silenced.silent():
            took = await becomes(stub, "", well=False, seconds=15)
            await becomes(stub, "database", well=False, seconds=5)
            meanwhile = {
                name: await is_well(stub, name)
                for name in (API_SERVICE, LIVE, "feed", "cache", "database")
            }
        await becomes(stub, "", well=True, seconds=20)
        for name in ("database", "feed", "cache"):
            await becomes(stub, name, well=True, seconds=20)

    assert all(before.values())
    # From the last sign of life, looked at once a second.
    assert 2.0 < took < 10.0
    wanted = {API_SERVICE: False, LIVE: True}
    wanted |= dict.fromkeys(("feed", "cache", "database"), False)
    assert wanted == meanwhile


async def test_a_short_outage_leaves_it_ready(
    silenced: Silenced, over_silenced: Serving
) -> None:
    """All connections ended and had anew within the bound: never unready."""
    async with health_of(over_silenced) as stub:
        watching = stub.Watch(health_pb2.HealthCheckRequest(service=""))
        told = [(await watching.read()).status]
        heard = asyncio.create_task(watching.read())
        admin = await asyncpg.connect(silenced.server.url())
        await admin.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where pid <> pg_backend_pid() and backend_type = 'client backend'"
        )
        await admin.close()
        feed = over_silenced.sidecar.store.feed_health
        async with asyncio.timeout(15):
            while not (feed().connections > 1 and feed().is_live):
                await asyncio.to_thread(feed)
        await over_silenced.sidecar.report_health()
        watching.cancel()
        await asyncio.gather(heard, return_exceptions=True)
        if not heard.cancelled() and heard.exception() is None:
            told.append(heard.result().status)

    assert [SERVING] == told


@pytest.mark.parametrize("engine", ENGINES)
async def test_draining_is_alive_and_nothing_else(stage: Stage, engine: str) -> None:
    """While it stops it lives, so that nobody kills it, and is not ready."""
    url = await stage.stored(TENANCY)
    serving = await stage.start(url, stop={"linger_seconds": 60, "grace_seconds": 5})
    address = serving.sidecar.addresses[ENGINES.index(engine)]
    async with aio.insecure_channel(address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        stopping = asyncio.create_task(serving.sidecar.stop())
        await becomes(stub, "", well=False, seconds=10)
        await serving.sidecar.report_health()
        actual = {
            name: await is_well(stub, name)
            for name in ("", API_SERVICE, LIVE, "draining", "feed")
        }
        stopping.cancel()
        await asyncio.gather(stopping, return_exceptions=True)

    wanted = dict.fromkeys(("", API_SERVICE, "draining", "feed"), False)
    assert wanted | {LIVE: True} == actual


@pytest.mark.parametrize("engine", ENGINES)
async def test_those_who_watch_do_not_hold_up_the_stop(
    stage: Stage, engine: str
) -> None:
    """Their streams end when calls do, however long calls would have."""
    serving = await stage.start(
        await stage.stored(TENANCY),
        stop={"linger_seconds": 0, "grace_seconds": 60},
    )
    address = serving.sidecar.addresses[ENGINES.index(engine)]
    async with aio.insecure_channel(address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        watching = stub.Watch(health_pb2.HealthCheckRequest(service=""))
        told = [(await watching.read()).status]
        async with asyncio.timeout(30):
            await serving.sidecar.stop()
            told.append((await watching.read()).status)
            code = await watching.code()

    assert [SERVING, NOT_SERVING] == told
    assert grpc.StatusCode.UNAVAILABLE == code
