"""Facts read from real databases: the reference schema and both foreign ones.

Long, because it is one thing told in many short parts.
"""

from collections.abc import AsyncIterator

import pytest

from sidecar.core.ids import (
    ClusterId,
    FeatureAccessId,
    FeatureInstanceId,
    MembershipId,
    PrincipalId,
    ResourceId,
    RoleId,
    UserId,
)
from sidecar.core.model import (
    AccessLevel,
    FeatureAccess,
    FeatureInstance,
    InstanceStanding,
    Membership,
    OrganizationMembership,
    OrgRole,
    Permissions,
    Principal,
    PrincipalKind,
    ResourceRecord,
    RuleContext,
    Standing,
    UserRecord,
)
from sidecar.ports import (
    ApiKeyKey,
    ApiKeyRecord,
    FactKey,
    GrantsKey,
    IdentityKey,
    InstanceKey,
    MembershipsKey,
    ResourceKey,
    RoleKey,
    StandingKey,
    UserKey,
)
from tests.store.databases import PostgresServer, create_database
from tests.store.foreign.load import Flavour
from tests.store.places import SECRET, WORLD, Place, close_place, make_place

SCHEMAS: dict[str, Flavour | None] = {
    "reference": None,
    "gpustack_like": Flavour.GPUSTACK_LIKE,
    "camel_case": Flavour.CAMEL_CASE,
}


@pytest.fixture(scope="module", params=SCHEMAS)
async def place(
    request: pytest.FixtureRequest, store_server: PostgresServer
) -> AsyncIterator[Place]:
    """The world in each of the schemas."""
    flavour = SCHEMAS[request.param]
    template = "template1" if flavour else "reference"
    async for address in create_database(store_server, template):
        place = await make_place(address, flavour, WORLD)
        yield place
        await close_place(place)


def principals(place: Place, *numbers: int) -> list[PrincipalId]:
    """What principals are called."""
    return [PrincipalId(place.id(number)) for number in numbers]


def clusters(place: Place, *numbers: int) -> frozenset[ClusterId]:
    """What clusters are called."""
    return frozenset(ClusterId(place.id(number)) for number in numbers)


async def standing(place: Place, member: int, current: int) -> Standing:
    """What somebody is within a principal."""
    return await place.facts.get(StandingKey(*principals(place, member, current)))


async def test_user_comes_with_its_principal(place: Place) -> None:
    """A user's flags and its own principal are one fact."""
    user_id = UserId(place.id(30))

    found = await place.facts.get(UserKey(user_id))

    (own,) = principals(place, 3)
    principal = Principal(own, PrincipalKind.USER, "Ann", is_deleted=False)
    expected = UserRecord(
        user_id,
        is_platform_admin=True,
        is_system=False,
        is_active=True,
        principal=principal,
    )
    assert expected == found


async def test_users_come_in_the_order_asked(place: Place) -> None:
    """Many keys are one statement; what names nothing is none, in its place."""
    names = [place.id(40), "x y", place.id(30), place.id(99), place.id(40)]

    found = await place.facts.get_all([UserKey(UserId(name)) for name in names])

    ids = [None if each is None else each.id for each in found]
    assert [names[0], None, names[2], None, names[0]] == ids
    assert [each.is_active for each in found[::2][:2] if each] == [False, True]


async def test_identity_names_a_user(place: Place) -> None:
    """A name in an identity provider is a user, or nobody."""
    found = await place.facts.get(IdentityKey("i", "s"))
    nobody = await place.facts.get(IdentityKey("i", "t"))
    unstorable = await place.facts.get(IdentityKey("i", "\0"))

    assert (place.id(30), None, None) == (found, nobody, unstorable)


async def test_api_key_is_found_by_its_public_part(place: Place) -> None:
    """Times are seconds since 1970, whatever the column holds."""
    found = await place.facts.get(ApiKeyKey("key"))

    owner = PrincipalId(place.id(1))
    user_id = UserId(place.id(30))
    expires_at = 1896091200.5
    expected = ApiKeyRecord(user_id, SECRET, owner, expires_at, is_revoked=False)
    assert expected == found


async def test_revoked_api_key_says_so(place: Place) -> None:
    """A key that was revoked is still there, and revoked."""
    found = await place.facts.get(ApiKeyKey("old"))

    user_id = UserId(place.id(30))
    assert ApiKeyRecord(user_id, SECRET, None, None, is_revoked=True) == found


async def test_grants_are_those_to_the_principal_itself(place: Place) -> None:
    """Grants to groups and organizations are not among them."""
    own, none = principals(place, 3, 4)

    found = await place.facts.get_all([GrantsKey(own), GrantsKey(none)])

    assert [clusters(place, 53), frozenset()] == found


async def test_standing_of_a_member(place: Place) -> None:
    """Membership, groups of this organization, the union of grants, assigned roles."""
    found = await standing(place, 3, 1)

    acme, group = principals(place, 1, 5)
    roles = sorted(RoleId(place.role(name)) for name in ("guest", "member"))
    expected = Standing(
        Principal(acme, PrincipalKind.ORG, "Acme", is_deleted=False),
        Membership(MembershipId(place.id(31)), OrgRole.ADMIN),
        (group,),
        clusters(place, 51, 53, 55),
        tuple(roles),
    )
    assert expected == found


async def test_standing_in_a_deleted_organization(place: Place) -> None:
    """Whether it is deleted is told; a null role still is a membership."""
    found = await standing(place, 3, 2)

    assert found.principal is not None
    assert found.principal.is_deleted
    assert Membership(MembershipId(place.id(32)), None) == found.membership
    assert tuple(principals(place, 6)) == found.group_ids


async def test_standing_without_active_membership(place: Place) -> None:
    """A membership that is deleted is none, and so are its roles."""
    found = await standing(place, 4, 1)

    assert (found.membership, found.group_ids, found.role_ids) == (None, (), ())
    assert clusters(place, 51) == found.cluster_ids


async def test_disabled_membership_of_a_group_does_not_count(place: Place) -> None:
    """Who was taken out of a group is not in it."""
    found = await standing(place, 3, 8)

    assert found.membership is None
    assert found.principal is not None
    assert PrincipalKind.GROUP is found.principal.kind


async def test_standing_in_what_does_not_exist(place: Place) -> None:
    """Nothing but the member's own grants."""
    found = await standing(place, 3, 99)

    assert Standing(None, None, (), clusters(place, 53), ()) == found


async def test_standing_within_itself(place: Place) -> None:
    """Nobody is a member of themselves."""
    found = await standing(place, 3, 3)

    assert (found.membership, found.group_ids) == (None, ())
    assert clusters(place, 53) == found.cluster_ids


async def test_memberships_are_the_active_ones(place: Place) -> None:
    """Every principal with an active membership, with its role, kind and name."""
    member, gone = principals(place, 3, 4)

    found = await place.facts.get(MembershipsKey(member))
    none = await place.facts.get(MembershipsKey(gone))

    expected = {place.id(number) for number in (1, 2, 5, 6, 7)}
    acme = Principal(
        principals(place, 1)[0], PrincipalKind.ORG, "Acme", is_deleted=False
    )
    assert expected == {each.principal.id for each in found}
    assert OrganizationMembership(acme, OrgRole.ADMIN) in found
    assert none == ()


async def test_instance_and_access(place: Place) -> None:
    """The instance, the user's access to it, and the roles assigned to that."""
    shop, off = (FeatureInstanceId(place.role(name)) for name in ("shop", "off"))
    ann, bob = (UserId(place.id(number)) for number in (30, 40))
    keys = [InstanceKey(ann, shop), InstanceKey(bob, shop), InstanceKey(ann, off)]

    found = await place.facts.get_all(keys)

    acme, gone = principals(place, 1, 2)
    instance = FeatureInstance(shop, acme, enabled=True)
    access = FeatureAccessId(place.role("access"))
    closed = FeatureAccessId(place.role("closed"))
    seller = RoleId(place.role("seller"))
    expected = [
        InstanceStanding(
            instance, FeatureAccess(access, enabled=True, role_ids=(seller,))
        ),
        InstanceStanding(instance, FeatureAccess(closed, enabled=False, role_ids=())),
        InstanceStanding(FeatureInstance(off, gone, enabled=False), None),
    ]
    assert expected == found


async def test_role_comes_with_its_rules(place: Place) -> None:
    """Rules are by context and item; levels are those of the words n, m, g, a."""
    role_id = RoleId(place.role("seller"))

    found = await place.facts.get(RoleKey(role_id))

    assert found is not None
    assert ("Seller", place.role("shop")) == (found.label, found.feature_instance_id)
    assert {RuleContext.DATA, RuleContext.UI} == set(found.rules)
    rule = found.rules[RuleContext.DATA]["a.b"]
    expected = Permissions(
        view=True,
        read=AccessLevel.ALL,
        create=AccessLevel.GROUP,
        update=AccessLevel.MY,
        delete=AccessLevel.NONE,
    )
    assert (place.role("rule"), expected) == (rule.id, rule.permissions)


async def test_roles_come_in_the_order_asked(place: Place) -> None:
    """A role without rules or label is one; an unknown one is none."""
    names = [place.role(name) for name in ("guest", "nobody", "member")]

    found = await place.facts.get_all([RoleKey(RoleId(name)) for name in names])

    labels = [None if each is None else each.label for each in found]
    assert labels == ["", None, "Member"]
    assert found[2] is not None
    assert place.id(1) == found[2].organization_id


async def test_resources_are_found_by_kind_and_id(place: Place) -> None:
    """Ids are those of a kind; a deleted row is none; null owners are none."""
    rows = (("cluster", 51), ("worker", 51), ("model", 70), ("zone", 71), ("zone", 51))
    keys = [ResourceKey(kind, ResourceId(place.id(number))) for kind, number in rows]

    found = await place.facts.get_all(keys)

    acme = PrincipalId(place.id(1))
    expected = [
        ResourceRecord(acme, None),
        ResourceRecord(None, ClusterId(place.id(51))),
        None,
        ResourceRecord(None, None),
        None,
    ]
    assert expected == found


@pytest.mark.parametrize(
    "text", ["", " 1", "+1", "01", "1_0", "\0", "\ud800", "x" * 300]
)
async def test_text_that_is_no_id_names_nothing(place: Place, text: str) -> None:
    """No text makes a statement fail; what no column can hold is not there."""
    user_id, principal_id = UserId(text), PrincipalId(text)
    instance_id = FeatureInstanceId(text)
    keys: list[FactKey[object]] = [
        UserKey(user_id),
        IdentityKey(text, text),
        ApiKeyKey(text),
        GrantsKey(principal_id),
        StandingKey(principal_id, principal_id),
        MembershipsKey(principal_id),
        InstanceKey(user_id, instance_id),
        RoleKey(RoleId(text)),
        ResourceKey("cluster", ResourceId(text)),
    ]

    found = [await place.facts.get(key) for key in keys]

    nothing = Standing(None, None, (), frozenset(), ())
    expected: list[object] = [
        *(None, None, None, frozenset(), nothing, ()),
        *(InstanceStanding(None, None), None, None),
    ]
    assert expected == found


async def test_nothing_asked_is_nothing_found(place: Place) -> None:
    """No keys are no statement."""
    assert await place.facts.get_all(list[UserKey]()) == []


async def test_a_sound_world_has_no_anomalies(place: Place) -> None:
    """Nothing above failed closed."""
    assert place.anomalies == []
