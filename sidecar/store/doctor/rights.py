"""Whether the role that serves may read all that it must, and no more."""

from collections.abc import Iterator
from typing import Final

from sidecar.store.doctor.behind import Behind
from sidecar.store.doctor.findings import Finding, Mend
from sidecar.store.doctor.look import Look
from sidecar.store.doctor.shape import Shape
from sidecar.store.queries import Row

_ROLE: Final = """
select r.rolname::text as name, quote_ident(r.rolname) as role,
    r.rolsuper as is_superuser, r.oid = 10 as is_first,
    quote_ident($1) as schema,
    to_regnamespace(quote_ident($1)) is not null
        and not has_schema_privilege(r.oid, to_regnamespace(quote_ident($1)), 'usage')
        as lacks_usage,
    exists (
        select from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
        where n.nspname = 'authz' and c.relname = 'schema_migrations'
            and not has_table_privilege(r.oid, c.oid, 'select')
    ) as lacks_ledger
from pg_roles as r where r.rolname = current_user
"""
_READING: Final = """
select not (
        has_table_privilege($2::bigint::oid, c.oid, 'select')
        or has_any_column_privilege($2::bigint::oid, c.oid, 'select')
    ) as is_refused,
    quote_ident(pg_get_userbyid(c.relowner)) as owner,
    c.relrowsecurity
        and not exists (
            select from pg_roles as r
            where r.oid = $2::bigint::oid and (r.rolsuper or r.rolbypassrls))
        and (c.relforcerowsecurity or not pg_has_role($2::bigint::oid, c.relowner,
            'usage'))
        and (
            not exists (
                select from pg_policy as p
                where p.polrelid = c.oid and p.polpermissive
                    and p.polcmd in ('r', '*')
                    and pg_get_expr(p.polqual, p.polrelid) = 'true'
                    and (p.polroles = '{0}'::oid[] or exists (
                        select from unnest(p.polroles) as role
                        where pg_has_role($2::bigint::oid, role, 'usage')))
            ) or exists (
                select from pg_policy as p
                where p.polrelid = c.oid and not p.polpermissive
                    and p.polcmd in ('r', '*')
                    and (p.polroles = '{0}'::oid[] or exists (
                        select from unnest(p.polroles) as role
                        where pg_has_role($2::bigint::oid, role, 'usage'))))
        ) as is_hidden
from pg_class as c where c.oid = $1::bigint::oid
"""
_EXECUTING: Final = """
select distinct p.oid::regprocedure::text as function
from pg_rewrite as r
join pg_depend as d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
join pg_proc as p on d.refclassid = 'pg_proc'::regclass and p.oid = d.refobjid
where r.ev_class = any($1::bigint[]::oid[])
    and not has_function_privilege(p.oid, 'execute')
order by 1
"""
# Given to the role itself or to everybody, so that one statement takes it away.
_WRITING: Final = """
select format('%I.%I', n.nspname, c.relname) as sql,
    pg_has_role(c.relowner, 'usage') as is_owned,
    has_table_privilege(c.oid, 'insert, update, delete, truncate')
        or has_any_column_privilege(c.oid, 'insert, update') as is_writable,
    array(
        select distinct case acl.grantee when 0 then 'public'
            else quote_ident(pg_get_userbyid(acl.grantee)) end
        from aclexplode(c.relacl) as acl
        where acl.privilege_type in ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')
            and (acl.grantee = 0 or acl.grantee = r.oid)
    ) as direct
from pg_class as c
join pg_namespace as n on n.oid = c.relnamespace
join pg_roles as r on r.rolname = current_user
where c.oid = any($1::bigint[]::oid[])
order by 1
"""


async def check_rights(look: Look, shape: Shape, behind: Behind) -> list[Finding]:
    """What the role may not do, and what it need not."""
    (role,) = await look.fetch(_ROLE, look.patient.schema)
    findings = list(_judge_role(role))
    findings += await _check_reading(look, str(role["role"]), behind)
    views = [each.oid for each in behind.things if each.kind == "v"]
    for row in await look.fetch(_EXECUTING, views):
        sql = f"grant execute on function {row['function']} to {role['role']};"
        what = f"`{role['role']}` may not execute `{row['function']}`"
        subject = str(row["function"])
        findings.append(Finding("execute-missing", subject, what, Mend((sql,))))
    if role["is_superuser"]:
        return findings
    oids = {held.oid for held in shape.relations.values()}
    oids |= {each.oid for each in behind.things}
    rows = await look.fetch(_WRITING, list(oids))
    return [*findings, *_judge_writing(str(role["role"]), rows)]


def _judge_role(row: Row) -> Iterator[Finding]:
    role, schema = row["role"], row["schema"]
    if row["is_superuser"]:
        # The one that a server is made with must stay what it is.
        taken = () if row["is_first"] else (f"alter role {role} nosuperuser;",)
        words = "serve as a role of its own, which may only read, as authz_reader"
        what = f"`{role}` is a superuser"
        mend = Mend(taken, words=words)
        yield Finding("role-is-superuser", str(role), what, mend)
    if row["lacks_usage"]:
        sql = f"grant usage on schema {schema} to {role};"
        what = f"`{role}` may not use the schema `{schema}`"
        yield Finding("usage-missing", str(schema), what, Mend((sql,)))
    if row["lacks_ledger"]:
        yield _unreadable(str(role), "authz.schema_migrations")


def _unreadable(role: str, relation: str) -> Finding:
    what = f"`{role}` may not read `{relation}`"
    mend = Mend((f"grant select on {relation} to {role};",))
    return Finding("select-missing", relation, what, mend)


async def _check_reading(look: Look, role: str, behind: Behind) -> list[Finding]:
    findings: dict[tuple[int, int], list[Finding]] = {}
    for thing in behind.things:
        key = (thing.oid, thing.checker)
        if thing.is_part or key in findings:
            continue
        (row,) = await look.fetch(_READING, *key)
        findings[key] = []
        if row["is_refused"] and thing.checker_sql == role:
            findings[key].append(_unreadable(role, thing.sql))
        elif row["is_refused"]:
            what = f"`{thing.checker_sql}`, who owns a view, may not read `{thing.sql}`"
            mend = Mend((f"grant select on {thing.sql} to {thing.checker_sql};",))
            finding = Finding("view-owner-lacks-select", thing.sql, what, mend)
            findings[key].append(finding)
        if row["is_hidden"]:
            findings[key].append(_hidden(thing.sql, thing.checker_sql))
    return [each for found in findings.values() for each in found]


def _hidden(table: str, role: str) -> Finding:
    sql = f"create policy authz_sidecar on {table} for select to {role} using (true);"
    what = f"row security of `{table}` applies to `{role}`, as which it is read"
    words = "or let the role have bypassrls; a restrictive policy must go besides"
    return Finding("row-security-active", table, what, Mend((sql,), words=words))


def _judge_writing(role: str, rows: object) -> Iterator[Finding]:
    for row in rows if isinstance(rows, list) else ():
        name = str(row["sql"])
        if row["is_owned"]:
            words = "let another role own it, and grant select alone to this one"
            what = f"`{role}` owns `{name}`"
            yield Finding("role-owns", name, what, Mend(words=words))
        elif row["is_writable"]:
            sql = tuple(
                f"revoke insert, update, delete, truncate on {name} from {grantee};"
                for grantee in row["direct"]
            )
            words = "" if sql else "take it from the role that this one is a member of"
            if "public" in row["direct"]:
                words = "grant it anew to whoever lives by what everybody may"
            what = f"`{role}` may write to `{name}`"
            yield Finding("role-may-write", name, what, Mend(sql, words=words))
