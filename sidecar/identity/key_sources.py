"""Where a key set is read: a file, or an HTTPS server.

What is read is bounded: at most 1 MiB, and a server has at most five seconds for
all of it, from the look-up of its name to the last byte.
"""

import asyncio
import http.client
import io
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, cast
from urllib.parse import urlsplit

from typing_extensions import override

if TYPE_CHECKING:
    import socket

_DOCUMENT_BYTES: Final = 1024 * 1024
_HEADER_BYTES: Final = 64 * 1024
_TOO_LARGE: Final = f"it has more than {_DOCUMENT_BYTES} bytes"
_SECONDS: Final = 5.0
_FILE_SECONDS: Final = 1.0
_REFRESH_SECONDS: Final = 300.0
_APART_SECONDS: Final = 30.0


class KeySourceError(Exception):
    """The key set cannot be read; the message says why, for the log."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often keys are read, in seconds.

    `refresh` passes between readings that work. An unknown key has them read again
    once `apart` has passed since the latest, for which a question waits up to
    `patience`. Keys that were read longer than `max_age` ago judge nothing.
    """

    refresh: float
    apart: float
    max_age: float
    patience: float = 1.0


class KeySource(Protocol):
    """Reads the document of a key set."""

    def pace(self, max_age: float) -> Pace:
        """How often it is to be read, when its keys serve `max_age` seconds."""
        ...

    async def read(self) -> bytes:
        """The document as it is now.

        Raises:
            KeySourceError: it cannot be had, or is too large.
        """
        ...


@dataclass(frozen=True, slots=True)
class FileKeys(KeySource):
    """A JWKS file, behind whatever links there are at the moment."""

    path: Path

    @override
    def pace(self, max_age: float) -> Pace:
        """Each second: a look at a file costs next to nothing."""
        return Pace(_FILE_SECONDS, _FILE_SECONDS, max_age)

    @override
    async def read(self) -> bytes:
        """The document as it is now."""
        return await asyncio.to_thread(self._read)

    def _read(self) -> bytes:
        try:
            with self.path.open("rb") as file:
                data = file.read(_DOCUMENT_BYTES + 1)
        except OSError as error:
            reason = error.strerror or "it cannot be read"
            raise KeySourceError(reason.lower()) from error
        return _bounded(data)


@dataclass(frozen=True, slots=True)
class HttpsKeys(KeySource):
    """A JWKS document at an https:// URL. No redirect is followed, no proxy asked.

    `ca_file` has the authorities that are trusted instead of the system's.
    """

    url: str
    ca_file: Path | None = None
    seconds: float = _SECONDS

    @override
    def pace(self, max_age: float) -> Pace:
        """Twelve times an hour, and so that several readings may fail."""
        return Pace(min(_REFRESH_SECONDS, max_age / 4), _APART_SECONDS, max_age)

    @override
    async def read(self) -> bytes:
        """The document as it is now."""
        try:
            async with asyncio.timeout(self.seconds):
                return _body(await self._exchange())
        except TimeoutError as error:
            raise KeySourceError("the server takes too long") from error
        except ssl.SSLError as error:
            raise KeySourceError(f"tls fails: {error.reason}".lower()) from error
        except (OSError, UnicodeError) as error:
            raise KeySourceError("there is no connection to be had") from error

    async def _exchange(self) -> bytes:
        parts = urlsplit(self.url)
        # Made anew each time, so that authorities too can be exchanged.
        context = await asyncio.to_thread(self._context)
        reader, writer = await asyncio.open_connection(
            parts.hostname, parts.port or http.client.HTTPS_PORT, ssl=context
        )
        try:
            target = parts.path or "/"
            target += f"?{parts.query}" if parts.query else ""
            writer.write(
                f"GET {target} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
                "Accept: application/json\r\nAccept-Encoding: identity\r\n"
                "User-Agent: authz-sidecar\r\nConnection: close\r\n\r\n".encode("ascii")
            )
            await writer.drain()
            return await _read_to_end(reader)
        finally:
            # Not waited for: a server need not agree to be left.
            writer.transport.abort()

    def _context(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self.ca_file)
        except (OSError, ValueError) as error:
            raise KeySourceError("its `ca_file` cannot be read") from error


async def _read_to_end(reader: asyncio.StreamReader) -> bytes:
    most = _HEADER_BYTES + _DOCUMENT_BYTES
    received = bytearray()
    while piece := await reader.read(_HEADER_BYTES):
        received += piece
        if len(received) > most:
            raise KeySourceError(_TOO_LARGE)
    return bytes(received)


class _Received:
    # What http.client reads an answer from.

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, mode: str) -> io.BytesIO:
        del mode
        return io.BytesIO(self._data)


def _body(received: bytes) -> bytes:
    source = cast("socket.socket", _Received(received))
    response = http.client.HTTPResponse(source)
    try:
        response.begin()
        if response.status != http.client.OK:
            raise KeySourceError(f"the server answers {response.status}")
        return _bounded(response.read())
    except (http.client.HTTPException, ValueError) as error:
        raise KeySourceError("the server does not speak http") from error


def _bounded(data: bytes) -> bytes:
    if len(data) > _DOCUMENT_BYTES:
        raise KeySourceError(_TOO_LARGE)
    return data
