"""Triggers and tags agree: whatever alters a fact is told as one of its tags."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

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
from tests.store.databases import PostgresServer, create_database
from tests.store.foreign.load import Flavour
from tests.store.places import WORLD, Place, close_place, make_place

STATEMENTS = Path(__file__).with_name("altering.yaml")


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


@pytest.fixture(params=[None, *Flavour])
async def place(
    request: pytest.FixtureRequest, store_server: PostgresServer
) -> AsyncIterator[Place]:
    """The world in each schema, and one principal more."""
    flavour = request.param
    template = "template1" if flavour else "reference"
    rows = WORLD["principals"]
    world = {**WORLD, "principals": [*rows, {"id": 11, "kind": "user"}]}
    async for address in create_database(store_server, template):
        place = await make_place(address, flavour, world)
        yield place
        await close_place(place)


async def test_what_alters_a_fact_is_told_as_its_tag(place: Place) -> None:
    """Every fact that a statement alters is let go of by what the triggers tell."""
    schema = "reference" if place.flavour is None else place.flavour.value
    after = await read(place)
    for statement in yaml.safe_load(STATEMENTS.read_text("utf-8"))[schema]:
        before = after
        changes = await told(place, statement)
        after = await read(place)
        changed = {
            key: tags(key, before[key]) for key in before if before[key] != after[key]
        }
        missed = {
            key for key, rests_on in changed.items() if not altered(changes, rests_on)
        }

        assert (statement, set()) == (statement, missed)
        assert (statement, True) == (statement, bool(changed))
