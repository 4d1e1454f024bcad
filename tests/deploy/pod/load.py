"""Clients of a Service: what each request was answered, while its pods come and go."""

import asyncio
import itertools
import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tests.deploy.pod.exchange import Answer, exchange
from tests.deploy.pod.relays import Ends

if TYPE_CHECKING:
    from tests.deploy.pod.pods import Pod

# What a Service's clients are told late: the changes of its endpoints.
_LATE_SECONDS: Final = 0.5
# Between two requests of a client, so that the pods have something of the machine.
_PAUSE_SECONDS: Final = 0.004


@dataclass
class Service:
    """The pods that a Service leads to, as its clients know them."""

    port: int
    pods: list["Pod"] = field(default_factory=list)
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def tell(self, pod: "Pod", is_ready: bool) -> None:  # noqa: FBT001  told by the pod
        """A pod became ready, or is no longer; clients know a moment later."""
        asyncio.get_running_loop().call_later(_LATE_SECONDS, self._know, pod, is_ready)

    async def knows(self, pod: "Pod") -> None:
        """Returns once clients know of it."""
        async with asyncio.timeout(10):
            while pod not in self.pods:  # noqa: ASYNC110  a bounded wait for others
                await asyncio.sleep(_PAUSE_SECONDS)

    async def connect(self) -> Ends:
        """A connection to one of them; raises OSError."""
        if not self.pods:
            raise ConnectionRefusedError("the service has no endpoints")
        pod = self.pods[next(self._numbers) % len(self.pods)]
        connection = await pod.network.connected(pod.address, self.port)
        return await asyncio.open_connection(sock=connection)

    async def ask(self, request: "Request") -> Answer:
        """Sends one request on a connection of its own; raises OSError."""
        reader, writer = await self.connect()
        try:
            return await exchange(reader, writer, request.path, request.headers)
        finally:
            writer.close()

    async def until_right(self, request: "Request") -> Answer:
        """Sends it until it is answered as it should be."""
        async with asyncio.timeout(20):
            answer = await self.ask(request)
            while answer.status != request.expected:
                await asyncio.sleep(_PAUSE_SECONDS)
                answer = await self.ask(request)
        return answer

    def _know(self, pod: "Pod", is_ready: bool) -> None:  # noqa: FBT001  likewise
        self.pods = [each for each in self.pods if each is not pod]
        if is_ready:
            self.pods.append(pod)


@dataclass(frozen=True)
class Request:
    """A request, and the one status that is right for it."""

    path: str
    headers: Mapping[str, str]
    expected: int


@dataclass
class Load:
    """Clients that send one request after another, and what became of each."""

    service: Service
    requests: Sequence[Request]
    clients: int = 8
    answered: Counter[tuple[str, int]] = field(default_factory=Counter)
    # By path and by what came in place of what was expected.
    wrong: Counter[tuple[str, str]] = field(default_factory=Counter)
    is_over: bool = False

    async def run(self) -> None:
        """Sends until it is over."""
        await asyncio.gather(*(self._client(first) for first in range(self.clients)))

    async def more(self, count: int) -> None:
        """Returns after so many more answers."""
        wanted = self.total + count
        async with asyncio.timeout(30):
            while self.total < wanted:  # noqa: ASYNC110  likewise
                await asyncio.sleep(_PAUSE_SECONDS)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Within, the clients ask; they have their last answers afterwards."""
        running = asyncio.create_task(self.run())
        try:
            await self.more(50)
            yield
            await self.more(50)
        finally:
            self.is_over = True
            await running

    @property
    def total(self) -> int:
        """How many were answered."""
        return self.answered.total()

    async def _client(self, first: int) -> None:
        ends: Ends | None = None
        for number in itertools.count(first):
            if self.is_over:
                break
            request = self.requests[number % len(self.requests)]
            is_last = True
            try:
                ends = ends or await self.service.connect()
                answer = await exchange(*ends, request.path, request.headers)
            except (OSError, asyncio.IncompleteReadError) as error:
                self.wrong[request.path, type(error).__name__] += 1
            else:
                self._note(request, answer)
                is_last = answer.is_last
            if is_last and ends is not None:
                ends[1].close()
                ends = None
            await asyncio.sleep(_PAUSE_SECONDS)
        if ends is not None:
            ends[1].close()

    def _note(self, request: Request, answer: Answer) -> None:
        self.answered[request.path, answer.status] += 1
        if answer.status != request.expected:
            self.wrong[request.path, f"{answer.status} {_reason(answer)}"] += 1


def _reason(answer: Answer) -> str:
    # What Envoy says by itself is no problem document.
    if answer.headers.get("content-type") != "application/problem+json":
        return answer.body[:60]
    return str(json.loads(answer.body)["reason"])
