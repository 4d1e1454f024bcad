"""A gRPC server whose methods run only for those who may; in threads.

AUTHZ_TARGET=unix:authz.sock python grpc_server.py
"""

import os
from concurrent.futures import ThreadPoolExecutor

import grpc
from authz.client import AnyOrgRole, Client, OrgRole
from authz.client.interceptors import OPEN, Rule, TenantInterceptor, current_tenant
from authz.client.needs import in_role, visible
from google.protobuf.wrappers_pb2 import StringValue

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


def who_am_i(request: StringValue, context: grpc.ServicerContext) -> StringValue:
    """As which tenant the caller acts."""
    del request, context
    return StringValue(value=current_tenant().current_principal_id)


def restart(request: StringValue, context: grpc.ServicerContext) -> StringValue:
    """Something that only administrators may do."""
    del context
    return StringValue(value=f"{request.value} by {current_tenant().user_id}")


def ping(request: StringValue, context: grpc.ServicerContext) -> StringValue:
    """What anybody may ask."""
    del context
    return request


def make_server(client: Client, address: str) -> tuple[grpc.Server, int]:
    """The server, not started yet, and its port."""
    server = grpc.server(
        ThreadPoolExecutor(8), interceptors=[TenantInterceptor(client, RULES)]
    )
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


def main() -> None:
    """Serves until it is ended."""
    with Client.connect(TARGET) as client:
        server, port = make_server(client, "127.0.0.1:50051")
        server.start()
        print(f"serving on port {port}")
        server.wait_for_termination()


if __name__ == "__main__":
    main()
