"""What a call may cost others: time, connections, turns on the processor."""

import asyncio
from contextlib import AsyncExitStack
from typing import cast

import asyncpg
import grpc
import pytest
from authz.v1 import authorization_service_pb2 as api
from authz.v1.caller_pb2 import Caller
from grpc import aio

from sidecar.command.bare_json import from_bare
from sidecar.ports import DeadlineTooNearError
from sidecar.transport.grpc_api import AuthorizationServicer, Context, ServerInfo
from sidecar.transport.parse import ListenerPolicy
from tests.support.pipeline import request_type
from tests.support.serving import ENGINES, Place, Schema, Stage

TENANCY = Place(Schema.REFERENCE, "tenancy")
ANN = {"user_id": "2", "organization_id": "20"}
CLUSTER = {"kind": "cluster", "id": "501"}
QUESTIONS: dict[str, dict[str, object]] = {
    "ResolveContext": {},
    "ListContexts": {},
    "CheckVisible": {"resources": [CLUSTER]},
    "CheckWritable": {"resources": [CLUSTER]},
    "CheckCreatable": {"resources": [{"kind": "cluster", "global": True}]},
    "CheckRole": {"gate": {"platform_admin": True}},
    "GetPermissions": {"queries": [{"context": "DATA", "item": "models"}]},
    "Authorize": {"requirements": [{"visible": CLUSTER}]},
    "GetListFilter": {"kind": "cluster"},
}


@pytest.mark.parametrize("engine", ENGINES)
async def test_an_exhausted_pool_answers_at_once(stage: Stage, engine: str) -> None:
    """With nobody more to wait for a connection, the next is told within moments."""
    url = await stage.stored(TENANCY)
    database = {"url": url, "pool_max": 1, "pool_waiting": 1}
    serving = await stage.start(url, database=database)
    asking = serving.sidecar.store.pool_stats
    lock = await asyncpg.connect(url)
    async with AsyncExitStack() as ending:
        ending.push_async_callback(lock.close)
        await lock.execute("begin; lock authz.users in access exclusive mode")
        waiting = [
            asyncio.create_task(
                serving.ask(engine, "ResolveContext", {"caller": {"user_id": each}})
            )
            for each in ("2", "3")
        ]
        async with asyncio.timeout(10):
            while asking().asking < 2:
                await asyncio.to_thread(asking)
        actual = await serving.ask(
            engine, "ResolveContext", {"caller": {"user_id": "4"}}
        )
        still_wait = [not each.done() for each in waiting]
        await asyncio.gather(*waiting)

    assert {"status": "RESOURCE_EXHAUSTED", "reason": "OVERLOADED"} == actual
    assert all(still_wait)


async def test_grpcio_refuses_connections_beyond_the_bound(stage: Stage) -> None:
    """A connection too many is closed; those that were there go on."""
    url = await stage.stored(TENANCY)
    serving = await stage.start(url, limits={"connections": 2})
    address = serving.sidecar.addresses[ENGINES.index("grpcio")]
    request = api.ResolveContextRequest(caller=Caller(user_id="2"))
    own = (("grpc.use_local_subchannel_pool", 1),)
    async with AsyncExitStack() as ending:
        stubs = [
            stage.stub_of(
                await ending.enter_async_context(aio.insecure_channel(address, own))
            )
            for _ in range(3)
        ]
        answers = [await each.ResolveContext(request, timeout=5) for each in stubs[:2]]
        with pytest.raises(aio.AioRpcError) as caught:
            await stubs[2].ResolveContext(request, timeout=5)
        again = await stubs[0].ResolveContext(request, timeout=5)

    assert ["2", "2", "2"] == [each.context.user_id for each in (*answers, again)]
    assert grpc.StatusCode.UNAVAILABLE is caught.value.code()


class Hurried:
    """A call that has less time left than a query may take."""

    def time_remaining(self) -> float:
        """In seconds."""
        return 0.004


@pytest.mark.parametrize("call", QUESTIONS)
async def test_no_query_is_begun_with_too_little_time_left(
    stage: Stage, call: str
) -> None:
    """Each call that would have to read says so at once, and reads nothing."""
    serving = await stage.start(await stage.stored(TENANCY))
    sidecar = serving.sidecar
    info = ServerInfo("", "", "", None, serves_reflection=False)
    servicer = AuthorizationServicer(sidecar.backing, ListenerPolicy(), info)
    request = from_bare({"caller": ANN, **QUESTIONS[call]}, request_type(call))

    with pytest.raises(DeadlineTooNearError):
        await getattr(servicer, call)(request, cast("Context", Hurried()))

    stats = sidecar.store.cache_stats().values()
    assert 0 == sum(each.loads for each in stats)
