"""The budget of a request: what waits too long ends, however it waits."""

import asyncio

import pytest

from sidecar.edge.budget import within
from sidecar.ports import DeadlineTooNearError


async def _answer() -> str:
    return "answer"


async def _answer_later(turns: int) -> str:
    for _ in range(turns):
        await asyncio.sleep(0)
    return "answer"


async def test_what_need_not_wait_is_answered_without_any_time() -> None:
    """An answer that is there at once is given, even when no time is left."""
    assert "answer" == await within(-1, _answer())


async def test_what_waits_within_its_time_is_answered() -> None:
    """Work that waits, once or many times, gives what it gives."""
    for turns in (1, 2, 100):
        assert "answer" == await within(60, _answer_later(turns))


async def test_what_waits_for_something_is_told_of_it() -> None:
    """What work waits for reaches it, a result and an exception alike."""
    future = asyncio.get_running_loop().create_future()

    async def work() -> str:
        try:
            await future
        except KeyError:
            return str(await asyncio.to_thread(lambda: "told"))
        return "not told"

    working = asyncio.create_task(within(60, work()))
    await asyncio.sleep(0)
    future.set_exception(KeyError())

    assert "told" == await working


@pytest.mark.parametrize("seconds", [-1.0, 0.0, 0.01])
async def test_what_waits_too_long_is_not_decided(seconds: float) -> None:
    """Work that waits for ever ends by its time, and is told to end."""
    ended = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    with pytest.raises(DeadlineTooNearError):
        await within(seconds, work())

    assert [True] == ended


async def test_whoever_leaves_ends_the_work() -> None:
    """A cancellation reaches the work, and is no matter of time."""
    ended = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    working = asyncio.create_task(within(60, work()))
    await asyncio.sleep(0)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working

    assert [True] == ended


async def test_a_defect_is_what_it_is() -> None:
    """An exception of the work comes out as it is, at once or later."""

    async def fail(turns: int) -> None:
        await _answer_later(turns)
        raise KeyError

    for turns in (0, 3):
        with pytest.raises(KeyError):
            await within(60, fail(turns))
