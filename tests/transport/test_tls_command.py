"""The command line as a caller with a certificate."""

import asyncio
from pathlib import Path

import pytest

from sidecar.command.program import main
from tests.support.authority import Authority, Issued
from tests.support.serving import Stage
from tests.transport.tls import APP, Secured, secured

STRANGER = "dns:stranger.example"


@pytest.fixture(scope="module")
async def listener(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Secured:
    """A listener with mTLS and one allowed name."""
    return await secured(stage, tmp_path_factory.mktemp("tls"), APP)


def options(
    listener: Secured, folder: Path, client: Issued | None, authority: Authority
) -> list[str]:
    """How the command line is told of a certificate."""
    (folder / "ca.crt").write_bytes(authority.pem)
    given = ["--address", listener.address, "--tls-ca", str(folder / "ca.crt")]
    if client is None:
        return given
    (folder / "tls.crt").write_bytes(client.pem)
    (folder / "tls.key").write_bytes(client.key_pem)
    cert, key = str(folder / "tls.crt"), str(folder / "tls.key")
    return [*given, "--tls-cert", cert, "--tls-key", key]


async def run(*arguments: str) -> int:
    """Runs the command line beside the server."""
    return await asyncio.to_thread(main, arguments)


@pytest.mark.parametrize(
    "command",
    [
        ["ask", "resolve-context", "--user", "2"],
        ["health"],
        ["health", "--component", "certificates"],
    ],
)
@pytest.mark.parametrize(
    ("name", "code", "told"),
    [(APP, 0, ""), (STRANGER, 2, "PEER_NOT_ALLOWED")],
)
async def test_certificate_with_an_allowed_name_is_answered(  # noqa: PLR0913, PLR0917  what there is to vary
    listener: Secured,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    command: list[str],
    name: str,
    code: int,
    told: str,
) -> None:
    """Questions and health; another name is refused with words on what to do."""
    authority = listener.authority
    given = options(listener, tmp_path, authority.client(name), authority)

    assert code == await run(*command, *given)
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("is_known", [True, False])
async def test_without_a_handshake_the_server_is_not_reached(
    listener: Secured,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    *,
    is_known: bool,
) -> None:
    """No certificate of one's own, or a server whom nobody trusted vouches for."""
    authority = listener.authority if is_known else Authority()
    client = None if is_known else listener.authority.client(APP)

    code = await run("health", *options(listener, tmp_path, client, authority))

    assert 2 == code
    assert "cannot reach the server" in capsys.readouterr().err
