"""Writers and readers of registers, whom faults may hit at any moment."""

import asyncio
from dataclasses import dataclass
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
    UnknownRevisionError,
)
from sidecar.store.cache import TimedFacts
from tests.store.faults.lab import CLOCK, DATABASE, Lab
from tests.store.faults.ledger import Ledger, Question, Source, Write
from tests.store.history import LOCK, REGISTERS, WRITE

# Who is never granted anything.
NOBODY: Final = PrincipalId("9")
_QUESTION_SECONDS: Final = 0.4
_CONNECT_SECONDS: Final = 5
_GONE: Final = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)


@dataclass
class Traffic:
    """Those who write and ask, until it is over.

    `thinks`: the longest time before a writer ends a transaction, in seconds.
    """

    lab: Lab
    ledger: Ledger
    random: Random
    over: asyncio.Event
    answered: asyncio.Event
    thinks: float

    async def write_on(self) -> None:
        """Writes transaction after transaction, wherever the primary is."""
        while not self.over.is_set():
            try:
                await self._write_at(self.lab.node.url(DATABASE))
            except _GONE as error:
                self.ledger.counts[f"writer lost: {type(error).__name__}"] += 1
                await asyncio.sleep(0.01)

    async def read_on(self, questions: int, rounds: int, until: float) -> None:
        """Asks until all readers had so many answers, and all faults their rounds.

        Not beyond `until`, a time of the clock.
        """
        while (
            self.ledger.answered < questions or self.ledger.rounds < rounds
        ) and CLOCK.monotonic() < until:
            began_in = self.ledger.history
            question = self._question()
            try:
                await self._ask(question)
            except UnknownRevisionError:
                self.ledger.counts["error: UnknownRevisionError"] += 1
                self.ledger.refuse(question, began_in)
            except CouldNotDecideError as error:
                self.ledger.counts[f"error: {type(error).__name__}"] += 1
            self.answered.set()
            # A question from memory waits for nobody; the writers want their turn.
            await asyncio.sleep(0)

    async def _write_at(self, url: str) -> None:
        connection = await asyncpg.connect(url, timeout=_CONNECT_SECONDS)
        try:
            while not self.over.is_set() and url == self.lab.node.url(DATABASE):
                await self._write(connection)
        finally:
            connection.terminate()

    async def _write(self, connection: asyncpg.Connection) -> None:
        random, ledger = self.random, self.ledger
        registers = sorted(random.sample(REGISTERS, random.randint(1, 3)))
        transaction = connection.transaction()
        await transaction.start()
        write = Write({})
        if random.random() < 0.5:
            await _name(write, connection)
        await connection.fetch(LOCK, registers)
        for register in registers:
            write.values[register] = ledger.new_value(write)
            await connection.execute(WRITE, register, write.values[register])
        await _name(write, connection)
        ledger.recent.append(write)
        await asyncio.sleep(random.random() * self.thinks)
        if random.random() < 0.1:
            await transaction.rollback()
        else:
            write.is_ending = True
            await transaction.commit()
            ledger.acknowledge(write, CLOCK.monotonic())

    def _question(self) -> Question:
        random, ledger, asked = self.random, self.ledger, CLOCK.monotonic()
        kind = random.random()
        if kind < 0.02:
            return Question("fully consistent", asked, is_whole=True)
        if kind < 0.5 and ledger.recent:
            write = random.choice(ledger.recent)
            return Question("of a write", asked, write.revision, write)
        if kind < 0.8 and ledger.answers:
            return Question("of an answer", asked, random.choice(ledger.answers))
        return Question("fast", asked)

    async def _ask(self, question: Question) -> None:
        async with self.lab.store.open(
            _freshness(question), question.asked + _QUESTION_SECONDS
        ) as facts:
            found = {each: await _value(facts, each) for each in self._of(question)}
            granted = await facts.get(GrantsKey(NOBODY))
            revision = facts.revision
        self.ledger.judge(question, found, _source(facts))
        if granted:
            self.ledger.wrong.append(f"{question.kind}: nobody is granted {granted}")
        if revision is not None:
            self.ledger.answers.append(revision)

    def _of(self, question: Question) -> list[int]:
        if question.is_whole:
            return self.random.sample(REGISTERS, 2)
        of = REGISTERS if question.write is None else list(question.write.values)
        return [self.random.choice(of)]


async def _name(write: Write, connection: asyncpg.Connection) -> None:
    write.name(str(await connection.fetchval("select authz.current_revision()")))


async def _value(facts: Facts, register: int) -> int:
    (cluster,) = await facts.get(GrantsKey(PrincipalId(str(register))))
    return int(cluster)


def _source(facts: Facts) -> Source:
    if not isinstance(facts, TimedFacts):
        return Source.SNAPSHOT
    return Source.DATABASE if facts.revision is None else Source.MEMORY


def _freshness(question: Question) -> Freshness:
    if question.is_whole:
        return Consistency.FULLY_CONSISTENT
    if question.revision:
        return AtLeast(question.revision)
    return Consistency.MINIMIZE_LATENCY
