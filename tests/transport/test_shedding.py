"""What is turned away when too much is asked, on both engines."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import asyncpg
import pytest
from authz.v1 import authorization_service_pb2 as api
from authz.v1.caller_pb2 import Caller
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from sidecar.transport.shedding import Load, LoadLimits
from tests.support.serving import (
    ENGINES,
    Place,
    Refusal,
    Schema,
    Serving,
    Stage,
    refusal,
)

TENANCY = Place(Schema.REFERENCE, "tenancy")
CONTEXT = "/authz.v1.AuthorizationService/ResolveContext"
OVERLOADED = Refusal(
    "RESOURCE_EXHAUSTED",
    "could not decide: too much is asked at once",
    "OVERLOADED",
    None,
    retries=True,
)


async def ask(serving: Serving, engine: str) -> str:
    """Who Ann is."""
    request = api.ResolveContextRequest(caller=Caller(user_id="2"))
    answer = await serving.stub(engine).ResolveContext(request, timeout=10)
    return answer.context.user_id


@asynccontextmanager
async def locked(url: str) -> AsyncIterator[asyncpg.Connection]:
    """While it lasts, whoever reads users waits."""
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute("lock authz.users in access exclusive mode")
            yield connection
    finally:
        await connection.close()


async def until(is_so: Callable[[], bool]) -> None:
    """Returns once it is so."""
    async with asyncio.timeout(10):
        while not is_so():
            await asyncio.to_thread(is_so)


async def refused(serving: Serving, engine: str) -> Refusal:
    """How one more call is turned away; its message cannot be read."""
    address = serving.sidecar.addresses[ENGINES.index(engine)]
    async with aio.insecure_channel(address) as channel:
        call = channel.unary_unary(
            CONTEXT, request_serializer=bytes, response_deserializer=bytes
        )
        with pytest.raises(aio.AioRpcError) as caught:
            await call(b"\xff", timeout=10)
    return refusal(caught.value)


@pytest.mark.parametrize("engine", ENGINES)
async def test_one_too_many_is_overloaded_before_it_is_read(
    stage: Stage, engine: str
) -> None:
    """With as many running as may be, on any listener, the next is turned away."""
    url = await stage.stored(TENANCY)
    serving = await stage.start(url, limits={"concurrent_requests": 2})
    load = serving.sidecar.load
    async with locked(url):
        running = [asyncio.create_task(ask(serving, each)) for each in ENGINES]
        await until(lambda: load.running == 2)
        actual = await refused(serving, engine)
        counts = load.running, load.shed

    answers = await asyncio.gather(*running)
    assert OVERLOADED == actual
    assert (2, 1) == counts
    assert ["2", "2"] == answers


@pytest.mark.parametrize("engine", ENGINES)
async def test_ended_calls_make_room(stage: Stage, engine: str) -> None:
    """Whether calls end with an answer, an error or nobody left, they are over."""
    url = await stage.stored(TENANCY)
    serving = await stage.start(url, limits={"concurrent_requests": 1})
    load = serving.sidecar.load

    async with locked(url):
        left = asyncio.create_task(ask(serving, engine))
        await until(lambda: load.running == 1)
        left.cancel()
        await until(lambda: load.running == 0)
    malformed = await refused(serving, engine)
    answered = [await ask(serving, engine) for _ in range(3)]

    assert "MALFORMED_MESSAGE" == malformed.reason
    assert ["2", "2", "2"] == answered
    assert (0, 0) == (load.running, load.shed)


@pytest.mark.parametrize("engine", ENGINES)
async def test_health_is_told_when_calls_are_turned_away(
    stage: Stage, engine: str
) -> None:
    """Whoever asks for health is not among those who are too many."""
    url = await stage.stored(TENANCY)
    serving = await stage.start(url, limits={"concurrent_requests": 1})
    address = serving.sidecar.addresses[ENGINES.index(engine)]
    load = serving.sidecar.load
    async with locked(url), aio.insecure_channel(address) as channel:
        running = asyncio.create_task(ask(serving, engine))
        await until(lambda: load.running == 1)
        stub = health_pb2_grpc.HealthStub(channel)
        actual = await stub.Check(health_pb2.HealthCheckRequest(), timeout=10)
    await running

    assert health_pb2.HealthCheckResponse.SERVING == actual.status


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_long_line_turns_calls_away(stage: Stage, engine: str) -> None:
    """While calls wait too long for their turn, new ones are turned away."""
    url = await stage.stored(TENANCY)
    serving = await stage.start(url, limits={"queue_seconds": 1})
    load = serving.sidecar.load
    load.close()
    load.note(1.1)
    load.note(1.1)
    actual = await refused(serving, engine)
    load.note(0.1)
    answered = await ask(serving, engine)

    assert OVERLOADED == actual
    assert "2" == answered


@pytest.mark.parametrize(
    ("late", "lets_in"),
    [
        ((), True),
        ((1.1,), True),
        ((1.1, 1.1), False),
        ((1.0, 1.0), True),
        ((1.1, 0.1, 1.1), True),
        ((1.1, 1.1, 1.1, 0.1), True),
        ((9.0, 9.0, 0.1, 9.0), True),
    ],
)
def test_late_twice_in_a_row_is_a_line(
    late: tuple[float, ...], *, lets_in: bool
) -> None:
    """A machine that slept makes a timer late once, and nobody is turned away."""
    load = Load(LoadLimits(10, 1.0))

    for each in late:
        load.note(each)

    assert lets_in is load.enter()


async def test_the_line_is_measured() -> None:
    """A loop that is busy makes the timer as late as its line is long."""
    load = Load(LoadLimits(10, 0.01))
    load.start()
    loop = asyncio.get_running_loop()
    begun = loop.time()
    # It keeps the loop busy over several looks, in turns longer than the bound.
    while loop.time() - begun < 1.0 and load.enter():
        load.leave()
        end = loop.time() + 0.15
        while loop.time() < end:
            pass
        await asyncio.sleep(0)
    is_measured = load.queue_seconds > 0.01
    load.close()

    assert is_measured
    assert 1 == load.shed


async def test_who_comes_while_it_stops_is_told_to_ask_again() -> None:
    """Once calls cease, none is let in, however short the line; some still end."""
    load = Load(LoadLimits(10, 1.0))
    load.enter()

    await load.cease()
    load.note(0.0)

    assert not load.enter()
    assert ("UNAVAILABLE", 1) == (load.turned_away.code.name, load.running)
    assert "could not decide: the server is stopping" == load.turned_away.message
