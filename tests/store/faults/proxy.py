"""A network that fails on demand, between a sidecar and its database."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

_PIECE = 65_536


@dataclass
class Link:
    """One connection through the proxy: from a client to the server."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    is_deaf: bool = False

    def close(self) -> None:
        """Ends both halves at once."""
        for writer in (self.client, self.server):
            writer.transport.abort()


class Proxy:
    """Passes bytes on, both ways, as long as nothing else is said.

    Every fault holds for the connections that there are; silence and delay for later
    ones too.
    """

    def __init__(self, port: int) -> None:
        """`port`: of the server, on 127.0.0.1."""
        self._to = port
        self._links: list[Link] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._loud = asyncio.Event()
        self._loud.set()
        self._delay = 0.0
        self._server: asyncio.Server | None = None

    async def start(self) -> int:
        """Listens; gives the port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        assert isinstance(port, int)
        return port

    def lead(self, port: int) -> None:
        """Connections lead to another server now; those that there are end."""
        self._to = port
        self.cut()

    async def close(self) -> None:
        """Ends everything."""
        assert self._server is not None
        self._server.close()
        self.cut()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def swallow(self) -> None:
        """From now on nothing arrives anywhere, and nobody is told."""
        self._loud.clear()
        for link in self._links:
            link.is_deaf = True

    def delay(self, seconds: float) -> None:
        """Everything takes that much longer, in each direction."""
        self._delay = seconds

    def half_close(self) -> None:
        """The server hears that the clients have gone; they hear nothing any more."""
        for link in self._links:
            link.is_deaf = True
            link.server.transport.abort()

    def cut(self) -> None:
        """Ends every connection; new ones can be had."""
        for link in self._links:
            link.close()
        self._links.clear()

    def mend(self) -> None:
        """Later connections are as they should be; what was swallowed stays lost."""
        self._delay = 0.0
        self._loud.set()

    async def _accept(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            # Only `close` cancels, and the streams would complain of it.
            with suppress(OSError, asyncio.CancelledError):
                await self._carry(reader, writer)
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await self._loud.wait()
        server_reader, server = await asyncio.open_connection("127.0.0.1", self._to)
        link = Link(writer, server)
        self._links.append(link)
        both = [
            asyncio.ensure_future(self._pass(link, reader, server)),
            asyncio.ensure_future(self._pass(link, server_reader, writer)),
        ]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if link.is_deaf:
                # Whoever is left hears of nothing until it gives up by itself.
                await asyncio.wait(both)
        finally:
            for task in both:
                task.cancel()
            await asyncio.gather(*both, return_exceptions=True)
            link.close()

    async def _pass(
        self, link: Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        # Pieces wait each for itself: a delay makes answers late, not few.
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        sending = asyncio.ensure_future(self._send(link, queue, writer))
        clock = asyncio.get_running_loop()
        try:
            while piece := await reader.read(_PIECE):
                queue.put_nowait((clock.time() + self._delay, piece))
            queue.put_nowait((clock.time() + self._delay, b""))
            await sending
        finally:
            sending.cancel()

    @staticmethod
    async def _send(
        link: Link,
        queue: "asyncio.Queue[tuple[float, bytes]]",
        writer: asyncio.StreamWriter,
    ) -> None:
        clock = asyncio.get_running_loop()
        while True:
            due, piece = await queue.get()
            if due > clock.time():
                await asyncio.sleep(due - clock.time())
            if not piece:
                return
            if not link.is_deaf:
                writer.write(piece)
                await writer.drain()
