from collections.abc import Iterator
from itertools import product

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from sidecar.core.authorize import (
    MustBeVisible,
    MustBeWritable,
    MustPermit,
    NamedResource,
)
from sidecar.core.ids import FeatureInstanceId, ResourceId
from sidecar.core.model import AccessLevel, Operation, RuleContext
from sidecar.core.permissions import PermissionQuery
from sidecar.service.exploring import Explorer
from sidecar.service.ways import Tally
from sidecar.store.embedded import EmbeddedPostgres
from tests.service.stored import UNLIMITED, Found, Tables, contexts, ids_of, who
from tests.spec.checks import check_visible, check_writable, find_resource
from tests.spec.permissions import permissions, reaches
from tests.spec.pools import IDS, ITEMS, KINDS
from tests.spec.tenancy import Context
from tests.spec.world import Row, World
from tests.spec.worlds import thorough, worlds


@pytest.fixture(scope="module")
async def tables(postgres: EmbeddedPostgres) -> dict[str, Tables]:
    """Tables for each id type."""
    return {
        id_type: await Tables.create(postgres, id_type, "explored") for id_type in IDS
    }


@given(world=worlds())
@thorough(25)
async def test_who_can_see_or_write_is_whoever_the_reference_lets(
    tables: dict[str, Tables], world: World
) -> None:
    """No candidate is left out and none is made up: brute force finds the same."""
    stored = tables[world.organization_id_type]
    await stored.store(world)

    async with stored.explore(world) as explored:
        for kind, key in product(KINDS, ids_of(world).clusters):
            named = NamedResource(kind, ResourceId(key))
            for question in (
                MustBeVisible(named),
                MustBeWritable(named, skip_visible=False),
            ):
                note(f"{question} in {world.document}")

                assert _of_row(world, question) == await who(explored, question)


@given(world=worlds(), number=st.integers(0, 5))
@thorough(20)
async def test_who_can_within_an_organization_is_what_concerns_it(
    tables: dict[str, Tables], world: World, number: int
) -> None:
    """What is found there is what is found anywhere, but for other contexts."""
    stored, ids = tables[world.organization_id_type], ids_of(world)
    await stored.store(world)
    organization = (*ids.organizations, *ids.own)[number]
    here = {
        (context.caller.user_id, *way)
        for way, context in contexts(world)
        if context.current == organization or context.bypass
    }

    async with stored.explore(world) as explored:
        for kind, key in product(KINDS, ids.clusters):
            question = MustBeVisible(NamedResource(kind, ResourceId(key)))
            expected = {each for each in _of_row(world, question) if each[:3] in here}

            assert expected == await who(explored, question, organization)


@given(
    world=worlds(),
    within=st.integers(0, 8),
    item=st.sampled_from((None, *ITEMS)),
    wanted=st.sampled_from([(Operation.VIEW, 0), (Operation.READ, 1)]),
)
@thorough(40)
async def test_who_can_hold_is_whoever_the_reference_lets(
    tables: dict[str, Tables],
    world: World,
    within: int,
    item: str | None,
    wanted: tuple[Operation, int],
) -> None:
    """So it is with permissions, everywhere or within one organization."""
    stored, ids = tables[world.organization_id_type], ids_of(world)
    await stored.store(world)
    organization = (*ids.all, None)[within]
    instance = ids.instances[0] if organization is not None else None
    operation, level = wanted
    query = PermissionQuery(
        RuleContext.DATA,
        item,
        None if instance is None else FeatureInstanceId(instance),
    )
    question = MustPermit(query, operation, AccessLevel(level))
    note(f"{question} within {organization} in {world.document}")

    async with stored.explore(world) as explored:
        found = await who(explored, question, organization)

    assert _of_permission(world, question, organization) == found


@given(world=worlds())
@thorough(10)
async def test_a_grant_that_decides_is_traced_to_who_has_it(
    tables: dict[str, Tables], world: World
) -> None:
    """Where a grant decided, the principals named do have it, and there is one."""
    stored = tables[world.organization_id_type]
    await stored.store(world)

    async with stored.explore(world) as explored:
        for key in ids_of(world).clusters:
            question = MustBeVisible(NamedResource("zone", ResourceId(key)))
            tally = Tally(UNLIMITED, UNLIMITED)
            async for each in Explorer(explored).who_can(question, None, tally):
                has = [
                    {"cluster_id": key, "principal_id": principal}
                    for principal in each.through
                ]
                granted = each.decision.reason.name == "GRANTED"

                assert granted is bool(has)
                assert all(row in world.document["cluster_access"] for row in has)


def _of_row(world: World, question: MustBeVisible | MustBeWritable) -> set[Found]:
    named = question.resource
    kind = world.kinds[named.kind]
    facts = find_resource(world, {"kind": named.kind, "id": named.id})

    def decide(context: Context) -> Row:
        if isinstance(question, MustBeVisible):
            return check_visible(context, kind, facts)
        return check_writable(context, kind, facts, skip_visible=False)

    return {
        (context.caller.user_id, *way, str(decision["reason"]))
        for way, context in contexts(world)
        if (decision := decide(context))["allowed"]
        # What a system user may in one context it may in all, so it is told once.
        and (not context.caller.is_system or way == ("", ""))
    }


def _of_permission(
    world: World, question: MustPermit, within: str | None
) -> set[Found]:
    return set(_permitted(world, question, within))


def _permitted(
    world: World, question: MustPermit, within: str | None
) -> Iterator[Found]:
    query = question.query
    asked: Row = {"context": query.context.value}
    if query.item is not None:
        asked["item"] = query.item
    if query.feature_instance_id is not None:
        asked["feature_instance_id"] = query.feature_instance_id
    for way, context in contexts(world):
        granted = permissions(world, context, asked)
        is_here = within is None or context.current in {within, None}
        level = ("NONE", "MY", "GROUP", "ALL")[question.least]
        if is_here and reaches(granted, question.operation.name, level):
            yield (context.caller.user_id, *way, "PERMITTED")
