"""Servers: one for each listener, on either engine, with the same servicers."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias, cast

import grpc
import pygrpc_native.aio
from authz.v1 import authorization_service_pb2
from authz.v1.authorization_service_pb2_grpc import (
    add_AuthorizationServiceServicer_to_server,
)
from grpc import aio
from grpc_health.v1 import health, health_pb2_grpc

from sidecar.transport.envoy import external_auth_pb2_grpc
from sidecar.transport.ext_authz import EdgeBacking, ExtAuthzServicer
from sidecar.transport.grpc_api import (
    AuthorizationServicer,
    Backing,
    ServerInfo,
    always,
)
from sidecar.transport.guards import Around, CallObserver, Guards
from sidecar.transport.health import Health
from sidecar.transport.listener import (
    Address,
    Engine,
    Listener,
    ListenerError,
    Serves,
    TcpAddress,
    UnixAddress,
)
from sidecar.transport.parse import Callers
from sidecar.transport.shedding import Load
from sidecar.transport.socket_file import SocketFile
from sidecar.transport.watch import Watches

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from sidecar.transport.notes import Recorder
    from sidecar.transport.secured import Secured
    from sidecar.transport.tls import TlsState

API_SERVICE = authorization_service_pb2.DESCRIPTOR.services_by_name[
    "AuthorizationService"
].full_name

_Options: TypeAlias = Sequence[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class About:
    """What GetServerInfo tells that is the same on every listener."""

    version: str
    configuration_digest: str
    schema_version: int | None


@dataclass(frozen=True, slots=True)
class _Open:
    bound: str
    server: aio.Server
    secured: "Secured | None"
    file: SocketFile | None


@dataclass(slots=True)
class Servers:
    """Opens listeners, and closes them."""

    backing: Backing
    about: About
    health: Health
    observer: CallObserver
    load: Load
    edge: EdgeBacking | None = None
    watches: Watches | None = None
    around: Around | None = None
    is_seen: Callable[[], object] | None = None
    recorder: "Recorder | None" = None
    _open: list[_Open] = field(default_factory=list)

    async def open(self, listener: Listener) -> str:
        """Opens a listener; gives the address that was bound.

        Raises ListenerError.
        """
        target = listener.address.target
        secured = self._secured(listener)
        server = self._server(listener, secured)
        file = _file_of(listener)
        try:
            bound = _bind(server, listener.address, secured, file)
            await server.start()
            if file is not None:
                file.place()
        except BaseException as error:
            await server.stop(None)
            if file is not None:
                file.remove()
            if not isinstance(error, (RuntimeError, OSError, ValueError)):
                raise
            raise ListenerError(f"cannot listen on `{target}`") from error
        if secured is not None:
            secured.follow()
        self._open.append(_Open(bound, server, secured, file))
        return bound

    def tls(self) -> "dict[str, TlsState]":
        """How TLS is, by the address of each listener that has it."""
        return {
            each.bound: each.secured.state()
            for each in self._open
            if each.secured is not None
        }

    def certificates_are_well(self) -> bool | None:
        """Whether all listeners serve with what their files have; none without TLS."""
        secured = [each.secured for each in self._open if each.secured is not None]
        if not secured:
            return None
        return all(each.certificates.is_well() for each in secured)

    async def close(self, grace_seconds: float) -> None:
        """Lets running calls finish within the grace, then ends all listeners."""
        open_, self._open = self._open, []
        # Streams never end by themselves, and would use up the grace.
        self.health.end()
        if self.watches is not None:
            self.watches.end()
        if open_:
            await self.load.cease()
        await asyncio.gather(*(each.server.stop(grace_seconds) for each in open_))
        for each in open_:
            if each.file is not None:
                each.file.remove()
            if each.secured is not None:
                await each.secured.close()

    def _secured(self, listener: Listener) -> "Secured | None":
        if listener.tls is None:
            return None
        # Certificates need a tenth of the memory that a sidecar without TLS has.
        from sidecar.transport.secured import Secured  # noqa: PLC0415

        return Secured.of(listener.address, listener.tls, self.backing.clock)

    def _server(self, listener: Listener, secured: "Secured | None") -> aio.Server:
        engine = listener.chosen_engine
        interceptors: list[aio.ServerInterceptor[Message, Message]] = []
        options = _options(listener)
        if secured is not None:
            interceptors += secured.interceptors()
            options = (*options, *secured.options())
        server = _new_server(engine, interceptors, options)
        guards = Guards(server, self.observer, self.load, self.around)
        guarded = cast("grpc.Server", guards)
        if Serves.API in listener.serves:
            api = self._api(listener)
            add_AuthorizationServiceServicer_to_server(api, guarded)
        if self.edge is not None and Serves.EDGE in listener.serves:
            edge = self._edge(listener, self.edge)
            external_auth_pb2_grpc.add_AuthorizationServicer_to_server(edge, guarded)
        if Serves.HEALTH in listener.serves:
            health_pb2_grpc.add_HealthServicer_to_server(self.health.servicer, server)
        if Serves.REFLECTION in listener.serves:
            from grpc_reflection.v1alpha import reflection  # noqa: PLC0415  likewise

            names = (API_SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME)
            reflection.enable_server_reflection(names, server)
        return server

    def _api(self, listener: Listener) -> AuthorizationServicer:
        info = ServerInfo(
            self.about.version,
            listener.chosen_engine.value,
            self.about.configuration_digest,
            self.about.schema_version,
            Serves.REFLECTION in listener.serves,
        )
        watches = self.watches if Serves.WATCH in listener.serves else None
        # Whoever records looks at every answer.
        is_seen = self.is_seen if self.recorder is None else always
        servicer = AuthorizationServicer(
            self.backing, listener.policy, info, watches, is_seen=is_seen
        )
        if self.recorder is not None:
            self.recorder.record_api(servicer, listener.address.target)
        return servicer

    def _edge(self, listener: Listener, backing: EdgeBacking) -> ExtAuthzServicer:
        believes_peers = listener.policy.callers is Callers.ANY
        if self.recorder is not None:
            backing = self.recorder.edge(backing)
        servicer = ExtAuthzServicer(backing, believes_peers=believes_peers)
        if self.recorder is not None:
            self.recorder.record_edge(servicer, listener.address.target)
        return servicer


def _new_server(
    engine: Engine,
    interceptors: "Sequence[aio.ServerInterceptor[Message, Message]]",
    options: _Options,
) -> aio.Server:
    if engine is Engine.GRPCIO:
        return aio.server(interceptors=interceptors, options=options)
    # Python answers on one core; a second thread for the wire only takes turns with
    # the first, which cost half of the calls a second on a core they all share.
    return pygrpc_native.aio.Server(
        interceptors=interceptors, options=options, io_threads=1
    )


def _options(listener: Listener) -> _Options:
    limit = listener.policy.limits.message_bytes
    options: _Options = (
        ("grpc.max_receive_message_length", limit),
        ("grpc.max_concurrent_streams", listener.bounds.streams),
        # Two sidecars on one port would share its calls without a word.
        ("grpc.so_reuseport", 0),
    )
    if listener.chosen_engine is Engine.GRPCIO:
        # The other engine refuses to start with what it does not do.
        most = ("grpc.max_allowed_incoming_connections", listener.bounds.connections)
        options = (*options, most)
    return options


def _file_of(listener: Listener) -> SocketFile | None:
    if isinstance(listener.address, UnixAddress):
        return SocketFile.of(listener.address, takes_over=listener.takes_over)
    return None


def _bind(
    server: aio.Server,
    address: Address,
    secured: "Secured | None",
    file: SocketFile | None,
) -> str:
    if file is not None:
        with file.created_with_mode():
            server.add_insecure_port(file.aside.target)
    if isinstance(address, UnixAddress):
        return address.target
    if secured is None:
        port = server.add_insecure_port(address.target)
    else:
        credentials = secured.certificates.credentials()
        port = server.add_secure_port(address.target, credentials)
    return TcpAddress(address.host, port).target
