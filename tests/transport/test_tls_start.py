"""Listeners that may not start, and what is said instead."""

import re
from collections.abc import Mapping
from pathlib import Path

import grpc
import pytest
from authz.v1.caller_pb2 import Caller
from grpc import aio

from sidecar import wiring_listeners
from sidecar.settings import EdgeSettings, ListenerSettings, Settings
from sidecar.transport.listener import Engine, Listener, ListenerError
from tests.support.authority import Authority, Folder, Wish
from tests.support.serving import Stage
from tests.transport.tls import TENANCY, resolve

OWN: dict[str, object] = {"certificate": "tls.crt", "key": "tls.key"}
MUTUAL = {**OWN, "client_ca": "ca.crt"}
NAMED = {**MUTUAL, "allowed_names": ["dns:app.example"]}
BEYOND = ("0.0.0.0:1", "[::]:1", "10.0.0.1:1", "sidecar.example:1", "127.1:1")


def listener(**settings: object) -> Listener:
    """A listener as it is configured."""
    return wiring_listeners.listener_of(
        ListenerSettings.model_validate(settings), Settings()
    )


@pytest.mark.parametrize("address", BEYOND)
@pytest.mark.parametrize(
    "changed",
    [
        {"tls": NAMED},
        {"tls": OWN, "callers": "credentials"},
        {"tls": MUTUAL, "callers": "credentials"},
    ],
)
def test_beyond_this_machine_somebody_must_be_proven(
    address: str, changed: Mapping[str, object]
) -> None:
    """The caller's side by mTLS with names, or each user by a credential over TLS."""
    assert Engine.GRPCIO is listener(address=address, **changed).chosen_engine


@pytest.mark.parametrize("address", BEYOND)
@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({}, "reaches beyond this machine, which needs `tls`, and with it"),
        ({"callers": "credentials"}, "reaches beyond this machine, which needs `tls`"),
        ({"tls": OWN}, "would believe everybody: set `client_ca` and `allowed_names`"),
        (
            {"tls": MUTUAL},
            "would believe everybody whom `client_ca` vouches for: set `allowed_names`",
        ),
    ],
)
def test_beyond_this_machine_nobody_is_believed_unproven(
    address: str, changed: Mapping[str, object], message: str
) -> None:
    """The start is refused, and says what would do."""
    with pytest.raises(ListenerError, match=message) as refused:
        listener(address=address, **changed)

    assert address in str(refused.value)
    assert "callers: credentials" in str(refused.value)


@pytest.mark.parametrize("address", BEYOND)
def test_health_alone_is_served_beyond_this_machine_without_tls(address: str) -> None:
    """A kubelet's probe speaks no TLS, and health has nothing that is anybody's."""
    served = listener(address=address, services=["health"])

    assert Engine.NATIVE is served.chosen_engine


@pytest.mark.parametrize("beside", ["api", "edge", "reflection"])
def test_nothing_is_served_beside_health_without_tls(beside: str) -> None:
    """What believes its callers, or shows the API, is no part of the exception."""
    settings = Settings(edge=EdgeSettings(routes_file=Path("routes.yaml")))
    given = {"address": BEYOND[0], "services": ["health", beside]}

    with pytest.raises(ListenerError, match="reaches beyond this machine"):
        wiring_listeners.listener_of(ListenerSettings.model_validate(given), settings)


@pytest.mark.parametrize("address", ["127.0.0.1:0", "[::1]:0", "localhost:0"])
@pytest.mark.parametrize("tls", [None, OWN, MUTUAL, NAMED])
def test_on_loopback_tls_may_be_had_or_not(
    address: str, tls: Mapping[str, object] | None
) -> None:
    """Without, either engine serves it; with, grpcio does."""
    expected = Engine.NATIVE if tls is None else Engine.GRPCIO

    assert expected is listener(address=address, tls=tls).chosen_engine


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"address": "unix:authz.sock", "tls": NAMED},
            (
                "`unix:authz.sock` takes no `tls`: who may open the socket file, by "
                "its `mode` and its directory, may call"
            ),
        ),
        (
            {"address": "127.0.0.1:1", "tls": NAMED, "engine": "native"},
            (
                "`127.0.0.1:1` has `tls`, which the engine `native` does not speak: "
                "leave `engine` out, or set `grpcio`"
            ),
        ),
        (
            {"address": "127.0.0.1:1", "tls": {**OWN, "allowed_names": ["dns:a"]}},
            (
                "listener `127.0.0.1:1`: `allowed_names` needs `client_ca`: without it "
                "nobody vouches for names"
            ),
        ),
        (
            {"address": "127.0.0.1:1", "tls": {**MUTUAL, "allowed_names": ["a.b"]}},
            (
                "listener `127.0.0.1:1`: `a.b` must be `dns:<name>`, `uri:<uri>` or "
                "`ip:<address>`"
            ),
        ),
    ],
)
def test_settings_that_do_not_fit_are_refused(
    settings: Mapping[str, object], message: str
) -> None:
    """Each says which listener it is, and why."""
    with pytest.raises(ListenerError, match=f"^{re.escape(message)}$"):
        listener(**settings)


async def test_bad_certificate_ends_the_start(stage: Stage, tmp_path: Path) -> None:
    """It names the listener, the file and what is wrong, and leaves nothing open."""
    authority, folder = Authority(), Folder(tmp_path)
    folder.put(authority.issue(Wish(from_day=-3, to_day=-2)), authority.pem)
    url = await stage.stored(TENANCY)
    settings = {"address": "127.0.0.1:0", "tls": folder.settings("dns:app.example")}

    pattern = (
        r"^cannot listen on `127\.0\.0\.1:0`: certificate `.*/tls\.crt` expired at .*Z$"
    )
    with pytest.raises(ListenerError, match=pattern):
        await stage.start(url, listeners=[settings])


async def test_taken_port_is_refused(stage: Stage, tmp_path: Path) -> None:
    """With TLS as without."""
    authority, folder = Authority(), Folder(tmp_path)
    folder.put(authority.server(), authority.pem)
    url = await stage.stored(TENANCY)
    settings = {"address": "127.0.0.1:0", "tls": folder.settings("dns:app.example")}
    serving = await stage.start(url, listeners=[settings])
    again = {**settings, "address": serving.sidecar.addresses[0]}

    with pytest.raises(ListenerError, match=r"^cannot listen on `127\.0\.0\.1:\d+`$"):
        await stage.start(url, listeners=[again])


async def test_callers_without_certificate_bring_credentials(
    stage: Stage, tmp_path: Path
) -> None:
    """Over TLS alone the listener is proven, and each caller by a credential."""
    authority, folder = Authority(), Folder(tmp_path)
    folder.put(authority.server(), authority.pem)
    tls = folder.settings(client_ca=None)
    url = await stage.stored(TENANCY)
    settings = {"address": "0.0.0.0:0", "tls": tls, "callers": "credentials"}
    serving = await stage.start(url, listeners=[settings])

    port = serving.sidecar.addresses[0].rpartition(":")[2]
    credentials = grpc.ssl_channel_credentials(authority.pem)
    async with aio.secure_channel(f"127.0.0.1:{port}", credentials) as channel:
        named = await resolve(channel)
        presented = await resolve(channel, Caller(api_key="key_nobody_knows"))

    assert "UNIMPLEMENTED NOT_SERVED_HERE" == named
    assert "UNAUTHENTICATED INVALID_CREDENTIAL" == presented
