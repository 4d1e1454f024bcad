"""Certificates that are replaced while callers call."""

import asyncio
import socket
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.support.authority import Authority, Folder, Issued
from tests.support.serving import Stage
from tests.transport.tls import (
    APP,
    SECONDS,
    Secured,
    caller_context,
    resolve,
    secured,
    served_serial,
)

ROUNDS = 5
Replace = Callable[[Folder, str, Issued, bytes], object]


def renamed(folder: Folder, version: str, own: Issued, client_ca: bytes) -> None:
    """Replaces the files one by one."""
    del version
    folder.put(own, client_ca)


@asynccontextmanager
async def callers(listener: Secured, client: Issued) -> AsyncIterator[Counter[str]]:
    """While within, some call on one connection, others on a new one each time."""
    ended: Counter[str] = Counter()
    is_over = asyncio.Event()

    async def stay() -> None:
        async with listener.channel(client) as channel:
            while not is_over.is_set():
                ended[f"staying {await resolve(channel)}"] += 1

    async def come_and_go() -> None:
        while not is_over.is_set():
            ended[f"coming {await listener.resolve(client)}"] += 1

    async with asyncio.TaskGroup() as group:
        for call in (stay, stay, come_and_go, come_and_go):
            group.create_task(call())
        try:
            yield ended
        finally:
            is_over.set()


async def until_served(listener: Secured, own: Issued) -> None:
    """Waits until new connections are shown a certificate."""
    async with asyncio.timeout(SECONDS):
        while own.serial != await served_serial(listener.port):
            pass


@pytest.mark.parametrize("replace", [renamed, Folder.swap])
async def test_replaced_under_load_without_a_failed_call(
    stage: Stage, tmp_path: Path, replace: Replace
) -> None:
    """New connections see each new certificate, and no call notices."""
    listener = await secured(stage, tmp_path, APP)
    authority = listener.authority

    async with callers(listener, authority.client(APP)) as ended:
        for round_ in range(ROUNDS):
            own = authority.server()
            replace(listener.folder, str(round_), own, authority.pem)
            await until_served(listener, own)

    assert {"staying OK", "coming OK"} == set(ended)
    assert ROUNDS == listener.metric("authz_certificate_reloads_total")


async def test_callers_move_to_another_authority(stage: Stage, tmp_path: Path) -> None:
    """Both are trusted for a time; then the old one lets nobody in any more."""
    listener = await secured(stage, tmp_path, APP)
    old, new = listener.authority, Authority("new")
    before, after = old.client(APP), new.client(APP)
    ends = []
    for trusted in (old.pem, old.pem + new.pem, new.pem):
        own = old.server()
        listener.folder.put(own, trusted)
        await until_served(listener, own)
        ends.append((await listener.resolve(before), await listener.resolve(after)))

    assert [("OK", "UNAVAILABLE"), ("OK", "OK"), ("UNAVAILABLE", "OK")] == ends


async def test_connections_end_in_time_without_a_failed_call(
    stage: Stage, tmp_path: Path
) -> None:
    """Whoever stays connected must come again, and the caller does not notice."""
    listener = await secured(stage, tmp_path, APP, connection_seconds=1)
    old, new = listener.authority, Authority("new")
    async with (
        listener.channel(new.client(APP)) as coming,
        callers(listener, old.client(APP)) as ended,
    ):
        # Both are trusted, and then the connection of the old one is still there.
        own = old.server()
        listener.folder.put(own, old.pem + new.pem)
        await until_served(listener, own)
        lived_out = asyncio.get_running_loop().time() + 2.5
        while asyncio.get_running_loop().time() < lived_out:
            await resolve(coming)
        before = dict(ended)
        own = old.server()
        listener.folder.put(own, new.pem)
        async with asyncio.timeout(SECONDS):
            while not ended["staying UNAVAILABLE"]:
                await resolve(coming)
        still = await resolve(coming)

    assert {"staying OK", "coming OK"} == set(before)
    assert "OK" == still


async def test_session_of_a_removed_authority_is_not_resumed(
    stage: Stage, tmp_path: Path
) -> None:
    """A caller cannot come back by what it kept of an earlier handshake."""
    listener = await secured(stage, tmp_path, APP)
    client = listener.authority.client(APP)
    (tmp_path / "client").write_bytes(client.pem + client.key_pem)
    context = caller_context(tmp_path / "client", ssl.TLSVersion.TLSv1_2)
    reused = [await asyncio.to_thread(resumed, listener.port, context, None)]
    session = reused[0][1]
    reused.append(await asyncio.to_thread(resumed, listener.port, context, session))
    own = listener.authority.server()
    listener.folder.put(own, Authority("new").pem)
    await until_served(listener, own)

    assert [False, True] == [each for each, _ in reused]
    with pytest.raises(ssl.SSLEOFError):
        await asyncio.to_thread(resumed, listener.port, context, session)


def resumed(
    port: int, context: ssl.SSLContext, session: ssl.SSLSession | None
) -> tuple[bool, ssl.SSLSession | None]:
    """Whether a handshake resumed a session, and the session that it left."""
    with (
        socket.create_connection(("127.0.0.1", port), SECONDS) as plain,
        context.wrap_socket(plain, session=session) as connection,
    ):
        connection.recv(1)
        return bool(connection.session_reused), connection.session


async def test_half_written_files_do_not_reach_callers(
    stage: Stage, tmp_path: Path
) -> None:
    """Health says that something is wrong, and calls go on with the last good."""
    listener = await secured(stage, tmp_path, APP)
    served = await served_serial(listener.port)
    client = listener.authority.client(APP)

    async with listener.channel(client) as channel:
        asked = health_pb2.HealthCheckRequest(service="certificates")
        watching = health_pb2_grpc.HealthStub(channel).Watch(asked, timeout=SECONDS)
        told = [(await watching.read()).status]
        listener.folder.certificate.write_bytes(listener.authority.server().pem)
        told.append((await watching.read()).status)
        watching.cancel()

    status = health_pb2.HealthCheckResponse
    assert [status.SERVING, status.NOT_SERVING] == told
    assert listener.metric("authz_certificate_reload_failures_total")
    assert served == await served_serial(listener.port)
    assert "OK" == await listener.resolve(client)
