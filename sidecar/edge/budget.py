"""Ends what waits for too long; what need not wait is not even measured."""

import asyncio
from collections.abc import Coroutine, Generator
from types import coroutine
from typing import TypeVar

from sidecar.ports import DeadlineTooNearError

T = TypeVar("T")


async def within(seconds: float, work: Coroutine[object, object, T]) -> T:
    """What `work` gives, in that time from its first wait on.

    Raises:
        DeadlineTooNearError: the time is over.
    """
    try:
        # Most requests are judged from memory. A time-out would cost them more than
        # all of their routing, so it is set only once something is waited for.
        waited = work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    try:
        async with asyncio.timeout(seconds):
            return await _rest(work, waited)
    except TimeoutError as error:
        raise DeadlineTooNearError("the time is over") from error


@coroutine
def _rest(
    work: Coroutine[object, object, T], waited: object
) -> Generator[object, object, T]:
    # What `await` does, for a coroutine that has taken its first step already.
    try:
        while True:
            try:
                sent = yield waited
            except BaseException as error:  # noqa: BLE001  a cancellation too
                waited = work.throw(error)
            else:
                waited = work.send(sent)
    except StopIteration as done:
        result: T = done.value
        return result
