"""What is logged of a database that is away: events of ours, and nothing else."""

import gc
import logging
from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from tests.store.faults.faults import FAULTS
from tests.store.faults.lab import Lab, lab_on, prepare
from tests.support.cluster import cluster

pytestmark = pytest.mark.xdist_group("faults")

AWAY = ("the network is silent", "PostgreSQL is killed with -9")
OURS = {"feed.lost", "feed.retry", "feed.connected", "pool.retry"}


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    """A store over a server of its own, which is asked without end."""
    with cluster() as made:
        await prepare(made.primary)
        async with lab_on(made.primary) as lab:
            yield lab


def _is_enough(told: list[str]) -> bool:
    # Whether the pool opens connections of its own accord depends on which were lent
    # when the database went away; mostly it does.
    retries = sum(event.endswith(".retry") for event in told)
    return "feed.retry" in told and retries > 3


def _is_left_by_driver(record: logging.LogRecord) -> bool:
    # The standard loop, not the one that serves, lets asyncpg 0.32 forget a future when
    # a connect is called off just as its connection is lost.
    return record.name == "asyncio" and "unexpected connection_lost()" in str(
        record.exc_info
    )


@pytest.mark.parametrize("name", AWAY)
async def test_a_database_that_is_away_is_told_in_our_own_words(
    lab: Lab, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """Each attempt is a line, whoever makes it; nothing has a traceback."""
    (fault,) = (each for each in FAULTS if each.name == name)
    with capture_logs() as told, caplog.at_level(logging.INFO):
        await fault.strike(lab)
        await lab.asker.until(lambda: _is_enough([each["event"] for each in told]))
        assert fault.mend is not None
        await fault.mend(lab)
        await lab.asker.until(lambda: lab.is_live)
        gc.collect()

    assert set() == {each["event"] for each in told} - OURS
    assert not [each for each in told if "exc_info" in each]
    assert [] == [each for each in caplog.records if not _is_left_by_driver(each)]
