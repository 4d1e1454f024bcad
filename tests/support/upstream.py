"""An application behind Envoy: it shows what reached it."""

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

import grpc
from grpc import aio
from typing_extensions import override

_END = b"\r\n\r\n"


@dataclass
class Upstream:
    """An HTTP/1.1 server that answers with the request as JSON.

    It takes part in a websocket's handshake, and remembers every path it saw.
    """

    seen: list[str] = field(default_factory=list)
    _server: asyncio.Server | None = None

    @classmethod
    async def start(cls) -> Self:
        """Binds a free port of loopback."""
        upstream = cls()
        upstream._server = await asyncio.start_server(upstream._serve, "127.0.0.1", 0)
        return upstream

    @property
    def port(self) -> int:
        """The port that was bound."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Ends the server."""
        assert self._server is not None
        self._server.close()

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while await self._answer(reader, writer):
                pass
        writer.close()

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        head = await reader.readuntil(_END)
        first, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
        method, path, _ = first.split(" ")
        headers = [
            (name.lower(), value.strip())
            for name, _, value in (line.partition(":") for line in lines)
        ]
        self.seen.append(f"{method} {path}")
        named = dict(headers)
        if named.get("upgrade", "").lower() == "websocket":
            writer.write(
                b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\n"
                b"upgrade: websocket\r\n\r\n"
            )
            # Echoes what follows, which is all that a test needs of a stream.
            writer.write(await reader.read(1024))
            await writer.drain()
            return False
        body = await _body(reader, named)
        shown = json.dumps(
            {"method": method, "path": path, "headers": headers, "body": body}
        ).encode()
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
            b"content-length: %d\r\n\r\n" % len(shown)
        )
        if method != "HEAD":
            writer.write(shown)
        await writer.drain()
        return True


async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> str:
    if headers.get("transfer-encoding") == "chunked":
        found = b""
        while size := int((await reader.readline()).strip(), 16):
            found += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
        return found.decode("latin-1")
    length = int(headers.get("content-length", "0"))
    return (await reader.readexactly(length)).decode("latin-1")


class _Echo(grpc.GenericRpcHandler):  # type: ignore[type-arg]  # not subscriptable
    @override
    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> "grpc.RpcMethodHandler[bytes, bytes]":
        async def answer(
            request: bytes, context: "aio.ServicerContext[bytes, bytes]"
        ) -> bytes:
            del request
            metadata = context.invocation_metadata() or ()
            pairs = [(str(key), str(value)) for key, value in metadata]
            shown = {"method": handler_call_details.method, "headers": pairs}
            return json.dumps(shown).encode()

        return grpc.unary_unary_rpc_method_handler(answer)


@dataclass
class GrpcUpstream:
    """A gRPC server that answers every unary call with its metadata as JSON."""

    server: aio.Server
    port: int

    @classmethod
    async def start(cls) -> Self:
        """Binds a free port of loopback."""
        server = aio.server()
        server.add_generic_rpc_handlers((_Echo(),))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        return cls(server, port)

    async def close(self) -> None:
        """Ends the server."""
        await self.server.stop(None)
