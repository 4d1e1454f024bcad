"""A server that is broken, slow or stopped: a typed error within the deadline."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Final, TypeAlias

import pytest
from authz.client import (
    AsyncClient,
    Client,
    DeadlineError,
    Decisions,
    OverloadedError,
    ProtocolError,
    UndecidedError,
    calls,
)

from tests.clients.programs import CONFORMANCE, Program, started
from tests.clients.python.scripted import ANN, CLIENTS, CLUSTER, put

Ask: TypeAlias = Callable[[float], Coroutine[object, object, Decisions]]
QUESTION: Final = calls.check_visible(ANN, CLUSTER)
# In seconds: what a question may take, and what a busy machine may add to it, which is
# far from when a slow answer would come.
DEADLINE: Final = 0.5
IN_TIME: Final = 15
LATE: Final = 60
PATIENT: Final = 30

# What each mode of the liar, of which `clients/conformance/README.md` tells, comes to.
BROKEN: Final[dict[str, type[UndecidedError]]] = {
    "silent": UndecidedError,
    "garbage": UndecidedError,
    "closing": UndecidedError,
    "stuck": DeadlineError,
    "slow": DeadlineError,
    "no-message": ProtocolError,
}


@contextmanager
def nobody_knows(kind: type[UndecidedError]) -> Iterator[None]:
    """What runs in it must end with an error, without waiting for an answer."""
    before = time.monotonic()
    with pytest.raises(kind) as caught:
        yield
    assert time.monotonic() - before < IN_TIME
    assert caught.value.code in {"UNAVAILABLE", "INTERNAL", "DEADLINE_EXCEEDED"}


@pytest.fixture(scope="module", params=BROKEN)
def broken(request: pytest.FixtureRequest) -> Iterator[tuple[str, Program]]:
    """A server that is broken in one way."""
    mode: str = request.param
    arguments = ("--mode", mode, "--address", "127.0.0.1:0", "--seconds", str(LATE))
    with started("hostile.py", *arguments) as program:
        yield mode, program


@pytest.fixture(scope="module")
def sidecar() -> Iterator[Program]:
    """A real one, which can be stopped as a whole."""
    world = str(CONFORMANCE / "worlds" / "tenancy.yaml")
    with started("serve.py", "--world", world) as program:
        yield program


@pytest.mark.parametrize("kind", CLIENTS)
async def test_a_broken_server_is_an_error(
    broken: tuple[str, Program], kind: str
) -> None:
    """Whatever a server does in place of an answer is an error, in time."""
    mode, program = broken
    with nobody_knows(BROKEN[mode]):
        await put(kind, str(program.told["address"]), QUESTION, timeout=DEADLINE)


@pytest.mark.parametrize("kind", CLIENTS)
@pytest.mark.parametrize("way", ["unix", "tcp"])
async def test_a_stopped_sidecar_is_an_error(
    sidecar: Program, kind: str, way: str
) -> None:
    """Who connects to a sidecar that stands still gets an error, in time."""
    target = str(sidecar.told[way])
    with sidecar.stopped(), nobody_knows(UndecidedError):
        await put(kind, target, QUESTION, timeout=DEADLINE)


@pytest.mark.parametrize("kind", CLIENTS)
@pytest.mark.parametrize("way", ["unix", "tcp"])
async def test_a_sidecar_that_stops_is_an_error_until_it_goes_on(
    sidecar: Program, kind: str, way: str
) -> None:
    """A client that had answers gets an error in time, and answers again afterwards."""
    async with connected(kind, str(sidecar.told[way])) as ask:
        before = await answered(ask)
        with sidecar.stopped(), nobody_knows(DeadlineError):
            await ask(DEADLINE)
        after = await answered(ask)

    assert before[0].reason == after[0].reason


async def answered(ask: Ask) -> Decisions:
    """The answer, once the sidecar has caught up; it turns load away before that."""
    async with asyncio.timeout(PATIENT):
        while True:
            with suppress(OverloadedError):
                return await ask(PATIENT)


@asynccontextmanager
async def connected(kind: str, target: str) -> AsyncIterator[Ask]:
    """The question to one client of a kind, within seconds."""
    if kind == "asyncio":
        async with AsyncClient.connect(target) as client:
            yield lambda seconds: client.check_visible(ANN, CLUSTER, timeout=seconds)
        return
    with Client.connect(target) as blocking:
        yield lambda seconds: asyncio.to_thread(
            blocking.check_visible, ANN, CLUSTER, timeout=seconds
        )
