"""A change in the database, seen at the next question after its notification."""

import asyncio

import asyncpg
import pytest
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.support.serving import ENGINES, Place, Schema, Serving, Stage

MEMBER = {
    "caller": {"user_id": "2", "organization_id": "20"},
    "resources": [{"kind": "cluster", "id": "501"}],
}
REVOKE = "update authz.principal_memberships set enabled = false where id = 1"


def heard(serving: Serving) -> asyncio.Event:
    """Set when the cache has been told of a change."""
    event = asyncio.Event()
    cache = serving.sidecar.store._cache
    changed = cache.changed

    def tell(group: str, key: str | None) -> None:
        changed(group, key)
        event.set()

    cache.changed = tell  # type: ignore[method-assign]
    return event


@pytest.mark.parametrize("engine", ENGINES)
async def test_revoked_membership_denies_at_the_next_question(
    stage: Stage, engine: str
) -> None:
    """Allowed from memory, revoked, notified: denied, without a reload by time."""
    url = await stage.stored(Place(Schema.REFERENCE, "tenancy"))
    serving = await stage.start(url)
    before = await serving.ask(engine, "CheckVisible", MEMBER)
    event = heard(serving)

    connection = await asyncpg.connect(url)
    await connection.execute(REVOKE)
    await connection.close()
    await asyncio.wait_for(event.wait(), 10)
    after = await serving.ask(engine, "CheckVisible", MEMBER)

    assert [{"allowed": True, "reason": "OWNED"}] == before["decisions"]
    denied = {"allowed": False, "denial": "FORBIDDEN", "reason": "NOT_A_MEMBER"}
    assert [denied] == after["decisions"]


@pytest.mark.parametrize("engine", ENGINES)
async def test_fully_consistent_sees_a_commit_at_once(
    stage: Stage, engine: str
) -> None:
    """Whether or not a notification came, one snapshot of now is asked."""
    url = await stage.stored(Place(Schema.REFERENCE, "tenancy"))
    serving = await stage.start(url)
    await serving.ask(engine, "CheckVisible", MEMBER)
    # Deaf: this test must not pass because the notification was quick.
    serving.sidecar.store._cache.changed = lambda *_: None  # type: ignore[method-assign]

    connection = await asyncpg.connect(url)
    await connection.execute(REVOKE)
    await connection.close()
    request = {**MEMBER, "consistency": {"fully_consistent": True}}
    actual = await serving.ask(engine, "CheckVisible", request)

    denied = {"allowed": False, "denial": "FORBIDDEN", "reason": "NOT_A_MEMBER"}
    assert [denied] == actual["decisions"]


async def test_dropped_trigger_is_unhealthy_and_never_stale(stage: Stage) -> None:
    """Without its trigger a relation is read each time, and health says so."""
    url = await stage.stored(Place(Schema.REFERENCE, "tenancy"))
    serving = await stage.start(url)
    await serving.ask("native", "CheckVisible", MEMBER)

    connection = await asyncpg.connect(url)
    await connection.execute(
        "drop trigger authz_watch_update on authz.principal_memberships"
    )
    await serving.sidecar.store.recheck()
    await serving.sidecar.report_health()
    await connection.execute(REVOKE)
    await connection.close()
    actual = await serving.ask("native", "CheckVisible", MEMBER)
    async with aio.insecure_channel(serving.sidecar.addresses[0]) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        health = await stub.Check(health_pb2.HealthCheckRequest(service="triggers"))

    denied = {"allowed": False, "denial": "FORBIDDEN", "reason": "NOT_A_MEMBER"}
    assert [denied] == actual["decisions"]
    assert health_pb2.HealthCheckResponse.NOT_SERVING == health.status
