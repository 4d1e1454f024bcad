"""What stands between a client and a database as a pooler does, and what it changes."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

_HEADER = 5
_KEY_DATA = b"K"
_NOTIFICATION = b"A"
_AN_OLDER_PID = struct.pack("!i", 1)


@asynccontextmanager
async def pooler(
    socket: Path, folder: Path, *, hides_pid: bool, drops_notifications: bool
) -> AsyncIterator[None]:
    """Listens in a folder for whoever wants the database at a socket."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_unix_connection(socket)
        sending = asyncio.create_task(_pass_on(reader, forth))
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                header = await back.readexactly(_HEADER)
                kind, (size,) = header[:1], struct.unpack("!i", header[1:])
                body = await back.readexactly(size - 4)
                if kind == _KEY_DATA and hides_pid:
                    body = _AN_OLDER_PID + body[4:]
                if kind != _NOTIFICATION or not drops_notifications:
                    writer.write(header + body)
                    await writer.drain()
        sending.cancel()
        forth.close()
        writer.close()

    server = await asyncio.start_unix_server(serve, folder / socket.name)
    try:
        yield
    finally:
        server.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()
