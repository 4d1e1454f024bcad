"""One request over HTTP/1.1, on a connection that is there."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_END: Final = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: str

    @property
    def is_last(self) -> bool:
        """Whether the connection ends with it."""
        return self.headers.get("connection", "").lower() == "close"


async def exchange(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    path: str,
    headers: Mapping[str, str],
    method: str = "GET",
) -> Answer:
    """Sends a request without a body, and reads its answer.

    Raises OSError and IncompleteReadError when the connection ends before that.
    """
    lines = [f"{method} {path} HTTP/1.1", "host: pod.example"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    await writer.drain()
    head = (await reader.readuntil(_END)).decode().removesuffix("\r\n\r\n")
    first, *rest = head.split("\r\n")
    found = {
        name.lower(): value.strip()
        for name, _, value in (line.partition(":") for line in rest)
    }
    if found.get("transfer-encoding") == "chunked":
        body = await _chunks(reader)
    else:
        body = await reader.readexactly(int(found.get("content-length", "0")))
    return Answer(int(first.split()[1]), found, body.decode())


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    found = b""
    while size := int(await reader.readline(), 16):
        found += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return found
