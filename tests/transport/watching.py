"""Clients of `Watch`, on a sidecar with a listener for each engine that serves it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import asyncpg
from authz.v1 import authorization_service_pb2 as api
from grpc import aio

from tests.support.serving import ENGINES, Serving, Stage

if TYPE_CHECKING:
    from authz.v1.authorization_service_pb2_grpc import AuthorizationServiceAsyncStub

    Call = aio.UnaryStreamCall[api.WatchRequest, api.WatchResponse]

QUICK = {"beat_interval": 0.05, "max_staleness": 5}
SECONDS = 20


@dataclass
class Watched:
    """A sidecar that serves `Watch`, and a stub for each engine."""

    serving: Serving
    stubs: "Mapping[str, AuthorizationServiceAsyncStub]"

    async def stop(self) -> None:
        """Stops the sidecar."""
        await self.serving.sidecar.stop()


@dataclass
class Stream:
    """One stream, and all that it has told."""

    call: "Call"
    told: list[api.WatchResponse] = field(default_factory=list)

    @classmethod
    def of(
        cls, stub: "AuthorizationServiceAsyncStub", after: str | None = None
    ) -> "Stream":
        """Begins to watch."""
        return cls(stub.Watch(api.WatchRequest(after_revision=after)))

    async def next(self) -> api.WatchResponse:
        """What comes next; raises AioRpcError when the stream ends."""
        async with asyncio.timeout(SECONDS):
            event = await self.call.read()
        assert isinstance(event, api.WatchResponse), "the stream ended without a word"
        self.told.append(event)
        return event

    async def until(
        self, holds: Callable[[api.WatchResponse], object]
    ) -> api.WatchResponse:
        """The next message for which something holds."""
        async with asyncio.timeout(SECONDS):
            while True:
                event = await self.next()
                if holds(event):
                    return event

    async def beat(self) -> api.WatchResponse.Beat:
        """The next beat."""
        return (await self.until(is_beat)).beat

    async def end(self) -> aio.AioRpcError:
        """How it ends, once all that is under way was read."""
        try:
            while True:
                await self.next()
        except aio.AioRpcError as error:
            return error

    def changed(self) -> list[tuple[str, str | None]]:
        """Every change that was told."""
        return [
            (change.group, change.key if change.HasField("key") else None)
            for event in self.told
            for change in event.changes.changes
        ]

    def kinds(self) -> list[str | None]:
        """What was told, beats that follow each other as one."""
        kinds = [event.WhichOneof("event") for event in self.told]
        pairs = zip([None, *kinds], kinds, strict=False)
        return [kind for before, kind in pairs if kind != before or kind != "beat"]


def is_beat(event: api.WatchResponse) -> bool:
    """Whether a message is a beat."""
    return event.HasField("beat")


def is_drop(event: api.WatchResponse) -> bool:
    """Whether a message says that everything is to be dropped."""
    return event.HasField("drop_everything")


def tells(group: str, key: str | None) -> Callable[[api.WatchResponse], bool]:
    """Whether a message tells a change."""

    def holds(event: api.WatchResponse) -> bool:
        return any(
            (change.group, change.key if change.HasField("key") else None)
            == (group, key)
            for change in event.changes.changes
        )

    return holds


@asynccontextmanager
async def connected(url: str, count: int) -> AsyncIterator[list[asyncpg.Connection]]:
    """Several connections to a database."""
    async with AsyncExitStack() as closing:
        connections = [await asyncpg.connect(url) for _ in range(count)]
        for each in connections:
            closing.push_async_callback(each.close)
        yield connections


@asynccontextmanager
async def watched(stage: Stage, url: str, **changed: object) -> AsyncIterator[Watched]:
    """A quick sidecar over a database; the settings changed as told."""
    addresses = {
        engine: f"unix:{stage.folder}/w{id(changed):x}-{engine}" for engine in ENGINES
    }
    listeners = [
        {"address": each, "engine": engine, "services": ["api", "health", "watch"]}
        for engine, each in addresses.items()
    ]
    settings = {"listeners": listeners, "freshness": QUICK} | changed
    serving = await stage.start(url, **settings)  # type: ignore[arg-type]
    channels = {each: aio.insecure_channel(at) for each, at in addresses.items()}
    try:
        yield Watched(
            serving,
            {each: stage.stub_of(channel) for each, channel in channels.items()},
        )
    finally:
        for channel in channels.values():
            await channel.close(None)
        await serving.sidecar.stop()
