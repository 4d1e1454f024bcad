"""TLS in front of a database that was built without: real certificates, real bytes."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.authority import Issued

# The first message of a client that wants TLS; any other first message gets nothing.
_REQUEST: Final = bytes.fromhex("0000000804d2162f")


@dataclass
class Front:
    """Listens on `port` of 127.0.0.1; `secured` counts who came through by TLS."""

    port: int
    secured: int = 0


@asynccontextmanager
async def tls_front(issued: Issued, folder: Path, port: int) -> AsyncIterator[Front]:
    """Takes TLS alone, and passes on what is in it to a port of 127.0.0.1.

    `folder` is where it puts its files.
    """
    context = _context(issued, folder)
    front = Front(0)
    serving: set[asyncio.Task[None]] = set()

    def began(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(_serve(front, context, port, (reader, writer)))
        serving.add(task)
        task.add_done_callback(serving.discard)

    server = await asyncio.start_server(began, "127.0.0.1", 0)
    front.port = server.sockets[0].getsockname()[1]
    try:
        yield front
    finally:
        server.close()
        for task in tuple(serving):
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


async def _serve(
    front: Front,
    context: ssl.SSLContext,
    port: int,
    client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
) -> None:
    reader, writer = client
    with suppress(OSError, asyncio.IncompleteReadError):
        if await reader.readexactly(len(_REQUEST)) == _REQUEST:
            writer.write(b"S")
            await writer.start_tls(context)
            front.secured += 1
            await _connect_through(reader, writer, port)
    writer.close()


async def _connect_through(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int
) -> None:
    inside_reader, inside_writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        await asyncio.gather(
            _pass_on(reader, inside_writer), _pass_on(inside_reader, writer)
        )
    finally:
        inside_writer.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()


def _context(issued: Issued, folder: Path) -> ssl.SSLContext:
    certificate, key = folder / "server.crt", folder / "server.key"
    certificate.write_bytes(issued.pem)
    key.write_bytes(issued.key_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
