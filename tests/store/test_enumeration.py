from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

import pytest

from sidecar.core.ids import ClusterId, IdType, PrincipalId, UserId
from sidecar.core.sql import SqlFilter, SqlParameter
from sidecar.ports import Directory, Everyone, FactsUnavailableError, Near, UserKey
from sidecar.store.clock import SystemClock
from sidecar.store.database import PoolSettings
from sidecar.store.enumeration import Moment, open_moment
from sidecar.store.errors import StoreError
from tests.spec.cases import load_world
from tests.spec.world import Row
from tests.store.foreign.load import translate
from tests.support.serving import Place, Schema, Stage

T = TypeVar("T")
ACME = "20"
DOCUMENT, _ = load_world("tenancy")


@pytest.fixture(params=Schema, ids=lambda schema: schema.value)
async def schema(request: pytest.FixtureRequest) -> Schema:
    """The reference schema and both foreign ones."""
    assert isinstance(request.param, Schema)
    return request.param


@asynccontextmanager
async def moment(stage: Stage, schema: Schema) -> AsyncIterator[Moment]:
    """What a new database with the world of tenancy holds."""
    url = await stage.stored(Place(schema, "tenancy"))
    pool = PoolSettings(url, smallest=1, largest=1)
    async with open_moment(pool, SystemClock(), lambda _: None) as found:
        yield found


async def test_everyone_is_every_user_in_the_order_of_ids(
    stage: Stage, schema: Schema
) -> None:
    """Nobody is left out for being switched off: that is not for a list to judge."""
    async with moment(stage, schema) as found:
        users = await _all(found.directory.users(Everyone()))

    ids = sorted((str(row["id"]) for row in DOCUMENT["users"]), key=int)
    assert [_here(schema, each) for each in ids] == users


async def test_near_are_members_of_any_kind_owners_and_who_is_special(
    stage: Stage, schema: Schema
) -> None:
    """All who could have to do with an organization or a granted cluster, and once."""
    cluster = _granted()
    async with moment(stage, schema) as found:
        users = await _users_near(found.directory, schema, (ACME,), cluster)

    near = {ACME, *_grantees(cluster)}
    assert sorted(users) == sorted(set(users))
    assert {_here(schema, each) for each in _near(near)} == set(users)


async def test_near_nothing_are_those_who_are_near_to_everything(
    stage: Stage, schema: Schema
) -> None:
    """Platform admins and system users need no principal and no grant."""
    async with moment(stage, schema) as found:
        users = await _users_near(found.directory, schema, (), None)

    assert {_here(schema, each) for each in _near(set())} == set(users)


async def test_organizations_near_a_grant_are_the_grantees_and_their_parents(
    stage: Stage, schema: Schema
) -> None:
    """Whoever is granted a cluster as a group acts in the group's organization."""
    cluster = _granted()
    near = Near((), ClusterId(_here(schema, cluster)))
    async with moment(stage, schema) as found:
        organizations = await _all(found.directory.organizations(near))

    grantees = _grantees(cluster)
    parents = {
        str(row["parent_principal_id"])
        for row in DOCUMENT["principals"]
        if row["id"] in grantees and row.get("parent_principal_id")
    }
    assert {_here(schema, each) for each in grantees | parents} == set(organizations)


async def test_organizations_of_everyone_are_all_there_are(
    stage: Stage, schema: Schema
) -> None:
    """Deleted ones too: whether one is live is for the core to say."""
    async with moment(stage, schema) as found:
        organizations = await _all(found.directory.organizations(Everyone()))

    wanted = [str(row["id"]) for row in DOCUMENT["principals"] if row["kind"] == "org"]
    assert sorted(_here(schema, each) for each in wanted) == sorted(organizations)


async def test_pinned_keys_are_those_of_the_users(stage: Stage, schema: Schema) -> None:
    """Keys without a pin are no way of their own."""
    users = [UserId(_here(schema, str(row["id"]))) for row in DOCUMENT["users"]]
    async with moment(stage, schema) as found:
        keys = await found.directory.pinned_keys([*users, UserId("none such")])

    expected: dict[str, set[str]] = {}
    for row in DOCUMENT["api_keys"]:
        if row.get("owner_principal_id") is not None:
            user = _here(schema, str(row["user_id"]))
            expected.setdefault(user, set()).add(str(row["lookup_id"]))
    assert expected == {user: set(each) for user, each in keys.items()}


async def test_rows_are_counted_and_listed_by_a_filter(
    stage: Stage, schema: Schema
) -> None:
    """Of the kind that was asked for, and of those only what is not deleted."""
    kind = IdType.UUID if schema is Schema.CAMEL_CASE else IdType.BIGINT
    owner = SqlParameter(kind, _here(schema, ACME))
    chosen = SqlFilter('("owner_principal_id" = $2)', (owner,))
    async with moment(stage, schema) as found:
        count = await found.directory.count_resources("cluster", chosen)
        listed = await _all(found.directory.resources("cluster", chosen))

    rows = [
        _here(schema, str(row["id"]))
        for row in DOCUMENT["resources"]
        if (row["kind"], row.get("owner_principal_id")) == ("cluster", ACME)
        and row.get("deleted_at") is None
    ]
    assert (len(rows), sorted(rows)) == (count, sorted(listed))


async def test_one_moment_is_seen_whatever_is_changed(stage: Stage) -> None:
    """Lists and facts are of one snapshot, though others write meanwhile."""
    import asyncpg  # noqa: PLC0415

    url = await stage.stored(Place(Schema.REFERENCE, "tenancy"))
    pool = PoolSettings(url, smallest=1, largest=1)
    async with open_moment(pool, SystemClock(), lambda _: None) as found:
        before = await _all(found.directory.users(Everyone()))
        writer = await asyncpg.connect(url)
        await writer.execute("update authz.users set is_active = false")
        await writer.execute("delete from authz.cluster_access")
        await writer.close()
        users = await found.facts.get_all([UserKey(each) for each in before])
        granted = Near((), ClusterId(_granted()))

        assert any(each is not None and each.is_active for each in users)
        assert await _all(found.directory.organizations(granted))


async def test_the_time_is_bounded(stage: Stage) -> None:
    """A snapshot that is held too long ends with an error, not with part of a list."""
    url = await stage.stored(Place(Schema.REFERENCE, "tenancy"))
    pool = PoolSettings(url, smallest=1, largest=1)
    with pytest.raises(FactsUnavailableError):
        async with open_moment(
            pool, SystemClock(), lambda _: None, seconds=0.000_001
        ) as found:
            await _all(found.directory.users(Everyone()))


async def test_a_database_without_the_relations_is_refused(
    empty_database: str,
) -> None:
    """Before anything is asked it is said what is missing."""
    pool = PoolSettings(empty_database, smallest=1, largest=1)
    with pytest.raises(StoreError, match="there is no table or view"):
        async with open_moment(pool, SystemClock(), lambda _: None):
            pass


async def _all(found: AsyncGenerator[T, None]) -> list[T]:
    return [each async for each in found]


async def _users_near(
    directory: Directory, schema: Schema, named: tuple[str, ...], cluster: str | None
) -> list[UserId]:
    near = Near(
        tuple(PrincipalId(_here(schema, each)) for each in named),
        None if cluster is None else ClusterId(_here(schema, cluster)),
    )
    return await _all(directory.users(near))


def _granted() -> str:
    """A cluster that is granted to a group."""
    groups = {row["id"] for row in DOCUMENT["principals"] if row["kind"] == "group"}
    grants = DOCUMENT["cluster_access"]
    return next(
        str(row["cluster_id"]) for row in grants if row["principal_id"] in groups
    )


def _grantees(cluster: str) -> set[str]:
    grants = DOCUMENT["cluster_access"]
    return {str(row["principal_id"]) for row in grants if row["cluster_id"] == cluster}


def _near(principals: set[str]) -> set[str]:
    """Brute force: who is one of them, or has any membership in one."""
    members = {
        row["member_principal_id"]
        for row in DOCUMENT["principal_memberships"]
        if row["parent_principal_id"] in principals
    }

    def is_near(row: Row) -> bool:
        own = row["principal_id"]
        special = row.get("is_admin", False) or row.get("is_system", False)
        return bool(own in principals or own in members or special)

    return {str(row["id"]) for row in DOCUMENT["users"] if is_near(row)}


def _here(schema: Schema, key: str) -> str:
    """What an id is called in a schema."""
    if schema.flavour is None:
        return key
    return translate(schema.flavour, "principals", key)
