import asyncio

import pytest

from sidecar.service.turns import TURN, in_turns


@pytest.mark.parametrize(
    ("elements", "turns"), [(0, 0), (1, 0), (TURN, 0), (TURN + 1, 2), (1000, 20)]
)
async def test_others_have_their_turn(elements: int, turns: int) -> None:
    """What is short is judged at once, what is long in turns, and all in order."""
    others = 0
    asked = range(elements)

    async def count() -> None:
        nonlocal others
        while True:
            others += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    found = await in_turns(str, asked)
    counting.cancel()

    assert list(map(str, asked)) == found
    assert turns == others
