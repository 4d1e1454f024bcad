import itertools
import time
from collections.abc import Sequence
from typing import Final

import grpc
import pytest
from authz.client import (
    AuthzError,
    DeadlineError,
    OverloadedError,
    Retry,
    UnavailableError,
    calls,
)
from authz.client.attempts import Attempts, Budget
from authz.v1 import authorization_service_pb2 as api

from tests.clients.python.scripted import (
    CLIENTS,
    QUICK,
    Context,
    put,
    serving,
)

UNAVAILABLE: Final = grpc.StatusCode.UNAVAILABLE
INFO: Final = calls.server_info()


class Failing:
    """Ends calls with the codes it has, one after another, then answers."""

    def __init__(self, *codes: grpc.StatusCode) -> None:
        self.codes = list(codes)
        self.asked = 0

    async def handle(self, request: bytes, context: Context) -> bytes:
        """Handles one call."""
        del request
        self.asked += 1
        if self.codes:
            await context.abort(self.codes.pop(0), "not now")
        return api.GetServerInfoResponse(version="1").SerializeToString()


@pytest.mark.parametrize("kind", CLIENTS)
async def test_unavailable_is_tried_again(kind: str) -> None:
    """A server that is away for a moment is asked again."""
    failing = Failing(UNAVAILABLE, UNAVAILABLE)
    async with serving({"GetServerInfo": failing.handle}) as target:
        info = await put(kind, target, INFO)

    assert ("1", 3) == (info.version, failing.asked)


@pytest.mark.parametrize("kind", CLIENTS)
async def test_attempts_are_bounded(kind: str) -> None:
    """A server that stays away is asked as often as is set, no more."""
    failing = Failing(*[UNAVAILABLE] * 9)
    async with serving({"GetServerInfo": failing.handle}) as target:
        with pytest.raises(UnavailableError):
            await put(kind, target, INFO, retry=Retry(attempts=3, first_wait=0.001))

    assert 3 == failing.asked


OTHERS: Final = sorted(
    set(grpc.StatusCode) - {UNAVAILABLE, grpc.StatusCode.OK}, key=lambda code: code.name
)


@pytest.mark.parametrize("kind", CLIENTS)
@pytest.mark.parametrize("code", OTHERS, ids=lambda code: code.name)
async def test_nothing_else_is_tried_again(kind: str, code: grpc.StatusCode) -> None:
    """Only UNAVAILABLE is asked again; load that is shed is not put on again."""
    failing = Failing(code)
    async with serving({"GetServerInfo": failing.handle}) as target:
        with pytest.raises(AuthzError):
            await put(kind, target, INFO)

    assert 1 == failing.asked


@pytest.mark.parametrize("kind", CLIENTS)
async def test_a_wait_beyond_the_deadline_is_not_begun(kind: str) -> None:
    """With no time for another attempt the error comes at once."""
    failing = Failing(*[UNAVAILABLE] * 9)
    before = time.monotonic()
    async with serving({"GetServerInfo": failing.handle}) as target:
        with pytest.raises(UnavailableError):
            await put(
                kind,
                target,
                INFO,
                timeout=5,
                retry=Retry(first_wait=60, longest_wait=60),
            )

    assert 1 == failing.asked
    assert time.monotonic() - before < 5


def _attempts(budget: Budget, times: Sequence[float]) -> Attempts:
    return Attempts(budget, 1.0, itertools.chain(times).__next__)


def test_the_budget_ends_repetitions_of_all_calls() -> None:
    """When calls have used up the budget, the next one is not made again."""
    budget = Budget(Retry(attempts=99, first_wait=0, budget=2))
    away = UnavailableError("away")
    for _ in range(2):
        assert 0 == _attempts(budget, [0, 0]).wait_after(away)

    with pytest.raises(UnavailableError):
        _attempts(budget, [0, 0]).wait_after(away)


def test_success_earns_repetitions_up_to_the_budget() -> None:
    """Ten answers earn one repetition, and no more than the budget."""
    budget = Budget(Retry(budget=1))
    assert (True, False) == (budget.spend(), budget.spend())
    for _ in range(11):
        budget.earn()

    assert (True, False) == (budget.spend(), budget.spend())
    for _ in range(100):
        budget.earn()
    assert (True, False) == (budget.spend(), budget.spend())


def test_waits_double_up_to_the_longest() -> None:
    """Waits double with jitter of a half, and stop growing."""
    retry = Retry(first_wait=1, longest_wait=4)
    waits = [retry.wait(number) for number in (1, 2, 3, 4)]

    assert all(
        most / 2 <= wait <= most for wait, most in zip(waits, (1, 2, 4, 4), strict=True)
    )


def test_no_attempt_begins_after_the_deadline() -> None:
    """A call whose time is over is not sent."""
    with pytest.raises(DeadlineError):
        _attempts(Budget(QUICK), [0, 1.5]).remaining()


def test_overload_is_no_reason_to_ask_again() -> None:
    """Load that is shed is raised at once and costs no budget."""
    budget = Budget(QUICK)
    with pytest.raises(OverloadedError):
        _attempts(budget, [0, 0]).wait_after(OverloadedError("too much"))

    assert QUICK.budget == budget.left
