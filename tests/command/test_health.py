import json

import pytest
from grpc_health.v1 import health_pb2

from sidecar.command.program import main
from tests.command.fake import FakeServer

_Status = health_pb2.HealthCheckResponse


@pytest.mark.parametrize(
    ("status", "code", "word"),
    [
        (_Status.SERVING, 0, "SERVING"),
        (_Status.NOT_SERVING, 1, "NOT_SERVING"),
        (_Status.UNKNOWN, 2, "UNKNOWN"),
    ],
)
def test_ends_as_the_server_feels(
    status: int,
    code: int,
    word: str,
    server: FakeServer,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """0 when it serves, 1 when it does not, 2 when it does not say."""
    server.health = status

    assert code == main(["health"])

    assert f"{word}\n" == capsys.readouterr().out


def test_asks_for_one_component(server: FakeServer) -> None:
    """A component has a health of its own; an unknown one has none."""
    server.health = _Status.NOT_SERVING

    assert main(["health", "--component", "feed"]) == 1
    assert main(["health", "--component", "bogus"]) == 2


def test_is_json_when_asked(
    server: FakeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """Programs read the status as JSON."""
    del server

    main(["health", "--json"])

    assert json.loads(capsys.readouterr().out) == {"status": "SERVING"}
