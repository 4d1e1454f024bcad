"""The triggers and the tags agree: whatever alters a fact is told as one of its tags."""

import asyncio

import pytest

from sidecar.core.ids import (
    FeatureInstanceId,
    PrincipalId,
    ResourceId,
    RoleId,
    UserId,
)
from sidecar.ports import (
    ApiKeyKey,
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
from sidecar.store.changes import Change, parse_change
from sidecar.store.dependencies import Tag, tags
from tests.store.foreign.load import Flavour
from tests.store.places import WORLD, Place, close_place, make_place

STATEMENTS: dict[Flavour | None, tuple[str, ...]] = {
    None: (
        "update authz.principals set name = 'x'",
        "update authz.principals set deleted_at = now() where id = 5",
        "update authz.principals set parent_principal_id = 2 where id = 5",
        "insert into authz.principals values (9, 'org'), (10, 'group', null, 1)",
        "update authz.users set is_active = not is_active",
        "update authz.users set is_admin = not is_admin where id = 40",
        "insert into authz.users (id, principal_id) values (41, 11)",
        "update authz.users set principal_id = 11 where id = 30",
        "update authz.user_identities set user_id = 40",
        "delete from authz.user_identities",
        "update authz.principal_memberships set enabled = false where id = 35",
        "update authz.principal_memberships set role = 'user'",
        "insert into authz.principal_memberships (id, member_principal_id,"
        " parent_principal_id) values (50, 4, 5), (51, 4, 1)",
        "delete from authz.cluster_access",
        "insert into authz.cluster_access values (99, 5), (98, 4), (97, 1)",
        "truncate authz.cluster_access",
        "update authz.api_keys set revoked_at = now()",
        "update authz.api_keys set lookup_id = 'new' where id = 60",
        "update authz.resources set owner_principal_id = 2",
        "update authz.resources set deleted_at = now() where kind = 'worker'",
        "update authz.feature_instances set enabled = not enabled",
        "update authz.roles set label = 'x'",
        "delete from authz.access_rules",
        """update authz.access_rules set "create" = 'n'""",
        "delete from authz.membership_roles where role_id = 'guest'",
        "insert into authz.membership_roles (membership_id, role_id)"
        " values (32, 'guest')",
        "update authz.feature_access set enabled = not enabled",
        "insert into authz.feature_access (id, user_id, feature_instance_id)"
        " values ('new', 40, 'off')",
        "delete from authz.feature_access_roles",
    ),
    Flavour.CAMEL_CASE: (
        """update "Mandate" set "mandateName" = 'x'""",
        """update "Party" set "displayName" = 'x'""",
        """update "UserInDB" set "enabled" = not "enabled" """,
        """update "UserLogin" set "userId" = gen_random_uuid()""",
        """update "UserMandate" set "enabled" = false""",
        """update "GroupMember" set "enabled" = false""",
        """delete from "ClusterGrant" """,
        """update "ApiKey" set "revokedAt" = 1""",
        """update "Resource" set "ownerId" = null, "clusterId" = null""",
        """update "FeatureInstance" set "enabled" = not "enabled" """,
        """update "Role" set "roleLabel" = 'x'""",
        """delete from "AccessRule" """,
        """delete from "UserMandateRole" """,
        """update "FeatureAccess" set "enabled" = not "enabled" """,
        """delete from "FeatureAccessRole" """,
    ),
    Flavour.GPUSTACK_LIKE: (
        "update public.principals set name = 'x'",
        "update public.users set is_active = not is_active",
        "delete from public.user_logins",
        "update public.principal_memberships set enabled = not enabled",
        "update public.cluster_access set cluster_id = 1",
        "update public.api_keys set expires_at = null",
        "update public.clusters set owner_principal_id = null",
        "update public.workers set cluster_id = null",
        "update public.models set deleted_at = null",
        "update public.other_resources set owner_principal_id = 1",
        "update public.features set enabled = not enabled",
        "update public.permission_roles set title = 'x'",
        "update public.permission_rules set visible = not visible",
        "delete from public.member_roles",
        "update public.feature_users set enabled = not enabled",
        "delete from public.feature_user_roles",
    ),
}


def keys_of(place: Place) -> list[FactKey[object]]:
    """A key for everything that is in the world, or may come."""
    principals = [PrincipalId(place.id(number)) for number in range(1, 12)]
    users = [UserId(place.id(number)) for number in (30, 40, 41)]
    instances = [FeatureInstanceId(place.role(name)) for name in ("shop", "off")]
    roles = [RoleId(place.role(name)) for name in ("seller", "member", "guest")]
    resources = [ResourceId(place.id(number)) for number in (51, 70, 71)]
    return [
        *map(UserKey, users),
        IdentityKey("i", "s"),
        *map(ApiKeyKey, ("key", "old", "new")),
        *map(GrantsKey, principals),
        *map(MembershipsKey, principals),
        *(
            StandingKey(member, current)
            for member in principals[2:4]
            for current in principals
        ),
        *(InstanceKey(user_id, each) for user_id in users for each in instances),
        *map(RoleKey, roles),
        *(
            ResourceKey(kind, each)
            for kind in ("cluster", "worker", "model", "zone")
            for each in resources
        ),
    ]


async def read(place: Place) -> dict[FactKey[object], object]:
    """Every fact."""
    return {key: await place.facts.get(key) for key in keys_of(place)}


async def told(place: Place, statement: str) -> list[Change]:
    """What the triggers tell of a statement."""
    payloads: list[str] = []
    end = asyncio.Event()

    def hear(_: object, _pid: int, _channel: str, payload: object) -> None:
        payloads.append(str(payload))
        if payload == "end":
            end.set()

    connection = place.connection
    await connection.add_listener("authz_changes", hear)
    await connection.execute(statement)
    await connection.execute("notify authz_changes, 'end'")
    async with asyncio.timeout(10):
        await end.wait()
    await connection.remove_listener("authz_changes", hear)
    changes = [parse_change(payload) for payload in payloads[:-1]]
    return [change for change in changes if change is not None]


def altered(changes: list[Change], fact_tags: frozenset[Tag]) -> bool:
    """Whether one of the changes lets go of a fact with these tags."""
    return any(
        group == change.group
        and (key is None or change.keys is None or key in change.keys)
        for change in changes
        for group, key in fact_tags
    )


@pytest.mark.parametrize(
    ("flavour", "statement"),
    [
        (flavour, statement)
        for flavour, statements in STATEMENTS.items()
        for statement in statements
    ],
)
async def test_what_alters_a_fact_is_told_as_its_tag(
    database: str, empty_database: str, flavour: Flavour | None, statement: str
) -> None:
    """Every fact that a statement alters is let go of by what the triggers tell."""
    address = database if flavour is None else empty_database
    rows = WORLD["principals"]
    world = {**WORLD, "principals": [*rows, {"id": 11, "kind": "user"}]}
    place = await make_place(address, flavour, world)
    before = await read(place)
    changes = await told(place, statement)
    after = await read(place)
    await close_place(place)

    changed = {key for key in before if before[key] != after[key]}
    missed = {key for key in changed if not altered(changes, tags(key, before[key]))}
    assert missed == set()
    assert changed
