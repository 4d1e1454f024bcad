"""End to end, beside plain requests: websockets, browsers, shadows and gRPC."""

import json
from typing import Final

import grpc
import pytest
from grpc import aio

from tests.edge.asking import AURORA, FORGED, ours, raw
from tests.support.edge import (
    ANN,
    Edge,
    shown,
)


async def test_a_websocket_is_judged_at_its_handshake(edge: Edge) -> None:
    """Who may not is told so before any upgrade; who may, talks to the application."""
    template = (
        "GET /clusters/{}/shell HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\n"
        f"upgrade: websocket\r\nx-api-key: {ANN}\r\nx-organization-id: 1\r\n\r\n"
    )
    allowed = await raw(edge, template.format(1).encode(), then=b"hello")
    denied = await raw(edge, template.format(6).encode(), until=b"}")

    assert allowed.startswith(b"HTTP/1.1 101 ")
    assert allowed.endswith(b"hello")
    assert denied.startswith(b"HTTP/1.1 404 ")


_PREFLIGHT: Final = {
    "origin": "https://console.example",
    "access-control-request-method": "PUT",
}


async def test_preflights_of_known_routes_pass(edge: Edge) -> None:
    """A browser asks first, without a credential; the application answers it."""
    response = await edge.http.options("/clusters/1", headers=_PREFLIGHT)

    assert "OPTIONS" == response.json()["method"]
    assert {} == ours(shown(response))


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/nowhere", _PREFLIGHT),
        ("/clusters/1", {"origin": "https://console.example"}),
        ("/clusters/1", {"access-control-request-method": "PUT"}),
        ("/clusters/1", {**_PREFLIGHT, "access-control-request-method": "DELETE"}),
        ("/me", {**_PREFLIGHT, "host": "keeping.test"}),
    ],
)
async def test_what_is_no_preflight_does_not_pass_as_one(
    edge: Edge, path: str, headers: dict[str, str]
) -> None:
    """Without both headers, a route, and the opt-in it is a request like any other."""
    response = await edge.http.options(path, headers=headers)

    assert 403 == response.status_code


async def test_denials_carry_cors_headers_for_listed_origins(edge: Edge) -> None:
    """A page of a listed origin may read why; others may not."""
    listed = await edge.http.get("/me", headers={"origin": "https://console.example"})
    other = await edge.http.get("/me", headers={"origin": "https://evil.example"})

    assert "https://console.example" == listed.headers["access-control-allow-origin"]
    assert "true" == listed.headers["access-control-allow-credentials"]
    assert "access-control-allow-origin" not in other.headers
    assert "Origin" == listed.headers["vary"] == other.headers["vary"]


async def test_a_shadow_lets_pass_and_says_so(edge: Edge) -> None:
    """What would be denied passes as nobody, with a header that says what would be."""
    headers = {**AURORA, **FORGED, "host": "shadow.test"}
    response = await edge.http.get("/admin", headers=headers)

    assert (
        "would-deny 403 PLATFORM_ADMIN_REQUIRED" == (response.headers["x-authz-shadow"])
    )
    assert {} == ours(shown(response))


def _say(edge: Edge, method: str) -> "aio.UnaryUnaryMultiCallable[bytes, bytes]":
    channel = aio.insecure_channel(f"127.0.0.1:{edge.envoy.port}")
    return channel.unary_unary(f"/grpc.test.Echo/{method}", None, None)


async def test_grpc_calls_pass_with_the_caller_in_metadata(edge: Edge) -> None:
    """A gRPC application is told in metadata who calls."""
    metadata = tuple(AURORA.items())
    answer = json.loads(await _say(edge, "Say")(b"", metadata=metadata, timeout=10))
    found = dict(answer["headers"])

    assert ("1", "1") == (found["x-authz-user-id"], found["x-authz-principal-id"])
    assert "x-api-key" not in found


@pytest.mark.parametrize(
    ("method", "metadata", "code", "words"),
    [
        ("Say", {}, grpc.StatusCode.UNAUTHENTICATED, "a credential is required"),
        ("Admin", AURORA, grpc.StatusCode.PERMISSION_DENIED,
         "only a platform admin may do this"),
        ("Other", AURORA, grpc.StatusCode.PERMISSION_DENIED,
         "no route is declared for this method and path"),
    ],
)  # fmt: skip
async def test_grpc_callers_are_told_statuses(
    edge: Edge, method: str, metadata: dict[str, str], code: grpc.StatusCode, words: str
) -> None:
    """A gRPC client gets a status with a short text, not a page."""
    with pytest.raises(aio.AioRpcError) as caught:
        await _say(edge, method)(b"", metadata=tuple(metadata.items()), timeout=10)

    assert (code, words) == (caught.value.code(), caught.value.details())
