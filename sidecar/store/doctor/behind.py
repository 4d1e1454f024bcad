"""What is behind the relations: views, tables, their owners, sizes and triggers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sidecar.store.doctor.look import Look
from sidecar.store.queries import Row

TableName = tuple[str, str]

# A view reads with its owner's rights, unless it says otherwise; what is a part of a
# table is read with no right but that to the table.
_BEHIND: Final = """
with recursive behind (relation, oid, checker, is_part) as (
    select c.relname::text, c.oid, r.oid, false
    from pg_class as c
    join pg_namespace as n on n.oid = c.relnamespace
    join pg_roles as r on r.rolname = current_user
    where n.nspname = $1 and c.relname = any($2::text[])
  union
    select b.relation, next.oid, next.checker, b.is_part or next.is_part
    from behind as b
    join pg_class as v on v.oid = b.oid
    cross join lateral (
        select d.refobjid as oid, false as is_part,
            case when lower(coalesce((
                select option_value from pg_options_to_table(v.reloptions)
                where option_name = 'security_invoker'
            ), 'false')) in ('true', 'on', 'yes', '1')
            then b.checker else v.relowner end as checker
        from pg_rewrite as r
        join pg_depend as d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
        where v.relkind = 'v' and r.ev_class = b.oid and r.ev_type = '1'
            and d.refclassid = 'pg_class'::regclass and d.refobjid <> b.oid
      union all
        select i.inhrelid, true, b.checker
        from pg_inherits as i where i.inhparent = b.oid and v.relkind in ('r', 'p')
      union all
        select i.inhparent, true, b.checker
        from pg_inherits as i where i.inhrelid = b.oid and v.relkind in ('r', 'p')
    ) as next
)
select b.relation, c.oid::bigint as oid, c.relkind::text as kind,
    n.nspname::text as schema, c.relname::text as name,
    format('%I.%I', n.nspname, c.relname) as sql,
    b.checker::bigint as checker, b.is_part,
    quote_ident(pg_get_userbyid(b.checker)) as checker_sql,
    c.relowner::bigint as owner,
    exists (
        select from pg_inherits as i where b.oid in (i.inhrelid, i.inhparent)
    ) as is_in_parts,
    case when c.relkind in ('r', 'p', 'm') then
        case when c.reltuples >= 0 then c.reltuples::bigint
            else pg_relation_size(c.oid) / 64 end
        else 0 end as size
from behind as b
join pg_class as c on c.oid = b.oid
join pg_namespace as n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'f')
order by b.relation, n.nspname, c.relname
"""

_TRIGGERS: Final = """
select t.tgrelid::bigint as oid, t.tgrelid::regclass::text as table,
    quote_ident(t.tgname) as name,
    t.tgenabled::text as enabled, t.tgtype::int as type,
    t.tgqual is not null or t.tgattr <> ''::int2vector as is_limited,
    t.tgargs as arguments
from pg_trigger as t
where not t.tgisinternal and t.tgfoid in (
    select p.oid from pg_proc as p join pg_namespace as n on n.oid = p.pronamespace
    where n.nspname = 'authz' and p.proname = 'notify_change')
order by t.tgrelid::regclass::text, t.tgname
"""


@dataclass(frozen=True, slots=True)
class Thing:
    """A table or view behind a relation, and who must be able to read it there.

    `sql` is its name as SQL writes it; `size` about how many rows it has; `is_part`
    when only a part or a parent of a table behind the relation.
    """

    relation: str
    oid: int
    kind: str
    table: TableName
    sql: str
    checker: int
    checker_sql: str
    is_part: bool
    is_in_parts: bool
    size: int


@dataclass(frozen=True, slots=True)
class Trigger:
    """A change trigger: its table and name, its state and type as in the catalogue.

    `is_limited`: it fires only for some columns or rows.
    """

    table: str
    name: str
    enabled: str
    type: int
    is_limited: bool
    version: str
    group: str
    columns: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Behind:
    """All that is behind the relations, and the triggers by the table's oid."""

    things: tuple[Thing, ...]
    triggers: Mapping[int, tuple[Trigger, ...]]

    def tables(self) -> dict[TableName, Thing]:
        """The tables that triggers can watch, each once."""
        return {each.table: each for each in self.things if each.kind in {"r", "p"}}


async def read_behind(look: Look, relations: list[str]) -> Behind:
    """Reads what is behind these relations."""
    rows = await look.fetch(_BEHIND, look.patient.schema, relations)
    triggers: dict[int, tuple[Trigger, ...]] = {}
    for row in await look.fetch(_TRIGGERS):
        oid = int(str(row["oid"]))
        triggers[oid] = (*triggers.get(oid, ()), _trigger(row))
    return Behind(tuple(map(_thing, rows)), triggers)


def _thing(row: Row) -> Thing:
    return Thing(
        relation=str(row["relation"]),
        oid=int(str(row["oid"])),
        kind=str(row["kind"]),
        table=(str(row["schema"]), str(row["name"])),
        sql=str(row["sql"]),
        checker=int(str(row["checker"])),
        checker_sql=str(row["checker_sql"]),
        is_part=row["is_part"] is True,
        is_in_parts=row["is_in_parts"] is True,
        size=int(str(row["size"])),
    )


def _trigger(row: Row) -> Trigger:
    raw = row["arguments"]
    data = raw if isinstance(raw, bytes) else b""
    texts = [each.decode(errors="replace") for each in data.split(b"\0")[:-1]]
    version, group, columns = (*texts, "", "", "")[:3]
    return Trigger(
        str(row["table"]),
        str(row["name"]),
        str(row["enabled"]),
        int(str(row["type"])),
        row["is_limited"] is True,
        version,
        group,
        columns,
        tuple(texts[3:]),
    )
