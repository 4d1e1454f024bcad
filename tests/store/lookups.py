"""The look-ups that every schema serves from its indexes, and how plans are read."""

import json
from collections.abc import Iterator, Mapping
from typing import Final

import asyncpg

Node = Mapping[str, object]

LOOKUPS: Final = {
    "user": "select from authz.users where id = $1",
    "user and principal": (
        "select from authz.users u join authz.principals p on p.id = u.principal_id"
        " where u.id = $1"
    ),
    "identity": (
        "select from authz.user_identities where issuer = $1 and subject = $2"
    ),
    "api key": "select from authz.api_keys where lookup_id = $1",
    "principal": "select from authz.principals where id = $1",
    "membership": (
        "select from authz.principal_memberships where member_principal_id = $1"
        " and parent_principal_id = $2 and enabled and deleted_at is null"
    ),
    "groups": (
        "select from authz.principal_memberships m"
        " join authz.principals g on g.id = m.parent_principal_id"
        " where m.member_principal_id = $1 and m.enabled and m.deleted_at is null"
        " and g.parent_principal_id = $2 and g.kind = 'group'"
        " and g.deleted_at is null"
    ),
    "groups of an organization": (
        "select from authz.principals where parent_principal_id = $1"
        " and kind = 'group' and deleted_at is null"
    ),
    "contexts": (
        "select p.name, p.kind from authz.principal_memberships m"
        " join authz.principals p on p.id = m.parent_principal_id"
        " where m.member_principal_id = $1 and m.enabled and m.deleted_at is null"
    ),
    "grants": "select cluster_id from authz.cluster_access where principal_id = $1",
    "resource": "select from authz.resources where kind = $1 and id = $2",
    "feature instance": "select from authz.feature_instances where id = $1",
    "role": "select from authz.roles where id = $1",
    "rules": "select from authz.access_rules where role_id = $1",
    "roles of a membership": (
        "select from authz.membership_roles where membership_id = $1"
    ),
    "feature access": (
        "select from authz.feature_access where user_id = $1"
        " and feature_instance_id = $2"
    ),
    "roles of a feature access": (
        "select from authz.feature_access_roles where feature_access_id = $1"
    ),
}


async def explain(connection: asyncpg.Connection, lookup: str) -> list[Node]:
    """Give the nodes of a look-up's generic plan, sequential scans avoided if it can.

    Then a sequential scan, or an index scan without a condition, says that no index
    serves the look-up, however few the rows are.
    """
    await connection.execute("set enable_seqscan = off")
    await connection.execute("set plan_cache_mode = force_generic_plan")
    await connection.execute(f"prepare lookup as {lookup}")
    arguments = ", ".join("null" for place in ("$1", "$2") if place in lookup)
    plan = await connection.fetchval(
        f"explain (format json) execute lookup ({arguments})",
    )
    await connection.execute("deallocate lookup")
    return list(_walk(json.loads(plan)[0]["Plan"]))


async def unserved(connection: asyncpg.Connection, nodes: list[Node]) -> list[str]:
    """Give the tables and indexes of a plan that are read from end to end.

    An index whose first column is not in the condition is one of them: it may be
    skipped through, which is quick only while that column has few values.
    """
    return [
        str(node.get("Relation Name", node.get("Index Name")))
        for node in nodes
        if "Scan" in str(node["Node Type"])
        and node["Node Type"] not in {"Bitmap Heap Scan", "Subquery Scan"}
        and not await _is_served(connection, node)
    ]


async def _is_served(connection: asyncpg.Connection, node: Node) -> bool:
    first = await connection.fetchval(
        "select pg_get_indexdef(oid, 1, false) from pg_class where relname = $1",
        node.get("Index Name"),
    )
    return first is not None and f"{first} =" in str(node.get("Index Cond"))


def _walk(node: Node) -> Iterator[Node]:
    yield node
    children = node.get("Plans", [])
    if isinstance(children, list):
        for child in children:
            yield from _walk(child)
