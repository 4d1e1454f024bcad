"""Callers of every kind, who come and go."""

import asyncio
import json
import random
import sys
import time
from collections import Counter
from contextlib import suppress
from typing import Final

from authz.v1 import authorization_service_pb2 as api
from grpc import StatusCode, aio

from bench.soak_questions import API, EDGE, Question, Questions

# One caller's questions through one connection, at most, and the pause between two.
_QUESTIONS: Final = 200
_PAUSE: Final = 0.04
_PATIENCE: Final = 2.0
_REPORT: Final = 1.0
_WATCHED: Final = 8.0
# Some callers hang up while an answer is on its way.
_HANGS_UP: Final = 0.01
_OWN_SUBCHANNELS: Final = (("grpc.use_local_subchannel_pool", 1),)


class Load:
    """Counts how calls end. Callers go on until they are cancelled.

    For the first `hurried` seconds they pause for nothing.
    """

    def __init__(
        self, addresses: list[str], people: int, hurried: float, *, watches: bool
    ) -> None:
        self.outcomes: Counter[str] = Counter()
        self._hurried_until = time.monotonic() + hurried
        self._addresses = addresses
        self._people = people
        self._watches = watches

    async def run(self, callers: int) -> None:
        """Has so many ask at once."""
        async with asyncio.TaskGroup() as group:
            for number in range(callers):
                group.create_task(self._ask_on(random.Random(number)))  # noqa: S311
            for number in range(2):
                group.create_task(self._knock_on(random.Random(-number)))  # noqa: S311
            for number in range(4 if self._watches else 0):
                group.create_task(self._watch_on(random.Random(-number)))  # noqa: S311

    async def _ask_on(self, chance: random.Random) -> None:
        questions = Questions(self._people, chance)
        while True:
            address = chance.choice(self._addresses)
            async with aio.insecure_channel(address, _OWN_SUBCHANNELS) as channel:
                for _ in range(chance.randint(1, _QUESTIONS)):
                    await self._ask(channel, questions.draw(), chance)
                    if time.monotonic() > self._hurried_until:
                        await asyncio.sleep(chance.uniform(0, 2 * _PAUSE))

    async def _ask(
        self, channel: aio.Channel, question: Question, chance: random.Random
    ) -> None:
        call = channel.unary_unary(question.method, bytes, bytes)(
            question.data, timeout=_PATIENCE
        )
        hangs_up = chance.random() < _HANGS_UP
        if hangs_up:
            await asyncio.sleep(0)
            call.cancel()
        try:
            answer = await call
        except aio.AioRpcError as error:
            self.outcomes[error.code().name] += 1
            return
        except asyncio.CancelledError:
            # The end of the load cancels calls as well, and has to go on.
            if not hangs_up:
                raise
            self.outcomes[StatusCode.CANCELLED.name] += 1
            return
        self.outcomes[told(question, answer)] += 1

    async def _knock_on(self, chance: random.Random) -> None:
        """Connections that say nothing, or nothing sensible, and go."""
        while True:
            path = chance.choice(self._addresses).removeprefix("unix:")
            with suppress(OSError):
                _, writer = await asyncio.open_unix_connection(path)
                writer.write(chance.randbytes(chance.choice((0, 1, 24, 5000))))
                await asyncio.sleep(chance.uniform(0, 0.5))
                writer.transport.abort()
            self.outcomes["knocked"] += 1
            await asyncio.sleep(chance.uniform(0, 1))

    async def _watch_on(self, chance: random.Random) -> None:
        """Some read what comes, some do not, and nobody says goodbye."""
        while True:
            address = chance.choice(self._addresses)
            async with aio.insecure_channel(address, _OWN_SUBCHANNELS) as channel:
                stream = channel.unary_stream(f"{API}Watch", bytes, bytes)(b"")
                with suppress(aio.AioRpcError, TimeoutError):
                    async with asyncio.timeout(chance.uniform(0, _WATCHED)):
                        if chance.random() < 0.5:  # noqa: PLR2004
                            await asyncio.sleep(_WATCHED)
                        async for _ in stream:
                            self.outcomes["watched"] += 1
            self.outcomes["streams"] += 1


def told(question: Question, answer: bytes) -> str:
    """How a call ended that ended well; `open` is an allow that can never be."""
    if question.is_malformed:
        return "malformed: OK"
    if question.is_denied:
        decisions = api.CheckVisibleResponse.FromString(answer).decisions
        return "open" if any(each.allowed for each in decisions) else "OK"
    return "edge" if question.method == EDGE else "OK"


async def watches(address: str) -> bool:
    """Whether streams of changes are served."""
    async with aio.insecure_channel(address) as channel:
        ask = channel.unary_unary(f"{API}GetServerInfo", bytes, bytes)
        info = api.GetServerInfoResponse.FromString(await ask(b"", timeout=5))
    return api.OPTIONAL_FEATURE_WATCH in info.features


async def load_on(
    addresses: list[str], people: int, callers: int, hurried: float
) -> None:
    """Asks until standard input ends; says each second, in JSON, what came of it."""
    load = Load(addresses, people, hurried, watches=await watches(addresses[0]))
    asking = asyncio.create_task(load.run(callers))
    stdin = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    while not stdin.done() and not asking.done():
        await asyncio.wait({stdin, asking}, timeout=_REPORT)
        print(json.dumps(load.outcomes), flush=True)
    asking.cancel()
    with suppress(asyncio.CancelledError):
        await asking
