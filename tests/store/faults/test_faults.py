import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.store.faults.failing_over import FAILOVER
from tests.store.faults.faults import FAULTS, Fault, suffer
from tests.store.faults.lab import MAX_STALENESS, Answer, Lab, lab_on, prepare
from tests.support.cluster import Node, cluster

pytestmark = pytest.mark.xdist_group("faults")


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    """A server that tests may kill."""
    with cluster() as made:
        yield made.primary


@pytest.fixture(scope="module")
async def prepared(node: Node) -> Node:
    """The same, with a world in it."""
    await prepare(node)
    return node


@pytest.fixture
async def lab(prepared: Node) -> AsyncIterator[Lab]:
    """A store over it that is asked without end."""
    async with lab_on(prepared) as lab:
        yield lab


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_fault_is_never_stale_beyond_the_bound_and_never_open(
    lab: Lab, fault: Fault
) -> None:
    """What was revoked is denied in time, who is denied stays so, and it recovers."""
    seen = await suffer(lab, fault)

    assert seen.seldom is Answer.DENIED
    assert seen.staleness <= MAX_STALENESS
    assert Answer.ALLOWED not in seen.bobs


async def test_failover_is_never_stale_beyond_the_bound_and_never_open() -> None:
    """The sidecar goes on with the replica, and hears what changes there."""
    with cluster() as made:
        await prepare(made.primary)
        async with lab_on(made.primary) as lab:
            seen = await suffer(lab, FAILOVER)

    assert seen.seldom is Answer.DENIED
    assert seen.staleness <= MAX_STALENESS
    assert Answer.ALLOWED not in seen.bobs


async def test_silent_network_is_noticed_before_the_bound_is_twice_over(
    lab: Lab,
) -> None:
    """Nothing was closed, but a question of the feed is not answered in time."""
    # A timer of the same loop: it is late by as much as the feed's own are.
    too_late = asyncio.Event()
    asyncio.get_running_loop().call_later(2 * MAX_STALENESS, too_late.set)
    lab.proxy.swallow()
    await lab.asker.until(lambda: not lab.store.feed_health().is_connected)

    assert not too_late.is_set()
