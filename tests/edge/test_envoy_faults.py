"""What Envoy answers when the sidecar cannot: 503, and nothing passes."""

import asyncio
import contextlib
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import asyncpg
import httpx
import pytest
import yaml

from sidecar.edge.reloading import Routes
from sidecar.store.embedded import EmbeddedPostgres
from tests.support.edge import ANN, ROUTES, Edge, shown, stored_example, told
from tests.support.mesh import Envoy
from tests.support.serving import socket_folder
from tests.support.upstream import Upstream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_AURORA: Final = {"x-api-key": ANN, "x-organization-id": "1"}


@pytest.fixture(params=["native", "grpcio"])
async def own_edge(
    request: pytest.FixtureRequest, postgres: EmbeddedPostgres
) -> "AsyncIterator[tuple[Edge, str, Path]]":
    """An edge that the test may break, its database, and its file of routes."""
    engine = str(request.param)
    number = time.monotonic_ns()
    url = await stored_example(postgres, f"edge_{number}")
    with socket_folder() as name:
        folder = Path(name)
        routes = folder / "routes.yaml"
        routes.write_bytes(ROUTES.read_bytes())
        edge = await Edge.start(
            url, folder, engine,
            edge={"routes_file": str(routes), "reload_interval": 0.02, "budget": 1},
        )  # fmt: skip
        yield edge, url, routes
        await edge.close()


Own = tuple[Edge, str, Path]


async def test_a_stopped_sidecar_lets_nothing_pass(own_edge: Own) -> None:
    """Without a sidecar every request ends with 503, public routes too."""
    edge, _, _ = own_edge
    shown(await edge.http.get("/me", headers=_AURORA))
    seen = list(edge.application.seen)
    await edge.sidecar.stop()
    answers = [
        await edge.http.get(path, headers=_AURORA) for path in ("/me", "/healthz", "/x")
    ]

    assert [503, 503, 503] == [answer.status_code for answer in answers]
    assert seen == edge.application.seen


async def test_a_sidecar_that_never_answers_lets_nothing_pass() -> None:
    """Envoy gives up by its own time-out, and answers 503."""
    with socket_folder() as name:
        socket = Path(name) / "silent.sock"
        silent = await asyncio.start_unix_server(_swallow, socket)
        application = await Upstream.start()
        envoy = await Envoy.start(Path(name), socket, application.port)
        async with httpx.AsyncClient(base_url=envoy.url) as http:
            response = await http.get("/healthz")
        await envoy.close()
        await application.close()
        silent.close()

    assert 503 == response.status_code
    assert [] == application.seen


async def _swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while await reader.read(1024):
            pass
    writer.close()


async def test_slow_facts_end_within_envoys_time_out(own_edge: Own) -> None:
    """The sidecar's own budget ends before Envoy's, with an error and no verdict."""
    edge, url, _ = own_edge
    locking = await asyncpg.connect(url)
    holding = locking.transaction()
    await holding.start()
    await locking.execute("lock table authz.api_keys in access exclusive mode")
    response = await edge.http.get("/me", headers=_AURORA)
    public = await edge.http.get("/healthz")
    await holding.rollback()
    await locking.close()

    assert 503 == response.status_code
    assert 200 == public.status_code
    shown(await edge.http.get("/me", headers=_AURORA))


async def test_a_change_of_facts_counts_for_the_next_request(own_edge: Own) -> None:
    """A key that is revoked in the database opens nothing any more."""
    edge, url, _ = own_edge
    shown(await edge.http.get("/me", headers=_AURORA))
    connection = await asyncpg.connect(url)
    await connection.execute(
        "update authz.api_keys set revoked_at = now() where lookup_id = 'annlaptop'"
    )
    await connection.close()
    async with asyncio.timeout(10):
        while True:
            response = await edge.http.get("/me", headers=_AURORA)
            if response.status_code != 200:
                break

    assert (401, "INVALID_CREDENTIAL") == told(response)


def _routes(edge: Edge) -> Routes:
    assert edge.sidecar.routes is not None
    return edge.sidecar.routes


def _with_route(path: str, rest: str) -> str:
    root = yaml.safe_load(ROUTES.read_text(encoding="utf-8"))
    route = yaml.safe_load(f"{{path: {path}, methods: [GET], {rest}}}")
    root["rule_sets"]["api"]["routes"].append(route)
    return yaml.safe_dump(root)


def _versions(routes: Path, changing: Iterable[str]) -> list[str]:
    """Folders beside the file, as Kubernetes mounts them, with a symlink to one."""
    names = []
    for number, rest in enumerate(changing):
        version = routes.parent / f"..v{number}"
        version.mkdir()
        (version / "routes.yaml").write_text(_with_route("/changing", rest))
        names.append(version.name)
    (routes.parent / "..data").symlink_to(names[0])
    routes.unlink()
    routes.symlink_to("..data/routes.yaml")
    return names


async def test_routes_are_replaced_under_load_without_a_wrong_answer(
    own_edge: Own,
) -> None:
    """While files change by a swapped symlink, each request has one file's answer.

    One file has a route that is open to all, the other demands a credential there;
    a route that both have is always answered the same.
    """
    edge, _, routes = own_edge
    versions = _versions(routes, ("public: true", "require: []"))
    await _reloaded(edge, 1)
    answers: list[tuple[int, int, int]] = []
    done = asyncio.Event()

    async def ask() -> None:
        while not done.is_set():
            changing = await edge.http.get("/changing")
            steady = await edge.http.get("/me")
            public = await edge.http.get("/healthz")
            answers.append(
                (changing.status_code, steady.status_code, public.status_code)
            )

    asking = [asyncio.create_task(ask()) for _ in range(4)]
    for number in range(1, 11):
        spare = routes.parent / "..spare"
        spare.symlink_to(versions[number % 2])
        spare.rename(routes.parent / "..data")
        await _reloaded(edge, 1 + number)
        await _asked_since(answers)
    done.set()
    await asyncio.gather(*asking)

    assert {(200, 401, 200), (401, 401, 200)} == set(answers)


async def _asked_since(answers: list[tuple[int, int, int]]) -> None:
    # The next of each asker may have begun before; the one after it has not.
    enough = len(answers) + 8
    async with asyncio.timeout(10):
        while len(answers) < enough:  # noqa: ASYNC110  nor do answers
            await asyncio.sleep(0.005)


async def _reloaded(edge: Edge, times: int) -> None:
    async with asyncio.timeout(10):
        while _routes(edge).reloads < times:  # noqa: ASYNC110  a file tells nobody
            await asyncio.sleep(0.005)


async def test_a_bad_file_keeps_the_last_good_routes(own_edge: Own) -> None:
    """Health and metrics say so; when the file is good again, so do they."""
    edge, _, routes = own_edge
    good = routes.read_text()
    routes.write_text("rule_sets: {}")
    await _until(edge, is_good=False)

    shown(await edge.http.get("/me", headers=_AURORA))
    assert 1 == _routes(edge).failures

    routes.write_text(good)
    await _until(edge, is_good=True)
    assert 0 == _routes(edge).reloads


async def _until(edge: Edge, *, is_good: bool) -> None:
    async with asyncio.timeout(10):
        while (_routes(edge).problem is None) is not is_good:  # noqa: ASYNC110  same
            await asyncio.sleep(0.005)
