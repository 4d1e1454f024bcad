import pytest

from tests.store.faults.histories import Plan, check_under_faults
from tests.store.faults.striking import NAMES

pytestmark = pytest.mark.xdist_group("faults")


async def test_no_fault_leads_to_an_answer_that_the_commits_forbid() -> None:
    """Not older than a revision or the bound, nor of what a failover has lost."""
    plan = Plan(questions=1_000, seed=1, rounds=1, pause=0.2, lasts=0.6)

    ledger = await check_under_faults(plan)

    assert [] == ledger.wrong
    assert set() == {each for each in NAMES if not ledger.counts[f"fault: {each}"]}
    assert ledger.counts["of a write, from memory"] > 0
    assert ledger.counts["of an answer, from memory"] > 0
    assert ledger.counts["fast, from the database"] > 0
    assert ledger.counts["error: UnknownRevisionError"] > 0
