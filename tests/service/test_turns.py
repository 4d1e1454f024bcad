import asyncio

import pytest

from sidecar.service.turns import EXPLAINED, TURN, in_turns


@pytest.mark.parametrize(
    ("elements", "turn", "turns"),
    [
        (0, TURN, 0),
        (1, TURN, 0),
        (TURN, TURN, 0),
        (TURN + 1, TURN, 2),
        (1000, TURN, 20),
        (1, EXPLAINED, 0),
        (20, EXPLAINED, 20),
    ],
)
async def test_others_have_their_turn(elements: int, turn: int, turns: int) -> None:
    """What is short is judged at once, what is long in turns, and all in order."""
    others = 0
    asked = range(elements)

    async def count() -> None:
        nonlocal others
        while True:
            others += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    found = await in_turns(str, asked, turn)
    counting.cancel()

    assert list(map(str, asked)) == found
    assert turns == others
