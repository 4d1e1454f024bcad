"""What happens to a sidecar as a process, and what its clients see of it."""

import json
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx

from sidecar.store.document import parse_document
from sidecar.store.importer import import_document
from sidecar.store.migrate import migrate
from tests.faults.asking import ANN, ASKS_AGAIN, ASKS_ONCE, Clients, clients_of
from tests.faults.shifting import WallClock
from tests.spec.cases import load_world
from tests.store.faults.faults import LASTS, Seen
from tests.store.faults.lab import CLOCK, MAX_STALENESS, Answer
from tests.support.cluster import Node, free_port
from tests.support.process import Process

_FRESHNESS = {
    "beat_interval": 0.05,
    "max_staleness": MAX_STALENESS,
    "trigger_check_interval": 0.1,
}
_MEMBER = "update authz.principal_memberships set enabled = $1 where id = 1"
_STALENESS = "authz_feed_staleness_seconds "
HOURS = 3600


@dataclass
class Place:
    """A sidecar process over a database with the world `tenancy`, and its clients."""

    url: str
    process: Process
    clock: WallClock
    clients: Clients
    metrics: str

    async def staleness(self) -> float:
        """The staleness of the feed by its metric, in seconds."""
        async with httpx.AsyncClient() as http:
            text = (await http.get(f"http://{self.metrics}/metrics")).text
        (line,) = [each for each in text.splitlines() if each.startswith(_STALENESS)]
        return float(line.removeprefix(_STALENESS))

    async def set_member(self, *, enabled: bool) -> float:
        """Makes Ann a member or not; gives the time after the commit."""
        connection = await asyncpg.connect(self.url)
        try:
            await connection.execute(_MEMBER, enabled)
        finally:
            await connection.close()
        return CLOCK.monotonic()


@dataclass(frozen=True)
class Ordeal:
    """What happens to the process, and how it is mended, after `lasts` seconds.

    While it lasts Ann's membership is revoked.
    """

    name: str
    strike: Callable[[Place], Coroutine[None, None, None]]
    mend: Callable[[Place], Coroutine[None, None, None]]
    config: Mapping[str, object]
    lasts: float = 0.0


@asynccontextmanager
async def place_on(url: str, folder: Path, ordeal: Ordeal) -> AsyncIterator[Place]:
    """A sidecar that answers Ann's clients; `folder`: for its socket and clock."""
    address = f"unix:{folder}/socket"
    clock = WallClock(folder)
    # A freshness of its own, so that the figures go with those of the other faults.
    metrics = f"127.0.0.1:{free_port()}"
    extra = {
        **clock.environment,
        "AUTHZ_FRESHNESS": json.dumps(_FRESHNESS),
        "AUTHZ_METRICS": json.dumps({"address": metrics}),
    }
    process = await Process.start(url, address, "native", extra=extra)
    async with clients_of(address, ordeal.config) as clients:
        place = Place(url, process, clock, clients, metrics)
        try:
            await place.set_member(enabled=True)
            await clients.until(lambda: clients.last is Answer.ALLOWED)
            yield place
        finally:
            await place.process.end()


async def undergo(place: Place, ordeal: Ordeal) -> Seen:
    """Lets it happen, and tells what was seen, as `suffer` does of a store."""
    clients = place.clients
    clients.longest = 0.0
    clients.spent.clear()
    clients.lost.clear()
    struck = CLOCK.monotonic()
    await ordeal.strike(place)
    revoked = await place.set_member(enabled=False)
    if ordeal.lasts:
        await clients.until(lambda: clients.last_asked > struck + ordeal.lasts)
    mending = CLOCK.monotonic()
    await ordeal.mend(place)
    mended = CLOCK.monotonic()
    await clients.until(
        lambda: clients.last_asked > mended and clients.last is Answer.DENIED
    )
    recovered = CLOCK.monotonic()
    last = await clients.ask(ANN)
    return Seen(
        ordeal.name,
        dict(clients.spent),
        max(clients.allowed_at - revoked, 0.0),
        recovered - mending,
        clients.longest,
        frozenset(clients.dans),
        last,
    )


async def prepare_world(node: Node) -> str:
    """Stores the world `tenancy` in a database of its own; gives its address."""
    connection = await asyncpg.connect(node.url())
    await connection.execute("create database ordeals")
    await connection.close()
    document, _ = load_world("tenancy")
    connection = await asyncpg.connect(node.url("ordeals"))
    await migrate(connection)
    await import_document(connection, parse_document(json.dumps(document)))
    await connection.close()
    return node.url("ordeals")


async def _terminate(place: Place) -> None:
    place.process.process.send_signal(signal.SIGTERM)


async def _kill(place: Place) -> None:
    place.process.process.kill()


async def _replace(place: Place) -> None:
    place.process = await place.process.again()


async def _ahead(place: Place) -> None:
    place.clock.jump(5 * HOURS)


async def _behind(place: Place) -> None:
    place.clock.jump(-5 * HOURS)


TERMINATED = Ordeal(
    "the sidecar gets SIGTERM, and another starts", _terminate, _replace, ASKS_AGAIN
)
KILLED = Ordeal(
    "the sidecar is killed with -9, and another starts", _kill, _replace, ASKS_ONCE
)
JUMPED = Ordeal(
    "the wall clock jumps 5 h ahead, then 10 h back", _ahead, _behind, ASKS_ONCE, LASTS
)
ORDEALS = (TERMINATED, KILLED, JUMPED)
