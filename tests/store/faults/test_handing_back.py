"""A connection that is handed back while the network is silent, by nobody's leave."""

import asyncio
import gc
from collections.abc import AsyncIterator

import pytest

from sidecar.store.database import Database, PoolSettings
from tests.store.faults.proxy import Proxy
from tests.support.cluster import cluster

pytestmark = pytest.mark.xdist_group("faults")

_SECONDS = 30.0
_SLOW = "select pg_sleep(20)"


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    """A network to a server of its own, that can fall silent."""
    with cluster() as made:
        proxy = Proxy(made.primary.port)
        yield proxy
        await proxy.close()


@pytest.fixture
async def database(proxy: Proxy) -> AsyncIterator[Database]:
    """One connection through that network."""
    url = f"postgresql://postgres@127.0.0.1:{await proxy.start()}/postgres"
    database = await Database.connect(PoolSettings(url, smallest=1, largest=1))
    yield database
    await database.close()


async def test_whoever_hangs_up_meanwhile_leaves_no_traceback(
    database: Database, proxy: Proxy, caplog: pytest.LogCaptureFixture
) -> None:
    """The loop has nothing to tell of what the pool could not finish."""
    asking = asyncio.create_task(_ask(database, proxy))
    with pytest.raises(asyncio.CancelledError):
        await asking
    handing = {each for each in asyncio.all_tasks() if _hands_back(each)}
    await asyncio.wait(handing, timeout=_SECONDS)
    del handing
    gc.collect()

    assert [] == [each for each in caplog.records if each.name == "asyncio"]


def _hands_back(task: asyncio.Task[object]) -> bool:
    # The pool's own; `asyncio.wait` refuses an empty set, so it is among them.
    return getattr(task.get_coro(), "__qualname__", "").endswith(".release")


async def _ask(database: Database, proxy: Proxy) -> None:
    asking = asyncio.current_task()
    assert asking is not None
    async with database.lend(_SECONDS) as connection:
        with pytest.raises(TimeoutError):
            await connection.execute(_SLOW, timeout=0.1)
        proxy.swallow()
        # The pool waits a second for the query's end, which it cannot hear of.
        asyncio.get_running_loop().call_later(0.1, asking.cancel)
