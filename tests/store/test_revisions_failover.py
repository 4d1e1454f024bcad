import asyncpg
import pytest

from sidecar.core.ids import UserId
from sidecar.ports import AtLeast, UnknownRevisionError, UserKey
from sidecar.store.anomalies import Anomaly
from sidecar.store.clock import SystemClock
from sidecar.store.database import PoolSettings
from sidecar.store.feed import FeedSettings
from sidecar.store.migrate import migrate
from sidecar.store.source import Store, StoreSettings
from tests.support.cluster import caught_up, cluster

CLOCK = SystemClock()
REVISION = "select authz.current_revision()"


def ignore(_: Anomaly) -> None:
    """Nothing is odd here."""


async def ask(store: Store, revision: str) -> str | None:
    """The revision of an answer that is at least as fresh."""
    async with store.open(AtLeast(revision), CLOCK.monotonic() + 10) as facts:
        await facts.get(UserKey(UserId("1")))
        return facts.revision


async def test_revision_from_before_a_failover_is_refused_after_it() -> None:
    """The new primary counts on, on a timeline of its own, from the first moment."""
    with cluster() as made:
        primary = await asyncpg.connect(made.primary.url())
        await migrate(primary)
        node = made.replica()
        replica = await asyncpg.connect(node.url())
        before = str(await primary.fetchval(REVISION))
        await caught_up(primary, replica)
        on_standby = await replica.fetchval("select authz.history()")
        await primary.close()
        made.primary.stop("immediate")
        node.promote()
        after = str(await replica.fetchval(REVISION))
        await replica.close()
        url = node.url()
        store = await Store.start(
            StoreSettings(PoolSettings(url), FeedSettings(url, url)), CLOCK, ignore
        )
        with pytest.raises(UnknownRevisionError):
            await ask(store, before)
        answered = await ask(store, after)
        await store.close()

    assert on_standby is None
    assert (".1.x", ".2.x") == tuple(
        f".{each.split('.')[2]}.x" for each in (before, after)
    )
    assert answered is not None
