"""Interceptors before real gRPC servers, in threads and with asyncio."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias, cast

import grpc
import pytest
from authz.client import AsyncClient, Caller, Client, InternalError, PlatformAdmin
from authz.client.identity import by_credential
from authz.client.interceptors import (
    OPEN,
    AsyncTenantInterceptor,
    Rule,
    TenantInterceptor,
    current_tenant,
)
from authz.client.methods import Methods
from authz.client.needs import visible
from google.protobuf.wrappers_pb2 import StringValue
from google.rpc import error_details_pb2, status_pb2
from grpc import aio

from tests.clients.python.examples import ANN, REFUSED, UNDECIDED, example
from tests.support.serving import Place, Schema, Stage

KINDS: Final = ("grpc_server", "grpc_aio_server")
CODES: Final = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
}
RULES: Final[dict[str, Rule]] = {
    "/demo.Streams/List": (visible("cluster", "value"),),
    "/demo.Streams/Sum": (),
    "/demo.Streams/Echo": (),
    "/demo.Streams/Late": (),
    "/demo.Streams/Blind": (visible("cluster", "value"),),
    "/demo.Streams/Open": OPEN,
}
CALLER: Final = Caller.user("2", organization="20")
Context: TypeAlias = aio.ServicerContext[StringValue, StringValue]
Behaviour: TypeAlias = Callable[[object, grpc.ServicerContext], object]


@pytest.fixture(scope="module")
async def target(stage: Stage) -> str:
    """Where a sidecar is."""
    serving = await stage.shared(Place(Schema.REFERENCE, "tenancy"))
    return serving.sidecar.addresses[0]


@pytest.fixture(params=KINDS)
async def shop(request: pytest.FixtureRequest, target: str) -> AsyncIterator[str]:
    """Where an example serves."""
    async with _example(request.param, target) as address:
        yield address


@pytest.fixture(params=KINDS)
async def streams(request: pytest.FixtureRequest, target: str) -> AsyncIterator[str]:
    """Where methods of every form are served."""
    is_threaded = request.param == "grpc_server"
    async with _threads(target) if is_threaded else _loop(target) as address:
        yield address


async def test_a_handler_knows_the_tenant(shop: str) -> None:
    """A method runs as the tenant that the metadata proves."""
    assert "20" == await _called(shop, "WhoAmI", "", ANN)
    assert "501 by 2" == await _called(shop, "Restart", "501", ANN)
    assert "anybody" == await _called(shop, "Ping", "anybody", {})


@pytest.mark.parametrize(("headers", "status", "reason"), REFUSED)
async def test_who_is_not_resolved_is_refused(
    shop: str, headers: dict[str, str], status: int, reason: str
) -> None:
    """What is wrong with the caller is a status with its reason."""
    assert (CODES[status], reason) == await _refused(shop, "WhoAmI", "", headers)


async def test_a_method_demands_what_its_request_names(shop: str) -> None:
    """Needs take ids from the request; a method without a rule is refused."""
    personal = {"x-api-key": ANN["x-api-key"]}
    foreign = await _refused(shop, "Restart", "504", ANN)

    assert ("NOT_FOUND", "RESOURCE_NOT_FOUND") == foreign
    assert foreign == await _refused(shop, "Restart", "99999", ANN)
    assert foreign == await _refused(shop, "Restart", "501", personal)
    assert "INVALID_ARGUMENT" == (await _refused(shop, "Restart", "", ANN))[0]
    assert ("PERMISSION_DENIED", "NO_ROUTE") == await _refused(shop, "Drop", "", ANN)
    assert "UNIMPLEMENTED" == (await _refused(shop, "Missing", "", ANN))[0]


@pytest.mark.parametrize("method", ["WhoAmI", "Restart", "Ping", "Drop"])
async def test_what_nobody_decided_is_refused(shop: str, method: str) -> None:
    """A call that Envoy let pass undecided is refused, whatever its method."""
    headers = {name.lower(): text for name, text in UNDECIDED.items()}

    assert ("UNAVAILABLE", "") == await _refused(shop, method, "501", headers)


@dataclass(frozen=True)
class Details(grpc.HandlerCallDetails):
    """What is known of a call before its message."""

    method: str
    invocation_metadata: tuple[tuple[str, str | bytes], ...]


@pytest.mark.parametrize(
    ("remaining", "timeout"), [(None, 1.0), (5.0, 1.0), (0.25, 0.25)]
)
def test_a_question_takes_no_longer_than_its_call(
    remaining: float | None, timeout: float
) -> None:
    """What is left of a call bounds the question about it."""
    methods = Methods({"/a.B/C": ()}, by_credential, 1.0)
    details = Details("/a.B/C", tuple(ANN.items()))
    question = methods.question(details, StringValue(), remaining)

    assert question is not None
    assert timeout == question.timeout


@pytest.mark.parametrize("kind", KINDS)
async def test_a_sidecar_that_is_away_lets_nothing_pass(
    kind: str, tmp_path: Path
) -> None:
    """Without a sidecar no method runs that is not open."""
    async with _example(kind, f"unix:{tmp_path}/none.sock") as address:
        for method in ("WhoAmI", "Restart"):
            assert ("UNAVAILABLE", "") == await _refused(address, method, "501", ANN)
        assert "open" == await _called(address, "Ping", "open", {})


async def test_streams_are_guarded(streams: str) -> None:
    """Every form of method knows its tenant from the first message to the last."""
    assert ["501 by 2", "end by 2"] == await _streamed(streams, "List", ["501"])
    assert ["a+b by 2"] == await _streamed(streams, "Sum", ["a", "b"])
    assert ["a by 2", "b by 2"] == await _streamed(streams, "Echo", ["a", "b"])
    with pytest.raises(aio.AioRpcError) as foreign:
        await _streamed(streams, "List", ["504"])
    assert grpc.StatusCode.NOT_FOUND is foreign.value.code()


async def test_a_stream_ends_with_what_its_handler_asked(streams: str) -> None:
    """What a handler's own questions raise ends its call with their status."""
    with pytest.raises(aio.AioRpcError) as denied:
        await _streamed(streams, "Late", ["501"])

    assert ("PERMISSION_DENIED", "PLATFORM_ADMIN_REQUIRED") == _told(denied.value)


async def test_needs_that_cannot_be_read_let_nothing_pass(streams: str) -> None:
    """Ids are not looked for in a stream of requests; an open method has no tenant."""
    for method in ("Blind", "Open"):
        with pytest.raises(aio.AioRpcError) as caught:
            await _streamed(streams, method, ["501"])
        assert ("UNAVAILABLE", "") == _told(caught.value)


def test_outside_of_calls_there_is_no_tenant() -> None:
    """Nothing is somebody's tenant by default."""
    with pytest.raises(InternalError, match="no tenant"):
        current_tenant()


@asynccontextmanager
async def _example(kind: str, target: str) -> AsyncIterator[str]:
    module = example(kind)
    if kind == "grpc_server":
        with Client.connect(target) as client:
            server, port = module.make_server(client, "127.0.0.1:0")
            server.start()
            yield f"127.0.0.1:{port}"
            await asyncio.to_thread(server.stop(None).wait)
        return
    async with AsyncClient.connect(target) as asking:
        server, port = module.make_server(asking, "127.0.0.1:0")
        await server.start()
        yield f"127.0.0.1:{port}"
        await server.stop(None)


@asynccontextmanager
async def _threads(target: str) -> AsyncIterator[str]:
    with Client.connect(target) as client:
        several = ThreadedMethods(client)
        interceptor = TenantInterceptor(client, RULES)
        server = grpc.server(ThreadPoolExecutor(4), interceptors=[interceptor])
        server.add_generic_rpc_handlers((_handlers(several),))
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        yield f"127.0.0.1:{port}"
        await asyncio.to_thread(server.stop(None).wait)


@asynccontextmanager
async def _loop(target: str) -> AsyncIterator[str]:
    async with AsyncClient.connect(target) as client:
        interceptor = AsyncTenantInterceptor(client, RULES)
        server = aio.server(interceptors=[interceptor])
        server.add_generic_rpc_handlers((_handlers(LoopMethods(client)),))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        yield f"127.0.0.1:{port}"
        await server.stop(None)


class ThreadedMethods:
    """A method of each form."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def several(self, request: StringValue, _: object) -> Iterator[StringValue]:
        """One request, several answers."""
        yield _by(request.value)
        yield _by("end")

    def joined(self, requests: Iterator[StringValue], _: object) -> StringValue:
        """Several requests, one answer."""
        return _by("+".join(each.value for each in requests))

    def echo(self, requests: Iterator[StringValue], _: object) -> Iterator[StringValue]:
        """Several of both."""
        yield from (_by(each.value) for each in requests)

    def late(self, request: StringValue, _: object) -> Iterator[StringValue]:
        """A question of its own, after the first answer."""
        yield request
        self._client.check_role(CALLER, PlatformAdmin()).require()


class LoopMethods:
    """The same as coroutines."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def several(
        self, request: StringValue, _: object
    ) -> AsyncIterator[StringValue]:
        """One request, several answers."""
        yield _by(request.value)
        yield _by("end")

    async def joined(
        self, requests: AsyncIterator[StringValue], _: object
    ) -> StringValue:
        """Several requests, one answer."""
        return _by("+".join([each.value async for each in requests]))

    async def echo(
        self, requests: AsyncIterator[StringValue], context: Context
    ) -> None:
        """Several of both, written by itself."""
        async for each in requests:
            await context.write(_by(each.value))

    async def late(self, request: StringValue, _: object) -> AsyncIterator[StringValue]:
        """A question of its own, after the first answer."""
        yield request
        (await self._client.check_role(CALLER, PlatformAdmin())).require()


def _handlers(
    methods: ThreadedMethods | LoopMethods,
) -> "grpc.GenericRpcHandler[object, object]":
    coding = (StringValue.FromString, StringValue.SerializeToString)
    several = cast("Behaviour", methods.several)
    joined = cast("Behaviour", methods.joined)
    handlers = {
        "List": grpc.unary_stream_rpc_method_handler(several, *coding),
        "Open": grpc.unary_stream_rpc_method_handler(several, *coding),
        "Sum": grpc.stream_unary_rpc_method_handler(joined, *coding),
        "Blind": grpc.stream_unary_rpc_method_handler(joined, *coding),
        "Echo": grpc.stream_stream_rpc_method_handler(
            cast("Behaviour", methods.echo), *coding
        ),
        "Late": grpc.unary_stream_rpc_method_handler(
            cast("Behaviour", methods.late), *coding
        ),
    }
    return grpc.method_handlers_generic_handler("demo.Streams", handlers)


def _by(text: str) -> StringValue:
    return StringValue(value=f"{text} by {current_tenant().user_id}")


async def _called(
    address: str, method: str, value: str, headers: Mapping[str, str]
) -> str:
    async with aio.insecure_channel(address) as channel:
        call = channel.unary_unary(
            f"/demo.Clusters/{method}",
            StringValue.SerializeToString,
            StringValue.FromString,
        )
        metadata = tuple(headers.items())
        found: object = await call(
            StringValue(value=value), metadata=metadata, timeout=10
        )
        assert isinstance(found, StringValue)
        return found.value


async def _refused(
    address: str, method: str, value: str, headers: Mapping[str, str]
) -> tuple[str, str]:
    with pytest.raises(aio.AioRpcError) as caught:
        await _called(address, method, value, headers)
    return _told(caught.value)


async def _streamed(address: str, method: str, values: Sequence[str]) -> list[str]:
    async with aio.insecure_channel(address) as channel:
        call = channel.stream_stream(
            f"/demo.Streams/{method}",
            StringValue.SerializeToString,
            StringValue.FromString,
        )
        requests = [StringValue(value=value) for value in values]
        answers = call(iter(requests), metadata=tuple(ANN.items()), timeout=10)
        return [cast("StringValue", each).value async for each in answers]


def _told(error: aio.AioRpcError) -> tuple[str, str]:
    trailers = cast("Sequence[tuple[str, bytes]]", error.trailing_metadata() or ())
    packed = dict(trailers).get("grpc-status-details-bin", b"")
    info = error_details_pb2.ErrorInfo()
    for detail in status_pb2.Status.FromString(packed).details:
        detail.Unpack(info)
    return error.code().name, info.reason
