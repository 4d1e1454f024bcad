"""The shipped SQL itself: on tables with other types of id, again, and in words."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from sidecar.store.catalogue import read_catalogue
from sidecar.store.fitting import check_fit
from sidecar.store.statements import Statements
from sidecar.store.watching import unwatched
from tests.adoption.conftest import Adopted
from tests.store.foreign.shipped import SHIPPED, Platform, as_owner
from tests.store.plans import plan, whole_reads

AS_IT_IS = ("", "")
VARIANTS = {
    "gpustack": (Platform.GPUSTACK, AS_IT_IS),
    "gpustack with bigint": (Platform.GPUSTACK, (" integer", " bigint")),
    "camel-case": (Platform.CAMEL_CASE, AS_IT_IS),
    "camel-case with text": (Platform.CAMEL_CASE, (" uuid", " text")),
}
NAMES = [name for name in Statements.__dataclass_fields__ if name != "identity"]
FILES = sorted(SHIPPED.rglob("*.sql"))
AGAIN = ("views.sql", "triggers.sql", "indexes.sql")


@pytest.fixture(scope="module", params=VARIANTS.values(), ids=list(VARIANTS))
async def variant(
    adopted: Adopted, request: pytest.FixtureRequest
) -> AsyncIterator[asyncpg.Connection]:
    """A platform without rows, sequential scans avoided if that can be."""
    platform, id_type = request.param
    connection = await asyncpg.connect(await adopted.empty(platform, id_type))
    await connection.execute("set enable_seqscan = off")
    yield connection
    await connection.close()


async def test_every_statement_fits_and_every_change_is_told(
    variant: asyncpg.Connection,
) -> None:
    """Whichever type the platform's ids have, the views and triggers suit it."""
    await check_fit(variant, await read_catalogue(variant))

    assert {} == await unwatched(variant)


async def test_each_id_has_one_type(variant: asyncpg.Connection) -> None:
    """The tables that stand in have ids of the platform's own types."""
    catalogue = await read_catalogue(variant)
    principals = {
        catalogue.type_of(relation, column)
        for relation, column in (
            ("principals", "id"),
            ("principals", "parent_principal_id"),
            ("users", "principal_id"),
            ("principal_memberships", "member_principal_id"),
            ("cluster_access", "principal_id"),
            ("api_keys", "owner_principal_id"),
            ("resources", "owner_principal_id"),
        )
    }

    assert 1 == len(principals)


@pytest.mark.parametrize("name", NAMES)
async def test_indexes_behind_the_views_serve(
    variant: asyncpg.Connection, name: str
) -> None:
    """No statement has to read a table as a whole, whatever the type of the ids."""
    assert set() == whole_reads(await plan(variant, name))


@pytest.mark.parametrize("platform", Platform, ids=lambda each: each.value)
async def test_views_and_triggers_can_be_applied_again(
    adopted: Adopted, platform: Platform
) -> None:
    """As after a change of the tables: nothing is refused, nothing stands twice."""
    connection = await asyncpg.connect(await adopted.empty(platform))
    count = "select count(*) from pg_trigger where tgname like 'authz_watch_%'"
    before = await connection.fetchval(count)

    for name in AGAIN:
        await as_owner(connection, SHIPPED / platform.value / name)

    after = await connection.fetchval(count)
    left = await unwatched(connection)
    await connection.close()
    assert before == after
    assert {} == left


@pytest.mark.parametrize(
    "file", FILES, ids=lambda each: f"{each.parent.name}-{each.name}"
)
def test_every_file_says_at_its_top_what_it_is(file: Path) -> None:
    """Someone who opens a file reads first what it is for."""
    text = file.read_text("utf-8")

    assert text.startswith("-- ")
    assert max(map(len, text.splitlines())) <= 88
