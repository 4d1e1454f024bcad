"""The sidecar and the liar that clients' own tests start, as programs."""

from pathlib import Path

import pytest
from authz.client import AuthzError, Caller, Client, Resource, Tls

from tests.clients.programs import CONFORMANCE, started

ANN = Caller.user("2", organization="20")
ROOT = Caller.user("1")


@pytest.mark.parametrize("engine", ["native", "grpcio"])
def test_a_world_is_served_on_every_way(engine: str) -> None:
    """By socket, by TCP and with mTLS the same; in the end nothing is left."""
    world = str(CONFORMANCE / "worlds" / "tenancy.yaml")
    arguments = ("--world", world, "--engine", engine, "--tls")
    with started("serve.py", *arguments) as program:
        told = program.told
        secure = told["tls"]
        assert isinstance(secure, dict)
        ca, certificate, key = (
            Path(secure[each]).read_bytes() for each in ("ca", "cert", "key")
        )
        tls = Tls(ca, certificate, key)
        ways = {
            str(told["unix"]): None,
            str(told["tcp"]): None,
            str(secure["address"]): tls,
        }
        answers = []
        for address, chosen in ways.items():
            with Client.connect(address, tls=chosen, timeout=10) as client:
                answer = client.check_visible(ANN, Resource("cluster", "501"))
                answers.append(answer[0].reason)
        folder = Path(secure["ca"]).parent

    assert ["OWNED"] * 3 == answers
    assert not folder.exists()


def test_the_honest_liar_is_believed(tmp_path: Path) -> None:
    """Without a fault its answer is an answer, so that a fault is what is refused."""
    address = f"unix:{tmp_path / 'liar'}"
    with (
        started("hostile.py", "--mode", "honest", "--address", address),
        Client.connect(address, timeout=10) as client,
    ):
        answer = client.check_visible(ROOT, Resource("model", "1"))

    assert answer.all_allowed


@pytest.mark.parametrize("mode", ["garbage", "closing", "no-message", "wrong-count"])
def test_a_liar_is_an_error(mode: str) -> None:
    """What it says is never an answer, and it tells the port that it chose."""
    with (
        started("hostile.py", "--mode", mode, "--address", "127.0.0.1:0") as program,
        Client.connect(str(program.told["address"]), timeout=5) as client,
        pytest.raises(AuthzError) as caught,
    ):
        client.check_visible(ROOT, Resource("model", "1"))

    assert caught.value.code in {"UNAVAILABLE", "INTERNAL", "DEADLINE_EXCEEDED"}
