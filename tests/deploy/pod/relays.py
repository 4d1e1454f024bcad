"""Servers that pass on what they get to another, since networks end at namespaces."""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeAlias

_CHUNK: Final = 65_536

Ends: TypeAlias = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect: TypeAlias = Callable[[], Coroutine[None, None, Ends]]


class Relays:
    """Relays until they are closed, with all connections."""

    def __init__(self) -> None:
        self._servers: list[asyncio.Server] = []
        self._passing: set[asyncio.Task[None]] = set()

    async def at_socket(self, listening: socket.socket, connect: Connect) -> None:
        """Relays from a socket that is bound."""
        server = await asyncio.start_server(self._began(connect), sock=listening)
        self._servers.append(server)

    async def at_port(self, connect: Connect) -> int:
        """Relays from a free port of 127.0.0.1, which is given."""
        server = await asyncio.start_server(self._began(connect), "127.0.0.1", 0)
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    async def at_file(self, path: Path, connect: Connect) -> None:
        """Relays from a socket file."""
        self._servers.append(
            await asyncio.start_unix_server(self._began(connect), path)
        )

    async def close(self) -> None:
        """Ends them."""
        for server in self._servers:
            server.close()
        for task in tuple(self._passing):
            task.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)

    def _began(
        self, connect: Connect
    ) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]:
        def began(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.create_task(_relay((reader, writer), connect))
            self._passing.add(task)
            task.add_done_callback(self._passing.discard)

        return began


async def _relay(client: Ends, connect: Connect) -> None:
    writers = [client[1]]
    try:
        with suppress(OSError):
            other = await connect()
            writers.append(other[1])
            await asyncio.gather(
                _pass_on(client[0], other[1]), _pass_on(other[0], client[1])
            )
    finally:
        for each in writers:
            each.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
    writer.close()
