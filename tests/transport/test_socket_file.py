"""Socket files: their mode, their place, and who may take it over."""

import asyncio
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from authz.v1 import authorization_service_pb2 as api
from grpc import aio

from sidecar.settings import Settings
from sidecar.transport.listener import ListenerError, UnixAddress
from sidecar.transport.socket_file import SocketFile
from sidecar.wiring_listeners import listener_of
from tests.support.serving import ENGINES, Place, Schema, Serving, Stage, socket_folder

TENANCY = Place(Schema.REFERENCE, "tenancy")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder for sockets."""
    with socket_folder() as folder:
        yield Path(folder)


def _bound(path: Path) -> socket.socket:
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen()
    return server


def _file(path: Path, *, takes_over: bool) -> SocketFile:
    return SocketFile.of(UnixAddress(path, 0o660), takes_over=takes_over)


def test_it_is_nowhere_to_be_found_before_it_is_placed(folder: Path) -> None:
    """It has its mode from the beginning, and its name only once it is placed."""
    path = folder / "authz.sock"
    file = _file(path, takes_over=False)

    with file.created_with_mode():
        server = _bound(file.aside.path)
        created = stat.S_IMODE(file.aside.path.stat().st_mode)
    before = path.exists()
    file.place()

    assert 0o660 == created
    assert (False, True) == (before, path.is_socket())
    assert [path] == list(folder.iterdir())
    server.close()


def test_who_came_meanwhile_is_not_pushed_aside(folder: Path) -> None:
    """Of two that start at once the second is told, and takes nothing away."""
    path = folder / "authz.sock"
    file = _file(path, takes_over=False)
    with file.created_with_mode():
        server = _bound(file.aside.path)
    other = _bound(path)

    with pytest.raises(ListenerError, match="another process listens"):
        file.place()
    file.remove()

    assert [path] == list(folder.iterdir())
    other.close()
    server.close()


def test_the_place_of_the_next_is_left_alone(folder: Path) -> None:
    """Whoever was taken over from removes nothing, and the next removes its own."""
    path = folder / "authz.sock"
    files = [_file(path, takes_over=True) for _ in range(2)]
    servers = []
    for file in files:
        with file.created_with_mode():
            servers.append(_bound(file.aside.path))
        file.place()

    files[0].remove()
    after_first = path.is_socket()
    files[1].remove()

    assert (True, False) == (after_first, path.exists())
    for server in servers:
        server.close()


def test_only_sockets_are_taken_over(folder: Path) -> None:
    """A file that is no socket stays what it is, whatever is set."""
    path = folder / "authz.sock"
    path.write_text("somebody's notes")

    with (
        pytest.raises(ListenerError, match="is no socket"),
        _file(path, takes_over=True).created_with_mode(),
    ):
        pass

    assert "somebody's notes" == path.read_text()


def test_ports_are_not_taken_over() -> None:
    """The setting is for socket files, and says so."""
    settings = Settings.model_validate(
        {"listeners": [{"address": "127.0.0.1:0", "takes_over": True}]}
    )

    with pytest.raises(ListenerError, match="`takes_over`, which is for Unix sockets"):
        listener_of(settings.listeners[0], settings)


async def _serving(
    stage: Stage, url: str, path: Path, engine: str, id_bytes: int
) -> tuple[Serving, str]:
    """A sidecar, and the digest by which it is told from others."""
    listener = {"address": f"unix:{path}", "engine": engine, "takes_over": True}
    serving = await stage.start(
        url, listeners=[listener], limits={"id_bytes": id_bytes}
    )
    return serving, await _digest(path)


async def _digest(path: Path) -> str:
    # A channel of its own, so that it is the file's present server that answers.
    options = (("grpc.use_local_subchannel_pool", 1),)
    async with aio.insecure_channel(f"unix:{path}", options) as channel:
        stub = Stage.stub_of(channel)
        info = await stub.GetServerInfo(api.GetServerInfoRequest(), timeout=10)
    return info.configuration_digest


@pytest.mark.parametrize("engine", ENGINES)
async def test_taken_over_every_new_connection_is_answered(
    stage: Stage, engine: str
) -> None:
    """While the next takes over and the first ends, nobody new finds nobody there."""
    url = await stage.stored(TENANCY)
    path = Path(stage.folder) / f"over-{engine}"
    first, before = await _serving(stage, url, path, engine, id_bytes=100)
    told: list[str] = []
    is_over = asyncio.Event()

    async def ask() -> None:
        while not is_over.is_set():
            told.append(await _digest(path))

    asking = asyncio.create_task(ask())
    _, after = await _serving(stage, url, path, engine, id_bytes=101)
    await first.sidecar.stop()
    is_over.set()
    await asking

    assert {before, after} == set(told)
    assert after == await _digest(path)


@pytest.mark.parametrize("engine", ENGINES)
async def test_taken_over_it_keeps_its_connections(stage: Stage, engine: str) -> None:
    """Who is connected already goes on with the first, and sees no difference."""
    url = await stage.stored(TENANCY)
    path = Path(stage.folder) / f"kept-{engine}"
    _, before = await _serving(stage, url, path, engine, id_bytes=100)
    async with aio.insecure_channel(f"unix:{path}") as channel:
        stub = stage.stub_of(channel)
        await stub.GetServerInfo(api.GetServerInfoRequest(), timeout=10)

        _, after = await _serving(stage, url, path, engine, id_bytes=101)
        info = await stub.GetServerInfo(api.GetServerInfoRequest(), timeout=10)

    assert before == info.configuration_digest
    assert before != after
