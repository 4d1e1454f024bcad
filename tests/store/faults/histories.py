"""A history of writes, questions and faults, and what of it must not be."""

import asyncio
from dataclasses import dataclass
from math import inf
from random import Random

import asyncpg

from sidecar.store.migrate import migrate
from tests.store.faults.lab import CLOCK, DATABASE, MAX_STALENESS, Lab, lab_behind
from tests.store.faults.ledger import Ledger
from tests.store.faults.striking import Striking
from tests.store.faults.traffic import Traffic
from tests.store.history import PREPARE
from tests.support.cluster import Node, cluster

WRITERS = 4
READERS = 16


@dataclass(frozen=True)
class Plan:
    """How much there is to be; times in seconds.

    It ends when there were as many answers, and as many rounds of all faults, or when
    its `seconds` are over.
    `pause`, `lasts`: the longest time between two faults, and of one. `thinks`: the
    longest time before a writer ends a transaction.
    """

    questions: int
    seed: int
    rounds: int = 0
    pause: float = 1.0
    lasts: float = 1.0
    thinks: float = 0.01
    seconds: float = inf


async def check_under_faults(plan: Plan) -> Ledger:
    """Runs writers, readers and faults on a cluster of its own."""
    with cluster() as made:
        await _prepare(made.primary)
        async with lab_behind(made.primary, questions_at_once=4) as lab:
            return await _run(lab, plan)


async def _run(lab: Lab, plan: Plan) -> Ledger:
    ledger = Ledger(MAX_STALENESS, history=await _history(lab.node))
    random = Random(plan.seed)  # noqa: S311  nothing secret depends on it
    until = CLOCK.monotonic() + plan.seconds
    over, answered = asyncio.Event(), asyncio.Event()
    traffic = Traffic(
        lab,
        ledger,
        Random(plan.seed),  # noqa: S311
        over,
        answered,
        plan.thinks,
    )
    striking = Striking(traffic, random, plan.pause, plan.lasts)
    async with asyncio.TaskGroup() as others:
        for _ in range(WRITERS):
            others.create_task(traffic.write_on())
        others.create_task(striking.run())
        async with asyncio.TaskGroup() as readers:
            for _ in range(READERS):
                readers.create_task(traffic.read_on(plan.questions, plan.rounds, until))
        over.set()
        answered.set()
    return ledger


async def _prepare(node: Node) -> None:
    connection = await asyncpg.connect(node.url())
    await connection.execute(f"create database {DATABASE}")
    await connection.close()
    connection = await asyncpg.connect(node.url(DATABASE))
    await migrate(connection)
    await connection.execute(PREPARE)
    await connection.close()


async def _history(node: Node) -> str:
    connection = await asyncpg.connect(node.url(DATABASE))
    try:
        return str(await connection.fetchval("select authz.history()"))
    finally:
        await connection.close()
