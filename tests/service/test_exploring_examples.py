import pytest

from sidecar.core.authorize import MustBeVisible, NamedResource
from sidecar.core.ids import ResourceId
from sidecar.service.exploring import Explorer
from sidecar.service.ways import Tally
from sidecar.store.embedded import EmbeddedPostgres
from tests.service.stored import UNLIMITED, Tables, who
from tests.spec.cases import load_kinds, load_world
from tests.spec.pools import FAR_OFF, KINDS, LONG_AGO, SECRET_HASH
from tests.spec.world import Row, World
from tests.store.foreign.load import translate
from tests.support.serving import Place, Schema, Stage


@pytest.fixture(scope="module")
async def tables(postgres: EmbeddedPostgres) -> Tables:
    """Tables for ids that are numbers."""
    return await Tables.create(postgres, "bigint", "examples")


async def test_a_grant_to_a_platform_admin_goes_along_into_every_organization(
    tables: Tables,
) -> None:
    """Also into those that have nothing to do with the row."""
    world = _world(
        users=[{"id": "1", "principal_id": "101", "is_admin": True}],
        cluster_access=[{"cluster_id": "7", "principal_id": "101"}],
        resources=[{"kind": "cluster", "id": "7"}],
    )
    await tables.store(world)
    question = MustBeVisible(NamedResource("cluster", ResourceId("7")))

    async with tables.explore(world) as explored:
        found = await who(explored, question)

    expected = {
        ("1", "", "", "BYPASS_PLATFORM_ADMIN"),
        ("1", "101", "", "GRANTED"),
        ("1", "20", "", "GRANTED"),
        ("1", "21", "", "GRANTED"),
    }
    assert expected == found


@pytest.mark.parametrize(
    ("changed", "is_found"),
    [
        ({}, True),
        ({"expires_at": FAR_OFF}, True),
        ({"expires_at": LONG_AGO}, False),
        ({"revoked_at": LONG_AGO}, False),
        ({"secret_hash": "plain"}, False),
        ({"owner_principal_id": None}, False),
        ({"user_id": "2"}, False),
    ],
    ids=str,
)
async def test_a_pinned_key_is_a_way_while_it_is_valid(
    tables: Tables, changed: Row, *, is_found: bool
) -> None:
    """A key that opens nothing, or is somebody else's, is no way to act."""
    key: Row = {
        "id": "1",
        "user_id": "1",
        "lookup_id": "k1",
        "secret_hash": SECRET_HASH,
        "owner_principal_id": "20",
    }
    world = _world(
        users=[{"id": "1", "principal_id": "101"}],
        principal_memberships=[
            {"id": "1", "member_principal_id": "101", "parent_principal_id": "20"}
        ],
        api_keys=[{**key, **changed}],
        resources=[{"kind": "cluster", "id": "7", "owner_principal_id": "20"}],
    )
    await tables.store(world)
    question = MustBeVisible(NamedResource("cluster", ResourceId("7")))

    async with tables.explore(world) as explored:
        found = await who(explored, question)

    with_key = {("1", "", "k1", "OWNED")} if is_found else set()
    assert {("1", "20", "", "OWNED"), *with_key} == found


@pytest.mark.parametrize("schema", [Schema.GPUSTACK_LIKE, Schema.CAMEL_CASE])
async def test_over_a_platforms_own_tables_the_same_are_found(
    stage: Stage, schema: Schema
) -> None:
    """Views over other tables, with ids of other types, change nothing."""
    found = []
    for place in (Schema.REFERENCE, schema):
        flavour, written = place.flavour, {}
        tables = Tables(await stage.stored(Place(place, "tenancy")))
        document, _ = load_world("tenancy")
        async with tables.explore(World(document, load_kinds())) as explored:
            for row in document["resources"]:
                kind, key = str(row["kind"]), str(row["id"])
                here = key if flavour is None else translate(flavour, "resources", key)
                named = NamedResource(kind, ResourceId(here))
                written[kind, key] = await who(explored, MustBeVisible(named))
        found.append(written)
    flavour = schema.flavour
    assert flavour is not None

    expected = {
        named: {
            (
                translate(flavour, "users", user),
                organization and translate(flavour, "principals", organization),
                *others,
            )
            for user, organization, *others in each
        }
        for named, each in found[0].items()
    }
    assert expected == found[1]
    assert any(found[1].values())


@pytest.mark.parametrize(("most_found", "most_tried"), [(2, UNLIMITED), (UNLIMITED, 3)])
async def test_a_limit_ends_the_search_and_says_so(
    tables: Tables, most_found: int, most_tried: int
) -> None:
    """Not one more than was asked for is found or tried, and it is told."""
    world = _people(9)
    await tables.store(world)
    tally = Tally(most_found, most_tried)
    question = MustBeVisible(NamedResource("template", ResourceId("1")))

    async with tables.explore(world) as explored:
        found = [
            each async for each in Explorer(explored).who_can(question, None, tally)
        ]

    assert tally.is_cut_short
    assert (min(most_found, most_tried), len(found)) == (tally.found, tally.found)


@pytest.mark.parametrize("spare", [0, 1])
async def test_a_limit_that_is_just_reached_cuts_nothing_short(
    tables: Tables, spare: int
) -> None:
    """Where there is nothing more to try, the list is complete."""
    world = _people(3)
    await tables.store(world)
    tally = Tally(3 + spare, 3 + spare)
    question = MustBeVisible(NamedResource("template", ResourceId("1")))

    async with tables.explore(world) as explored:
        found = [
            each async for each in Explorer(explored).who_can(question, None, tally)
        ]

    assert (3, False) == (len(found), tally.is_cut_short)


async def test_more_users_than_are_fetched_at_once_are_all_found(
    tables: Tables,
) -> None:
    """Neither a batch nor what a cursor fetches loses anybody at its end."""
    world = _people(1_201)
    await tables.store(world)
    question = MustBeVisible(NamedResource("template", ResourceId("1")))

    async with tables.explore(world) as explored:
        found = await who(explored, question)

    assert {str(n) for n in range(1_201)} == {user for user, *_ in found}


def _world(**relations: list[Row]) -> World:
    """Two organizations, one user's principal, and what is said."""
    principals: list[Row] = [
        {"id": "20", "kind": "org", "name": "Acme"},
        {"id": "21", "kind": "org", "name": "Globex"},
        {"id": "101", "kind": "user", "name": "Ann"},
    ]
    return World({"principals": principals, **relations}, KINDS)


def _people(count: int) -> World:
    """So many users, who all see the one template."""
    principals: list[Row] = [
        {"id": str(n), "kind": "user", "name": ""} for n in range(count)
    ]
    users: list[Row] = [{"id": str(n), "principal_id": str(n)} for n in range(count)]
    template: Row = {"kind": "template", "id": "1"}
    document = {"principals": principals, "users": users, "resources": [template]}
    return World(document, KINDS)
