import logging
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from authz.client import (
    AsyncClient,
    InternalError,
    InvalidRequestError,
    UnauthenticatedError,
)
from authz.client.fastapi import Guard, Refusals
from authz.client.identity import trusting
from authz.client.needs import visible
from starlette.applications import Starlette
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.clients.python.examples import ANN, REFUSED, ROOT, UNDECIDED, example
from tests.support.serving import Place, Schema, Stage


@pytest.fixture(scope="module")
async def target(stage: Stage) -> str:
    """Where a sidecar is."""
    serving = await stage.shared(Place(Schema.REFERENCE, "tenancy"))
    return serving.sidecar.addresses[0]


@pytest.fixture
async def web(
    target: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx.AsyncClient]:
    """Requests to the example."""
    shop = example("fastapi_app")
    monkeypatch.setattr(shop, "TARGET", target)
    transport = httpx.ASGITransport(shop.app)
    async with (
        shop.guard.lifespan(shop.app),
        httpx.AsyncClient(transport=transport, base_url="http://shop") as web,
    ):
        yield web


async def test_a_route_gets_the_tenant(web: httpx.AsyncClient) -> None:
    """A dependency gives as which tenant the caller acts."""
    found = await web.get("/me", headers=ANN)

    assert (200, {"user": "2", "principal": "20"}) == (found.status_code, found.json())


@pytest.mark.parametrize(("headers", "status", "reason"), REFUSED)
async def test_who_is_not_resolved_is_refused(
    web: httpx.AsyncClient, headers: dict[str, str], status: int, reason: str
) -> None:
    """No header names anybody by itself; a problem document says what is wrong."""
    found = await web.get("/me", headers=headers)

    assert (status, reason) == (found.status_code, found.json()["reason"])
    assert "application/problem+json" == found.headers["content-type"]
    assert ("www-authenticate" in found.headers) is (status == 401)


async def test_a_route_demands_what_its_path_names(web: httpx.AsyncClient) -> None:
    """Needs take their ids from the path; foreign and missing look alike."""
    seen = await web.get("/clusters/501", headers=ANN)
    foreign = await web.get("/clusters/504", headers=ANN)
    missing = await web.get("/clusters/99999", headers=ANN)
    restarted = await web.post("/clusters/501/restart", headers=ANN)
    personal = {"x-api-key": ANN["x-api-key"]}
    refused = await web.post("/clusters/501/restart", headers=personal)

    assert {"cluster": "501", "user": "2"} == seen.json()
    assert (404, "RESOURCE_NOT_FOUND") == (
        foreign.status_code,
        foreign.json()["reason"],
    )
    assert foreign.json() | {"decision_id": ""} == missing.json() | {"decision_id": ""}
    assert {"restarted": "501", "user": "2"} == restarted.json()
    assert 404 == refused.status_code


async def test_lists_have_only_what_may_be_listed(web: httpx.AsyncClient) -> None:
    """A list filter narrows what is read, and no more than it must."""
    own = await web.get("/models", headers=ANN)
    everything = await web.get("/models", headers=ROOT)

    assert ([1], []) == (own.json(), everything.json())


async def test_what_nobody_decided_is_refused(
    web: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    """A request that Envoy let pass undecided is refused, unguarded routes too."""
    with caplog.at_level(logging.WARNING, "authz.client"):
        for path in ("/me", "/clusters/501", "/openapi.json"):
            found = await web.get(path, headers=UNDECIDED)
            assert (503, b"") == (found.status_code, found.content)

    assert 3 == len(caplog.records)


async def test_a_sidecar_that_is_away_lets_nothing_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a sidecar every guarded route is 503, and says nothing."""
    shop = example("fastapi_app")
    monkeypatch.setattr(shop, "TARGET", f"unix:{tmp_path}/none.sock")
    transport = httpx.ASGITransport(shop.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as web:
        before = await web.get("/me", headers=ANN)
        async with shop.guard.lifespan(shop.app):
            for path in ("/me", "/clusters/501", "/models"):
                found = await web.get(path, headers=ANN)
                assert (503, b"", "1") == (
                    found.status_code,
                    found.content,
                    found.headers["retry-after"],
                )
        after = await web.get("/me", headers=ANN)

    assert [503, 503] == [before.status_code, after.status_code]


async def test_a_need_without_its_parameter_lets_nothing_pass(target: str) -> None:
    """A route that lacks the parameter of its need is a defect, not an allowance."""
    guard = Guard(lambda: AsyncClient.connect(target))
    ask = guard.requires(visible("cluster", "missing"))
    scope: Scope = {"type": "http", "headers": _raw(ANN), "path_params": {"id": "501"}}
    async with guard.lifespan(Starlette()):
        with pytest.raises(InternalError, match="no id in `missing`"):
            await ask(HTTPConnection(scope))


async def test_a_header_may_be_trusted(target: str) -> None:
    """Where a proxy vouches for a header, it names the caller."""
    guard = Guard(
        lambda: AsyncClient.connect(target), caller_of=trusting("X-Authz-User-Id")
    )
    named: Scope = {
        "type": "http",
        "headers": _raw({"x-authz-user-id": "2", "x-organization-id": "20"}),
    }
    twice: Scope = {"type": "http", "headers": [*named["headers"], *named["headers"]]}
    nobody: Scope = {"type": "http", "headers": _raw({"x-authz-user-id": ""})}
    async with guard.lifespan(Starlette()):
        tenant = await guard.tenant(HTTPConnection(named))
        with pytest.raises(InvalidRequestError):
            await guard.tenant(HTTPConnection(twice))
        with pytest.raises(UnauthenticatedError):
            await guard.tenant(HTTPConnection(nobody))

    assert ("2", "20") == (tenant.user_id, tenant.current_principal_id)


def test_nothing_cannot_be_required() -> None:
    """A dependency that would demand nothing is refused when it is written."""
    with pytest.raises(ValueError, match="nothing is required"):
        Guard(lambda: AsyncClient.connect("unix:none")).requires()


@pytest.mark.parametrize(("headers", "code"), [({}, 1008), (UNDECIDED, 1013)])
async def test_websockets_are_closed(headers: dict[str, str], code: int) -> None:
    """A websocket that is refused is closed, before or after it was accepted."""
    guard = Guard(lambda: AsyncClient.connect("unix:none"))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        await send({"type": "websocket.accept"})
        await guard.tenant(HTTPConnection(scope))

    sent = await _sent(Refusals(app), {"type": "websocket", "headers": _raw(headers)})

    assert ("websocket.close", code) == (sent[-1]["type"], sent[-1]["code"])


async def test_half_a_response_is_broken_off() -> None:
    """An error after the response began is not made to look like its end."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise InternalError("late")

    with pytest.raises(InternalError, match="late"):
        await _sent(Refusals(app), {"type": "http", "headers": []})


async def _sent(app: ASGIApp, scope: Scope) -> list[Message]:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent


def _raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), text.encode()) for name, text in headers.items()]
