import pytest

from tests.store.history import check


@pytest.mark.parametrize("faults", [None, 0.3])
async def test_no_answer_is_older_than_its_revision(
    database: str, faults: float | None
) -> None:
    """Nor shows what was not committed, nor half a transaction of a snapshot."""
    history = await check(database, 4_000, faults, seed=1)

    assert [] == history.wrong
    assert history.counts["of a write, from memory"] > 0
    assert history.counts["of an answer, from memory"] > 0
    assert history.counts["fully consistent"] > 0
