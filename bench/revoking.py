"""The other processes of bench/revocations.py: who revokes, and who asks meanwhile."""

import asyncio
import json
import random
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import asyncpg
from authz.v1 import authorization_service_pb2 as api
from authz.v1.caller_pb2 import Caller
from authz.v1.resource_pb2 import Resource
from grpc import aio

from bench.town import organization

CHECK_VISIBLE: Final = "/authz.v1.AuthorizationService/CheckVisible"
REVOKE: Final[Mapping[str, str]] = {
    "membership": "delete from authz.principal_memberships where id = $1::bigint",
    "grant": "delete from authz.cluster_access where cluster_id = $1::bigint",
    "rule": "delete from authz.access_rules where id = 'rule-' || $1::bigint",
}
_CHANGES: Final = "authz_changes"
# A pause before each revocation is drawn up to this many seconds, so that it does not
# keep step with who asks.
_PAUSE: Final = 0.01
_PATIENCE: Final = 5.0
# Of the questions meanwhile, those of so many seconds at the begin find memory empty.
_WARM_UP: Final = 3.0


async def write(url: str) -> None:
    """Revokes what is asked for on standard input, and says when that was.

    It says first that it is ready. A line in is a kind and a user. A line out has three
    times of the monotonic clock: before COMMIT was sent, after it came back, and when
    another connection had heard.
    """
    writer = await asyncpg.connect(url)
    ear = await asyncpg.connect(url)
    heard: asyncio.Queue[float] = asyncio.Queue()

    def hear(*_: object) -> None:
        heard.put_nowait(time.monotonic())

    await ear.add_listener(_CHANGES, hear)
    lines = await _standard_input()
    chance = random.Random(1)  # noqa: S311  no secret
    print("ready", flush=True)
    while line := (await lines.readline()).split():
        kind, user = line[0].decode(), int(line[1])
        await asyncio.sleep(chance.uniform(0, _PAUSE))
        transaction = writer.transaction()
        await transaction.start()
        told = await writer.execute(REVOKE[kind], user)
        if told != "DELETE 1":
            raise RuntimeError(f"there was nothing to revoke: {kind} of {user}, {told}")
        before = time.monotonic()
        await transaction.commit()
        after = time.monotonic()
        async with asyncio.timeout(_PATIENCE):
            print(before, after, await heard.get(), flush=True)
    await writer.close()
    await ear.close()


@dataclass
class Asker:
    """Asks for random users at a fixed rate, whatever the answers take."""

    channel: aio.Channel
    people: int
    took: list[float] = field(default_factory=list)
    failed: int = 0
    _running: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self, rate: float, stopped: asyncio.Future[bytes]) -> None:
        """Asks until it is stopped, and waits for the last answers."""
        ask = self.channel.unary_unary(CHECK_VISIBLE, bytes, bytes)
        chance = random.Random(2)  # noqa: S311  no secret
        due = time.monotonic()
        while not stopped.done():
            due += 1 / rate
            await asyncio.sleep(max(due - time.monotonic(), 0))
            question = question_of(chance.randint(1, self.people))
            task = asyncio.create_task(self._one(ask, question))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        await asyncio.gather(*self._running)

    async def _one(
        self, ask: aio.UnaryUnaryMultiCallable[bytes, bytes], question: bytes
    ) -> None:
        asked = time.monotonic()
        try:
            await ask(question, timeout=_PATIENCE)
        except aio.AioRpcError:
            self.failed += 1
        self.took.append(time.monotonic() - asked)


async def ask_on(address: str, rate: float, people: int) -> None:
    """Asks until standard input ends; then says how it went, as one line of JSON."""
    stopped = asyncio.create_task((await _standard_input()).read())
    async with aio.insecure_channel(address) as channel:
        asker = Asker(channel, people)
        began = time.monotonic()
        await asker.run(rate, stopped)
    achieved = len(asker.took) / (time.monotonic() - began)
    took = asker.took[int(_WARM_UP * rate) :] or asker.took
    print(json.dumps({"rate": achieved, "failed": asker.failed, "took": took}))


def question_of(user: int) -> bytes:
    """May a user see a worker and a cluster of its own organization?"""
    caller = Caller(user_id=str(user), organization_id=str(organization(user)))
    resources = [Resource(kind=kind, id=str(user)) for kind in ("worker", "cluster")]
    request = api.CheckVisibleRequest(caller=caller, resources=resources)
    return request.SerializeToString()


async def _standard_input() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    return reader
