"""The primary dies, and its replica takes over."""

import asyncio
import itertools
import os
import shutil
import signal
from contextlib import suppress

import asyncpg

from tests.store.faults.faults import Fault, kill
from tests.store.faults.lab import DATABASE, Lab
from tests.support.cluster import Cluster, Node

_NUMBERS = itertools.count(1)


async def follow(lab: Lab) -> Node:
    """A new replica of the lab's primary."""
    folder = lab.node.folder.parent
    made = Cluster(folder, lab.node)
    return await asyncio.to_thread(made.replica, f"replica-{next(_NUMBERS)}")


async def hold_back(lab: Lab) -> None:
    """From now on the replica is told nothing: what is committed will be lost."""
    connection = await asyncpg.connect(lab.node.url(DATABASE), timeout=5)
    try:
        for row in await connection.fetch("select pid from pg_stat_replication"):
            with suppress(ProcessLookupError):
                os.kill(row["pid"], signal.SIGSTOP)
    finally:
        await connection.close()


async def promote(lab: Lab, replica: Node) -> None:
    """Makes the replica the primary; nobody is led to it yet."""
    await asyncio.to_thread(replica.promote)
    await asyncio.to_thread(shutil.rmtree, lab.node.folder)


def lead(lab: Lab, replica: Node) -> None:
    """From now on the replica is the server of the lab."""
    lab.node = replica
    lab.proxy.lead(replica.port)


# Who is to take over from a primary that was killed.
_replicas: list[Node] = []


async def _strike(lab: Lab) -> None:
    _replicas.append(await follow(lab))
    await kill(lab)


async def _mend(lab: Lab) -> None:
    replica = _replicas.pop()
    await promote(lab, replica)
    lead(lab, replica)


FAILOVER = Fault(
    "PostgreSQL is killed, its replica promoted", _strike, _mend, lets_write=False
)
