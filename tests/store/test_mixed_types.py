"""Relations that call one id by several types, in a schema of another name."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from sidecar.core.ids import (
    ClusterId,
    FeatureInstanceId,
    MembershipId,
    PrincipalId,
    RoleId,
    UserId,
)
from sidecar.core.model import Membership, OrgRole
from sidecar.ports import InstanceKey, StandingKey, UserKey
from sidecar.store.anomalies import Anomaly
from sidecar.store.catalogue import read_catalogue
from sidecar.store.clock import SystemClock
from sidecar.store.database import Database, PoolSettings
from sidecar.store.fitting import check_fit
from sidecar.store.lookups import write_lookups
from sidecar.store.postgres import PostgresFacts, Reader

SCHEMA = 'my "own"'
RELATIONS = Path(__file__).with_name("mixed_types.sql")


def refuse(anomaly: Anomaly) -> None:
    """Nothing is odd here."""
    raise AssertionError(anomaly)


@pytest.fixture
async def facts(
    empty_database: str, empty_connection: asyncpg.Connection
) -> AsyncIterator[PostgresFacts]:
    """The facts of such a schema."""
    await empty_connection.execute(RELATIONS.read_text("utf-8"))
    catalogue = await read_catalogue(empty_connection, SCHEMA)
    await check_fit(empty_connection, catalogue)
    database = await Database.connect(PoolSettings(empty_database, smallest=1))
    lookups = write_lookups(catalogue)
    yield PostgresFacts(Reader(database, lookups, refuse, SystemClock()))
    await database.close()


async def test_ids_of_two_types_are_equal_when_their_texts_are(
    facts: PostgresFacts,
) -> None:
    """A user's principal, memberships, groups, grants and roles are found."""
    user = await facts.get(UserKey(UserId("30")))
    standing = await facts.get(StandingKey(PrincipalId("3"), PrincipalId("1")))

    assert user is not None
    assert user.principal is not None
    assert standing.membership == Membership(MembershipId("31"), OrgRole.ADMIN)
    assert standing.group_ids == (PrincipalId("5"),)
    assert standing.cluster_ids == {ClusterId("fifty")}
    assert standing.role_ids == (RoleId("r"),)


async def test_keys_are_converted_for_each_relation(facts: PostgresFacts) -> None:
    """An instance is a uuid here and a text there."""
    instance_id = FeatureInstanceId("00000000-0000-4000-8000-000000000001")

    found = await facts.get(InstanceKey(UserId("30"), instance_id))

    assert found.instance is not None
    assert found.access is not None
    assert found.access.role_ids == (RoleId("r"),)


async def test_key_that_only_some_relations_can_hold_finds_what_is_there(
    facts: PostgresFacts,
) -> None:
    """An id too large for one column is looked for in the others."""
    large = PrincipalId(str(2**40))

    found = await facts.get(StandingKey(PrincipalId("3"), large))

    assert found.principal is None
    assert found.membership is None
