import asyncio
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Final

import django
import pytest
from authz.client import InternalError, TenantContext, Tls
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.test import Client as Browser
from django.test import RequestFactory, override_settings
from django.urls import path
from django.utils.decorators import method_decorator
from django.views import View

from tests.clients.python.examples import ANN, REFUSED, UNDECIDED, example
from tests.support.serving import Place, Schema, Stage


@pytest.fixture(scope="module")
async def target(stage: Stage) -> str:
    """Where a sidecar is."""
    serving = await stage.shared(Place(Schema.REFERENCE, "tenancy"))
    return serving.sidecar.addresses[0]


@pytest.fixture(scope="module")
def shop() -> ModuleType:
    """The example; its settings are those of this process."""
    shop = example("django_app")
    django.setup()
    return shop


@pytest.fixture
def web(target: str, shop: ModuleType) -> Iterator["Web"]:
    """Requests to the example."""
    del shop
    with override_settings(AUTHZ_TARGET=target):
        yield Web()


class Web:
    """A browser in a thread of its own, as the sidecar runs in this loop."""

    def __init__(self) -> None:
        self._browser = Browser(SERVER_NAME="localhost")

    async def get(self, url: str, headers: dict[str, str]) -> HttpResponse:
        """What is answered."""
        found: object = await asyncio.to_thread(self._browser.get, url, headers=headers)
        assert isinstance(found, HttpResponse)
        return found


async def test_a_view_gets_the_tenant(web: Web) -> None:
    """The middleware gives each request as which tenant its caller acts."""
    found = await web.get("/me", ANN)

    assert (200, b'{"user": "2", "principal": "20"}') == (
        found.status_code,
        found.content,
    )


@pytest.mark.parametrize(("headers", "status", "reason"), REFUSED)
async def test_who_is_not_resolved_is_refused(
    web: Web, headers: dict[str, str], status: int, reason: str
) -> None:
    """No header names anybody by itself; a problem document says what is wrong."""
    found = await web.get("/me", headers)

    assert status == found.status_code
    assert f'"reason": "{reason}"' in found.content.decode()
    assert "application/problem+json" == found.headers["content-type"]
    assert ("www-authenticate" in found.headers) is (status == 401)


async def test_a_view_demands_what_its_path_names(web: Web) -> None:
    """Needs take their ids from the path; public views are asked by anybody."""
    personal = {"x-api-key": ANN["x-api-key"]}

    assert 200 == (await web.get("/clusters/501", ANN)).status_code
    assert 404 == (await web.get("/clusters/504", ANN)).status_code
    assert 200 == (await web.get("/clusters/501/restart", ANN)).status_code
    assert 404 == (await web.get("/clusters/501/restart", personal)).status_code
    assert 401 == (await web.get("/clusters/501", {})).status_code
    assert 200 == (await web.get("/alive", {})).status_code


async def test_what_nobody_decided_is_refused(
    web: Web, caplog: pytest.LogCaptureFixture
) -> None:
    """A request that Envoy let pass undecided is refused, public views too."""
    with caplog.at_level(logging.WARNING, "authz.client"):
        for url in ("/me", "/clusters/501", "/alive", "/nowhere"):
            found = await web.get(url, UNDECIDED)
            assert (503, b"") == (found.status_code, found.content)

    ours = [each for each in caplog.records if each.name == "authz.client"]
    assert 4 == len(ours)


@pytest.mark.parametrize("url", ["/me", "/clusters/501"])
async def test_a_sidecar_that_is_away_lets_nothing_pass(
    shop: ModuleType, tmp_path: Path, url: str
) -> None:
    """Without a sidecar every view that is not public is 503, and says nothing."""
    del shop
    with override_settings(AUTHZ_TARGET=f"unix:{tmp_path}/none.sock"):
        found = await Web().get(url, ANN)

    assert (503, b"", "1") == (
        found.status_code,
        found.content,
        found.headers["retry-after"],
    )


async def test_views_in_classes_are_guarded(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A class is guarded by its dispatch; a need without its argument is 503."""
    from authz.client.django import requires  # noqa: PLC0415  settings come first
    from authz.client.needs import visible  # noqa: PLC0415  same

    @method_decorator(requires(visible("cluster", "cluster_id")), name="dispatch")
    class Seen(View):
        def get(self, request: HttpRequest, **_: object) -> HttpResponse:
            assert isinstance(request.tenant, TenantContext)  # type: ignore[attr-defined]
            return HttpResponse("seen")

    urls = ModuleType("urls_of_classes")
    vars(urls)["urlpatterns"] = [
        path("<str:cluster_id>", Seen.as_view()),
        path("other/<str:id>", Seen.as_view()),
    ]
    monkeypatch.setitem(sys.modules, "urls_of_classes", urls)
    with override_settings(ROOT_URLCONF="urls_of_classes"):
        found = [await web.get(url, ANN) for url in ("/501", "/504", "/other/501")]

    assert [200, 404, 503] == [each.status_code for each in found]


def test_a_view_without_the_middleware_does_not_run(shop: ModuleType) -> None:
    """A guarded view is guarded, or fails."""
    request = RequestFactory().get("/")

    with pytest.raises(ImproperlyConfigured, match="lacks TenantMiddleware"):
        shop.cluster(request, cluster_id=501)
    with pytest.raises(InternalError, match="no tenant"):
        shop.me(request)


@pytest.mark.parametrize(
    "changed",
    [
        {"AUTHZ_TARGET": None},
        {"AUTHZ_TARGET": ""},
        {"AUTHZ_TSL": Tls()},
        {"AUTHZ_TLS": {"ca": "ca.pem"}},
        {"AUTHZ_CALLER": 7},
    ],
)
def test_settings_are_checked_at_the_start(
    shop: ModuleType, changed: dict[str, object]
) -> None:
    """A setting that is wrong or misspelt ends the start, and is no default."""
    del shop
    from authz.client.django import TenantMiddleware  # noqa: PLC0415  settings first

    with (
        override_settings(**changed),
        pytest.raises(ImproperlyConfigured, match="AUTHZ_"),
    ):
        TenantMiddleware(lambda _: HttpResponse())


def test_what_cannot_be_guarded_is_refused(shop: ModuleType) -> None:
    """A demand for nothing, and a view that is a coroutine, are errors at once."""

    async def view(request: HttpRequest) -> HttpResponse:
        del request
        return HttpResponse()

    with pytest.raises(ValueError, match="nothing is required"):
        shop.requires()
    with pytest.raises(TypeError, match="no coroutines"):
        shop.requires(shop.visible("cluster", "id"))(view)


FORKING: Final = """
import os
from django.conf import settings
settings.configure(AUTHZ_TARGET="unix:nowhere")
from authz.client.django import Guard
guard = Guard()
before = guard.client
assert guard.client is before
child = os.fork()
if child == 0:
    os._exit(guard.client is before)
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


async def test_a_process_that_was_forked_connects_by_itself() -> None:
    """No connection is shared with the process that an application was loaded in."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", FORKING)

    assert 0 == await asyncio.wait_for(process.wait(), 30)
