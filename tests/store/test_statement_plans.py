"""The plans of the sidecar's own statements, small schemas and a million rows."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from sidecar.store.dependencies import RELATION_GROUPS
from sidecar.store.statements import Statements
from tests.store.databases import PostgresServer, create_database
from tests.store.foreign.load import Flavour, create_schema
from tests.store.plans import explain, large_relations, plan, whole_reads

# A million rows take a while, so one process alone has them.
pytestmark = pytest.mark.xdist_group("a million")

NAMES = tuple(Statements.__dataclass_fields__)


@pytest.fixture(scope="module")
async def million(store_server: PostgresServer) -> AsyncIterator[asyncpg.Connection]:
    """The reference schema with a million memberships."""
    async for address in create_database(store_server, "reference"):
        connection = await asyncpg.connect(address)
        for relation in RELATION_GROUPS:
            await connection.execute(f"call authz.unwatch('authz.{relation}')")
        sql = Path(__file__).with_name("million.sql").read_text("utf-8")
        await connection.execute(sql)
        yield connection
        await connection.close()


@pytest.fixture(scope="module", params=Flavour)
async def foreign(
    request: pytest.FixtureRequest, store_server: PostgresServer
) -> AsyncIterator[asyncpg.Connection]:
    """A foreign schema without rows, sequential scans avoided if that can be."""
    async for address in create_database(store_server, "template1"):
        connection = await asyncpg.connect(address)
        await create_schema(connection, request.param)
        await connection.execute("set enable_seqscan = off")
        yield connection
        await connection.close()


@pytest.mark.parametrize("name", NAMES)
async def test_no_large_relation_is_read_as_a_whole(
    million: asyncpg.Connection, name: str
) -> None:
    """Among a million memberships every statement goes by indexes."""
    read = whole_reads(await plan(million, name))

    assert set() == read & await large_relations(million)


async def test_membership_counts_are_as_said(million: asyncpg.Connection) -> None:
    """There are a million of them."""
    count = await million.fetchval("select count(*) from authz.principal_memberships")

    assert count == 1_000_000


async def test_whole_read_shows(million: asyncpg.Connection) -> None:
    """A statement that no index serves would be found out."""
    nodes = await explain(
        million, "select from authz.principal_memberships where role = $1"
    )

    read = whole_reads(nodes)

    assert {"principal_memberships"} == read


@pytest.mark.parametrize("name", NAMES)
async def test_indexes_behind_views_serve(
    foreign: asyncpg.Connection, name: str
) -> None:
    """Parameters are of the columns' own types, so no view hides an index."""
    assert set() == whole_reads(await plan(foreign, name))
