"""Clients of a sidecar process that ask without end while it suffers."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from math import inf

import grpc
from authz.v1 import authorization_service_pb2 as api
from authz.v1.caller_pb2 import Caller
from grpc import aio

from tests.store.faults.lab import CLOCK, Answer
from tests.support.serving import Stage

CLIENTS = 4
# As a client with one server should be: what was not answered is asked again.
ASKS_AGAIN: Mapping[str, object] = {
    "methodConfig": [
        {
            "name": [{}],
            "waitForReady": True,
            "retryPolicy": {
                "maxAttempts": 5,
                "initialBackoff": "0.2s",
                "maxBackoff": "2s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ]
}
ASKS_ONCE: Mapping[str, object] = {}

_ANSWERS = {
    grpc.StatusCode.PERMISSION_DENIED: Answer.DENIED,
    grpc.StatusCode.UNAUTHENTICATED: Answer.DENIED,
}
# Ann is an admin of Acme until that is revoked; Dan is a member of nothing.
ANN = Caller(user_id="2", organization_id="20")
DAN = Caller(user_id="5", organization_id="20")
# A process takes its time to start where much else runs.
_PATIENCE = 80.0


@dataclass
class Clients:
    """Ask for Ann and for Dan in turn, and take down what was answered.

    As `Asker` does for a store: `spent` in seconds for each answer, `allowed_at` when
    the last question that was allowed was put, `longest` the longest wait.
    """

    channel: aio.Channel
    spent: dict[Answer, float] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    last: Answer = Answer.UNAVAILABLE
    last_asked: float = -inf
    allowed_at: float = -inf
    longest: float = 0.0
    dans: set[Answer] = field(default_factory=set)
    _round: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Asks until it is cancelled."""
        await asyncio.gather(*(self._ask_on() for _ in range(CLIENTS)))

    async def until(self, holds: Callable[[], object]) -> None:
        """Waits for something to hold after an answer."""
        async with asyncio.timeout(_PATIENCE):
            while not holds():
                self._round.clear()
                await self._round.wait()

    async def ask(self, caller: Caller) -> Answer:
        """What becomes of one question."""
        request = api.ResolveContextRequest(caller=caller)
        try:
            await Stage.stub_of(self.channel).ResolveContext(request, timeout=_PATIENCE)
        except aio.AioRpcError as error:
            answer = _ANSWERS.get(error.code(), Answer.UNAVAILABLE)
            if answer is Answer.UNAVAILABLE:
                self.lost.append(f"{error.code().name}: {error.details()}")
            return answer
        return Answer.ALLOWED

    async def _ask_on(self) -> None:
        while True:
            asked = CLOCK.monotonic()
            answer = await self.ask(ANN)
            took = CLOCK.monotonic() - asked
            self.dans.add(await self.ask(DAN))
            self.spent[answer] = self.spent.get(answer, 0.0) + took
            self.longest = max(self.longest, took)
            if answer is Answer.ALLOWED:
                self.allowed_at = max(self.allowed_at, asked)
            if asked > self.last_asked:
                self.last, self.last_asked = answer, asked
            self._round.set()
            # A refused connection is told at once; the others want their turn.
            await asyncio.sleep(0)


@asynccontextmanager
async def clients_of(
    address: str, config: Mapping[str, object]
) -> AsyncIterator[Clients]:
    """Clients with a channel of their own, which have begun to ask."""
    options = (
        ("grpc.service_config", json.dumps(config)),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 500),
    )
    async with aio.insecure_channel(address, options) as channel:
        clients = Clients(channel)
        asking = asyncio.create_task(clients.run())
        try:
            yield clients
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
