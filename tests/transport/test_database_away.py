"""Every call while there is no database, for longer than memory may answer."""

from collections.abc import Mapping

import pytest
from authz.v1 import authorization_service_pb2 as api

from tests.faults.ordeals import prepare_world
from tests.store.faults.lab import CLOCK
from tests.support.cluster import cluster
from tests.support.serving import ENGINES, Serving, Stage

MAX_STALENESS = 0.5
ANN = {"user_id": "2", "organization_id": "20"}
CLUSTER = {"kind": "cluster", "id": "501"}
NEED_FACTS: Mapping[str, Mapping[str, object]] = {
    "ResolveContext": {},
    "ListContexts": {},
    "CheckVisible": {"resources": [CLUSTER]},
    "CheckWritable": {"resources": [CLUSTER]},
    "CheckCreatable": {"resources": [{"kind": "model", "owner_principal_id": "20"}]},
    "CheckRole": {"gate": {"platform_admin": True}},
    "GetPermissions": {"queries": [{"context": "DATA"}]},
    "Authorize": {"requirements": [{"visible": CLUSTER}]},
    "GetListFilter": {"kind": "model"},
}
NEED_NONE: Mapping[str, Mapping[str, object]] = {
    "ValidateAccessRules": {"rules": [{"role_id": "r", "context": "UI", "view": True}]},
    "GetServerInfo": {},
}
# It passes on what is heard; what it does without a feed, its own tests say.
PASSES_ON = {"Watch"}

pytestmark = pytest.mark.xdist_group("faults")


def test_each_call_is_here() -> None:
    """A call that is new has to say whether it needs facts."""
    service = api.DESCRIPTOR.services_by_name["AuthorizationService"]

    assert {each.name for each in service.methods} == (
        NEED_FACTS.keys() | NEED_NONE.keys() | PASSES_ON
    )


async def answers(
    serving: Serving, engine: str, **more: object
) -> dict[str, dict[str, object]]:
    """What becomes of a question of each call that needs facts."""
    found = {}
    for call, request in NEED_FACTS.items():
        whole = {"caller": ANN, **request, **more}
        found[call] = await serving.ask(engine, call, whole)
        found[call].pop("revision", None)
    return found


@pytest.mark.parametrize("engine", ENGINES)
async def test_each_call_is_unavailable_and_rights_itself(
    stage: Stage, engine: str
) -> None:
    """No allow, no denial, whatever it answered before; and then the same as before."""
    fully = {"consistency": {"fully_consistent": True}}
    with cluster() as made:
        serving = await stage.start(
            await prepare_world(made.primary),
            freshness={"max_staleness": MAX_STALENESS, "beat_interval": 0.05},
        )
        before = await answers(serving, engine)
        made.primary.stop("immediate")
        stopped = CLOCK.monotonic()
        seen = [await answers(serving, engine)]
        while CLOCK.monotonic() < stopped + 2 * MAX_STALENESS:
            seen.append(await answers(serving, engine))
        seen.append(await answers(serving, engine, **fully))
        others = [
            await serving.ask(engine, call, request)
            for call, request in NEED_NONE.items()
        ]
        made.primary.start()
        after = seen[0]
        while after != before:
            assert CLOCK.monotonic() < stopped + 30, after
            after = await answers(serving, engine)
        await serving.sidecar.stop()

    unavailable = {"status": "UNAVAILABLE", "reason": "FACTS_UNAVAILABLE"}
    assert not [each for each in before.values() if "status" in each]
    # The first may still be from memory: the end of the connection takes a moment.
    assert all(each in (before[call], unavailable) for call, each in seen[0].items())
    assert [dict.fromkeys(NEED_FACTS, unavailable)] * len(seen[1:]) == seen[1:]
    assert not [each for each in others if "status" in each]
