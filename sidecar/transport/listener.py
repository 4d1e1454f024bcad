"""Where the sidecar listens: addresses, and which engine serves them."""

import ipaddress
import re
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, unique
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from sidecar.transport.parse import Callers, ListenerPolicy

if TYPE_CHECKING:
    from sidecar.transport.tls import Tls

_TCP = re.compile(r"(?:\[(?P<v6>[0-9a-fA-F:]+)\]|(?P<host>[^:\s]+)):(?P<port>\d{1,5})")
_LAST_PORT = 65_535


class ListenerError(Exception):
    """A listener cannot be opened; the message says which and why."""


@unique
class Engine(Enum):
    """What speaks HTTP/2."""

    AUTO = "auto"
    NATIVE = "native"
    GRPCIO = "grpcio"


@unique
class Serves(Enum):
    """What a listener can serve."""

    API = "api"
    EDGE = "edge"
    HEALTH = "health"
    REFLECTION = "reflection"
    WATCH = "watch"


@dataclass(frozen=True, slots=True)
class UnixAddress:
    """A socket file and its mode."""

    path: Path
    mode: int

    @property
    def target(self) -> str:
        """The address as gRPC writes it."""
        return f"unix:{self.path}"


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """A host and a port; port 0 is any free one."""

    host: str
    port: int

    @property
    def target(self) -> str:
        """The address as gRPC writes it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can connect."""
        with suppress(ValueError):
            return ipaddress.ip_address(self.host).is_loopback
        return False


Address: TypeAlias = UnixAddress | TcpAddress


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many connections at once, and how many requests on each of them."""

    connections: int = 1_024
    streams: int = 1_024


@dataclass(frozen=True, slots=True)
class Listener:
    """One listener as it was configured.

    Raises ListenerError when it would believe callers whom nothing proves.
    """

    address: Address
    serves: frozenset[Serves]
    engine: Engine
    policy: ListenerPolicy
    tls: "Tls | None" = None
    bounds: Bounds = Bounds()
    takes_over: bool = False

    def __post_init__(self) -> None:
        if Serves.WATCH in self.serves:
            _refuse_watch(self)
        if self.takes_over and isinstance(self.address, TcpAddress):
            raise ListenerError(
                f"`{self.address.target}` has `takes_over`, which is for Unix sockets"
            )
        if self.tls is None:
            _refuse_plain(self.address, self.serves)
            return
        if isinstance(self.address, UnixAddress):
            raise ListenerError(
                f"`{self.address.target}` takes no `tls`: who may open the socket "
                "file, by its `mode` and its directory, may call"
            )
        if self.engine is Engine.NATIVE:
            raise ListenerError(
                f"`{self.address.target}` has `tls`, which the engine `native` does "
                "not speak: leave `engine` out, or set `grpcio`"
            )
        if not self.address.is_loopback:
            _refuse_strangers(self.address, self.tls, self.policy)

    @property
    def chosen_engine(self) -> Engine:
        """The engine that serves it; native wherever it can, unless told."""
        if self.engine is not Engine.AUTO:
            return self.engine
        return Engine.NATIVE if self.tls is None else Engine.GRPCIO


def parse_address(text: str, mode: int) -> Address:
    """`unix:<path>` or `<host>:<port>`; raises ListenerError for any other."""
    if text.startswith("unix:"):
        path = text.removeprefix("unix:")
        if not path or "\0" in path:
            raise ListenerError(f"`{text}` names no socket file")
        return UnixAddress(Path(path), mode)
    match = _TCP.fullmatch(text)
    if match is None or int(match["port"]) > _LAST_PORT:
        raise ListenerError(f"`{text}` is neither `unix:<path>` nor `<host>:<port>`")
    host = match["v6"] or match["host"]
    return TcpAddress("127.0.0.1" if host == "localhost" else host, int(match["port"]))


def _refuse_watch(listener: Listener) -> None:
    target = listener.address.target
    if listener.policy.callers is Callers.CREDENTIALS:
        raise ListenerError(
            f"`{target}` has `callers: credentials` and would serve `watch`, which "
            "shows its callers the keys of all tenants: leave `watch` out of `services`"
        )
    if Serves.API not in listener.serves:
        raise ListenerError(
            f"`{target}` serves `watch` without `api`, of which it is a call: add `api`"
        )


def _refuse_plain(address: Address, serves: frozenset[Serves]) -> None:
    if isinstance(address, UnixAddress) or address.is_loopback:
        return
    # Health believes nobody and tells of nobody, and kubelets ask it without TLS.
    if serves == {Serves.HEALTH}:
        return
    raise ListenerError(
        f"`{address.target}` reaches beyond this machine, which needs `tls`, and with "
        "it `client_ca` and `allowed_names`, or `callers: credentials`; without, "
        "listen on a Unix socket or on 127.0.0.1, or serve `health` alone"
    )


def _refuse_strangers(address: TcpAddress, tls: "Tls", policy: ListenerPolicy) -> None:
    if policy.callers is Callers.CREDENTIALS or tls.allowed_names:
        return
    whom, needed = (
        ("everybody", "`client_ca` and `allowed_names`")
        if tls.files.client_ca is None
        else ("everybody whom `client_ca` vouches for", "`allowed_names`")
    )
    raise ListenerError(
        f"`{address.target}` reaches beyond this machine and would believe {whom}: "
        f"set {needed} to say who may call, or `callers: credentials`"
    )
