"""Real handshakes: who gets in, and every certificate that does not."""

import asyncio
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest
from authz.v1 import authorization_service_pb2 as api
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from tests.support.authority import (
    CLIENT_ONLY,
    DAY,
    SERVER_ONLY,
    Authority,
    Issued,
    Wish,
    self_signed,
)
from tests.support.serving import Stage
from tests.transport.tls import (
    APP,
    SECONDS,
    Secured,
    caller_context,
    resolve,
    secured,
)

SPIFFE = "uri:spiffe://mesh.example/ns/shop/sa/web"
STRANGER = "PERMISSION_DENIED PEER_NOT_ALLOWED"
NO_HANDSHAKE = "UNAVAILABLE"


@pytest.fixture(scope="module")
async def listener(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Secured:
    """A listener with mTLS and two allowed names."""
    return await secured(stage, tmp_path_factory.mktemp("tls"), APP, SPIFFE)


@pytest.mark.parametrize("name", [APP, "dns:APP.example", SPIFFE])
async def test_allowed_name_gets_in(listener: Secured, name: str) -> None:
    """An authority vouches for the certificate, and it has an allowed name."""
    assert "OK" == await listener.resolve(listener.authority.client(name))


Forge = Callable[[Authority], Issued | None]
FORGED: dict[str, Forge] = {
    "none": lambda _: None,
    "of another authority": lambda _: Authority().client(APP),
    "of another authority of the same name": lambda _: Authority().client(APP, SPIFFE),
    "self-signed": lambda _: self_signed(Wish(names=[APP], use=CLIENT_ONLY)),
    "self-signed as an authority": lambda _: self_signed(
        Wish("authority", [APP], is_authority=True)
    ),
    "expired": lambda good: good.issue(Wish(names=[APP], from_day=-3, to_day=-1)),
    "not yet valid": lambda good: good.issue(Wish(names=[APP], from_day=1)),
    "for servers only": lambda good: good.issue(Wish(names=[APP], use=SERVER_ONLY)),
    "issued by a certificate that may not issue": lambda good: forged_by(
        good.client(APP)
    ),
}


def forged_by(client: Issued) -> Issued:
    """What a caller with a good certificate signs for another."""
    authority = Authority()
    authority.own = client
    return authority.issue(Wish(names=[SPIFFE], use=CLIENT_ONLY))


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
async def test_bad_certificate_gets_no_handshake(
    listener: Secured, forge: Forge
) -> None:
    """No call is made at all; a good certificate still gets in."""
    bad = await listener.resolve(forge(listener.authority))
    good = await listener.resolve(listener.authority.client(APP))

    assert (NO_HANDSHAKE, "OK") == (bad, good)


@pytest.mark.parametrize(
    "names",
    [
        ["dns:other.example"],
        ["dns:*.example"],
        ["dns:app.example.evil"],
        ["dns:app.example\0.evil.example"],
        ["uri:spiffe://mesh.example/ns/shop/sa/web2"],
        ["email:app.example@app.example"],
    ],
)
async def test_name_that_is_not_listed_is_told_no_more(
    listener: Secured, names: list[str]
) -> None:
    """An authority vouches for it, but it is nobody who may call."""
    assert STRANGER == await listener.resolve(listener.authority.client(*names))


async def test_common_name_is_not_believed(listener: Secured) -> None:
    """Even if it reads as an allowed name."""
    client = listener.authority.issue(Wish(APP.removeprefix("dns:")))

    assert STRANGER == await listener.resolve(client)


async def test_stranger_is_refused_by_every_service(listener: Secured) -> None:
    """Health and reflection too, and methods that are not there."""
    async with listener.channel(listener.authority.client("dns:x.example")) as channel:
        codes = await answers(channel)

    assert {grpc.StatusCode.PERMISSION_DENIED} == set(codes.values())


async def test_peer_with_an_allowed_name_finds_every_service(listener: Secured) -> None:
    """What is not there, it is told so."""
    async with listener.channel(listener.authority.client(APP)) as channel:
        codes = await answers(channel)

    missing = grpc.StatusCode.UNIMPLEMENTED
    assert {"none": missing} == {
        name: code for name, code in codes.items() if code is not grpc.StatusCode.OK
    }


async def answers(channel: aio.Channel) -> dict[str, grpc.StatusCode]:
    """How one call of each form ends."""
    health = health_pb2_grpc.HealthStub(channel)
    reflection = reflection_pb2_grpc.ServerReflectionStub(channel)
    asked = health_pb2.HealthCheckRequest()
    listed = reflection_pb2.ServerReflectionRequest(list_services="")
    watching = health.Watch(asked, timeout=SECONDS)
    changes = Stage.stub_of(channel).Watch(api.WatchRequest(), timeout=SECONDS)
    reflecting = reflection.ServerReflectionInfo(iter([listed]), timeout=SECONDS)
    info = Stage.stub_of(channel).GetServerInfo
    return {
        "info": await code_of(info(api.GetServerInfoRequest(), timeout=SECONDS)),
        "check": await code_of(health.Check(asked, timeout=SECONDS)),
        "watch": await code_of(watching.read()),
        "changes": await code_of(changes.read()),
        "reflection": await code_of(reflecting.read()),
        "none": await code_of(
            channel.unary_unary("/x.Y/Z", None, None)(b"", timeout=SECONDS)
        ),
    }


async def code_of(call: object) -> grpc.StatusCode:
    """How a call or the reading of its first answer ends."""
    try:
        await call  # type: ignore[misc]
    except aio.AioRpcError as error:
        return error.code()
    return grpc.StatusCode.OK


async def test_refused_calls_are_counted(stage: Stage, tmp_path: Path) -> None:
    """Not as calls of the API: these never reach it."""
    listener = await secured(stage, tmp_path, APP)
    await listener.resolve(listener.authority.client("dns:x.example"))

    assert 1 == listener.metric("authz_peers_refused_total")


async def test_expiry_can_be_scraped(listener: Secured) -> None:
    """In seconds from now, of both files."""
    name = "authz_certificate_expires_seconds"
    own = listener.metric(name, file="certificate")
    authorities = listener.metric(name, file="client_ca")

    assert pytest.approx(60 * DAY, abs=DAY) == own
    assert pytest.approx(90 * DAY, abs=DAY) == authorities


async def test_health_tells_of_certificates(listener: Secured) -> None:
    """As a component of its own, where there are any."""
    async with listener.channel(listener.authority.client(APP)) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        asked = health_pb2.HealthCheckRequest(service="certificates")
        answer = await health.Check(asked, timeout=SECONDS)

    assert health_pb2.HealthCheckResponse.SERVING == answer.status


async def test_plaintext_is_not_answered(listener: Secured) -> None:
    """A port with TLS has nothing for those who do not speak it."""
    async with aio.insecure_channel(listener.address) as channel:
        assert NO_HANDSHAKE == await resolve(channel)


async def test_caller_refuses_a_listener_of_another_name(listener: Secured) -> None:
    """So that nobody in between can answer for the sidecar."""
    client = listener.authority.client(APP)
    name = {"grpc.ssl_target_name_override": "other.example"}
    async with listener.channel(client, name) as channel:
        assert NO_HANDSHAKE == await resolve(channel)


OLD = ssl.TLSVersion.TLSv1_1


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        (OLD, "UNEXPECTED_EOF_WHILE_READING"),
        (ssl.TLSVersion.TLSv1_2, "TLSv1.2"),
        (ssl.TLSVersion.TLSv1_3, "TLSv1.3"),
    ],
)
async def test_tls_is_spoken_from_1_2_on(
    listener: Secured, tmp_path: Path, version: ssl.TLSVersion, expected: str
) -> None:
    """The listener hangs up on who offers older versions only."""
    client = listener.authority.client(APP)
    (tmp_path / "client").write_bytes(client.pem + client.key_pem)

    actual = await asyncio.to_thread(
        spoken, listener.port, tmp_path / "client", version
    )

    assert expected == actual


def spoken(port: int, client: Path, version: ssl.TLSVersion) -> str:
    """The version that is spoken when one is offered, or why there is none."""
    context = caller_context(client, version)
    with socket.create_connection(("127.0.0.1", port), SECONDS) as plain:
        try:
            with context.wrap_socket(plain) as connection:
                # Only an answer says that the listener has taken the certificate.
                connection.recv(1)
                return str(connection.version())
        except ssl.SSLError as error:
            return error.reason
