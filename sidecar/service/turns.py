"""Long questions in turns, so that short ones do not wait for all of them."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

T = TypeVar("T")
R = TypeVar("R")

TURN: Final = 50
# To explain one may name every role of the caller for every part of an item.
EXPLAINED: Final = 1


async def in_turns(
    judge: Callable[[T], R], asked: Sequence[T], turn: int = TURN
) -> list[R]:
    """What `judge` says of each; others have their turn after every `turn` of them.

    It must not depend on anything that changes meanwhile: facts are read before.
    """
    if len(asked) <= turn:
        return [judge(each) for each in asked]
    found: list[R] = []
    for start in range(0, len(asked), turn):
        found += map(judge, asked[start : start + turn])
        await asyncio.sleep(0)
    return found
