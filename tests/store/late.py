"""A way to a database on which all that it says arrives late."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit, urlunsplit

_NAME = ".s.PGSQL.5432"
_PIECE = 65_536


@asynccontextmanager
async def late(url: str, seconds: float) -> AsyncIterator[str]:
    """The address of the same database, through a socket that lags behind.

    `url` must name the folder of the server's socket.
    """
    parts = urlsplit(url)
    real = Path(parse_qs(parts.query)["host"][0]) / _NAME
    tasks: set[asyncio.Task[None]] = set()

    async def accept(
        client: asyncio.StreamReader, to_client: asyncio.StreamWriter
    ) -> None:
        server, to_server = await asyncio.open_unix_connection(real)
        for task in (
            asyncio.create_task(_carry(client, to_server, 0.0)),
            asyncio.create_task(_carry(server, to_client, seconds)),
        ):
            tasks.add(task)

    with tempfile.TemporaryDirectory(prefix="authz-late-") as folder:
        listening = await asyncio.start_unix_server(accept, Path(folder) / _NAME)
        try:
            yield urlunsplit(parts._replace(query=f"host={folder}"))
        finally:
            listening.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _carry(
    source: asyncio.StreamReader, target: asyncio.StreamWriter, seconds: float
) -> None:
    loop = asyncio.get_running_loop()
    with suppress(ConnectionError):
        while piece := await source.read(_PIECE):
            # Timers of one delay end in the order in which they began.
            loop.call_later(seconds, target.write, piece)
    loop.call_later(seconds, target.close)
