"""A checker of histories: what answers may say, given what was committed when.

Writers change registers in transactions that overlap, wait and sometimes fail;
readers ask a store, with revisions of writes and of answers. A register is what one
principal is granted: one cluster, whose id is never used twice. So every answer names
the write that it shows, and is compared with what the order of commits allows.

`python -m tests.store.history --questions 1000000` runs it on an embedded PostgreSQL.
Long, because it is one thing told in many short parts.
"""

import argparse
import asyncio
import sys
import tempfile
from collections import Counter, deque
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

import asyncpg

from sidecar.core.ids import PrincipalId
from sidecar.ports import (
    AtLeast,
    Consistency,
    CouldNotDecideError,
    Facts,
    Freshness,
    GrantsKey,
)
from sidecar.store.anomalies import Anomaly
from sidecar.store.cache import TimedFacts
from sidecar.store.clock import SystemClock
from sidecar.store.database import PoolSettings
from sidecar.store.embedded import EmbeddedPostgres
from sidecar.store.feed import FeedSettings
from sidecar.store.migrate import migrate
from sidecar.store.revisions import Form, Revision
from sidecar.store.source import Store, StoreSettings
from tests.store.late import late

REGISTERS: Final = tuple(range(1, 9))
WRITERS: Final = 4
READERS: Final = 8
CLOCK: Final = SystemClock()
_LATE_SECONDS: Final = 0.02

PREPARE: Final = """
insert into authz.principals (id, kind, name)
select id, 'org', 'org ' || id from generate_series(1, 8) as id;
insert into authz.cluster_access (principal_id, cluster_id)
select id, id from generate_series(1, 8) as id;
"""
LOCK: Final = """
select principal_id from authz.cluster_access
where principal_id = any($1::bigint[]) order by principal_id for update
"""
WRITE: Final = "update authz.cluster_access set cluster_id = $2 where principal_id = $1"
_END_FEED: Final = """
select pg_terminate_backend(pid) from pg_stat_activity
where query like '%pg_current_snapshot%' and datname = current_database()
    and pid <> pg_backend_pid() and state = 'idle'
"""


@dataclass(eq=False)
class Write:
    """One transaction: what it sets, its revision, and how far it came."""

    values: dict[int, int]
    revision: str = ""
    number: int = 0
    is_ending: bool = False
    is_acknowledged: bool = False


@dataclass
class History:
    """All writes so far, and the answers that they do not allow.

    Values of one register grow in the order of commits: each is made under the lock
    of its row.
    """

    random: Random
    writes: dict[int, Write] = field(default_factory=dict)
    acknowledged: dict[int, list[Write]] = field(default_factory=dict)
    recent: deque[Write] = field(default_factory=lambda: deque(maxlen=64))
    answers: deque[str] = field(default_factory=lambda: deque(maxlen=64))
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    value: int = 1000

    def new_value(self, write: Write) -> int:
        """A value that no write had before."""
        self.value += 1
        self.writes[self.value] = write
        return self.value

    def acknowledge(self, write: Write) -> None:
        """The database said that a transaction was committed."""
        write.is_acknowledged = True
        for register in write.values:
            self.acknowledged.setdefault(register, []).append(write)

    def floor(self, register: int, fits: Callable[[Write], bool] = bool) -> int:
        """The newest acknowledged value of a register among writes that fit."""
        # Acknowledgements overtake each other by a little, the locks not at all.
        known = self.acknowledged.get(register, [])[-50:]
        return max((each.values[register] for each in known if fits(each)), default=0)

    def judge(self, register: int, value: int, floor: int, question: str) -> None:
        """Takes down an answer that is too old, or shows what was not committed."""
        self.counts[question] += 1
        write = self.writes.get(value)
        if value < floor:
            self.wrong.append(f"{question}: {register} is {value}, not yet {floor}")
        if write is not None and not write.is_ending:
            self.wrong.append(f"{question}: {register} is {value}, never committed")

    def judge_pair(self, found: dict[int, int]) -> None:
        """Takes down two values of one snapshot that share half a transaction."""
        for write in self.recent:
            if write.is_acknowledged and found.keys() <= write.values.keys():
                shows = {found[each] >= write.values[each] for each in found}
                if len(shows) > 1:
                    self.wrong.append(f"snapshot: half of {write.revision}")


async def write_on(history: History, url: str, until: asyncio.Event) -> None:
    """Writes transaction after transaction."""
    random = history.random
    connection = await asyncpg.connect(url)
    while not until.is_set():
        registers = sorted(random.sample(REGISTERS, random.randint(1, 3)))
        transaction = connection.transaction()
        await transaction.start()
        write = Write({})
        if random.random() < 0.5:
            await _name(write, connection)
        await connection.fetch(LOCK, registers)
        for register in registers:
            write.values[register] = history.new_value(write)
            await connection.execute(WRITE, register, write.values[register])
        await _name(write, connection)
        history.recent.append(write)
        await asyncio.sleep(random.random() * 0.01)
        if random.random() < 0.1:
            await transaction.rollback()
        else:
            write.is_ending = True
            await transaction.commit()
            history.acknowledge(write)
    await connection.close()


async def _name(write: Write, connection: asyncpg.Connection) -> None:
    write.revision = str(await connection.fetchval("select authz.current_revision()"))
    write.number = Revision.parse(write.revision).number


async def read_on(history: History, store: Store, questions: int) -> None:
    """Asks a number of questions, whatever becomes of each."""
    for _ in range(questions):
        try:
            await _ask(history, store)
        except CouldNotDecideError as error:
            history.counts[type(error).__name__] += 1
        # A question from memory waits for nobody; the writers want their turn.
        await asyncio.sleep(0)


async def _ask(history: History, store: Store) -> None:
    random = history.random
    register, other = random.sample(REGISTERS, 2)
    kind = random.random()
    if kind < 0.02:
        floors = {each: history.floor(each) for each in (register, other)}
        async with _open(store, Consistency.FULLY_CONSISTENT) as facts:
            found = {each: await _value(facts, each) for each in floors}
        for each, floor in floors.items():
            history.judge(each, found[each], floor, "fully consistent")
        history.judge_pair(found)
    elif kind < 0.6 and history.recent:
        write = history.recent[-random.randint(1, len(history.recent))]
        register = random.choice(list(write.values))
        floor = write.values[register] if write.is_acknowledged else 0
        await _ask_at_least(history, store, write.revision, register, floor)
    elif kind < 0.9 and history.answers:
        revision = random.choice(history.answers)
        number = Revision.parse(revision).number
        floor = history.floor(register, lambda write: write.number < number)
        await _ask_at_least(history, store, revision, register, floor)
    else:
        async with _open(store, Consistency.MINIMIZE_LATENCY) as facts:
            history.judge(register, await _value(facts, register), 0, "fast")
            _remember(history, facts)


async def _ask_at_least(
    history: History, store: Store, revision: str, register: int, floor: int
) -> None:
    form = Revision.parse(revision).form
    question = "of a write" if form is Form.TRANSACTION else "of an answer"
    async with _open(store, AtLeast(revision)) as facts:
        value = await _value(facts, register)
        _remember(history, facts)
    history.judge(register, value, floor, question)
    if isinstance(facts, TimedFacts):
        history.counts[f"{question}, from memory"] += 1


def _open(store: Store, freshness: Freshness) -> AbstractAsyncContextManager[Facts]:
    return store.open(freshness, CLOCK.monotonic() + 5)


def _remember(history: History, facts: Facts) -> None:
    if facts.revision is not None:
        history.answers.append(facts.revision)


async def _value(facts: Facts, register: int) -> int:
    (cluster,) = await facts.get(GrantsKey(PrincipalId(str(register))))
    return int(cluster)


async def check(url: str, questions: int, faults: float | None, seed: int) -> History:
    """Runs writers and readers on a migrated database with nothing in it.

    `faults`: seconds between two ends of the feed's connection, none without. The
    feed hears late, so that what is acknowledged and what is heard come apart.
    """
    async with late(url, _LATE_SECONDS) as feed_url:
        return await _check(url, feed_url, questions, faults, seed)


async def _check(
    url: str, feed_url: str, questions: int, faults: float | None, seed: int
) -> History:
    history = History(Random(seed))  # noqa: S311  nothing secret depends on it
    connection = await asyncpg.connect(url)
    await connection.execute(PREPARE)
    store = await Store.start(_settings(url, feed_url), CLOCK, _ignore)
    over = asyncio.Event()
    async with asyncio.TaskGroup() as writers:
        for _ in range(WRITERS):
            writers.create_task(write_on(history, url, over))
        if faults is not None:
            writers.create_task(_end_feeds(connection, faults, over))
        async with asyncio.TaskGroup() as readers:
            for _ in range(READERS):
                readers.create_task(read_on(history, store, questions // READERS))
        over.set()
    await store.close()
    await connection.close()
    return history


async def _end_feeds(
    connection: asyncpg.Connection, seconds: float, until: asyncio.Event
) -> None:
    while not until.is_set():
        await connection.execute(_END_FEED)
        try:
            await asyncio.wait_for(until.wait(), seconds)
        except TimeoutError:
            continue


def _settings(url: str, feed_url: str) -> StoreSettings:
    return StoreSettings(
        PoolSettings(url, smallest=1, largest=4, waiting=100),
        FeedSettings(
            feed_url, url, beat_interval=0.2, max_staleness=2.0, max_backoff=0.2
        ),
    )


def _ignore(_: Anomaly) -> None:
    return


async def _run(questions: int, seconds: float) -> int:
    with (
        tempfile.TemporaryDirectory(prefix="authz-history-") as folder,
        EmbeddedPostgres(Path(folder) / "data", durable=False) as server,
    ):
        url = server.url("postgres")
        connection = await asyncpg.connect(url)
        await migrate(connection)
        await connection.close()
        history = await check(url, questions, seconds, seed=1)
    for name, count in sorted(history.counts.items()):
        sys.stdout.write(f"{count:>9} {name}\n")
    sys.stdout.write(f"{len(history.writes):>9} values written\n")
    sys.stdout.write(f"{len(history.wrong):>9} answers that the order forbids\n")
    for each in history.wrong[:10]:
        sys.stdout.write(f"          {each}\n")
    return 1 if history.wrong else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Check answers against commits.")
    parser.add_argument("--questions", type=int, default=100_000)
    parser.add_argument("--faults", type=float, default=1.0, help="seconds between")
    options = parser.parse_args()
    sys.exit(asyncio.run(_run(options.questions, options.faults)))
