"""What goes wrong during a soak: the network, the database, and what it holds."""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from subprocess import CalledProcessError
from typing import Final

import asyncpg

from tests.store.faults.proxy import Proxy
from tests.support.cluster import Node

_LEND: Final = """
insert into authz.cluster_access
select id, owner_principal_id from authz.resources where kind = 'worker' and id = $1
on conflict do nothing
"""
_CHANGES: Final = (
    "update authz.principal_memberships set enabled = not enabled where id = $1",
    "delete from authz.cluster_access where cluster_id = $1",
    _LEND,
    "update authz.access_rules set view = not view where id = 'rule-' || $1::bigint",
    "update authz.users set is_active = not is_active where id = $1",
    "update authz.principals set name = 'renamed' where id = 1000000 + $1::bigint",
)
# What the driver says when the database goes away, at whatever moment.
_AWAY: Final = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
_PAUSE: Final = 0.05
_START_SECONDS: Final = 30

Step = Callable[[], Awaitable[None]]


class Faults:
    """Each of its faults in turn, for as long as it runs."""

    def __init__(self, node: Node, proxy: Proxy) -> None:
        self.suffered: Counter[str] = Counter()
        self._node = node
        self._proxy = proxy
        self._steps: dict[str, Step] = {
            "the network is silent": self._do(proxy.swallow),
            "the connections are cut": self._do(proxy.cut),
            "the network takes 50 ms": self._do(lambda: proxy.delay(0.05)),
            "PostgreSQL is killed with -9": self._kill,
            "the network takes 800 ms": self._do(lambda: proxy.delay(0.8)),
            "the connections are half-closed": self._do(proxy.half_close),
            "PostgreSQL is shut down": self._shut_down,
        }

    async def run(self, every: float) -> None:
        """A fault each `every` seconds, which lasts for a third of that."""
        while True:
            for name, strike in self._steps.items():
                await asyncio.sleep(every * 2 / 3)
                await strike()
                await asyncio.sleep(every / 3)
                await self.mend()
                self.suffered[name] += 1

    async def mend(self) -> None:
        """All is as it should be."""
        self._proxy.mend()
        async with asyncio.timeout(_START_SECONDS):
            while not await self._answers():
                # What a killed one left behind is still being taken away.
                with suppress(AssertionError, CalledProcessError):
                    await asyncio.to_thread(self._node.start)

    async def _answers(self) -> bool:
        try:
            connection = await asyncpg.connect(self._node.url(), timeout=2)
        except _AWAY:
            return False
        await connection.close()
        return True

    @staticmethod
    def _do(change: Callable[[], None]) -> Step:
        async def step() -> None:
            change()

        return step

    async def _kill(self) -> None:
        self._node.send(signal.SIGKILL)

    async def _shut_down(self) -> None:
        await asyncio.to_thread(self._node.stop)


async def change_on(url: str, people: int, counts: Counter[str]) -> None:
    """Changes what is stored, all the time, whenever the database is there."""
    chance = random.Random(3)  # noqa: S311  no secret
    while True:
        with suppress(*_AWAY):
            connection = await asyncpg.connect(url, timeout=2)
            try:
                while True:
                    user = chance.randint(1, people)
                    await connection.execute(chance.choice(_CHANGES), user)
                    counts["changes"] += 1
                    await asyncio.sleep(chance.uniform(0, 2 * _PAUSE))
            finally:
                connection.terminate()
        await asyncio.sleep(_PAUSE)
