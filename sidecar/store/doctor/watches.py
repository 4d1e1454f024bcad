"""Whether every change is told: the triggers of each table behind each relation."""

from collections.abc import Iterator, Mapping
from typing import Final

from sidecar.store.catalogue import OPTIONAL
from sidecar.store.dependencies import RELATION_GROUPS
from sidecar.store.doctor.behind import Behind, TableName, Thing
from sidecar.store.doctor.findings import Finding, Mend
from sidecar.store.doctor.look import Look
from sidecar.store.doctor.shape import Held, Shape
from sidecar.store.doctor.sources import Sources, read_sources
from sidecar.store.doctor.watch import Wanted, Watch
from sidecar.store.relations import RELATIONS

# No answer depends on these.
_UNREAD: Final = frozenset({("users", "name"), ("api_keys", "id")})

_UNWATCHABLE: Final[Mapping[str, str]] = {
    "f": "a foreign table",
    "m": "a materialized view",
    "p": "a partitioned table",
}

_FUNCTIONS: Final = """
select p.oid::regprocedure::text as function
from pg_rewrite as r
join pg_depend as d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
join pg_proc as p on d.refclassid = 'pg_proc'::regclass and p.oid = d.refobjid
where r.ev_class = $1::bigint::oid and p.provolatile <> 'i'
limit 1
"""
_COLUMNS: Final = """
select a.attname::text as name, quote_ident(a.attname) as sql
from pg_attribute as a
where a.attrelid = $1::bigint::oid and a.attnum > 0 and not a.attisdropped
order by a.attnum
"""


async def check_watches(look: Look, shape: Shape, behind: Behind) -> list[Finding]:
    """What of the relations' changes would not be told, or needlessly."""
    findings: list[Finding] = []
    for thing in {each.oid: each for each in behind.things}.values():
        findings += await _unwatchable(look, thing)
    wanted: dict[tuple[TableName, str], Wanted] = {}
    for relation, held in shape.relations.items():
        sources = None
        async with look.attempt(f"the columns behind `{held.sql}`"):
            sources = await _sources(look, held)
        _want(relation, sources, behind, wanted)
    for each in wanted.values():
        triggers = behind.triggers.get(each.table.oid, ())
        columns = await _columns(look, each.table)
        mine = [trigger for trigger in triggers if trigger.group == each.group]
        findings += Watch(each, columns, mine).findings()
    if all(name in shape.relations for name in RELATIONS if name not in OPTIONAL):
        findings += _superfluous(behind, wanted)
    return findings


async def _unwatchable(look: Look, thing: Thing) -> list[Finding]:
    said = _UNWATCHABLE.get(thing.kind)
    if said is None and thing.kind == "r" and thing.is_in_parts:
        said = "a table with a parent or with children"
    if said is not None:
        words = "let the view read an ordinary table, or live with it"
        what = f"`{thing.sql}` is {said}"
        return [Finding("table-unwatchable", thing.sql, what, Mend(words=words))]
    rows = await look.fetch(_FUNCTIONS, thing.oid) if thing.kind == "v" else ()
    return [
        Finding(
            "view-calls-function",
            thing.sql,
            f"the view `{thing.sql}` calls `{row['function']}`",
            Mend(
                words="do without the function, or declare it immutable if it reads "
                "no table and gives the same for the same, always"
            ),
        )
        for row in rows
    ]


async def _sources(look: Look, held: Held) -> Sources:
    names = [
        column.name
        for column in RELATIONS[held.name]
        if column.name in held.columns and (held.name, column.name) not in _UNREAD
    ]
    return await read_sources(look, held.sql, names)


async def _columns(look: Look, table: Thing) -> dict[str, str]:
    rows = await look.fetch(_COLUMNS, table.oid)
    return {str(row["name"]): str(row["sql"]) for row in rows}


def _want(
    relation: str,
    sources: Sources | None,
    behind: Behind,
    wanted: dict[tuple[TableName, str], Wanted],
) -> None:
    group = RELATION_GROUPS[relation]
    for thing in behind.things:
        if thing.relation != relation or thing.kind != "r" or thing.is_in_parts:
            continue
        each = wanted.setdefault((thing.table, group), Wanted(thing, group))
        alone = () if sources is None else sources.alone
        rows = [source for source in alone if source.table == thing.table]
        each.is_alone = each.is_alone and bool(rows)
        if sources is not None:
            each.columns.update(sources.used.get(thing.table, ()))
        for source in rows:
            each.add_keys(relation, source)


def _superfluous(
    behind: Behind, wanted: Mapping[tuple[TableName, str], Wanted]
) -> Iterator[Finding]:
    known = {(each.table.oid, each.group) for each in wanted.values()}
    parts = {thing.oid for thing in behind.things if thing.is_in_parts}
    for oid, triggers in behind.triggers.items():
        groups = {each.group for each in triggers if (oid, each.group) not in known}
        for group in sorted(groups) if oid not in parts else ():
            mine = [each for each in triggers if each.group == group]
            drops = (f"drop trigger {each.name} on {each.table};" for each in mine)
            yield Finding(
                "watch-superfluous",
                mine[0].table,
                f"`{mine[0].table}` tells changes of group `{group}`, and no relation "
                "of that group reads it",
                Mend(tuple(drops)),
            )
