from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import given, note

from sidecar.core.decision import Denied
from sidecar.core.ids import UserId
from sidecar.core.model import AccessLevel, Permissions, TenantContext, User
from sidecar.service.surveying import (
    Entered,
    Finding,
    Granted,
    Held,
    Listed,
    Reached,
    Surveyor,
)
from sidecar.service.ways import Tally
from sidecar.service.ways import World as Explored
from sidecar.store.embedded import EmbeddedPostgres
from tests.service.stored import Tables, Way, contexts, ids_of
from tests.spec.asking import selects
from tests.spec.checks import find_resource, list_filter
from tests.spec.interviews import stored_rows
from tests.spec.permissions import permissions
from tests.spec.pools import IDS, ITEMS
from tests.spec.tenancy import Context
from tests.spec.world import Row, World
from tests.spec.worlds import random_world, thorough, worlds

UNLIMITED = 10**9
# The rule context, the item and the feature instance that a line is about.
Subject = tuple[str, str | None, str | None]


@dataclass
class Told:
    """What is told of one context."""

    context: TenantContext
    clusters: dict[str, tuple[str, ...]] = field(default_factory=dict)
    permissions: dict[Subject, Permissions] = field(default_factory=dict)
    rows: dict[str, tuple[int, tuple[str, ...]]] = field(default_factory=dict)


@pytest.fixture(scope="module")
async def tables(postgres: EmbeddedPostgres) -> dict[str, Tables]:
    """Tables for each id type."""
    return {
        id_type: await Tables.create(postgres, id_type, "surveyed") for id_type in IDS
    }


@given(world=worlds())
@thorough(25)
async def test_access_is_what_the_reference_answers_in_every_context(
    tables: dict[str, Tables], world: World
) -> None:
    """Contexts, clusters, permissions and rows are those of brute force."""
    stored = tables[world.organization_id_type]
    await stored.store(world)
    note(f"{world.role_precedence} {world.document}")
    expected = _contexts_by_user(world)

    async with stored.explore(world) as explored:
        for user_id in sorted({str(row["id"]) for row in world.document["users"]}):
            told = await _told(explored, user_id)
            here = expected.get(user_id, {})

            assert _reported(here, told) == set(told)
            for way, each in told.items():
                assert here[way].clusters == set(each.clusters)
                assert _permissions_agree(world, here[way], each)
                assert _rows(world, here[way]) == each.rows


@given(world=worlds())
@thorough(10)
async def test_clusters_are_traced_to_the_principals_with_the_grant(
    tables: dict[str, Tables], world: World
) -> None:
    """For each accessible cluster at least one principal is named, and it has it."""
    stored = tables[world.organization_id_type]
    await stored.store(world)
    grants = world.document["cluster_access"]

    async with stored.explore(world) as explored:
        for row in world.document["users"]:
            for told in (await _told(explored, str(row["id"]))).values():
                for cluster, through in told.clusters.items():
                    named = [
                        {"cluster_id": cluster, "principal_id": p} for p in through
                    ]

                    assert named
                    assert all(each in grants for each in named)


async def test_a_limit_ends_what_is_told_and_says_so(
    tables: dict[str, Tables],
) -> None:
    """Not one line more than was asked for, and it is told that there are more."""
    world = random_world(1)
    await tables[world.organization_id_type].store(world)
    tally = Tally(2, UNLIMITED)

    async with tables[world.organization_id_type].explore(world) as explored:
        user_id, *_ = _contexts_by_user(world)
        found = await _findings(explored, user_id, tally)

    assert (2, True) == (len(found), tally.is_cut_short)


async def test_a_user_who_is_nobody_is_denied(tables: dict[str, Tables]) -> None:
    """An unknown user has the one denial that every unfit user has."""
    world = random_world(1)
    stored = tables[world.organization_id_type]
    await stored.store(world)

    async with stored.explore(world) as explored:
        user = await Surveyor(explored).user(UserId(ids_of(world).nobody))

    assert isinstance(user, Denied)


async def _told(explored: Explored, user_id: str) -> dict[Way, Told]:
    """What is told of each context of a user that there is."""
    tally = Tally(UNLIMITED, UNLIMITED)
    told: dict[Way, Told] = {}
    current: Told | None = None
    for finding in await _findings(explored, user_id, tally):
        if isinstance(finding, Entered):
            way = (finding.way.organization_id, finding.way.api_key)
            assert way not in told
            current = None
            if isinstance(finding.context, TenantContext):
                current = told[way] = Told(finding.context)
        else:
            assert current is not None
            _add(current, finding)
    return told


async def _findings(explored: Explored, user_id: str, tally: Tally) -> list[Finding]:
    surveyor = Surveyor(explored, listed=3)
    user = await surveyor.user(UserId(user_id))
    if not isinstance(user, User):
        return []
    return [each async for each in surveyor.access_of(user, tally)]


def _add(told: Told, finding: Finding) -> None:
    match finding:
        case Reached(cluster_id, through):
            told.clusters[cluster_id] = through
        case Granted(query, granted):
            subject = (query.context.value, query.item, query.feature_instance_id)
            assert subject not in told.permissions
            told.permissions[subject] = granted
        case Listed(kind, count, ids):
            told.rows[kind] = (count, ids)
        case Held() | Entered():
            pass


def _contexts_by_user(world: World) -> dict[str, dict[Way, Context]]:
    found: dict[str, dict[Way, Context]] = {}
    for way, context in contexts(world):
        found.setdefault(context.caller.user_id, {})[way] = context
    return found


def _reported(here: Mapping[Way, Context], told: Mapping[Way, Told]) -> set[Way]:
    """The contexts of a user; of a system user, who may name anything, those told.

    Each that has roles is among them: `_permissions_agree` would miss it otherwise.
    """
    if any(context.caller.is_system for context in here.values()):
        return {way for way in here if way in told or way == ("", "")}
    return set(here)


def _permissions_agree(world: World, context: Context, told: Told) -> bool:
    """Whether every question has the answer of the nearest line above its item."""
    instances = (None, *ids_of(world).instances)
    for rule_context in ("DATA", "UI", "RESOURCE"):
        for item in (None, *ITEMS, "a.b.c.d"):
            for instance in instances:
                query: Row = {"context": rule_context}
                if item is not None:
                    query["item"] = item
                if instance is not None:
                    query["feature_instance_id"] = instance
                expected = permissions(world, context, query)
                subject = (rule_context, item, instance)
                if expected != _nearest(told.permissions, subject):
                    note(f"{query} of {told.context}: {told.permissions}")
                    return False
    return True


def _nearest(told: Mapping[Subject, Permissions], subject: Subject) -> Row:
    rule_context, item, instance = subject
    # An instance of which nothing is told changes nothing.
    named = {each for _, _, each in told}
    instance = instance if instance in named else None
    while (rule_context, item, instance) not in told and item is not None:
        item = item.rpartition(".")[0] or None
    return _as_row(told.get((rule_context, item, instance)))


def _as_row(granted: Permissions | None) -> Row:
    levels = ("read", "create", "update", "delete")
    if granted is None:
        return {"view": False, **dict.fromkeys(levels, AccessLevel.NONE.name)}
    return {
        "view": granted.view,
        **{name: getattr(granted, name).name for name in levels},
    }


def _rows(world: World, context: Context) -> dict[str, tuple[int, tuple[str, ...]]]:
    """How many rows of each kind the reference lists, and the first by id."""
    found: dict[str, list[str]] = {kind: [] for kind in world.kinds}
    for named in stored_rows(ids_of(world)):
        name, key = str(named["kind"]), str(named["id"])
        kind = world.kinds.get(name)
        facts = None if kind is None else find_resource(world, named)
        if kind is None or facts is None:
            continue
        fields = {
            "OWNER_PRINCIPAL_ID": facts.owner,
            "CLUSTER_ID": facts.cluster,
            "ID": facts.id,
        }
        if selects(list_filter(context, kind), fields):
            found[name].append(key)
    numeric = world.organization_id_type in ("bigint", "integer")
    return {
        name: (len(keys), tuple(sorted(keys, key=int if numeric else str)[:3]))
        for name, keys in found.items()
    }
