"""Health by component, and readiness: over a database that goes and comes back."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path

import asyncpg
import pytest
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from typing_extensions import override

from sidecar.ports import Clock
from sidecar.store.embedded import EmbeddedPostgres
from sidecar.store.feed import FeedHealth
from sidecar.transport.server import API_SERVICE, LIVE
from sidecar.wiring_health import Parts, Vitals
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
WELL = FeedHealth(
    is_connected=True,
    is_live=True,
    staleness=0.5,
    unwatched={},
    connections=1,
    changes=0,
    malformed=0,
)
LOST = replace(WELL, is_connected=False, is_live=False, staleness=inf)


class At(Clock):
    """A clock that is set."""

    now = 100.0

    @override
    def monotonic(self) -> float:
        return self.now

    @override
    def wall(self) -> float:
        return self.now


@dataclass
class Patient:
    """Vitals over a feed that is set; staleness may be ten seconds."""

    feed: FeedHealth = WELL
    keys: bool = True
    certificates: bool | None = None

    def __post_init__(self) -> None:
        self.clock = At()
        parts = Parts(
            lambda: self.feed, lambda: self.keys, lambda: self.certificates, None
        )
        self.vitals = Vitals(parts, self.clock, 10.0)

    def ill(self) -> set[str]:
        """The components that do not serve."""
        return {name for name, well in self.vitals.components().items() if not well}


READINESS = {"", API_SERVICE}


def test_nothing_is_ready_before_the_feed_lives() -> None:
    """With a feed that never connected and no word of the database, none is ready."""
    patient = Patient(replace(LOST, connections=0))

    assert {*READINESS, "database", "feed", "cache"} == patient.ill()


def test_memory_answers_while_the_database_is_away() -> None:
    """A database that does not answer is told, and makes nothing else ill."""
    patient = Patient()
    patient.vitals.database(is_reachable=False)

    assert {"database"} == patient.ill()


def test_the_database_answers_while_the_feed_is_away() -> None:
    """Without a feed every question goes to the database, which is ready too."""
    patient = Patient(LOST)
    patient.clock.now = 200.0
    patient.vitals.database(is_reachable=True)

    assert {"feed", "cache"} == patient.ill()


@pytest.mark.parametrize(("later", "is_ready"), [(9.5, True), (9.6, False)])
def test_unready_when_nothing_answers_for_longer_than_the_bound(
    later: float, *, is_ready: bool
) -> None:
    """Lost, it stays ready until what was heard last is older than the bound."""
    patient = Patient()
    before = patient.ill()
    patient.vitals.database(is_reachable=False)
    patient.feed = LOST
    patient.clock.now += later

    assert {"database"} == before
    assert is_ready is READINESS.isdisjoint(patient.ill())


def test_a_silent_feed_is_no_sign_of_life() -> None:
    """How long it was silent counts, and not when it was looked at."""
    patient = Patient(replace(WELL, staleness=9.0))
    patient.ill()
    patient.vitals.database(is_reachable=False)
    patient.feed = replace(WELL, is_live=False, staleness=10.5)
    patient.clock.now += 1.5

    assert READINESS <= patient.ill()


@pytest.mark.parametrize(
    ("patient", "name"),
    [
        (Patient(replace(WELL, unwatched={"users": "no trigger"})), "triggers"),
        (Patient(keys=False), "keys"),
        (Patient(certificates=False), "certificates"),
        (Patient(replace(WELL, is_connected=False)), "feed"),
    ],
)
def test_what_is_ill_alone_is_told_alone(patient: Patient, name: str) -> None:
    """A component that is ill makes no other ill, nor the sidecar unready."""
    patient.vitals.database(is_reachable=True)

    assert {name} == patient.ill()


@pytest.mark.parametrize(
    ("feed", "reached", "later", "wants"),
    [
        (WELL, True, 4.9, False),
        (WELL, True, 5.0, True),
        (WELL, False, 0.1, True),
        (LOST, True, 0.1, True),
        (replace(WELL, staleness=5.1), True, 0.1, True),
    ],
)
def test_the_database_is_rarely_asked_while_all_is_well(
    feed: FeedHealth, later: float, *, reached: bool, wants: bool
) -> None:
    """Every five seconds while the feed lives, and at every look when it does not."""
    patient = Patient(feed)
    patient.vitals.database(is_reachable=reached)
    patient.clock.now += later

    assert wants is patient.vitals.wants_database()


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
    assert 2.0 < took < 6.0
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
