"""Statements that give a column another type, of a table or of a view."""

from typing import Final

from sidecar.store.doctor.findings import Mend
from sidecar.store.doctor.look import Look

_ABOUT: Final = """
select c.relkind::text as kind, format('%I.%I', n.nspname, c.relname) as sql,
    quote_ident(pg_get_userbyid(c.relowner)) as owner,
    array_to_string(c.reloptions, ', ') as options,
    case when c.relkind = 'v' then rtrim(pg_get_viewdef(c.oid), '; ') end as definition,
    array(
        select quote_ident(a.attname) from pg_attribute as a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        order by a.attnum
    ) as columns,
    array(
        select format('grant %s on %I.%I to %s;',
            lower(string_agg(acl.privilege_type, ', ')), n.nspname, c.relname,
            case acl.grantee when 0 then 'public'
                else quote_ident(pg_get_userbyid(acl.grantee)) end)
        from aclexplode(c.relacl) as acl
        where acl.grantee <> c.relowner
        group by acl.grantee
    ) as grants,
    quote_ident($2) as column,
    exists (
        select from pg_attribute as a join pg_attrdef as d
            on d.adrelid = a.attrelid and d.adnum = a.attnum
        where a.attrelid = c.oid and a.attname = $2
    ) as has_default
from pg_class as c
join pg_namespace as n on n.oid = c.relnamespace
where c.oid = $1::bigint::oid
"""


async def retype(
    look: Look, oid: int, column: str, type_name: str, expression: str
) -> Mend:
    """Statements after which the column is of a type.

    `expression` gives the value of that type; braces in it stand for the column.
    """
    (row,) = await look.fetch(_ABOUT, oid, column)
    name, quoted = str(row["sql"]), str(row["column"])
    if row["kind"] != "v":
        return Mend(_of_table(name, quoted, type_name, expression, row["has_default"]))
    columns = row["columns"] if isinstance(row["columns"], list) else []
    chosen = ", ".join(
        f"({expression.format(f'v.{each}')}) as {each}"
        if each == quoted
        else f"v.{each}"
        for each in columns
    )
    options = f" with ({row['options']})" if row["options"] else ""
    grants = row["grants"] if isinstance(row["grants"], list) else []
    inner = f"from (\n{row['definition']}\n) as v"
    return Mend(
        (
            "begin;",
            f"drop view {name};",
            f"create view {name}{options} as select {chosen} {inner};",
            f"alter view {name} owner to {row['owner']};",
            *grants,
            "commit;",
        ),
        words="or change the view where it is kept",
    )


def _of_table(
    name: str, column: str, type_name: str, expression: str, has_default: object
) -> tuple[str, ...]:
    begin = f"alter table {name} alter column {column}"
    drop = (f"{begin} drop default;",) if has_default else ()
    return (*drop, f"{begin} type {type_name} using ({expression.format(column)});")
