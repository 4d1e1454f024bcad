"""Long questions about permissions let others have their turn."""

import asyncio

import pytest

from tests.spec.cases import load_kinds, load_world
from tests.support.memory import MemoryFacts
from tests.support.pipeline import ask, servicer_of

ANN = {"user_id": "2", "organization_id": "20"}


@pytest.mark.parametrize(
    ("queries", "explain", "least"), [(1, False, 0), (1000, False, 20), (20, True, 20)]
)
async def test_others_have_their_turn_between_permissions(
    queries: int,
    explain: bool,  # noqa: FBT001  the value itself
    least: int,
) -> None:
    """Among many items, and between explanations, each of which names every role."""
    servicer = servicer_of(MemoryFacts(load_world("permissions")[0]), load_kinds())
    request = {
        "caller": ANN,
        "queries": [
            {"context": "DATA", "item": f"item{each}"} for each in range(queries)
        ],
        "explain": explain,
    }
    others = 0

    async def count() -> None:
        nonlocal others
        while True:
            others += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    answer = await ask(servicer, "GetPermissions", request)
    counting.cancel()

    found = answer["permissions"]
    assert isinstance(found, list)
    assert queries == len(found)
    assert others >= least
    assert least or others < 5
