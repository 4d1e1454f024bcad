"""The client with a cache before a real sidecar, while things fail."""

import pytest

from tests.clients.python.history import BOUND, FAULTS, Fault, Lab, check
from tests.support.serving import Place, Schema, Stage


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
async def test_no_answer_is_older_than_the_bound(stage: Stage, fault: Fault) -> None:
    """Whatever fails, no answer shows what was over longer ago than the bound."""
    url = await stage.stored(Place(Schema.REFERENCE, "tenancy"))
    found = await check(url, (Lab.quiet, fault))

    assert [] == found.wrong
    assert found.counts["from memory"] > 0
    assert found.counts["asked"] > 0
    assert found.stalest <= BOUND
