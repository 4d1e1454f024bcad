"""A question to a client for asyncio before it is awaited, and every way to await."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Final, TypeAlias
from unittest.mock import AsyncMock

import pytest
from authz.client import AsyncClient, AuthzError, CachedClient, Decisions
from authz.v1 import authorization_service_pb2 as api
from authz.v1 import decision_pb2

from tests.clients.python.scripted import ANN, CLUSTER, Handler, says, serving

NOBODY: Final = "unix:/nowhere/authz.sock"
# What answers no question: of making the client, of its end, and of a stream.
OTHERS: Final = {"connect", "close", "watch"}
QUESTIONS: Final = sorted(
    name
    for name in vars(AsyncClient)
    if not name.startswith("_") and name not in OTHERS
)
YES: Final = decision_pb2.Decision(allowed=True, reason=decision_pb2.REASON_OWNED)
ALLOWS: Final[dict[str, Handler]] = {
    "CheckVisible": says(api.CheckVisibleResponse(decisions=[YES], decision_id="d"))
}
Question: TypeAlias = Coroutine[object, object, Decisions]


async def _by_itself(question: Question) -> Decisions:
    return await question


async def _in_a_task(question: Question) -> Decisions:
    return await asyncio.create_task(question)


async def _in_a_group(question: Question) -> Decisions:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(question)
    return task.result()


async def _as_a_future(question: Question) -> Decisions:
    return await asyncio.ensure_future(question)


async def _gathered(question: Question) -> Decisions:
    (answer,) = await asyncio.gather(question)
    return answer


async def _as_completed(question: Question) -> Decisions:
    (first,) = asyncio.as_completed([question])
    return await first


async def _in_time(question: Question) -> Decisions:
    return await asyncio.wait_for(question, 10)


async def _shielded(question: Question) -> Decisions:
    return await asyncio.shield(question)


async def _from_a_thread(question: Question) -> Decisions:
    loop = asyncio.get_running_loop()
    future = asyncio.run_coroutine_threadsafe(question, loop)
    return await asyncio.wrap_future(future)


WAYS: Final[dict[str, Callable[[Question], Awaitable[Decisions]]]] = {
    "await": _by_itself,
    "create_task": _in_a_task,
    "TaskGroup": _in_a_group,
    "ensure_future": _as_a_future,
    "gather": _gathered,
    "as_completed": _as_completed,
    "wait_for": _in_time,
    "shield": _shielded,
    "run_coroutine_threadsafe": _from_a_thread,
}


@pytest.mark.parametrize("kind", [AsyncClient, CachedClient])
@pytest.mark.parametrize("name", QUESTIONS)
async def test_no_question_has_a_truth_value(
    kind: type[AsyncClient], name: str
) -> None:
    """An `if` around a question without `await` fails instead of allowing."""
    async with kind.connect(NOBODY) as client:
        question = getattr(client, name)(ANN)
        with pytest.raises(TypeError, match="neither true nor false: `await` it first"):
            bool(question)
        question.close()


@pytest.mark.parametrize("kind", [AsyncClient, CachedClient])
@pytest.mark.parametrize("way", WAYS)
async def test_a_question_is_awaited_in_every_way(
    kind: type[AsyncClient], way: str
) -> None:
    """Whatever takes a coroutine takes a question, and gives its answer."""
    async with serving(ALLOWS) as target, kind.connect(target, timeout=10) as client:
        answer = await WAYS[way](client.check_visible(ANN, CLUSTER))

    assert answer.all_allowed


def test_a_question_can_be_all_that_is_run() -> None:
    """A question may be what `asyncio.run` runs; that of a closed client says so."""

    async def main() -> Question:
        async with AsyncClient.connect(NOBODY) as client:
            return client.check_visible(ANN)

    with asyncio.Runner() as runner:
        question = runner.run(main())
        with pytest.raises(AuthzError):
            runner.run(question)


async def test_a_task_that_asks_can_be_described() -> None:
    """A task with a question tells of it by name, as debuggers and logs need it."""
    async with AsyncClient.connect(NOBODY) as client:
        task = asyncio.create_task(client.check_visible(ANN, CLUSTER))
        described = repr(task)
        task.cancel()
        await asyncio.wait([task])

    assert "check_visible" in described


async def test_a_question_that_is_forgotten_is_told_of() -> None:
    """Python warns of a question that nobody awaits, by its name."""
    async with AsyncClient.connect(NOBODY) as client:
        with pytest.warns(RuntimeWarning, match="'check_visible' was never awaited"):
            client.check_visible(ANN, CLUSTER)  # type: ignore[unused-coroutine]


async def test_a_double_of_the_client_is_awaited() -> None:
    """A mock that is made after the client has questions to await."""
    client = AsyncMock(spec=AsyncClient)
    client.check_visible.return_value = Decisions((), "d")

    assert "d" == (await client.check_visible(ANN, CLUSTER)).decision_id
