"""Where keys are read: what a file or a server does, and how much of it is borne."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sidecar.identity.key_sources import FileKeys, HttpsKeys, KeySourceError
from tests.identity.bad_tokens import KEYS
from tests.identity.key_server import (
    Behaviour,
    KeyServer,
    answering,
    chunked,
    hanging,
    key_server,
    raw,
)

SECONDS = 0.3
LARGE = 1024 * 1024


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[KeyServer]:
    """A server that answers with the keys."""
    async with key_server(tmp_path, answering(KEYS)) as serving:
        yield serving


@pytest.mark.parametrize(
    "behave",
    [
        answering(KEYS),
        chunked(KEYS),
        raw(b"HTTP/1.0 200 OK\r\n\r\n" + KEYS),
        answering(KEYS.ljust(LARGE)),
    ],
    ids=["length", "chunks", "until the end", "as large as may be"],
)
async def test_keys_come_over_https(server: KeyServer, behave: Behaviour) -> None:
    """The document arrives in every way that HTTP has to end it."""
    server.behave = behave

    actual = await HttpsKeys(server.url, server.ca_file).read()

    assert KEYS == actual.rstrip()
    assert server.requests[0].startswith(b"GET /keys?v=1 HTTP/1.1\r\nHost: 127.0.0.1:")


@pytest.mark.parametrize(
    ("behave", "reason"),
    [
        (
            answering(b"", "302 Found", "Location: https://127.0.0.1/elsewhere"),
            "the server answers 302",
        ),
        (answering(KEYS, "500 Internal Server Error"), "the server answers 500"),
        (answering(KEYS, "203 Hm"), "the server answers 203"),
        (answering(b"x" * (LARGE + 1)), "it has more than 1048576 bytes"),
        (answering(b"x" * (3 * LARGE)), "it has more than 1048576 bytes"),
        (raw(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 400_000), "it has more than"),
        (raw(b""), "the server does not speak http"),
        (raw(b"garbage\r\n\r\n"), "the server does not speak http"),
        (raw(b"HTTP/1.1 2000 OK\r\n\r\n"), "the server does not speak http"),
        (
            raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{}"),
            "the server does not speak http",
        ),
        (
            raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}"),
            "the server does not speak http",
        ),
    ],
)
async def test_answer_that_is_none_is_an_error(
    server: KeyServer, behave: Behaviour, reason: str
) -> None:
    """Redirects, failures, what is too large and what is no HTTP are errors."""
    server.behave = behave

    with pytest.raises(KeySourceError, match=reason):
        await HttpsKeys(server.url, server.ca_file).read()

    assert 1 == len(server.requests)


@pytest.mark.parametrize(
    "begun",
    [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"],
    ids=["before", "in the headers", "in the body"],
)
async def test_slow_server_is_left(server: KeyServer, begun: bytes) -> None:
    """A server that stops anywhere is left when its time is over."""
    seen = asyncio.Event()
    server.behave = hanging(begun, seen)

    with pytest.raises(KeySourceError, match="takes too long"):
        await HttpsKeys(server.url, server.ca_file, SECONDS).read()
    seen.set()


async def test_unknown_authority_is_refused(server: KeyServer) -> None:
    """Without its authority a server is nobody's, and is asked nothing."""
    with pytest.raises(KeySourceError, match="tls fails"):
        await HttpsKeys(server.url).read()

    assert [] == server.requests


async def test_certificate_must_name_the_host(server: KeyServer) -> None:
    """A right certificate of another name does not do."""
    url = server.url.replace("127.0.0.1", "localhost")

    with pytest.raises(KeySourceError, match="tls fails"):
        await HttpsKeys(url, server.ca_file).read()


async def test_missing_authorities_are_an_error(
    server: KeyServer, tmp_path: Path
) -> None:
    """A file of authorities that is not there, or is none, ends the reading."""
    garbage = tmp_path / "garbage.pem"
    garbage.write_text("garbage")

    for path in (tmp_path / "missing.pem", garbage):
        with pytest.raises(KeySourceError):
            await HttpsKeys(server.url, path).read()


async def test_server_that_is_away_is_an_error(tmp_path: Path) -> None:
    """Nobody at the address is an error without the driver's words."""
    async with key_server(tmp_path, answering(KEYS)) as serving:
        url, ca_file = serving.url, serving.ca_file

    with pytest.raises(KeySourceError, match=r"^there is no connection to be had$"):
        await HttpsKeys(url, ca_file).read()


@pytest.mark.parametrize(
    ("data", "reason"),
    [(None, "no such file or directory"), (b"x" * (LARGE + 1), "it has more than")],
)
async def test_file_that_cannot_be_read_is_an_error(
    tmp_path: Path, data: bytes | None, reason: str
) -> None:
    """A missing file and one that is too large are errors."""
    path = tmp_path / "keys.json"
    if data is not None:
        path.write_bytes(data)

    with pytest.raises(KeySourceError, match=reason):
        await FileKeys(path).read()


async def test_folder_is_no_file(tmp_path: Path) -> None:
    """Neither is a folder of that name a file."""
    with pytest.raises(KeySourceError, match="is a directory"):
        await FileKeys(tmp_path).read()
