"""The client with a cache before a server whose stream the test drives.

Long, for the server that it drives.
"""

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

import grpc
import pytest
from authz.client import AuthzError, CachedClient, Caller, Retry
from authz.v1 import authorization_service_pb2 as api
from authz.v1 import decision_pb2
from google.protobuf.duration_pb2 import Duration

from tests.clients.python.scripted import ANN, CLUSTER, QUICK, Context, serving

YES: Final = decision_pb2.Decision(allowed=True, reason=decision_pb2.REASON_OWNED)
NO: Final = decision_pb2.Decision(
    denial=decision_pb2.DENIAL_NOT_FOUND, reason=decision_pb2.REASON_RESOURCE_NOT_FOUND
)


class Script:
    """A sidecar that does as the test says."""

    def __init__(self) -> None:
        self.name = "s1"
        self.allows = True
        self.asked = 0
        self.watched = 0
        self.max_staleness = 60.0
        self.serves_watch = True
        self.gate = asyncio.Event()
        self.gate.set()
        self.informed = 0
        self.info_gate = asyncio.Event()
        self.info_gate.set()
        self.streams: list[asyncio.Queue[bytes | None]] = []
        self._number = 0
        self._ids = itertools.count()

    async def check(self, request: bytes, context: Context) -> bytes:
        """Answers CheckVisible: what was true when it was asked."""
        del request, context
        self.asked += 1
        decision = YES if self.allows else NO
        name = f"{self.name}-{next(self._ids)}"
        await self.gate.wait()
        return api.CheckVisibleResponse(
            decisions=[decision], decision_id=name
        ).SerializeToString()

    async def info(self, request: bytes, context: Context) -> bytes:
        """Answers GetServerInfo."""
        del request, context
        self.informed += 1
        await self.info_gate.wait()
        info = api.GetServerInfoResponse(version="1")
        if self.serves_watch:
            info.position.CopyFrom(self._position())
            info.staleness.CopyFrom(Duration())
            info.max_staleness.FromTimedelta(timedelta(seconds=self.max_staleness))
        return info.SerializeToString()

    async def watch(self, request: bytes, context: Context) -> AsyncIterator[bytes]:
        """Streams what the test says."""
        del request
        self.watched += 1
        if not self.serves_watch:
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, "no")
        queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.streams.append(queue)
        try:
            yield self._beat()
            while (message := await queue.get()) is not None:
                yield message
        finally:
            self.streams.remove(queue)

    def say(self, message: bytes | None) -> None:
        """Puts a message, or the end, on every stream."""
        for each in self.streams:
            each.put_nowait(message)

    def beat(self) -> None:
        """Tells that it has told everything."""
        self.say(self._beat())

    def change(self, *, allows: bool) -> None:
        """Changes its mind, and tells that something changed."""
        self.allows = allows
        self._number += 1
        changes = api.WatchResponse.Changes(changes=[api.Change(group="member")])
        self.say(api.WatchResponse(changes=changes).SerializeToString())
        self.beat()

    def drop(self) -> None:
        """Tells that continuity is lost."""
        drop = api.WatchResponse.DropEverything()
        self.say(api.WatchResponse(drop_everything=drop).SerializeToString())

    def _position(self) -> api.WatchPosition:
        return api.WatchPosition(server=self.name, number=self._number)

    def _beat(self) -> bytes:
        beat = api.WatchResponse.Beat(staleness=Duration(), position=self._position())
        return api.WatchResponse(beat=beat).SerializeToString()


@pytest.fixture
def script() -> Script:
    """A server that allows, and streams."""
    return Script()


@asynccontextmanager
async def following(
    script: Script,
    timeout: float = 5,  # noqa: ASYNC109  it is the client's own
) -> AsyncIterator[CachedClient]:
    """A client of the script."""
    handlers = {"CheckVisible": script.check, "GetServerInfo": script.info}
    async with (
        serving(handlers, {"Watch": script.watch}) as target,
        CachedClient.connect(target, timeout=timeout, retry=QUICK) as client,
    ):
        yield client


async def until(is_so: Callable[[], bool]) -> None:
    """Waits for something, not for ever."""
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110  a client's state has no event
            await asyncio.sleep(0.002)


async def allowed(client: CachedClient) -> bool:
    """What the client says of the one question."""
    return (await client.check_visible(ANN, CLUSTER)).all_allowed


async def test_a_question_is_asked_once(script: Script) -> None:
    """While nothing changes, the same question goes to the server once."""
    async with following(script) as client:
        await until(lambda: client.is_live)
        answers = [await allowed(client) for _ in range(9)]

    assert ([True] * 9, 1) == (answers, script.asked)


async def test_a_change_is_seen(script: Script) -> None:
    """After a change the question is asked again, and its answer kept again."""
    async with following(script) as client:
        await until(lambda: client.is_live)
        assert await allowed(client)
        epoch = client._kept.epoch
        script.change(allows=False)
        await until(lambda: client._kept.epoch > epoch)
        answers = [await allowed(client) for _ in range(9)]

    assert ([False] * 9, 2) == (answers, script.asked)


async def test_an_answer_under_way_during_a_change_is_not_kept(script: Script) -> None:
    """An answer from before a change that arrives after it is given only once."""
    async with following(script) as client:
        await until(lambda: client.is_live)
        script.gate.clear()
        asking = asyncio.create_task(allowed(client))
        await until(lambda: script.asked == 1)
        epoch = client._kept.epoch
        script.change(allows=False)
        await until(lambda: client._kept.epoch > epoch)
        script.gate.set()
        await asking
        answer = await allowed(client)

    assert (False, 2) == (answer, script.asked)


async def test_the_end_of_a_stream_drops_all(script: Script) -> None:
    """What changes while there is no stream is not missed; the stream comes back."""
    async with following(script) as client:
        await until(lambda: client.is_live)
        assert await allowed(client)
        epoch = client._kept.epoch
        script.allows = False
        script.say(None)
        await until(lambda: client._kept.epoch > epoch)
        assert not await allowed(client)
        await until(lambda: client.is_live)
        assert not await allowed(client)

    assert 2 <= script.asked <= 3


async def test_a_stream_that_ends_during_a_question(script: Script) -> None:
    """An answer that was under way when the stream ended is not kept by the next."""
    async with following(script) as client:
        await until(lambda: client.is_live)
        script.gate.clear()
        asking = asyncio.create_task(allowed(client))
        await until(lambda: script.asked == 1)
        epoch = client._kept.epoch
        script.say(None)
        await until(lambda: client._kept.epoch > epoch)
        script.allows = False
        await until(lambda: client.is_live)
        script.gate.set()
        await asking

        assert not await allowed(client)


async def test_lost_continuity_drops_all(script: Script) -> None:
    """When the server lost its feed, nothing is answered from before."""
    async with following(script) as client:
        await until(lambda: client.is_live)
        assert await allowed(client)
        script.allows = False
        epoch = client._kept.epoch
        script.drop()
        await until(lambda: client._kept.epoch > epoch)

        assert not await allowed(client)


async def test_a_server_that_proves_nothing_more_is_asked(script: Script) -> None:
    """Beats alone, without a server that says how fresh it is, let the cache end."""
    script.max_staleness = 0.4
    async with following(script, timeout=0.2) as client:
        await until(lambda: client.is_live)
        assert await allowed(client)
        script.info_gate.clear()
        script.allows = False
        while client.is_live:
            script.beat()
            await asyncio.sleep(0)

        assert not await allowed(client)


async def test_the_bound_counts_from_before_the_proof_was_asked_for(
    script: Script,
) -> None:
    """A server that takes its time to say how fresh it is prolongs nothing."""
    script.info_gate.clear()
    now = 1000.0
    async with following(script) as client:
        client._now = lambda: now
        await until(lambda: script.informed == 1)
        now += script.max_staleness
        script.info_gate.set()
        await until(lambda: client._kept._until > 0)

        assert 1000 + script.max_staleness == client._kept._until
        assert not client.is_live


async def test_another_server_on_the_same_address(script: Script) -> None:
    """A server that is another one is never answered for from what the first said."""
    async with following(script) as client:
        await until(lambda: client.is_live)
        assert await allowed(client)
        epoch = client._kept.epoch
        script.name, script.allows = "s2", False
        script.beat()
        await until(lambda: client._kept.epoch > epoch)
        assert not await allowed(client)
        await until(lambda: client.is_live)

        assert "s2" == client._kept._server


async def test_garbage_on_the_stream_drops_all(script: Script) -> None:
    """A message that is not known may tell of a change: all is dropped."""
    async with following(script) as client:
        await until(lambda: client.is_live)
        assert await allowed(client)
        script.allows = False
        epoch = client._kept.epoch
        script.say(api.WatchResponse().SerializeToString())
        await until(lambda: client._kept.epoch > epoch)

        assert not await allowed(client)


async def test_a_server_without_watch(
    script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    """Without Watch every question is asked, and the log says so once."""
    script.serves_watch = False
    with caplog.at_level(logging.WARNING, "authz.client"):
        async with following(script) as client:
            await until(lambda: script.watched > 2)
            answers = [await allowed(client) for _ in range(3)]

    assert ([True] * 3, 3) == (answers, script.asked)
    assert ["the sidecar serves no Watch here: no answer is kept"] == [
        each.getMessage() for each in caplog.records
    ]


async def test_credentials_are_asked_each_time(script: Script) -> None:
    """A question with a credential always goes to the server."""
    async with following(script) as client:
        await until(lambda: client.is_live)
        for _ in range(3):
            await client.check_visible(Caller.api_key("ak_1_x"), CLUSTER)

    assert 3 == script.asked


async def test_errors_are_not_kept(script: Script) -> None:
    """A question that failed is asked again."""
    async with following(script, timeout=0.2) as client:
        await until(lambda: client.is_live)
        script.gate.clear()
        with pytest.raises(AuthzError):
            await client.check_visible(ANN, CLUSTER)
        script.gate.set()

        assert await allowed(client)


async def test_a_closed_client_leaves_nothing(script: Script) -> None:
    """After close there is no task, and no answer from memory."""
    async with following(script) as client:
        await until(lambda: client.is_live)
        assert await allowed(client)
        await client.close()

        assert not [
            task for task in asyncio.all_tasks() if task.get_name() == "authz-follow"
        ]
        with pytest.raises(AuthzError):
            await client.check_visible(ANN, CLUSTER)


async def test_a_client_is_closed_while_its_stream_ends(script: Script) -> None:
    """`close` ends, also when the server ends the stream at that very moment."""
    script.serves_watch = False
    for _ in range(20):
        async with asyncio.timeout(20), following(script) as client:
            assert await allowed(client)


def test_waits_stay_finite() -> None:
    """After a thousand attempts the wait is still the longest one."""
    assert 5 >= Retry(first_wait=0.1, longest_wait=5).wait(5000)
