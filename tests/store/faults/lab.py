"""A store behind a failing network, asked without end while things go wrong."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum, unique
from math import inf

import asyncpg

from sidecar.core.ids import PrincipalId
from sidecar.ports import (
    Consistency,
    CouldNotDecideError,
    MembershipsKey,
    StandingKey,
)
from sidecar.store.anomalies import Anomaly
from sidecar.store.clock import SystemClock
from sidecar.store.database import PoolSettings
from sidecar.store.document import read_document
from sidecar.store.feed import FeedSettings
from sidecar.store.importer import import_document
from sidecar.store.migrate import migrate
from sidecar.store.source import Store, StoreSettings
from tests.store.faults.proxy import Proxy
from tests.store.places import WORLD
from tests.support.cluster import Node

CLOCK = SystemClock()
MAX_STALENESS = 0.5
DATABASE = "faults"
# Ann is a member of Acme until that is revoked; nobody ever makes Bob one.
ANN = StandingKey(PrincipalId("3"), PrincipalId("1"))
BOB = StandingKey(PrincipalId("4"), PrincipalId("1"))
# What nobody asks for while a fault lasts: all of Ann's memberships.
SELDOM = MembershipsKey(PrincipalId("3"))
_MEMBER = "update authz.principal_memberships set enabled = $1 where id = 31"
# How long a question may take, and how long anything is waited for, in seconds.
_QUESTION = 0.4
_PATIENCE = 20.0


@unique
class Answer(Enum):
    """What became of a question."""

    ALLOWED = "allowed"
    DENIED = "denied"
    UNAVAILABLE = "unavailable"


@dataclass
class Asker:
    """Asks for Ann and for Bob in turn, as fast as it can, and takes down answers.

    Times are of the clock. `spent`: the seconds that led to each answer.
    `allowed_at`: when the last question that was allowed was put. `longest`: the
    longest time that an answer took.
    """

    store: Store
    spent: dict[Answer, float] = field(default_factory=dict)
    last: Answer = Answer.UNAVAILABLE
    last_asked: float = -inf
    allowed_at: float = -inf
    longest: float = 0.0
    bobs: set[Answer] = field(default_factory=set)
    _round: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Asks until it is cancelled."""
        while True:
            asked = CLOCK.monotonic()
            answer = await self._ask(ANN)
            self.bobs.add(await self._ask(BOB))
            self.last, self.last_asked = answer, asked
            if answer is Answer.ALLOWED:
                self.allowed_at = asked
            self._round.set()
            await asyncio.sleep(0)
            took = CLOCK.monotonic() - asked
            self.spent[answer] = self.spent.get(answer, 0.0) + took

    async def until(self, holds: Callable[[], object]) -> None:
        """Waits for something to hold after an answer."""
        async with asyncio.timeout(_PATIENCE):
            while not holds():
                self._round.clear()
                await self._round.wait()

    async def _ask(self, key: StandingKey) -> Answer:
        asked = CLOCK.monotonic()
        try:
            async with self.store.open(
                Consistency.MINIMIZE_LATENCY, asked + _QUESTION
            ) as facts:
                found = await facts.get(key)
        except CouldNotDecideError:
            return Answer.UNAVAILABLE
        finally:
            self.longest = max(self.longest, CLOCK.monotonic() - asked)
        return Answer.DENIED if found.membership is None else Answer.ALLOWED


@dataclass
class Lab:
    """A server, a proxy before it, a store behind that, and who asks."""

    node: Node
    proxy: Proxy
    store: Store
    asker: Asker

    @property
    def is_live(self) -> bool:
        """Whether the store's memory answers."""
        return self.store.feed_health().is_live

    async def ask_seldom(self) -> Answer:
        """Whether Ann is a member of Acme, by a fact of its own."""
        deadline = CLOCK.monotonic() + _PATIENCE
        while True:
            try:
                async with self.store.open(
                    Consistency.MINIMIZE_LATENCY, deadline
                ) as facts:
                    found = await facts.get(SELDOM)
            except CouldNotDecideError:
                # One reading may take too long where much else runs.
                assert CLOCK.monotonic() < deadline
                continue
            of = {each.principal.id for each in found}
            return Answer.ALLOWED if PrincipalId("1") in of else Answer.DENIED

    async def set_member(self, *, enabled: bool) -> float:
        """Makes Ann a member or not; gives the time after the commit."""
        connection = await asyncpg.connect(self.node.url(DATABASE), timeout=5)
        try:
            await connection.execute(_MEMBER, enabled)
        finally:
            await connection.close()
        return CLOCK.monotonic()


@asynccontextmanager
async def lab_on(node: Node) -> AsyncIterator[Lab]:
    """A lab in which Ann is allowed from memory, over a prepared server."""
    async with lab_behind(node) as lab:
        asking = asyncio.create_task(lab.asker.run())
        try:
            await lab.set_member(enabled=True)
            await lab.asker.until(
                lambda: lab.is_live and lab.asker.last is Answer.ALLOWED
            )
            yield lab
        finally:
            asking.cancel()
            with suppress(asyncio.CancelledError):
                await asking


@asynccontextmanager
async def lab_behind(node: Node, questions_at_once: int = 2) -> AsyncIterator[Lab]:
    """A lab in which nobody asks, over a server with the reference schema."""
    proxy = Proxy(node.port)
    port = await proxy.start()
    url = f"postgresql://postgres@127.0.0.1:{port}/{DATABASE}"
    store = await Store.start(_settings(url, questions_at_once), CLOCK, _ignore)
    try:
        yield Lab(node, proxy, store, Asker(store))
    finally:
        proxy.mend()
        await store.close()
        await proxy.close()


async def prepare(node: Node) -> None:
    """Stores the world in a new database."""
    connection = await asyncpg.connect(node.url())
    await connection.execute(f"create database {DATABASE}")
    await connection.close()
    connection = await asyncpg.connect(node.url(DATABASE))
    await migrate(connection)
    await import_document(connection, read_document(WORLD))
    await connection.close()


def _settings(url: str, largest: int) -> StoreSettings:
    return StoreSettings(
        PoolSettings(
            url,
            smallest=1,
            largest=largest,
            waiting=2 * largest,
            connect_timeout=2.0,
        ),
        FeedSettings(
            url,
            url,
            beat_interval=0.05,
            max_staleness=MAX_STALENESS,
            recheck_interval=0.1,
            connect_timeout=2.0,
            max_backoff=0.1,
        ),
        load_timeout=0.3,
    )


def _ignore(_: Anomaly) -> None:
    return
