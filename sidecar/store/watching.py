"""Which relations are watched: whose every change the triggers tell.

Behind a relation are the base tables that it reads, through views of any depth,
and their partitions and children. It is watched when all of these have the four
change triggers of its group and nothing else is behind it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from sidecar.store.catalogue import OPTIONAL
from sidecar.store.dependencies import RELATION_GROUPS
from sidecar.store.queries import Queryable, Row

VERSION: Final = "1"

# What pg_class.relkind calls the things that no trigger watches.
_UNWATCHABLE: Final[Mapping[str, str]] = {
    "f": "a foreign table",
    "m": "a materialized view",
}

# A trigger counts when it fires always, after each statement, whatever the row or
# the column. The bits of tgtype: 1 row, 2 before, 64 instead, and for the events
# 4 insert, 8 delete, 16 update, 32 truncate, together 60.
_BEHIND: Final = r"""
with recursive behind (relation, oid) as (
    select c.relname, c.oid
    from pg_catalog.pg_class as c
    join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
    where n.nspname = $1 and c.relname = any($2::text[])
  union
    select b.relation, next.oid
    from behind as b
    cross join lateral (
        select d.refobjid as oid
        from pg_catalog.pg_rewrite as r
        join pg_catalog.pg_depend as d
            on d.classid = 'pg_catalog.pg_rewrite'::regclass and d.objid = r.oid
        where r.ev_class = b.oid and r.ev_type = '1'
            and d.refclassid = 'pg_catalog.pg_class'::regclass
      union all
        select i.inhrelid from pg_catalog.pg_inherits as i where i.inhparent = b.oid
      union all
        select i.inhparent from pg_catalog.pg_inherits as i where i.inhrelid = b.oid
    ) as next
)
select b.relation, c.relkind::text as kind, b.oid::regclass::text as name,
    array(
        select args.parts[2]
        from pg_catalog.pg_trigger as t
        cross join lateral (
            select string_to_array(encode(t.tgargs, 'escape'), '\000') as parts
        ) as args
        where t.tgrelid = b.oid
            and t.tgfoid = to_regproc('authz.notify_change')
            and t.tgenabled = 'A' and t.tgtype & 67 = 0
            and t.tgqual is null and t.tgattr = ''::int2vector
            and args.parts[1] = $3
        group by args.parts[2]
        having bit_or(t.tgtype & 60) = 60
    ) as groups,
    exists (
        select
        from pg_catalog.pg_rewrite as r
        join pg_catalog.pg_depend as d
            on d.classid = 'pg_catalog.pg_rewrite'::regclass and d.objid = r.oid
        join pg_catalog.pg_proc as p
            on d.refclassid = 'pg_catalog.pg_proc'::regclass and p.oid = d.refobjid
        where c.relkind = 'v' and r.ev_class = b.oid and p.provolatile <> 'i'
    ) as reads_through_a_function
from behind as b
join pg_catalog.pg_class as c on c.oid = b.oid
where c.relkind in ('r', 'p', 'v', 'm', 'f')
"""


@dataclass(frozen=True, slots=True)
class Behind:
    """One thing behind a relation: its kind as in the catalogue, and its triggers.

    `groups` are those of which it has all four. A view may call functions, which
    may read what the catalogue does not tell.
    """

    relation: str
    kind: str
    name: str
    groups: frozenset[str]
    reads_through_a_function: bool


async def unwatched(connection: Queryable, schema: str = "authz") -> dict[str, str]:
    """The relations that are not watched, each with the reason for people.

    A relation that may be missing and is needs no watching.
    """
    relations = list(RELATION_GROUPS)
    rows = await connection.fetch(_BEHIND, schema, relations, VERSION)
    things = [_behind(row) for row in rows]
    there = OPTIONAL.union(thing.relation for thing in things)
    gone = [relation for relation in relations if relation not in there]
    return judge(things) | dict.fromkeys(gone, "it does not exist")


def judge(things: Iterable[Behind]) -> dict[str, str]:
    """The relations that are not watched, of those that have something behind."""
    behind: dict[str, list[Behind]] = {}
    for thing in things:
        behind.setdefault(thing.relation, []).append(thing)
    reasons = {relation: _reason(relation, each) for relation, each in behind.items()}
    return {name: reason for name, reason in reasons.items() if reason is not None}


def _reason(relation: str, things: list[Behind]) -> str | None:
    group = RELATION_GROUPS[relation]
    for thing in things:
        if thing.kind in _UNWATCHABLE:
            return f"`{thing.name}` is {_UNWATCHABLE[thing.kind]}"
        if thing.reads_through_a_function:
            return f"the view `{thing.name}` calls a function that is not immutable"
    tables = [thing for thing in things if thing.kind in {"r", "p"}]
    if not tables:
        return "there is no table behind it"
    for table in tables:
        if group not in table.groups:
            return (
                f"`{table.name}` lacks change triggers of group `{group}`; "
                "call `authz.watch` for it"
            )
    return None


def _behind(row: Row) -> Behind:
    groups = row["groups"]
    return Behind(
        str(row["relation"]),
        str(row["kind"]),
        str(row["name"]),
        frozenset(map(str, groups)) if isinstance(groups, list) else frozenset(),
        bool(row["reads_through_a_function"]),
    )
