"""Whether the schema is that of this version: functions, migrations, constraints."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from sidecar.store.doctor.findings import Finding, Mend
from sidecar.store.doctor.look import Look
from sidecar.store.doctor.shape import Shape
from sidecar.store.migrate import (
    Migration,
    MigrationError,
    check_history,
    read_migrations,
)
from sidecar.store.refusals import REFUSALS

_MIGRATE: Final = "authz-sidecar migrate"
_FUNCTIONS_ONLY: Final = _MIGRATE + " --functions-only"

# A function of a migration: what it is, its name, its quotes and what is in them.
_ROUTINE: Final = re.compile(
    r"create (?:or replace )?(?P<rest>(?:function|procedure) authz\.(?P<name>\w+)\("
    r"(?:(?!\ncreate ).)*?(?P<quote>\$\w*\$)(?P<body>.*?)(?P=quote)[^;]*;)",
    re.DOTALL,
)
_STORED: Final = """
select p.proname::text as name, p.prosrc as body
from pg_proc as p join pg_namespace as n on n.oid = p.pronamespace
where n.nspname = 'authz'
"""
_HAS_LEDGER: Final = """
select exists (
    select from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
    where n.nspname = 'authz' and c.relname = 'schema_migrations')
"""
_LEDGER: Final = "select version, name from authz.schema_migrations"
_CONSTRAINTS: Final = """
select c.conname::text as name, c.convalidated as is_valid
from pg_constraint as c join pg_namespace as n on n.oid = c.connamespace
where n.nspname = $1
union all
select c.relname::text, i.indisvalid
from pg_index as i
join pg_class as c on c.oid = i.indexrelid
join pg_namespace as n on n.oid = c.relnamespace
where n.nspname = $1 and i.indisunique
"""
_TABLE: Final = re.compile(r"create table authz\.(\w+) \(\n(.*?)\n\);", re.DOTALL)
_CONSTRAINT: Final = re.compile(r"constraint (\w+)\s+(.*)", re.DOTALL)
_UNIQUE_INDEX: Final = re.compile(
    r"create unique index (\w+)\s+on authz\.(\w+) .*?;", re.DOTALL
)
_COMMENT: Final = re.compile(r"^\s*--.*\n", re.MULTILINE)


async def check_schema(look: Look, shape: Shape) -> list[Finding]:
    """What of the schema is missing, or of another version."""
    if not await look.value("select to_regnamespace('authz') is not null"):
        mend = Mend(command=_MIGRATE, words=f"over your own tables: {_FUNCTIONS_ONLY}")
        what = "there is no schema `authz`"
        return [Finding("schema-missing", "authz", what, mend)]
    findings = await _check_functions(look)
    async with look.attempt("the migrations"):
        findings += await _check_history(look, shape)
    if shape.is_reference:
        findings += await _check_constraints(look)
    return findings


async def _check_functions(look: Look) -> list[Finding]:
    stored = {str(row["name"]): str(row["body"]) for row in await look.fetch(_STORED)}
    findings = []
    for name, (body, statement) in _routines().items():
        if name not in stored:
            what = f"there is no `authz.{name}`"
            mend = Mend((statement,))
            findings.append(Finding("functions-missing", f"authz.{name}", what, mend))
        elif stored[name] != body:
            what = f"`authz.{name}` is not the one of this version"
            mend = Mend((statement,))
            findings.append(Finding("function-altered", f"authz.{name}", what, mend))
    return findings


def _routines() -> Mapping[str, tuple[str, str]]:
    # A later migration replaces what an earlier one made.
    return {
        match["name"]: (match["body"], f"create or replace {match['rest']}")
        for migration in read_migrations()
        if migration.is_functions
        for match in _ROUTINE.finditer(migration.sql)
    }


async def _check_history(look: Look, shape: Shape) -> list[Finding]:
    if not await look.value(_HAS_LEDGER):
        # Whoever applied the functions by hand has no ledger, and needs none.
        return []
    applied = {
        int(str(row["version"])): str(row["name"]) for row in await look.fetch(_LEDGER)
    }
    migrations = read_migrations()
    try:
        check_history(applied, migrations)
    except MigrationError as error:
        newest = max(each.version for each in migrations)
        is_ahead = max(applied, default=0) > newest
        code = "migrations-ahead" if is_ahead else "migrations-differ"
        words = "use the version of the sidecar that migrated the database"
        return [Finding(code, "authz", str(error), Mend(words=words))]
    missing = [each for each in migrations if each.version not in applied]
    if not (shape.is_reference or not shape.relations):
        missing = [each for each in missing if each.is_functions]
    return [_not_applied(missing, shape)] if missing else []


def _not_applied(missing: list[Migration], shape: Shape) -> Finding:
    names = ", ".join(f"`{each.version:04}_{each.name}`" for each in missing)
    command = _MIGRATE if shape.is_reference or not shape.relations else _FUNCTIONS_ONLY
    what = f"migrations were not applied: {names}"
    return Finding("migrations-missing", "authz", what, Mend(command=command))


async def _check_constraints(look: Look) -> list[Finding]:
    rows = await look.fetch(_CONSTRAINTS, look.patient.schema)
    stored = {str(row["name"]): row["is_valid"] is True for row in rows}
    findings = []
    for name, (table, statement) in _constraints():
        if name not in REFUSALS or stored.get(name):
            continue
        what = f"`{table}` has no constraint `{name}`"
        sql = statement
        if name in stored:
            what = f"the constraint `{name}` of `{table}` is not valid"
            sql = f"alter table {table} validate constraint {name};"
        words = "rows that break it are refused; other findings name them"
        mend = Mend((sql,), words=words)
        findings.append(Finding("constraint-missing", name, what, mend))
    return findings


def _constraints() -> Iterator[tuple[str, tuple[str, str]]]:
    """The constraints of the migrations, in order: name, table and statement."""
    for migration in read_migrations():
        text = _COMMENT.sub("", migration.sql)
        for table, columns in _TABLE.findall(text):
            for part in _parts(columns):
                if match := _CONSTRAINT.fullmatch(part):
                    name, definition = match.groups()
                    words = " ".join(definition.split())
                    sql = f"alter table authz.{table} add constraint {name} {words};"
                    yield name, (f"authz.{table}", sql)
        for match in _UNIQUE_INDEX.finditer(text):
            sql = " ".join(match[0].split())
            yield match[1], (f"authz.{match[2]}", sql)


def _parts(columns: str) -> Iterator[str]:
    # What stands between commas, but for those within brackets or quotes.
    depth, start, is_quoted = 0, 0, False
    for position, character in enumerate(columns):
        is_quoted ^= character == "'"
        if is_quoted:
            continue
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            yield columns[start:position].strip()
            start = position + 1
    yield columns[start:].strip()
