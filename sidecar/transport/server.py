"""Servers: one for each listener, on either engine, with the same servicers."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import pygrpc_native.aio
from authz.v1 import authorization_service_pb2
from authz.v1.authorization_service_pb2_grpc import (
    add_AuthorizationServiceServicer_to_server,
)
from grpc import aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from sidecar.transport.envoy import external_auth_pb2_grpc
from sidecar.transport.ext_authz import EdgeBacking, ExtAuthzServicer
from sidecar.transport.grpc_api import AuthorizationServicer, Backing, ServerInfo
from sidecar.transport.interceptors import CallInterceptor, CallObserver
from sidecar.transport.listener import (
    Address,
    Engine,
    Listener,
    ListenerError,
    Serves,
    TcpAddress,
    created_with_mode,
    remove_socket,
)
from sidecar.transport.parse import Callers

API_SERVICE = authorization_service_pb2.DESCRIPTOR.services_by_name[
    "AuthorizationService"
].full_name

_Options: TypeAlias = Sequence[tuple[str, int]]


class Health:
    """The health of services and components, shared by all listeners.

    Empty is the server as a whole; component names have no dot.
    """

    def __init__(self) -> None:
        self.servicer = health.aio.HealthServicer()  # type: ignore[attr-defined]  # untyped half
        self._known: dict[str, bool] = {}

    async def report(self, components: Mapping[str, bool]) -> None:
        """Tells how components are; those not named stay as they are."""
        for name, serving in components.items():
            if self._known.get(name) is not serving:
                self._known[name] = serving
                await self.servicer.set(name, _serving_status(serving))

    async def drain(self) -> None:
        """Says NOT_SERVING for everything, for good."""
        await self.servicer.enter_graceful_shutdown()


def _serving_status(
    serving: bool,  # noqa: FBT001  the value itself, nothing to name
) -> health_pb2.HealthCheckResponse.ServingStatus.ValueType:
    response = health_pb2.HealthCheckResponse
    return response.SERVING if serving else response.NOT_SERVING


@dataclass(frozen=True, slots=True)
class About:
    """What GetServerInfo tells that is the same on every listener."""

    version: str
    configuration_digest: str
    schema_version: int | None


@dataclass(slots=True)
class Servers:
    """Opens listeners, and closes them."""

    backing: Backing
    about: About
    health: Health
    observer: CallObserver
    edge: EdgeBacking | None = None
    _open: list[tuple[Address, aio.Server]] = field(default_factory=list)

    async def open(self, listener: Listener) -> str:
        """Opens a listener; gives the address that was bound.

        Raises ListenerError.
        """
        server = self._server(listener)
        try:
            with created_with_mode(listener.address):
                bound = _bind(server, listener.address)
            await server.start()
        except BaseException as error:
            await server.stop(None)
            if not isinstance(error, (RuntimeError, OSError, ValueError)):
                raise
            target = listener.address.target
            raise ListenerError(f"cannot listen on `{target}`") from error
        self._open.append((listener.address, server))
        return bound

    async def close(self, grace_seconds: float) -> None:
        """Lets running calls finish within the grace, then ends all listeners."""
        open_, self._open = self._open, []
        await asyncio.gather(*(server.stop(grace_seconds) for _, server in open_))
        for address, _ in open_:
            remove_socket(address)

    def _server(self, listener: Listener) -> aio.Server:
        engine = listener.chosen_engine
        server = _new_server(engine, CallInterceptor(self.observer), _options(listener))
        if Serves.API in listener.serves:
            info = ServerInfo(
                self.about.version,
                engine.value,
                self.about.configuration_digest,
                self.about.schema_version,
                Serves.REFLECTION in listener.serves,
            )
            servicer = AuthorizationServicer(self.backing, listener.policy, info)
            add_AuthorizationServiceServicer_to_server(servicer, server)
        if self.edge is not None and Serves.EDGE in listener.serves:
            believes_peers = listener.policy.callers is Callers.ANY
            edge = ExtAuthzServicer(self.edge, believes_peers=believes_peers)
            external_auth_pb2_grpc.add_AuthorizationServicer_to_server(edge, server)
        if Serves.HEALTH in listener.serves:
            health_pb2_grpc.add_HealthServicer_to_server(self.health.servicer, server)
        if Serves.REFLECTION in listener.serves:
            names = (API_SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME)
            reflection.enable_server_reflection(names, server)
        return server


def _new_server(
    engine: Engine, interceptor: CallInterceptor, options: _Options
) -> aio.Server:
    if engine is Engine.GRPCIO:
        return aio.server(interceptors=[interceptor], options=options)
    # Python answers on one core; a second thread for the wire only takes turns with
    # the first, which cost half of the calls a second on a core they all share.
    return pygrpc_native.aio.Server(
        interceptors=[interceptor], options=options, io_threads=1
    )


def _options(listener: Listener) -> _Options:
    limit = listener.policy.limits.message_bytes
    return (
        ("grpc.max_receive_message_length", limit),
        # Two sidecars on one port would share its calls without a word.
        ("grpc.so_reuseport", 0),
    )


def _bind(server: aio.Server, address: Address) -> str:
    port = server.add_insecure_port(address.target)
    if isinstance(address, TcpAddress):
        return TcpAddress(address.host, port).target
    return address.target
