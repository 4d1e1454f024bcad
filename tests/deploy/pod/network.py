"""A pod's network: a namespace of its own, with its own addresses and ports."""

import asyncio
import ctypes
import fcntl
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final, Self

from tests.deploy.pod.relays import Connect, Ends, Relays

_LIBC: Final = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNET: Final = 0x4000_0000
_SIOCSIFFLAGS: Final = 0x8914
_SIOCSIFADDR: Final = 0x8916
_IFF_UP: Final = 1
_IFF_RUNNING: Final = 64


class Network:
    """A namespace between `made` and `close`; this process makes sockets within it."""

    def __init__(self, namespace: int) -> None:
        self.namespace = namespace
        self._relays = Relays()

    @classmethod
    def made(cls, *addresses: str) -> Self:
        """A new one, that answers at loopback and at these addresses.

        Raises OSError where this process may not.
        """
        own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        try:
            _done(_LIBC.unshare(_CLONE_NEWNET))
            made = cls(os.open("/proc/thread-self/ns/net", os.O_RDONLY))
            _bring_up("lo")
            for number, address in enumerate(addresses):
                _give_address(f"lo:{number}", address)
        finally:
            _done(_LIBC.setns(own, 0))
            os.close(own)
        return made

    async def close(self) -> None:
        """Ends the relays; the namespace ends with its last process and socket."""
        await self._relays.close()
        os.close(self.namespace)

    def tcp(self) -> socket.socket:
        """A socket that is in there, and connected to nothing yet."""
        with self._within():
            made = socket.socket()
        made.settimeout(0)
        return made

    async def connected(self, host: str, port: int) -> socket.socket:
        """A connection to somebody in there; raises OSError."""
        made = self.tcp()
        try:
            await asyncio.get_running_loop().sock_connect(made, (host, port))
        except BaseException:
            made.close()
            raise
        return made

    async def reaches(self, host: str, port: int, connect: Connect) -> None:
        """Leads who connects to this address in there to somebody out here."""
        listening = self.tcp()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        await self._relays.at_socket(listening, connect)

    async def is_reached(self, socket_file: Path, host: str, port: int) -> None:
        """Leads who connects to a socket file out here to this address in there."""

        async def connect() -> Ends:
            return await asyncio.open_connection(sock=await self.connected(host, port))

        await self._relays.at_file(socket_file, connect)

    @contextmanager
    def _within(self) -> Iterator[None]:
        own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        _done(_LIBC.setns(self.namespace, 0))
        try:
            yield
        finally:
            _done(_LIBC.setns(own, 0))
            os.close(own)


def _bring_up(interface: str) -> None:
    with socket.socket() as control:
        request = struct.pack("16sh14x", interface.encode(), _IFF_UP | _IFF_RUNNING)
        fcntl.ioctl(control, _SIOCSIFFLAGS, request)


def _give_address(interface: str, address: str) -> None:
    with socket.socket() as control:
        packed = struct.pack("HH4s8x", socket.AF_INET, 0, IPv4Address(address).packed)
        request = struct.pack("16s16s", interface.encode(), packed)
        fcntl.ioctl(control, _SIOCSIFADDR, request)


def _done(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
