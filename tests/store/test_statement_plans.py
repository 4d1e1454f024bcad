"""The plans of the sidecar's own statements, small schemas and a million rows."""

import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

import asyncpg
import pytest

from sidecar.store.catalogue import read_catalogue
from sidecar.store.dependencies import RELATION_GROUPS
from sidecar.store.statements import Statements, write_statements
from tests.store.databases import PostgresServer, create_database
from tests.store.foreign.load import Flavour, create_schema

Node = Mapping[str, object]

NAMES = tuple(Statements.__dataclass_fields__)
LARGE = 10_000
# These read what the statement itself has made.
OF_THE_STATEMENT = {"Function Scan", "CTE Scan", "Subquery Scan"}


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


async def plan(connection: asyncpg.Connection, name: str) -> list[Node]:
    """The nodes of the plan that a prepared statement has in the long run."""
    statements = asdict(write_statements(await read_catalogue(connection)))
    return await explain(connection, statements[name])


async def explain(connection: asyncpg.Connection, statement: str) -> list[Node]:
    """The nodes of a statement's plan for parameters that nobody knows yet."""
    parameters = ", ".join("null" for _ in set(re.findall(r"\$\d", statement)))
    await connection.execute("set plan_cache_mode = force_generic_plan")
    await connection.execute(f"prepare explained as {statement}")
    answer = await connection.fetchval(
        f"explain (format json) execute explained ({parameters})"
    )
    await connection.execute("deallocate explained")
    return list(walk(json.loads(answer)[0]["Plan"]))


def walk(node: Node) -> Iterator[Node]:
    """A plan's nodes, from the root."""
    yield node
    children = node.get("Plans", [])
    assert isinstance(children, list)
    for child in children:
        yield from walk(child)


def whole_reads(nodes: list[Node]) -> set[str]:
    """The tables, and indexes, of which a plan reads everything."""
    return {
        str(node.get("Relation Name", node.get("Index Name")))
        for node in nodes
        if str(node["Node Type"]).endswith("Scan")
        and node["Node Type"] not in OF_THE_STATEMENT
        and node["Node Type"] != "Bitmap Heap Scan"
        and "Index Cond" not in node
    }


@pytest.mark.parametrize("name", NAMES)
async def test_no_large_relation_is_read_as_a_whole(
    million: asyncpg.Connection, name: str
) -> None:
    """Among a million memberships every statement goes by indexes."""
    read = whole_reads(await plan(million, name))
    large = await million.fetchval(
        "select array_agg(relname::text) from pg_class where reltuples > $1", LARGE
    )

    assert set() == read & set(large)


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
