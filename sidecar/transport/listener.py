"""Where the sidecar listens: addresses, and which engine serves them."""

import ipaddress
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum, unique
from os import umask
from pathlib import Path
from typing import TypeAlias

from sidecar.transport.parse import ListenerPolicy

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
    """A loopback address; port 0 is any free one."""

    host: str
    port: int

    @property
    def target(self) -> str:
        """The address as gRPC writes it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


Address: TypeAlias = UnixAddress | TcpAddress


@dataclass(frozen=True, slots=True)
class Listener:
    """One listener as it was configured."""

    address: Address
    serves: frozenset[Serves]
    engine: Engine
    policy: ListenerPolicy

    @property
    def chosen_engine(self) -> Engine:
        """The engine that serves it; native wherever it can, unless told."""
        return Engine.NATIVE if self.engine is Engine.AUTO else self.engine


def parse_address(text: str, mode: int) -> Address:
    """`unix:<path>` or `<loopback host>:<port>`.

    Raises:
        ListenerError: the address is malformed, or reaches beyond this machine.
    """
    if text.startswith("unix:"):
        path = text.removeprefix("unix:")
        if not path or "\0" in path:
            raise ListenerError(f"`{text}` names no socket file")
        return UnixAddress(Path(path), mode)
    match = _TCP.fullmatch(text)
    if match is None or int(match["port"]) > _LAST_PORT:
        raise ListenerError(f"`{text}` is neither `unix:<path>` nor `<host>:<port>`")
    host = match["v6"] or match["host"]
    if not _is_loopback(host):
        raise ListenerError(
            f"`{text}` reaches beyond this machine, which needs TLS, and TLS is not "
            "served yet: listen on a Unix socket or on 127.0.0.1"
        )
    return TcpAddress("127.0.0.1" if host == "localhost" else host, int(match["port"]))


@contextmanager
def created_with_mode(address: Address) -> Iterator[None]:
    """Within, a socket file is created with its mode and not a wider one.

    Raises:
        ListenerError: another process answers at the socket, or something that
            is no socket is in its place.
    """
    if isinstance(address, TcpAddress):
        yield
        return
    _refuse_taken(address.path)
    before = umask(0o777 & ~address.mode)
    try:
        yield
    finally:
        umask(before)
    address.path.chmod(address.mode)


def remove_socket(address: Address) -> None:
    """Removes a listener's socket file."""
    if isinstance(address, UnixAddress):
        address.path.unlink(missing_ok=True)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False


def _refuse_taken(path: Path) -> None:
    if not path.exists():
        if not path.parent.is_dir():
            raise ListenerError(f"there is no directory for the socket `{path}`")
        return
    if not path.is_socket():
        raise ListenerError(f"`{path}` exists and is no socket")
    with socket.socket(socket.AF_UNIX) as probe:
        # The engines would replace the file and leave its owner unreachable.
        if probe.connect_ex(str(path)) == 0:
            raise ListenerError(f"another process listens on `{path}`")
