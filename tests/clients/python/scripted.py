"""A server whose every byte the test decides, and both clients before it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TypeAlias, TypeVar

import grpc
from authz.client import AsyncClient, Caller, Client, Resource, Retry, Tls
from authz.client.calls import Call
from google.protobuf.message import Message
from grpc import aio

A = TypeVar("A")
Context: TypeAlias = aio.ServicerContext[bytes, bytes]
Handler: TypeAlias = Callable[[bytes, Context], Awaitable[bytes]]
Stream: TypeAlias = Callable[[bytes, Context], AsyncIterator[bytes]]

CLIENTS = ("sync", "asyncio")
SERVICE = "authz.v1.AuthorizationService"
ANN = Caller.user("2", organization="20")
CLUSTER = Resource("cluster", "700")
QUICK = Retry(first_wait=0.001, longest_wait=0.002)


def says(message: Message | bytes) -> Handler:
    """A handler that always gives the same answer."""
    data = message if isinstance(message, bytes) else message.SerializeToString()

    async def handle(request: bytes, context: Context) -> bytes:
        del request, context
        return data

    return handle


@asynccontextmanager
async def serving(
    handlers: Mapping[str, Handler],
    streams: Mapping[str, Stream] | None = None,
    address: str = "127.0.0.1:0",
) -> AsyncIterator[str]:
    """Serves methods by name; gives the address."""
    server = aio.server()
    methods = {
        name: grpc.unary_unary_rpc_method_handler(handle, None, None)
        for name, handle in handlers.items()
    }
    for name, stream in (streams or {}).items():
        methods[name] = grpc.unary_stream_rpc_method_handler(stream, None, None)
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(SERVICE, methods),)
    )
    port = server.add_insecure_port(address)
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)


async def put(  # noqa: PLR0913  a call, and all that a client can be told
    kind: str,
    target: str,
    call: Call[A],
    *,
    tls: Tls | None = None,
    timeout: float = 5,  # noqa: ASYNC109  it is the client's own
    retry: Retry = QUICK,
) -> A:
    """What a new client of a kind makes of a call."""
    if kind == "asyncio":
        async with AsyncClient.connect(
            target, tls=tls, timeout=timeout, retry=retry
        ) as client:
            return await client._ask(call)
    with Client.connect(target, tls=tls, timeout=timeout, retry=retry) as blocking:
        return await asyncio.to_thread(blocking._ask, call)
