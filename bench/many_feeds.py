"""What many sidecars cost one database: beats, questions, and a burst of changes."""

import argparse
import asyncio
import logging
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg
import structlog

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.marked_figures import write_figures
from sidecar.store.clock import SystemClock
from sidecar.store.feed import Feed, FeedSettings
from tests.store.faults.lab import DATABASE, prepare
from tests.support.cluster import Node, cluster

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "reliability.md"
CLOCK: Final = SystemClock()
TICKS: Final = os.sysconf("SC_CLK_TCK")
BURST: Final = """
insert into authz.principals (id, kind) values ($1, 'user')
"""
_HEAD: Final = (
    "feeds",
    "beats/s in all",
    "transactions/s",
    "database, quiet: ms/s, for a feed",
    "burst: s until all heard",
    "database, burst: ms, for a feed and change",
    "stale at most, quiet",
)


class Sink:
    """Counts."""

    def __init__(self) -> None:
        self.live_until = 0.0
        self.changes = 0

    def changed(self, group: str, key: str | None) -> None:
        """One more."""
        del group, key
        self.changes += 1

    def drop_everything(self) -> None:
        """Nothing is kept."""

    def set_uncacheable(self, groups: Iterable[str]) -> None:
        """Nothing is kept."""


@dataclass(frozen=True)
class Quiet:
    """A time in which nothing changes.

    `work`: seconds of processor that the database spends in a second for one feed.
    """

    beats: float
    transactions: float
    work: float
    staleness: float


@dataclass(frozen=True)
class Burst:
    """Many changes at once, each heard by all.

    `work`: seconds of processor that the database spends for one feed and change.
    """

    seconds: float
    work: float


@dataclass(frozen=True)
class Cost:
    """What so many feeds cost their database; rates are of a second."""

    feeds: int
    quiet: Quiet
    burst: Burst


def main() -> int:
    """Writes a row for each number of feeds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--feeds", type=int, nargs="*", default=[30, 100, 300])
    parser.add_argument("--seconds", type=float, default=10.0, help="of quiet")
    parser.add_argument("--burst", type=int, default=1000, help="changes")
    parser.add_argument("--print", action="store_true", help="and leave the page")
    options = parser.parse_args()
    logging.disable()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL)
    )
    with roomy() as node:
        costs = [
            asyncio.run(cost_of(node, count, options.seconds, options.burst))
            for count in options.feeds
        ]
    figures = table(costs)
    print(figures)
    if not options.print:
        write_figures(PAGE, "bench/many_feeds.py", figures)
    return 0


@contextmanager
def roomy() -> Iterator[Node]:
    """A database with a world, to which hundreds may connect."""
    with cluster() as made:
        node = made.primary
        node.set({"max_connections": "500"})
        node.stop()
        node.start()
        asyncio.run(prepare(node))
        yield node


def table(costs: Sequence[Cost]) -> str:
    """A row for each number of feeds."""
    lines = [f"| {' | '.join(_HEAD)} |", "|---" * len(_HEAD) + "|"]
    for each in costs:
        quiet, burst = each.quiet, each.burst
        lines.append(
            f"| {each.feeds} | {quiet.beats:.2f} | {quiet.transactions:.0f} "
            f"| {quiet.work * 1000:.3f} | {burst.seconds:.2f} "
            f"| {burst.work * 1000:.4f} | {quiet.staleness:.2f} s |"
        )
    return "\n".join(lines) + "\n"


async def cost_of(node: Node, count: int, seconds: float, changes: int) -> Cost:
    """Measures with some feeds, all in this process."""
    url = node.url(DATABASE)
    sinks = [Sink() for _ in range(count)]
    settings = FeedSettings(url, url)
    feeds = [Feed(settings, sink, CLOCK) for sink in sinks]
    for feed in feeds:
        # One after the other, as sidecars start; so their questions are spread, too.
        await feed.start()
        await asyncio.sleep(settings.beat_interval / count)
    connection = await asyncpg.connect(url)
    try:
        await asyncio.sleep(3)
        quiet = await measure_quiet(node, connection, feeds, seconds)
        burst = await measure_burst(node, connection, sinks, changes)
    finally:
        await connection.close()
        await asyncio.gather(*(feed.close() for feed in feeds))
    return Cost(count, quiet, burst)


async def measure_quiet(
    node: Node, connection: asyncpg.Connection, feeds: list[Feed], seconds: float
) -> Quiet:
    """Counts beats and questions, and what the database works for them."""
    beats = 0

    def hear(*_: object) -> None:
        nonlocal beats
        beats += 1

    await connection.add_listener("authz_beat", hear)
    asked = await transactions(connection)
    worked, began, staleness = work(node), CLOCK.monotonic(), 0.0
    while CLOCK.monotonic() < began + seconds:
        await asyncio.sleep(0.02)
        staleness = max(staleness, *(feed.staleness() for feed in feeds))
    took = CLOCK.monotonic() - began
    spent = (work(node) - worked) / took / len(feeds)
    questions = (await transactions(connection) - asked) / took
    await connection.remove_listener("authz_beat", hear)
    return Quiet(beats / took, questions, spent, staleness)


async def measure_burst(
    node: Node, connection: asyncpg.Connection, sinks: list[Sink], changes: int
) -> Burst:
    """Has every feed hear a change in each of many transactions."""
    first = 10**9 + int(CLOCK.monotonic() * 1000)
    wanted = [sink.changes + changes for sink in sinks]
    worked, began = work(node), CLOCK.monotonic()
    for number in range(changes):
        await connection.execute(BURST, first + number)
    while any(s.changes < w for s, w in zip(sinks, wanted, strict=True)):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    took = CLOCK.monotonic() - began
    spent = (work(node) - worked) / len(sinks) / changes
    return Burst(took, spent)


async def transactions(connection: asyncpg.Connection) -> int:
    """How many the database has ended, as its statistics have it."""
    number = await connection.fetchval(
        "select xact_commit from pg_stat_database where datname = current_database()"
    )
    return int(str(number))


def work(node: Node) -> float:
    """Seconds of processor that the server and all its processes have used."""
    first = (node.folder / "postmaster.pid").read_text().splitlines()[0]
    children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
    return sum(map(processor_seconds, (first, *children)))


def processor_seconds(pid: str) -> float:
    """Of a process that runs; none of one that has ended meanwhile."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0.0
    fields = re.sub(r"^.*\) ", "", stat, flags=re.DOTALL).split()
    return (int(fields[11]) + int(fields[12])) / TICKS


if __name__ == "__main__":
    sys.exit(main())
