"""How the plans of the sidecar's own statements are read."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Final

import asyncpg

from sidecar.store.catalogue import read_catalogue
from sidecar.store.statements import write_statements

Node = Mapping[str, object]

LARGE: Final = 10_000
# These read what the statement itself has made.
OF_THE_STATEMENT: Final = frozenset({"Function Scan", "CTE Scan", "Subquery Scan"})


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


async def large_relations(connection: asyncpg.Connection) -> set[str]:
    """The tables and indexes of more than 10,000 rows."""
    rows = await connection.fetch(
        "select relname::text from pg_class where reltuples > $1", LARGE
    )
    return {str(row["relname"]) for row in rows}
