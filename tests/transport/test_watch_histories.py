"""`Watch` while transactions end in any order, and clients come, go or stand still."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random

import asyncpg
import pytest

from sidecar.store.watchers import Watchers
from tests.support.serving import ENGINES, Place, Schema, Stage, refusal
from tests.transport.watching import (
    SECONDS,
    Stream,
    Watched,
    connected,
    is_beat,
    watched,
)

TENANCY = Place(Schema.REFERENCE, "tenancy")
STEPS = 250
FIRST = 5_000
INSERT = "insert into authz.principals (id, kind, name) values ($1, 'org', 'x')"
# Of this size a message fills whatever there is between server and client.
LARGE = """
    select pg_notify('authz_changes', json_build_object('g', 'user',
        'x', pg_current_xact_id()::text,
        'k', json_build_array(repeat('k', 7000) || n || '-' || $1::int))::text)
    from generate_series(1, 50) as n
"""


@dataclass
class Writers:
    """Transactions that are open for a long or a short time."""

    random: Random
    connections: list[asyncpg.Connection]
    under_way: dict[asyncpg.Connection, list[int]] = field(default_factory=dict)
    # The order of commits, and what each of them changed.
    committed: list[str] = field(default_factory=list)
    next: int = FIRST

    async def step(self) -> None:
        """Begins, goes on with, or ends one of them."""
        connection = self.random.choice(self.connections)
        if connection not in self.under_way:
            await connection.execute("begin")
            self.under_way[connection] = []
        if self.random.random() < 0.5:
            await connection.execute(INSERT, self.next)
            self.under_way[connection].append(self.next)
            self.next += 1
        elif self.random.random() < 0.6:
            await self.end(connection, "commit" if self.random.random() < 0.9 else "")

    async def end(self, connection: asyncpg.Connection, how: str) -> None:
        """Commits, or rolls back."""
        ids = self.under_way.pop(connection)
        await connection.execute(how or "rollback")
        if how:
            self.committed += map(str, ids)

    async def finish(self) -> None:
        """Commits all that is open."""
        for connection in list(self.under_way):
            await self.end(connection, "commit")


@dataclass
class Comer:
    """A client that leaves and comes back, and remembers all that it was told."""

    on: Watched
    random: Random
    revision: str
    told: set[str] = field(default_factory=set)
    streams: list[Stream] = field(default_factory=list)

    async def follow(self) -> None:
        """Comes and goes until it is cancelled."""
        while True:
            stream = self.come()
            for _ in range(self.random.randrange(1, 40)):
                await self.hear(stream)
            stream.call.cancel()

    def come(self) -> Stream:
        """Goes on from the last beat, through either engine."""
        stub = self.on.stubs[self.random.choice(ENGINES)]
        self.streams.append(Stream.of(stub, self.revision))
        return self.streams[-1]

    async def hear(self, stream: Stream) -> None:
        """Remembers what comes next."""
        event = await stream.next()
        self.told.update(change.key for change in event.changes.changes)
        if is_beat(event):
            self.revision = event.beat.revision


@pytest.mark.parametrize("seed", [1, 2])
async def test_whoever_resumes_is_told_every_change(stage: Stage, seed: int) -> None:
    """Cut off at random, a client is told all that was committed since it began."""
    random = Random(seed)  # noqa: S311  a test that can be repeated
    url = await stage.stored(TENANCY)
    async with watched(stage, url) as on, connected(url, 6) as connections:
        writers = Writers(random, connections)
        first = await Stream.of(on.stubs["native"]).beat()
        comer = Comer(on, random, first.revision)
        following = asyncio.create_task(comer.follow())
        for _ in range(STEPS):
            await writers.step()
        await writers.finish()
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following
        last = comer.come()
        async with asyncio.timeout(SECONDS):
            while not comer.told.issuperset(writers.committed):
                await comer.hear(last)

    order = {key: place for place, key in enumerate(writers.committed)}
    assert len(comer.streams) > 3
    assert comer.told == set(order)
    for stream in comer.streams:
        assert "drop_everything" not in stream.kinds()
        places = [order[key or ""] for _, key in stream.changed()]
        assert sorted(places) == places


@pytest.mark.parametrize("engine", ENGINES)
async def test_who_takes_nothing_is_cut_off(stage: Stage, engine: str) -> None:
    """What nobody reads is not written for ever; the client is told why it ended."""
    url = await stage.stored(TENANCY)
    # Long enough that a busy machine does not lose the feed, and with it the changes.
    quick = {"beat_interval": 0.05, "max_staleness": 3}
    limits = {"watch_backlog": 100}
    async with (
        watched(stage, url, freshness=quick, limits=limits) as on,
        connected(url, 1) as (connection,),
    ):
        source = on.serving.sidecar.store.watchers
        assert isinstance(source, Watchers)
        idle, busy = (Stream.of(on.stubs[engine]) for _ in range(2))
        await idle.beat()
        await busy.beat()
        sent = 0
        async with asyncio.timeout(SECONDS):
            while source.watching == 2:
                sent += 50
                await connection.execute(LARGE, sent)
                while len(busy.changed()) < sent:
                    await busy.next()
        actual = refusal(await idle.end())

    assert ("RESOURCE_EXHAUSTED", "WATCHER_TOO_SLOW") == (actual.code, actual.reason)
    assert len(idle.changed()) < sent
