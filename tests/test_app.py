"""The whole process: started, asked, scraped, ended by a signal."""

import asyncio
import os
import signal
import sys
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest
from authz.v1 import authorization_service_pb2 as api
from authz.v1.caller_pb2 import Caller
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from sidecar.app import Sidecar
from tests.support.process import Process
from tests.support.serving import ENGINES, Place, Schema, Stage

if TYPE_CHECKING:
    from authz.v1.authorization_service_pb2_grpc import AuthorizationServiceAsyncStub

TENANCY = Place(Schema.REFERENCE, "tenancy")


@pytest.fixture(params=ENGINES)
async def process(
    stage: Stage, request: pytest.FixtureRequest
) -> AsyncIterator[Process]:
    """A running process, ended with the test."""
    url = await stage.stored(TENANCY)
    address = f"unix:{stage.folder}/process-{request.param}"
    started = await Process.start(url, address, request.param)
    yield started
    await started.end()


async def test_sigterm_drains_and_finishes_what_runs(process: Process) -> None:
    """After SIGTERM it says NOT_SERVING, answers the call that runs, ends with 0."""
    request = api.ResolveContextRequest(caller=Caller(user_id="2"))
    lock = await asyncpg.connect(process.url)
    transaction = lock.transaction()
    await transaction.start()
    await lock.execute("lock authz.users in access exclusive mode")

    async with aio.insecure_channel(process.address) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        watching = health.Watch(health_pb2.HealthCheckRequest())
        before = await watching.read()
        running = asyncio.create_task(answer(Stage.stub_of(channel), request))
        await waited_for(lock)
        process.process.send_signal(signal.SIGTERM)
        after = await asyncio.wait_for(watching.read(), 10)
        await transaction.rollback()
        answered = await running
        watching.cancel()
    await lock.close()
    code = await asyncio.wait_for(process.process.wait(), 20)

    serving = health_pb2.HealthCheckResponse
    assert (serving.SERVING, serving.NOT_SERVING) == (before.status, after.status)
    assert "2" == answered.context.user_id
    assert 0 == code


async def answer(
    stub: "AuthorizationServiceAsyncStub", request: api.ResolveContextRequest
) -> api.ResolveContextResponse:
    """One answer."""
    return await stub.ResolveContext(request, timeout=20)


async def waited_for(lock: asyncpg.Connection) -> None:
    """Returns once somebody waits for what `lock` holds."""
    waiting = "select exists (select from pg_locks where not granted)"
    async with asyncio.timeout(10):
        while not await lock.fetchval(waiting):
            pass


async def test_bad_start_is_one_line_and_2(stage: Stage) -> None:
    """A database that cannot be reached ends the start without a traceback."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sidecar", "serve"),
        env={
            **os.environ,
            "AUTHZ_DATABASE__URL": f"postgresql:///x?host={stage.folder}",
        },
        stderr=asyncio.subprocess.PIPE,
    )
    _, told = await asyncio.wait_for(process.communicate(), 30)

    assert 2 == process.returncode
    assert b"the database cannot be reached" in told
    assert b"Traceback" not in told


async def test_start_that_fails_half_way_closes_what_it_opened(stage: Stage) -> None:
    """When the second listener cannot be had, the first one's socket is gone."""
    url = await stage.stored(TENANCY)
    first = Path(stage.folder) / "half-way"
    listeners = [{"address": f"unix:{first}"}, {"address": "unix:/nowhere/at/all"}]

    with pytest.raises(Exception, match="there is no directory for the socket"):
        await stage.start(url, listeners=listeners)

    assert not first.exists()


def scrape(sidecar: Sidecar) -> str:
    """The metrics, as Prometheus gets them."""
    url = f"http://127.0.0.1:{sidecar.metrics_port}/metrics"
    with urllib.request.urlopen(url, timeout=10) as response:
        return str(response.read(), "utf-8")


async def test_metrics_tell_of_calls_decisions_caches_and_feed(stage: Stage) -> None:
    """What happened is on the metrics' port, by names from closed sets."""
    url = await stage.stored(TENANCY)
    serving = await stage.start(url)
    question = {
        "caller": {"user_id": "2", "organization_id": "20"},
        "resources": [{"kind": "cluster", "id": "501"}] * 3,
    }
    for _ in range(2):
        await serving.ask("native", "CheckVisible", question)
    await serving.ask("grpcio", "ResolveContext", {"caller": {"user_id": ""}})

    lines = (await asyncio.to_thread(scrape, serving.sidecar)).splitlines()

    checked = 'rpc="CheckVisible"'
    refused = 'code="INVALID_ARGUMENT",reason="MALFORMED_FIELD"'
    for wanted in (
        f'authz_calls_total{{code="OK",reason="",{checked}}} 2.0',
        f'authz_calls_total{{{refused},rpc="ResolveContext"}} 1.0',
        f'authz_decisions_total{{decision="allowed",reason="OWNED",{checked}}} 6.0',
        f"authz_call_seconds_count{{{checked}}} 2.0",
        'authz_cache_loads_total{fact="resource"} 1.0',
        "authz_feed_live 1.0",
        'authz_relation_watched{relation="principal_memberships"} 1.0',
        'authz_pool_connections{state="asked_for"} 0.0',
    ):
        assert wanted in lines, wanted
