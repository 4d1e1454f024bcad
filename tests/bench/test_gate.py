from pathlib import Path

import pytest
from authz.v1 import authorization_service_pb2 as api

from bench.gate import ALLOWED, TOLERANCE, faults, told
from bench.parts.inside import Inside, warm_calls
from sidecar.transport.envoy import external_auth_pb2 as envoy


@pytest.fixture
async def calls(tmp_path: Path) -> dict[str, Inside]:
    """The calls that are counted, by name."""
    made = await warm_calls(tmp_path / "routes.yaml")
    return {call.name: call for call in made}


async def test_what_is_counted_is_answered_from_memory(
    calls: dict[str, Inside],
) -> None:
    """Each call gives an allowance, so it is the whole work that is counted."""
    one = api.CheckVisibleResponse.FromString(calls["CheckVisible 1"].run())
    fifty = api.CheckVisibleResponse.FromString(calls["CheckVisible 50"].run())
    roles = api.GetPermissionsResponse.FromString(calls["GetPermissions 50"].run())
    ten = api.AuthorizeResponse.FromString(calls["Authorize 10"].run())
    edge = envoy.CheckResponse.FromString(calls["edge"].run())

    assert [True] == [each.allowed for each in one.decisions]
    assert [True] * 50 == [each.allowed for each in fifty.decisions]
    assert [True] * 50 == [each.view for each in roles.permissions]
    assert ten.decision.allowed
    assert (0, True) == (edge.status.code, edge.HasField("ok_response"))


async def test_every_call_has_an_allowance(calls: dict[str, Inside]) -> None:
    """The committed file allows each call that is counted."""
    text = ALLOWED.read_text(encoding="utf-8")

    assert [] == [name for name in calls if f'"{name}"' not in text]


def test_more_than_the_tolerance_is_a_fault() -> None:
    """Up to the tolerance is allowed; beyond it, and what is new, is not."""
    allowed = {"a": 100_000, "b": 100_000, "c": 100_000}
    edge = int(100_000 * (1 + TOLERANCE))
    counted = {"a": edge, "b": edge + 1, "c": 50_000, "d": 1}

    assert ["b", "d"] == faults(counted, allowed)
    assert ["good", "MORE", "good", "NEW"] == [
        line.split()[0] for line in told(counted, allowed)
    ]
