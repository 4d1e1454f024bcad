"""Whether indexes serve: each look-up of the statements, and the statements' plans."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Final

import asyncpg

from sidecar.store.catalogue import Catalogue
from sidecar.store.doctor.behind import Behind, TableName, Thing
from sidecar.store.doctor.findings import Finding, Mend
from sidecar.store.doctor.look import Look, PlanNode, said
from sidecar.store.doctor.names import is_name, without_alias
from sidecar.store.doctor.shape import Shape
from sidecar.store.doctor.sources import children, walk
from sidecar.store.statements import write_statements

LARGE: Final = 10_000

_INTEGERS: Final = frozenset({"bigint", "integer"})
_TEXTS: Final = frozenset({"text", "character varying"})


@dataclass(frozen=True, slots=True)
class Lookup:
    """Columns of a relation that a statement looks up by, the telling one as `by`.

    `known`: the relation and column from which the value comes, when it is no
    parameter of the question.
    """

    relation: str
    columns: tuple[str, ...]
    telling: str
    known: tuple[str, str] | None = None


def _lookup(relation: str, column: str, known: tuple[str, str] | None = None) -> Lookup:
    return Lookup(relation, (column,), column, known)


_LOOKUPS: Final = (
    _lookup("users", "id"),
    _lookup("principals", "id"),
    _lookup("principals", "id", ("users", "principal_id")),
    _lookup("principals", "id", ("principal_memberships", "parent_principal_id")),
    Lookup("user_identities", ("issuer", "subject"), "subject"),
    _lookup("api_keys", "lookup_id"),
    _lookup("cluster_access", "principal_id"),
    _lookup("cluster_access", "principal_id", ("principals", "id")),
    _lookup("principal_memberships", "member_principal_id"),
    _lookup("membership_roles", "membership_id", ("principal_memberships", "id")),
    _lookup("feature_instances", "id"),
    Lookup("feature_access", ("user_id", "feature_instance_id"), "user_id"),
    _lookup("feature_access_roles", "feature_access_id", ("feature_access", "id")),
    _lookup("roles", "id"),
    _lookup("access_rules", "role_id"),
    Lookup("resources", ("kind", "id"), "id"),
)

_INDEXED: Final = """
select n.nspname::text as schema, c.relname::text as name,
    pg_get_indexdef(c.oid, 1, false) as first
from pg_index as i
join pg_class as c on c.oid = i.indexrelid
join pg_namespace as n on n.oid = c.relnamespace
where i.indrelid = any($1::bigint[]::oid[])
"""
_INVALID: Final = """
select format('%I.%I', n.nspname, c.relname) as sql, i.indrelid::regclass::text as table
from pg_index as i
join pg_class as c on c.oid = i.indexrelid
join pg_namespace as n on n.oid = c.relnamespace
where i.indrelid = any($1::bigint[]::oid[]) and not i.indisvalid
order by 1
"""
_TYPES: Final = """
select quote_ident(a.attname) as column, format_type(a.atttypid, null) as type
from pg_attribute as a where a.attrelid = $1::bigint::oid and a.attnum > 0
"""


async def check_indexes(look: Look, shape: Shape, behind: Behind) -> list[Finding]:
    """Look-ups that no index serves, and statements that read a large table."""
    oids = [thing.oid for thing in behind.tables().values()]
    findings = [
        Finding(
            "index-invalid",
            str(row["sql"]),
            f"the index `{row['sql']}` of `{row['table']}` is not valid",
            Mend((f"reindex index concurrently {row['sql']};",)),
        )
        for row in await look.fetch(_INVALID, oids)
    ]
    firsts = {
        (str(row["schema"]), str(row["name"])): str(row["first"])
        for row in await look.fetch(_INDEXED, oids)
    }
    tables = behind.tables()
    missing: dict[tuple[TableName, Mend], Finding] = {}
    for lookup in _LOOKUPS:
        for finding in await _check_lookup(look, shape, lookup, (tables, firsts)):
            missing.setdefault((_key(finding), finding.mend), finding)
    findings += missing.values()
    catalogue = shape.catalogue()
    if catalogue is None:
        look.unchecked.append("the statements: what they read is not all there")
        return findings
    known = {each.subject for each in missing.values()}
    return [*findings, *await _check_statements(look, catalogue, tables, known)]


def _key(finding: Finding) -> TableName:
    return finding.code, finding.subject


async def _check_lookup(
    look: Look,
    shape: Shape,
    lookup: Lookup,
    there: tuple[Mapping[TableName, Thing], Mapping[TableName, str]],
) -> list[Finding]:
    statement = _probe(shape, lookup)
    if statement is None:
        return []
    tables, firsts = there
    findings: list[Finding] = []
    async with look.attempt(
        f"the look-up of {', '.join(lookup.columns)} in "
        f"`{shape.schema}.{lookup.relation}`"
    ):
        root = await look.explain(statement, without_scans=True)
        telling = f"${1 + lookup.columns.index(lookup.telling)}"
        for schema, node in _scans(root, ""):
            table = tables.get((schema, str(node.get("Relation Name"))))
            if table is None or _is_served(schema, node, firsts, telling):
                continue
            findings.append(await _missing(look, lookup, table, node))
    return findings


def _probe(shape: Shape, lookup: Lookup) -> str | None:
    # As the statements compare: each id as its column's type, or else both as texts.
    held = shape.complete(lookup.relation)
    if held is None or (lookup.known and shape.complete(lookup.known[0]) is None):
        return None
    conditions = []
    for number, column in enumerate(lookup.columns, start=1):
        type_name = held.columns[column]
        if lookup.relation in {"user_identities", "api_keys"}:
            condition = f"r.{column} = ${number}::text"
        elif column == "kind":
            condition = f"r.kind::text = ${number}::text"
        elif lookup.known and not _alike(type_name, shape.id_type(*lookup.known)):
            condition = f"r.{column}::text = ${number}::text"
        else:
            condition = f"r.{column} = ${number}::{type_name}"
        conditions.append(condition)
    return f"select from {held.sql} as r where {' and '.join(conditions)}"


def _alike(left: str, right: str) -> bool:
    return (
        left == right
        or {left, right} <= _INTEGERS
        # What is known is made a text, which an index of texts serves.
        or left in _TEXTS
    )


def _scans(node: PlanNode, schema: str) -> Iterator[tuple[str, PlanNode]]:
    """The nodes that read tables, with the table's schema; bitmaps by their index."""
    schema = str(node.get("Schema", schema))
    kind = str(node["Node Type"])
    if kind.endswith("Scan") and "Bitmap Heap" not in kind:
        yield schema, node
    for child in children(node):
        if kind == "Bitmap Heap Scan":
            yield from _scans({**_of_heap(node), **child}, schema)
        else:
            yield from _scans(child, schema)


def _of_heap(node: PlanNode) -> PlanNode:
    # What an index's node leaves to the node of its table.
    names = ("Relation Name", "Alias", "Filter")
    return {name: node[name] for name in names if name in node}


def _is_served(
    schema: str, node: PlanNode, firsts: Mapping[TableName, str], telling: str
) -> bool:
    # An index whose first column is not looked up by is read as a whole, or skipped
    # through; one without the telling column gives too much.
    first = firsts.get((schema, str(node.get("Index Name"))))
    condition = without_alias(str(node.get("Index Cond", "")), str(node.get("Alias")))
    condition = _plain(condition)
    if first is None or not re.search(rf"{re.escape(telling)}(?!\d)", condition):
        return False
    return re.search(rf'(^|[^\w"]){re.escape(_plain(first))}=', condition) is not None


def _plain(text: str) -> str:
    return re.sub(r"[()\s]", "", text)


async def _missing(look: Look, lookup: Lookup, table: Thing, node: PlanNode) -> Finding:
    code = "large-table-scanned" if table.size >= LARGE else "index-missing"
    columns = " and ".join(f"`{column}`" for column in lookup.columns)
    what = f"no index of `{table.sql}` serves the look-up of {columns} in "
    what += f"`{look.patient.schema}.{lookup.relation}`"
    rows = await look.fetch(_TYPES, table.oid)
    types = {str(row["column"]): str(row["type"]) for row in rows}
    keys = list(_index_keys(node, types))
    if not keys:
        words = "let the view hand the column on as the table has it, and index that"
        return Finding(code, table.sql, what, Mend(words=words))
    return Finding(
        code,
        table.sql,
        what,
        Mend((f"create index concurrently on {table.sql} ({', '.join(keys)});",)),
    )


def _index_keys(node: PlanNode, types: Mapping[str, str]) -> Iterator[str]:
    alias = str(node.get("Alias"))
    conditions = " AND ".join(
        str(node[name]) for name in ("Index Cond", "Filter") if name in node
    )
    for part in re.split(r"\bAND\b", without_alias(conditions, alias)):
        left, equals, right = part.strip().partition(" = ")
        if not equals or not re.fullmatch(r"\(*\$\d+(::[\w ]+)?\)*(::\w+)?\)*", right):
            continue
        column = _plain(left)
        if is_name(column):
            yield column
        elif column.endswith("::text") and is_name(column.removesuffix("::text")):
            name = column.removesuffix("::text")
            if types.get(name) in _INTEGERS | {"uuid", "character varying"}:
                yield name if types[name] == "character varying" else f"({name}::text)"


async def _check_statements(
    look: Look,
    catalogue: Catalogue,
    tables: Mapping[TableName, Thing],
    known: set[str],
) -> list[Finding]:
    findings: dict[str, Finding] = {}
    for facts, statement in asdict(write_statements(catalogue)).items():
        if not statement:
            continue
        name = facts.replace("_", " ")
        try:
            root = await look.explain(statement, without_scans=False)
        except asyncpg.InsufficientPrivilegeError as error:
            # Which right is missing, other findings say.
            look.unchecked.append(f"{name}: {said(error)}")
        except asyncpg.PostgresError as error:
            what = f"the statement that reads {name} does not run: {said(error)}"
            mend = Mend(words="let the relations be as the page on storage says")
            findings[name] = Finding("statement-fails", name, what, mend)
        else:
            for table in _read_as_a_whole(root, tables):
                if table.sql not in known:
                    findings.setdefault(table.sql, _read_large(table, name))
    return list(findings.values())


def _read_as_a_whole(
    root: PlanNode, tables: Mapping[TableName, Thing]
) -> Iterator[Thing]:
    for node in walk(root):
        table = tables.get((str(node.get("Schema")), str(node.get("Relation Name"))))
        is_whole = str(node["Node Type"]) in {"Seq Scan", "Index Only Scan"}
        if table and table.size >= LARGE and is_whole and "Index Cond" not in node:
            yield table


def _read_large(table: Thing, facts: str) -> Finding:
    return Finding(
        "large-table-scanned",
        table.sql,
        f"the statement that reads {facts} reads all of `{table.sql}`, about "
        f"{table.size} rows",
        Mend(
            (f"analyze {table.sql};",),
            words="an index is there and is not chosen; if that stays so, look whether "
            "the view keeps the condition from reaching the table",
        ),
    )
