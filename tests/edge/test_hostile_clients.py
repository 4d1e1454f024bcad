"""Clients who write what no library would, to a real Envoy as it is shipped."""

import asyncio
import json
import re
from typing import Final, cast

import pytest

from tests.support.edge import ANN, Edge

_HEAD: Final = "host: a\r\nconnection: close\r\n"
_KNOWN: Final = f"x-api-key: {ANN}\r\nx-organization-id: 1\r\n"
_FORGED: Final = {"7", "forged"}


async def raw(edge: Edge, text: str, *, to_end: bool = False) -> bytes:
    """The first answer to bytes on the wire, or all; empty when it is cut off."""
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.envoy.port)
    try:
        writer.write(text.encode("latin-1"))
        async with asyncio.timeout(10):
            if to_end:
                return await reader.read()
            head = await reader.readuntil(b"\r\n\r\n")
            # Envoy closes late, so that slow clients can read to the end.
            length = re.search(rb"\r\ncontent-length: ([0-9]+)\r\n", head)
            has_body = length is not None and not text.startswith("HEAD")
            return head + await reader.readexactly(
                int(length[1]) if length is not None and has_body else 0
            )
    except (ConnectionError, asyncio.IncompleteReadError):
        return b""
    finally:
        writer.close()


def reached(answer: bytes) -> dict[str, list[str]] | None:
    """The headers that reached the application, none when it was not reached."""
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 "):
        return None
    found: dict[str, list[str]] = {}
    shown = json.loads(body[body.index(b"{") : body.rindex(b"}") + 1])
    for name, value in cast("list[tuple[str, str]]", shown["headers"]):
        found.setdefault(name.lower().replace("_", "-"), []).append(value)
    return found


async def test_the_plain_request_reaches_the_application(edge: Edge) -> None:
    """What the others twist is good before."""
    found = reached(await raw(edge, f"GET /me HTTP/1.1\r\n{_HEAD}{_KNOWN}\r\n"))

    assert found is not None
    assert ["1"] == found["x-authz-user-id"]


@pytest.mark.parametrize(
    "line",
    [
        "x-authz-user-id: 7",
        "X-AUTHZ-USER-ID: 7",
        "x-authz-user-id:7\r\nx-authz-user-id: forged",
        "x-authz-user-id: 7\r\n folded",
        "x-authz-user-id:\r\n 7",
        "x-authz-user-id : 7",
        " x-authz-user-id: 7",
        "x_authz_user_id: 7",
        "x-authz_user-id: 7",
        "x-authz-user-id: 1,7",
        "x-authz-user-id:\t7\t",
        "x-authz-user-id: 7\0",
        "x-authz-user-id\0: 7",
        "x-other: 1\rx-authz-user-id: 7",
        "x-other: 1\nx-authz-user-id: 7",
        "x-authz-user-id\xff: 7",
        "x-authz-user-id: 7\r\nconnection: x-authz-user-id",
        "connection: x-authz-user-id",
        "connection: x-authz-user-id, x-authz-principal-id, x-api-key",
        "te: trailers\r\nconnection: te, x-authz-user-id",
        "keep-alive: x-authz-user-id\r\nproxy-connection: x-authz-user-id",
    ],
)
async def test_no_way_of_writing_makes_somebody_else(edge: Edge, line: str) -> None:
    """However a header is forged or struck out, the application knows who calls."""
    answer = await raw(edge, f"GET /me HTTP/1.1\r\n{_HEAD}{_KNOWN}{line}\r\n\r\n")
    found = reached(answer)

    if found is None:
        assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 401 "))
    else:
        assert ["1"] == found["x-authz-user-id"]
        assert ["1"] == found["x-authz-principal-id"]
        assert not _FORGED & {value for values in found.values() for value in values}


@pytest.mark.parametrize(
    "line",
    [
        f"x-api-key: {ANN}",
        f"X-Api-Key: {ANN}",
        "x-api-key: gpk_a_b",
        "x-api-key:",
        f"authorization: Bearer {ANN}",
        "authorization:",
        "x-organization-id: 1",
        "x-organization-id: 2",
        "x-organization-id:",
    ],
)
async def test_a_second_value_is_never_chosen_from(edge: Edge, line: str) -> None:
    """A security header twice, or two credentials, is refused whatever they say."""
    answer = await raw(edge, f"GET /me HTTP/1.1\r\n{_HEAD}{_KNOWN}{line}\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "request_line",
    [
        "GET /clusters/6 HTTP/1.1",
        "GET http://a/clusters/6 HTTP/1.1",
        "GET http://healthz/clusters/6 HTTP/1.1",
        "GET /healthz/../clusters/6 HTTP/1.1",
        "GET /healthz/..//clusters/6 HTTP/1.1",
        "GET /healthz%2f..%2fclusters/6 HTTP/1.1",
        "GET /./clusters/./6 HTTP/1.1",
        "GET /clusters/6?/healthz HTTP/1.1",
        "GET /clusters/6#/healthz HTTP/1.1",
        "GET /clusters%2f6 HTTP/1.1",
        "GET /clusters/6/ HTTP/1.1",
        "GET /clusters/6; HTTP/1.1",
        "GET //clusters//6 HTTP/1.1",
        "GET \\clusters\\6 HTTP/1.1",
        "GET /clusters/%36 HTTP/1.1",
        "GET /clusters/6%20 HTTP/1.1",
        "GET clusters/6 HTTP/1.1",
        "GET * HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        "CONNECT a:80 HTTP/1.1",
        "CONNECT /clusters/6 HTTP/1.1",
        "get /clusters/6 HTTP/1.1",
        "GETT /clusters/6 HTTP/1.1",
        "HEAD /clusters/6 HTTP/1.1",
        "PRI * HTTP/2.0",
        "GET /clusters/6 HTTP/1.0",
        "GET /clusters/6",
        "GET  /clusters/6 HTTP/1.1",
        "GET /clusters/6 HTTP/1.1 ",
        "GET /clusters/6 /healthz HTTP/1.1",
    ],
)
async def test_no_way_of_writing_reaches_what_is_denied(
    edge: Edge, request_line: str
) -> None:
    """A cluster that is not visible stays so, however its path is spelt."""
    before = list(edge.application.seen)
    answer = await raw(edge, f"{request_line}\r\n{_HEAD}{_KNOWN}\r\n")

    assert not answer.startswith(b"HTTP/1.1 2")
    assert before == edge.application.seen


@pytest.mark.parametrize(
    "framing",
    [
        "content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "transfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n0\r\n\r\n",
        "transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "transfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
        "transfer-encoding : chunked\r\n\r\n0\r\n\r\n",
        "transfer-encoding:\tchunked\r\ncontent-length: 0\r\n\r\n0\r\n\r\n",
        "content-length: 0\r\ncontent-length: 50\r\n\r\n",
        "content-length: +0\r\n\r\n",
        "content-length: 0, 0\r\n\r\n",
        "content-length: 0\r\n\r\n",
    ],
)
async def test_no_second_request_hides_in_the_first(edge: Edge, framing: str) -> None:
    """Where a body ends is read in one way, so what follows is judged by itself."""
    before = len(edge.application.seen)
    hidden = f"GET /admin HTTP/1.1\r\n{_HEAD}x-authz-user-id: 6\r\n\r\n"
    await raw(
        edge,
        f"POST /healthz HTTP/1.1\r\nhost: a\r\n{framing}{hidden}",
        to_end=True,
    )
    seen = edge.application.seen[before:]

    assert not [each for each in seen if "/admin" in each]


async def test_a_websocket_keeps_its_caller(edge: Edge) -> None:
    """The header that keeps an upgrade alive strikes out no identity."""
    before = len(edge.application.seen)
    answer = await raw(
        edge,
        "GET /clusters/1/shell HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\n"
        f"connection: upgrade, x-authz-user-id\r\n{_KNOWN}"
        "x-authz-user-id: 7\r\n\r\n",
    )

    assert answer.startswith((b"HTTP/1.1 101 ", b"HTTP/1.1 400 "))
    assert len(edge.application.seen) <= before + 1


@pytest.mark.parametrize("kilobytes", [20, 70, 500])
async def test_what_is_too_large_does_not_pass(edge: Edge, kilobytes: int) -> None:
    """A path or a header beyond Envoy's limits, or the sidecar's, reaches nobody."""
    before = list(edge.application.seen)
    long = "a" * (kilobytes * 1024)
    for path, headers in (
        (f"clusters/{long}", _KNOWN),
        ("me", f"x-api-key: {long}\r\n"),
        ("me", f"x-api-key: {ANN}\r\nx-organization-id: {long}\r\n"),
    ):
        answer = await raw(edge, f"GET /{path} HTTP/1.1\r\n{_HEAD}{headers}\r\n")

        assert answer == b"" or answer.startswith(b"HTTP/1.1 4")
    assert before == edge.application.seen
