"""A snapshot whose client has vanished: what it still holds at the server."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from sidecar.ports import Consistency, FactsUnavailableError
from tests.store.faults.lab import CLOCK, DATABASE, SELDOM, Lab, lab_behind, prepare
from tests.support.cluster import cluster

pytestmark = pytest.mark.xdist_group("faults")

_LOCK = "lock table authz.principal_memberships in access exclusive mode"


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    """A store over a server of its own, which nobody asks."""
    with cluster() as made:
        await prepare(made.primary)
        async with lab_behind(made.primary) as lab:
            yield lab


async def test_lost_snapshot_lets_go_of_its_locks(lab: Lab) -> None:
    """The network swallows a snapshot's end, and the schema can still be changed."""
    got: list[str] = []
    with pytest.raises(FactsUnavailableError):
        await _vanish(lab, got)

    assert ["LOCK TABLE"] == got


async def _vanish(lab: Lab, got: list[str]) -> None:
    deadline = CLOCK.monotonic() + 60
    async with lab.store.open(Consistency.FULLY_CONSISTENT, deadline) as facts:
        await facts.get(SELDOM)
        lab.proxy.swallow()
        got.append(await _lock(lab))


async def _lock(lab: Lab) -> str:
    owner = await asyncpg.connect(lab.node.url(DATABASE), timeout=5)
    try:
        async with asyncio.timeout(20), owner.transaction():
            return await owner.execute(_LOCK)
    finally:
        await owner.close()
