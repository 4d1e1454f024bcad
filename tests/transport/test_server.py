"""Listeners, health, reflection, explanations and policies, on both engines."""

import asyncio
import stat
from pathlib import Path

import pytest
from authz.v1 import authorization_service_pb2 as api
from authz.v1.caller_pb2 import Caller
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from sidecar.transport.listener import ListenerError, TcpAddress, parse_address
from sidecar.transport.server import API_SERVICE
from tests.support.serving import ENGINES, Place, Schema, Stage

TENANCY = Place(Schema.REFERENCE, "tenancy")
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
FOREIGN = {"kind": "model", "id": "701"}
MISSING = {"kind": "model", "id": "999999"}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("service", ["", API_SERVICE, "feed", "triggers"])
async def test_health_tells_of_services_and_components(
    stage: Stage, engine: str, service: str
) -> None:
    """The server, the API, the feed and the triggers each have their health."""
    serving = await stage.shared(TENANCY)
    address = serving.sidecar.addresses[ENGINES.index(engine)]

    async with aio.insecure_channel(address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        actual = await stub.Check(health_pb2.HealthCheckRequest(service=service))

    assert SERVING == actual.status


@pytest.mark.parametrize("engine", ENGINES)
async def test_reflection_lists_the_api(stage: Stage, engine: str) -> None:
    """Where reflection is served, a tool finds the service."""
    serving = await stage.shared(TENANCY)
    address = serving.sidecar.addresses[ENGINES.index(engine)]

    async with aio.insecure_channel(address) as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        call = stub.ServerReflectionInfo(iter([request]))
        response = await call.read()

    names = {each.name for each in response.list_services_response.service}
    assert API_SERVICE in names


@pytest.mark.parametrize("engine", ENGINES)
async def test_server_info_tells_of_the_listener(stage: Stage, engine: str) -> None:
    """The engine, the schema and what is served are told."""
    serving = await stage.shared(TENANCY)

    info = await serving.stub(engine).GetServerInfo(api.GetServerInfoRequest())

    assert engine == info.engine
    assert info.schema_version > 0
    assert api.OPTIONAL_FEATURE_EXPLAIN in info.features
    assert api.OPTIONAL_FEATURE_WATCH not in info.features


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("call", ["CheckVisible", "CheckWritable"])
async def test_foreign_equals_missing_byte_for_byte(
    stage: Stage, engine: str, call: str
) -> None:
    """Over the wire nothing tells a foreign row from one that is not there."""
    serving = await stage.shared(TENANCY)
    caller = Caller(user_id="5")
    request = getattr(api, f"{call}Request")(caller=caller)
    request.resources.add(**FOREIGN)
    request.resources.add(**MISSING)

    response = await getattr(serving.stub(engine), call)(request)

    foreign, missing = (each.SerializeToString() for each in response.decisions)
    assert missing == foreign


@pytest.mark.parametrize("engine", ENGINES)
async def test_explanation_tells_foreign_from_missing(
    stage: Stage, engine: str
) -> None:
    """An administrator who asks why sees whether the row exists."""
    serving = await stage.shared(TENANCY)
    request = api.CheckVisibleRequest(caller=Caller(user_id="5"), explain=True)
    request.resources.add(**FOREIGN)
    request.resources.add(**MISSING)

    response = await serving.stub(engine).CheckVisible(request)

    foreign, missing = (
        [(step.rule, step.detail) for step in each.explanation.steps]
        for each in response.decisions
    )
    assert ("exists", "model `701` exists") in foreign
    assert ("exists", "there is no such resource") == missing[-1]


async def test_listener_that_does_not_explain_refuses_to(stage: Stage) -> None:
    """Where explanations are off, asking for one is UNIMPLEMENTED, not silence."""
    url = await stage.stored(TENANCY)
    address = f"unix:{stage.folder}/mute"
    listener = {"address": address, "explain": False, "callers": "credentials"}
    serving = await stage.start(url, listeners=[listener])
    async with aio.insecure_channel(serving.sidecar.addresses[0]) as channel:
        stub = stage.stub_of(channel)
        request = api.CheckVisibleRequest(caller=Caller(user_id="2"))
        with pytest.raises(aio.AioRpcError) as named:
            await stub.CheckVisible(request)
        request = api.CheckVisibleRequest(
            caller=Caller(api_key="key_x_y"), explain=True
        )
        request.resources.add(**FOREIGN)
        with pytest.raises(aio.AioRpcError) as explained:
            await stub.CheckVisible(request)

    assert "this listener believes credentials only" == named.value.details()
    assert "this listener does not explain" == explained.value.details()


@pytest.mark.parametrize("engine", ENGINES)
async def test_socket_has_its_mode_and_goes_with_the_server(
    stage: Stage, engine: str
) -> None:
    """A socket file is made with the mode that was set, and removed at the end."""
    url = await stage.stored(TENANCY)
    path = Path(stage.folder) / f"mode-{engine}"
    listener = {"address": f"unix:{path}", "mode": "0600", "engine": engine}
    serving = await stage.start(url, listeners=[listener])

    mode = stat.S_IMODE(path.stat().st_mode)
    await serving.sidecar.stop()

    assert 0o600 == mode
    assert not path.exists()


@pytest.mark.parametrize("engine", ENGINES)
async def test_taken_address_is_refused(stage: Stage, engine: str) -> None:
    """Neither a socket file nor a port is taken from a server that lives."""
    url = await stage.stored(TENANCY)
    path = Path(stage.folder) / f"taken-{engine}"
    listeners = [
        {"address": address, "engine": engine}
        for address in (f"unix:{path}", "127.0.0.1:0")
    ]
    serving = await stage.start(url, listeners=listeners)

    for address in serving.sidecar.addresses:
        again = [{"address": address, "engine": engine}]
        with pytest.raises(ListenerError):
            await stage.start(url, listeners=again)


@pytest.mark.parametrize("engine", ENGINES)
async def test_stale_socket_file_is_replaced(stage: Stage, engine: str) -> None:
    """What a killed server left behind does not stop the next one."""
    url = await stage.stored(TENANCY)
    path = Path(stage.folder) / f"stale-{engine}"
    server = await asyncio.start_unix_server(lambda *_: None, path)
    server.close()
    await server.wait_closed()

    serving = await stage.start(
        url, listeners=[{"address": f"unix:{path}", "engine": engine}]
    )

    assert [f"unix:{path}"] == serving.sidecar.addresses


@pytest.mark.parametrize("address", ["127.0.0.1:0", "localhost:0", "[::1]:0"])
def test_loopback_may_be_plain(address: str) -> None:
    """TCP on this machine needs no TLS."""
    assert isinstance(parse_address(address, 0o660), TcpAddress)


@pytest.mark.parametrize(
    "address",
    ["unix:", "x", "127.0.0.1:70000"],
)
def test_malformed_address_is_refused(address: str) -> None:
    """An address names a socket file, or a host and a port."""
    with pytest.raises(ListenerError):
        parse_address(address, 0o660)


@pytest.mark.parametrize("engine", ENGINES)
async def test_stopping_drains(stage: Stage, engine: str) -> None:
    """Before it closes, the server says NOT_SERVING and still answers."""
    url = await stage.stored(TENANCY)
    serving = await stage.start(url, stop={"linger_seconds": 60, "grace_seconds": 5})
    address = serving.sidecar.addresses[ENGINES.index(engine)]
    async with aio.insecure_channel(address) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        watching = health.Watch(health_pb2.HealthCheckRequest())
        first = await watching.read()
        stopping = asyncio.create_task(serving.sidecar.stop())
        then = await asyncio.wait_for(watching.read(), 10)
        answer = await serving.ask(
            engine, "ResolveContext", {"caller": {"user_id": "2"}}
        )
        watching.cancel()
        stopping.cancel()
        await asyncio.gather(stopping, return_exceptions=True)

    assert (SERVING, NOT_SERVING) == (first.status, then.status)
    assert "context" in answer
