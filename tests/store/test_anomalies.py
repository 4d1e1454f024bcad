"""Rows that only a foreign schema lets in fail closed, and are told.

Long, because it is one thing told in many short parts.
"""

from collections.abc import AsyncIterator

import pytest

from sidecar.core.ids import (
    FeatureInstanceId,
    PrincipalId,
    ResourceId,
    RoleId,
    UserId,
)
from sidecar.core.model import InstanceStanding, RuleContext
from sidecar.ports import (
    ApiKeyKey,
    GrantsKey,
    IdentityKey,
    InstanceKey,
    MembershipsKey,
    ResourceKey,
    RoleKey,
    StandingKey,
    UserKey,
)
from sidecar.store.anomalies import Anomaly, Problem
from tests.store.databases import PostgresServer, create_database
from tests.store.foreign.load import Flavour, World
from tests.store.places import Place, close_place, make_place

WORLD: World = {
    "principals": [
        {"id": 1, "kind": "org"},
        {"id": 2, "kind": "org"},
        {"id": 3, "kind": "user"},
        {"id": 4, "kind": "user"},
        {"id": 4, "kind": "user"},
        {"id": 5, "kind": "group", "parent_principal_id": 1},
        {"id": 6, "kind": "robot"},
    ],
    "users": [
        {"id": 30, "principal_id": 3, "is_active": None},
        {"id": 31, "principal_id": 99},
        {"id": 40, "principal_id": 4},
        {"id": 50, "principal_id": 3},
        {"id": 50, "principal_id": 3},
        {"id": 60, "principal_id": 6},
    ],
    "user_identities": [
        {"issuer": "i", "subject": "s", "user_id": 30},
        {"issuer": "i", "subject": "s", "user_id": 40},
        {"issuer": "i", "subject": "none", "user_id": None},
    ],
    "principal_memberships": [
        {"id": 11, "member_principal_id": 3, "parent_principal_id": 1, "role": "admin"},
        {"id": 12, "member_principal_id": 3, "parent_principal_id": 1, "role": "user"},
        {"id": 13, "member_principal_id": 3, "parent_principal_id": 2, "role": "boss"},
        {"id": 14, "member_principal_id": 3, "parent_principal_id": 5},
        {"id": 15, "member_principal_id": 3, "parent_principal_id": 5},
        {"id": 16, "member_principal_id": 3, "parent_principal_id": 98},
        {"id": 17, "member_principal_id": 4, "parent_principal_id": 2},
        {"id": 18, "member_principal_id": 6, "parent_principal_id": 6},
    ],
    "membership_roles": [
        {"membership_id": 11, "role_id": "r"},
        {"membership_id": 13, "role_id": "r"},
        {"membership_id": 17, "role_id": "r"},
        {"membership_id": 17, "role_id": "r"},
        {"membership_id": 17, "role_id": None},
    ],
    "cluster_access": [
        {"cluster_id": 70, "principal_id": 5},
        {"cluster_id": 71, "principal_id": 3},
        {"cluster_id": None, "principal_id": 3},
    ],
    "api_keys": [
        {"id": 1, "user_id": 30, "lookup_id": "twice", "secret_hash": "a"},
        {"id": 2, "user_id": 30, "lookup_id": "twice", "secret_hash": "b"},
        {"id": 3, "user_id": 30, "lookup_id": "bare", "secret_hash": None},
    ],
    "resources": [
        {"kind": "zone", "id": 1, "owner_principal_id": 1},
        {"kind": "zone", "id": 1, "owner_principal_id": 2},
    ],
    "feature_instances": [
        {"id": "twice", "organization_id": 1},
        {"id": "twice", "organization_id": 1},
        {"id": "stray", "organization_id": None},
        {"id": "shop", "organization_id": 1, "enabled": None},
    ],
    "feature_access": [
        {"id": "a", "user_id": 30, "feature_instance_id": "shop"},
        {"id": "b", "user_id": 30, "feature_instance_id": "shop"},
        {"id": "c", "user_id": 40, "feature_instance_id": "shop", "enabled": None},
    ],
    "feature_access_roles": [{"feature_access_id": "a", "role_id": "r"}],
    "roles": [{"id": "r"}, {"id": "twice"}, {"id": "twice"}, {"id": "odd"}],
    "access_rules": [
        {"id": "u", "role_id": "odd", "context": "DATA", "view": True, "read": "x"},
        {"id": "v", "role_id": "odd", "context": "UI", "view": True},
        {"id": "w", "role_id": "odd", "context": "RESOURCE", "view": None},
    ],
}


@pytest.fixture(scope="module")
async def odd(store_server: PostgresServer) -> AsyncIterator[Place]:
    """A world that no reference schema would hold."""
    async for address in create_database(store_server, "template1"):
        place = await make_place(address, Flavour.CAMEL_CASE, WORLD)
        yield place
        await close_place(place)


@pytest.fixture
def place(odd: Place) -> Place:
    """That world, of which nothing was told yet."""
    odd.anomalies.clear()
    return odd


def principal(place: Place, number: int) -> PrincipalId:
    """What a principal is called."""
    return PrincipalId(place.id(number))


async def user_is_active(place: Place, number: int) -> bool | None:
    """Whether a user is; none when there is none."""
    found = await place.facts.get(UserKey(UserId(place.id(number))))
    return None if found is None else found.is_active


async def test_null_flag_is_false(place: Place) -> None:
    """A user of whom nobody said that they are active is not."""
    assert await user_is_active(place, 30) is False


async def test_user_whose_principal_is_missing_is_told_so(place: Place) -> None:
    """A user that names no principal has none."""
    found = await place.facts.get(UserKey(UserId(place.id(31))))

    assert found is not None
    assert found.principal is None


@pytest.mark.parametrize("number", [40, 50])
async def test_two_users_or_two_principals_are_none(place: Place, number: int) -> None:
    """Which of two rows is meant nobody knows."""
    found = await user_is_active(place, number)

    assert found is None
    key = place.id(number)
    assert [Anomaly("users", Problem.DUPLICATE_ROW, key)] == place.anomalies


async def test_principal_of_unknown_kind_has_none(place: Place) -> None:
    """A label that nobody knows is no error."""
    found = await place.facts.get(UserKey(UserId(place.id(60))))

    assert found is not None
    assert found.principal is not None
    assert found.principal.kind is None
    anomaly = Anomaly("principals", Problem.UNKNOWN_LABEL, place.id(6))
    assert [anomaly] == place.anomalies


async def test_two_users_for_one_identity_are_none(place: Place) -> None:
    """A name that two users have, or that names no user, is nobody's."""
    found = [await place.facts.get(IdentityKey("i", each)) for each in ("s", "none")]

    assert found == [None, None]
    anomaly = Anomaly("user_identities", Problem.DUPLICATE_ROW, "s")
    assert [anomaly] == place.anomalies


async def test_two_active_memberships_are_none(place: Place) -> None:
    """Two memberships for one pair count as none, and so do their roles."""
    member, current = principal(place, 3), principal(place, 1)

    found = await place.facts.get(StandingKey(member, current))

    assert (found.membership, found.role_ids) == (None, ())
    pair = Anomaly(
        "principal_memberships", Problem.DUPLICATE_ROW, f"{member}/{current}"
    )
    assert pair in place.anomalies


async def test_two_memberships_of_a_group_are_none(place: Place) -> None:
    """Such a group gives no grants."""
    found = await place.facts.get(StandingKey(principal(place, 3), principal(place, 1)))

    assert found.group_ids == ()
    assert {place.id(71)} == found.cluster_ids
    group = Anomaly("principal_memberships", Problem.DUPLICATE_ROW, place.id(5))
    assert group in place.anomalies


async def test_membership_with_unknown_role_is_none(place: Place) -> None:
    """A role that nobody knows is not like none, which admits."""
    found = await place.facts.get(StandingKey(principal(place, 3), principal(place, 2)))

    assert (found.membership, found.role_ids) == (None, ())
    anomaly = Anomaly("principal_memberships", Problem.UNKNOWN_LABEL, place.id(13))
    assert [anomaly] == place.anomalies


async def test_role_held_twice_is_held_once(place: Place) -> None:
    """Assignments of nothing are left out."""
    found = await place.facts.get(StandingKey(principal(place, 4), principal(place, 2)))

    assert found.role_ids == ("r",)


async def test_nobody_is_a_member_of_themselves(place: Place) -> None:
    """Whatever the rows say."""
    own = principal(place, 6)

    found = await place.facts.get(StandingKey(own, own))

    assert found.membership is None


async def test_two_current_principals_are_none(place: Place) -> None:
    """Which of two principals is meant nobody knows."""
    current = principal(place, 4)

    found = await place.facts.get(StandingKey(principal(place, 3), current))

    assert found.principal is None
    assert [Anomaly("principals", Problem.DUPLICATE_ROW, current)] == place.anomalies


async def test_memberships_leave_out_what_is_twice_or_odd(place: Place) -> None:
    """A missing principal stands there deleted and of no kind."""
    found = await place.facts.get(MembershipsKey(principal(place, 3)))

    expected = {place.id(98): True}
    assert expected == {each.principal.id: each.principal.is_deleted for each in found}


async def test_grant_of_nothing_is_left_out(place: Place) -> None:
    """The other grants still count."""
    member = principal(place, 3)

    found = await place.facts.get(GrantsKey(member))

    assert {place.id(71)} == found
    anomaly = Anomaly("cluster_access", Problem.MISSING_VALUE, member)
    assert [anomaly] == place.anomalies


@pytest.mark.parametrize(
    ("lookup_id", "problem"),
    [("twice", Problem.DUPLICATE_ROW), ("bare", Problem.MISSING_VALUE)],
)
async def test_api_key_that_is_unclear_is_none(
    place: Place, lookup_id: str, problem: Problem
) -> None:
    """A key that is there twice, or has no secret, opens nothing."""
    found = await place.facts.get(ApiKeyKey(lookup_id))

    assert found is None
    assert [Anomaly("api_keys", problem, lookup_id)] == place.anomalies


async def test_two_resources_of_one_name_are_none(place: Place) -> None:
    """Whose row is meant nobody knows."""
    name = place.id(1)

    found = await place.facts.get(ResourceKey("zone", ResourceId(name)))

    assert found is None
    anomaly = Anomaly("resources", Problem.DUPLICATE_ROW, f"zone/{name}")
    assert [anomaly] == place.anomalies


@pytest.mark.parametrize(
    ("instance_id", "problem"),
    [("twice", Problem.DUPLICATE_ROW), ("stray", Problem.MISSING_VALUE)],
)
async def test_instance_that_is_unclear_is_none(
    place: Place, instance_id: str, problem: Problem
) -> None:
    """An instance that is there twice, or has no organization, is none."""
    key = InstanceKey(UserId(place.id(60)), FeatureInstanceId(instance_id))

    found = await place.facts.get(key)

    assert InstanceStanding(None, None) == found
    assert [Anomaly("feature_instances", problem, instance_id)] == place.anomalies


async def test_two_accesses_are_none(place: Place) -> None:
    """Their roles do not count either, and null is not enabled."""
    user_id = place.id(30)

    found = await place.facts.get(
        InstanceKey(UserId(user_id), FeatureInstanceId("shop"))
    )

    assert found.instance is not None
    assert not found.instance.enabled
    assert found.access is None
    anomaly = Anomaly("feature_access", Problem.DUPLICATE_ROW, f"{user_id}/shop")
    assert [anomaly] == place.anomalies


async def test_null_access_is_not_enabled(place: Place) -> None:
    """An access of which nobody said that it is enabled is not."""
    found = await place.facts.get(
        InstanceKey(UserId(place.id(40)), FeatureInstanceId("shop"))
    )

    assert found.access is not None
    assert not found.access.enabled


async def test_two_roles_of_one_id_are_none(place: Place) -> None:
    """Whose rules are meant nobody knows."""
    found = await place.facts.get(RoleKey(RoleId("twice")))

    assert found is None
    assert [Anomaly("roles", Problem.DUPLICATE_ROW, "twice")] == place.anomalies


async def test_malformed_rules_spoil_their_context(place: Place) -> None:
    """The rules of other contexts still count."""
    found = await place.facts.get(RoleKey(RoleId("odd")))

    assert found is not None
    assert {RuleContext.DATA, RuleContext.RESOURCE} == found.malformed
    assert {RuleContext.UI} == set(found.rules)
    told = {(each.problem, each.key) for each in place.anomalies}
    malformed = Problem.MALFORMED_RULE
    assert {(malformed, "u"), (malformed, "w")} == told
