"""Sidecars that stop, or are killed, while clients go on asking."""

import asyncio
import json
import signal
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from authz.v1 import authorization_service_pb2 as api
from authz.v1.caller_pb2 import Caller
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.support.process import Process
from tests.support.serving import ENGINES, Place, Schema, Stage

if TYPE_CHECKING:
    from authz.v1.authorization_service_pb2_grpc import AuthorizationServiceAsyncStub

TENANCY = Place(Schema.REFERENCE, "tenancy")
CLIENTS = 8

# A client that turns away from a server that says NOT_SERVING. It never asks twice.
TURNS_AWAY = {
    "loadBalancingConfig": [{"round_robin": {}}],
    "healthCheckConfig": {"serviceName": ""},
}
# A client with one server, which asks again what was not answered.
ASKS_AGAIN = {
    "methodConfig": [
        {
            "name": [{}],
            "waitForReady": True,
            "retryPolicy": {
                "maxAttempts": 5,
                "initialBackoff": "0.2s",
                "maxBackoff": "2s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ]
}


@dataclass
class Load:
    """Clients that ask one question after another, and what became of each."""

    stub: "AuthorizationServiceAsyncStub"
    answered: int = 0
    failed: list[str] = field(default_factory=list)
    is_over: bool = False

    async def run(self) -> None:
        """Asks until it is over."""
        await asyncio.gather(*(self._ask() for _ in range(CLIENTS)))

    async def more(self, count: int) -> None:
        """Returns after so many more answers."""
        wanted = self.answered + count
        async with asyncio.timeout(30):
            while self.answered < wanted:
                await asyncio.to_thread(int)

    async def _ask(self) -> None:
        request = api.ResolveContextRequest(caller=Caller(user_id="2"))
        while not self.is_over:
            try:
                answer = await self.stub.ResolveContext(request, timeout=20)
            except aio.AioRpcError as error:
                self.failed.append(f"{error.code().name}: {error.details()}")
            else:
                assert "2" == answer.context.user_id
                self.answered += 1


class Fleet:
    """Processes of one test, and the clients' load on them."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.processes: list[Process] = []
        self.loads: list[asyncio.Task[None]] = []
        self.channels: list[aio.Channel] = []

    async def start(self, engine: str, address: str, linger: float = 0.5) -> Process:
        """One more process."""
        process = await Process.start(self.url, address, engine, linger)
        self.processes.append(process)
        return process

    async def replace(self, old: Process) -> None:
        """Starts a process where another was."""
        self.processes.append(await old.again())

    def load(self, target: str, config: object) -> Load:
        """Clients that begin to ask."""
        options = (
            # Of several addresses gRPC would make one that HTTP/2 does not allow.
            ("grpc.default_authority", "localhost"),
            ("grpc.service_config", json.dumps(config)),
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 500),
        )
        channel = aio.insecure_channel(target, options)
        self.channels.append(channel)
        load = Load(Stage.stub_of(channel))
        self.loads.append(asyncio.create_task(load.run()))
        return load

    async def over(self, load: Load) -> None:
        """Lets the clients have their last answers."""
        load.is_over = True
        async with asyncio.timeout(30):
            await asyncio.gather(*self.loads)

    async def close(self) -> None:
        """Ends everything."""
        for task in self.loads:
            task.cancel()
        await asyncio.gather(*self.loads, return_exceptions=True)
        for channel in self.channels:
            await channel.close(None)
        for process in self.processes:
            await process.end()


@pytest.fixture
async def fleet(stage: Stage) -> AsyncIterator[Fleet]:
    """Processes and clients that end with the test."""
    fleet = Fleet(await stage.stored(TENANCY))
    yield fleet
    await fleet.close()


def free_address() -> str:
    """A port that nobody has at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


@pytest.mark.parametrize("engine", ENGINES)
async def test_sigterm_under_load_loses_nothing(fleet: Fleet, engine: str) -> None:
    """Clients that turn away when told to see no error, though they never retry."""
    stays, goes = free_address(), free_address()
    await fleet.start(engine, stays)
    going = await fleet.start(engine, goes, linger=1.0)
    load = fleet.load(f"ipv4:{stays},{goes}", TURNS_AWAY)
    await load.more(300)

    going.process.send_signal(signal.SIGTERM)
    code = await asyncio.wait_for(going.process.wait(), 20)
    await load.more(300)
    await fleet.over(load)

    assert [] == load.failed
    assert 0 == code


@pytest.mark.parametrize("engine", ENGINES)
async def test_exchanged_under_load_loses_nothing(fleet: Fleet, engine: str) -> None:
    """Stopped and started in one place, it answers all clients that ask again."""
    address = free_address()
    old = await fleet.start(engine, address)
    load = fleet.load(f"ipv4:{address}", ASKS_AGAIN)
    await load.more(300)

    old.process.send_signal(signal.SIGTERM)
    await fleet.replace(old)
    await load.more(300)
    await fleet.over(load)

    assert [] == load.failed


@pytest.mark.parametrize("engine", ENGINES)
async def test_killed_under_load_is_asked_again(
    stage: Stage, fleet: Fleet, engine: str
) -> None:
    """After -9, what was not answered is answered by the next, at the same socket."""
    address = f"unix:{stage.folder}/killed-{engine}"
    old = await fleet.start(engine, address)
    load = fleet.load(address, ASKS_AGAIN)
    await load.more(300)

    old.process.kill()
    await fleet.replace(old)
    await load.more(300)
    await fleet.over(load)

    assert [] == load.failed


@pytest.mark.parametrize("engine", ENGINES)
async def test_second_sigterm_ends_the_lingering(
    stage: Stage, fleet: Fleet, engine: str
) -> None:
    """Who is in a hurry tells it twice; it still ends with 0."""
    address = f"unix:{stage.folder}/hurried-{engine}"
    hurried = await fleet.start(engine, address, linger=600)
    async with aio.insecure_channel(address) as channel:
        watching = health_pb2_grpc.HealthStub(channel).Watch(
            health_pb2.HealthCheckRequest()
        )
        serving = (await watching.read()).status
        hurried.process.send_signal(signal.SIGTERM)
        draining = (await asyncio.wait_for(watching.read(), 10)).status
        hurried.process.send_signal(signal.SIGTERM)
        watching.cancel()
    code = await asyncio.wait_for(hurried.process.wait(), 20)

    response = health_pb2.HealthCheckResponse
    assert (response.SERVING, response.NOT_SERVING) == (serving, draining)
    assert 0 == code
