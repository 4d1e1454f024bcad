"""A gRPC server whose methods run only for those who may; with asyncio.

AUTHZ_TARGET=unix:authz.sock python grpc_aio_server.py
"""

import asyncio
import os
from typing import TypeAlias

import grpc
from authz.client import AnyOrgRole, AsyncClient, OrgRole
from authz.client.interceptors import (
    OPEN,
    AsyncTenantInterceptor,
    Rule,
    current_tenant,
)
from authz.client.needs import in_role, visible
from google.protobuf.wrappers_pb2 import StringValue
from grpc import aio

Context: TypeAlias = aio.ServicerContext[StringValue, StringValue]

TARGET = os.environ.get("AUTHZ_TARGET", "unix:authz.sock")
# What is not here is refused. `value` is the field of the request with the id.
RULES: dict[str, Rule] = {
    "/demo.Clusters/WhoAmI": (),
    "/demo.Clusters/Restart": (
        in_role(AnyOrgRole.of(OrgRole.ADMIN)),
        visible("cluster", "value"),
    ),
    "/demo.Clusters/Ping": OPEN,
}


async def who_am_i(request: StringValue, context: Context) -> StringValue:
    """As which tenant the caller acts."""
    del request, context
    return StringValue(value=current_tenant().current_principal_id)


async def restart(request: StringValue, context: Context) -> StringValue:
    """Something that only administrators may do."""
    del context
    return StringValue(value=f"{request.value} by {current_tenant().user_id}")


async def ping(request: StringValue, context: Context) -> StringValue:
    """What anybody may ask."""
    del context
    return request


def make_server(client: AsyncClient, address: str) -> tuple[aio.Server, int]:
    """The server, not started yet, and its port."""
    server = aio.server(interceptors=[AsyncTenantInterceptor(client, RULES)])
    behaviours = {"WhoAmI": who_am_i, "Restart": restart, "Ping": ping, "Drop": ping}
    handlers = {
        name: grpc.unary_unary_rpc_method_handler(
            behaviour, StringValue.FromString, StringValue.SerializeToString
        )
        for name, behaviour in behaviours.items()
    }
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("demo.Clusters", handlers),)
    )
    return server, server.add_insecure_port(address)


async def main() -> None:
    """Serves until it is ended."""
    async with AsyncClient.connect(TARGET) as client:
        server, port = make_server(client, "127.0.0.1:50051")
        await server.start()
        print(f"serving on port {port}")
        await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main())
