"""Faults at random times, one after another, below writers and readers."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from random import Random
from typing import Final

import asyncpg

from tests.store.faults import failing_over
from tests.store.faults.faults import FAULTS, Fault, kill
from tests.store.faults.lab import CLOCK, DATABASE, Lab
from tests.store.faults.ledger import Ledger
from tests.store.faults.traffic import Traffic

FAILED_OVER: Final = failing_over.FAILOVER.name
UNTOLD: Final = "a trigger is dropped"
# Of the table of faults, all but the one that concerns another relation.
_STORED: Final = {each.name: each for each in FAULTS if each.name != UNTOLD}
NAMES: Final = (*_STORED, UNTOLD, FAILED_OVER)

_PATIENCE: Final = 30.0
_HISTORY: Final = "select authz.history()"
_REGISTERS: Final = """
select principal_id, cluster_id from authz.cluster_access order by principal_id
"""
_DROP: Final = "drop trigger authz_watch_update on authz.cluster_access"
_WATCH: Final = """
call authz.watch('authz.cluster_access', 'grants',
    'principal_id, cluster_id', 'principal_id')
"""


@dataclass
class Striking:
    """Strikes a lab from a random source; `pause` is the longest, in seconds."""

    traffic: Traffic
    random: Random
    pause: float
    lasts: float

    @property
    def _lab(self) -> Lab:
        return self.traffic.lab

    @property
    def _ledger(self) -> Ledger:
        return self.traffic.ledger

    async def run(self) -> None:
        """Lets each fault happen once, in any order, and then again."""
        while True:
            for name in self.random.sample(NAMES, len(NAMES)):
                await self._wait(self.pause)
                if self.traffic.over.is_set():
                    return
                await self._strike(name)
                await self._until(lambda: self._lab.is_live)
                self._ledger.counts[f"fault: {name}"] += 1
            self._ledger.rounds += 1

    async def _strike(self, name: str) -> None:
        if name == FAILED_OVER:
            await self._fail_over()
        elif name == UNTOLD:
            await self._leave_untold()
        else:
            await self._suffer(_STORED[name])

    async def _suffer(self, fault: Fault) -> None:
        await fault.strike(self._lab)
        await self._wait(self.lasts)
        if fault.mend is not None:
            await fault.mend(self._lab)

    async def _fail_over(self) -> None:
        lab, ledger = self._lab, self._ledger
        replica = await failing_over.follow(lab)
        await failing_over.hold_back(lab)
        await self._wait(self.lasts / 4)
        await kill(lab)
        killed_at = CLOCK.monotonic()
        await failing_over.promote(lab, replica)
        connection = await asyncpg.connect(replica.url(DATABASE))
        rows = await connection.fetch(_REGISTERS)
        lost = ledger.lose({row[0]: row[1] for row in rows}, killed_at)
        ledger.counts["commits lost"] += lost
        ledger.history = str(await connection.fetchval(_HISTORY))
        await connection.close()
        failing_over.lead(lab, replica)

    async def _leave_untold(self) -> None:
        """What is written between the drop and the next look is told to nobody."""
        lab, ledger = self._lab, self._ledger
        ledger.blind_since = CLOCK.monotonic()
        await self._execute(_DROP)
        await self._until(lambda: lab.store.feed_health().unwatched)
        ledger.blind_since = inf
        await self._wait(self.lasts)
        await self._execute(_WATCH)
        await self._until(lambda: not lab.store.feed_health().unwatched)

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self._lab.node.url(DATABASE))
        await connection.execute(statement)
        await connection.close()

    async def _wait(self, longest: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(longest * self.random.random()):
                await self.traffic.over.wait()

    async def _until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(_PATIENCE):
            while not holds() and not self.traffic.over.is_set():
                self.traffic.answered.clear()
                await self.traffic.answered.wait()
