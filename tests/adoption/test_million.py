"""The plans of the sidecar's statements over a million of a platform's memberships."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from sidecar.store.statements import Statements
from tests.adoption.conftest import Adopted
from tests.store.foreign.shipped import SHIPPED, Platform
from tests.store.plans import explain, large_relations, plan, whole_reads
from tests.support.serving import as_reader

# None of the platforms has log-ins, so there is no statement for them.
NAMES = [name for name in Statements.__dataclass_fields__ if name != "identity"]

UNWATCH = """
select format('call authz.unwatch(%L)', tgrelid::regclass)
from pg_trigger where tgfoid = 'authz.notify_change()'::regprocedure
group by tgrelid
"""


# A million rows take a while, so each platform has them in one process alone.
PLATFORMS = [
    pytest.param(each, id=each.value, marks=pytest.mark.xdist_group(each.value))
    for each in Platform
]


@pytest.fixture(scope="module", params=PLATFORMS)
async def url(adopted: Adopted, request: pytest.FixtureRequest) -> str:
    """A platform with a million memberships and the shipped SQL: its address."""
    platform: Platform = request.param
    url = await adopted.empty(platform)
    connection = await asyncpg.connect(url)
    for (statement,) in await connection.fetch(UNWATCH):
        await connection.execute(statement)
    name = f"million_{platform.value.replace('-', '_')}.sql"
    await connection.execute(Path(__file__).with_name(name).read_text("utf-8"))
    triggers = SHIPPED / platform.value / "triggers.sql"
    await connection.execute(triggers.read_text("utf-8"))
    await connection.close()
    return url


@pytest.fixture(scope="module")
async def million(url: str) -> AsyncIterator[asyncpg.Connection]:
    """The reader in it."""
    connection = await asyncpg.connect(as_reader(url))
    yield connection
    await connection.close()


async def test_there_are_a_million_memberships(million: asyncpg.Connection) -> None:
    """As many as are spoken of, and the reader sees them all."""
    count = await million.fetchval("select count(*) from authz.principal_memberships")

    assert count == 1_000_000


@pytest.mark.parametrize("name", NAMES)
async def test_no_large_table_is_read_as_a_whole(
    million: asyncpg.Connection, name: str
) -> None:
    """Through the views every statement goes by the indexes of the tables."""
    read = whole_reads(await plan(million, name))

    assert set() == read & await large_relations(million)


async def test_a_whole_read_would_show(million: asyncpg.Connection) -> None:
    """A condition that no index serves is found out through the views as well."""
    nodes = await explain(
        million, "select from authz.principal_memberships where role = $1"
    )

    assert whole_reads(nodes) & {"principal_memberships", "UserMandate"}
