import asyncio

import asyncpg
import pytest

from sidecar.store.migrate import (
    Migration,
    MigrationError,
    check_history,
    migrate,
    read_migrations,
    schema_version,
)
from sidecar.store.relations import RELATIONS

KNOWN = (Migration(1, "functions", ""), Migration(2, "tenancy", ""))


def test_numbers_have_no_gap() -> None:
    """The migrations are numbered from one without a gap."""
    versions = [migration.version for migration in read_migrations()]

    assert list(range(1, len(versions) + 1)) == versions


async def test_an_empty_database_gets_everything(
    empty_connection: asyncpg.Connection,
) -> None:
    """An empty database gets every migration, in order."""
    applied = await migrate(empty_connection)

    assert [migration.name for migration in read_migrations()] == applied


async def test_migrating_again_does_nothing(connection: asyncpg.Connection) -> None:
    """A database that has every migration is left as it is."""
    applied = await migrate(connection)

    assert applied == []


async def test_two_at_once_apply_each_migration_once(empty_database: str) -> None:
    """Of two that migrate at once, each migration is applied by exactly one."""
    first = await asyncpg.connect(empty_database)
    second = await asyncpg.connect(empty_database)
    try:
        applied = await asyncio.gather(migrate(first), migrate(second))
    finally:
        await first.close()
        await second.close()

    names = [migration.name for migration in read_migrations()]
    assert sorted(names) == sorted([*applied[0], *applied[1]])


async def test_the_version_is_that_of_the_newest(
    connection: asyncpg.Connection,
) -> None:
    """The version of a database is the number of its newest migration."""
    assert read_migrations()[-1].version == await schema_version(connection)


async def test_no_migration_no_version(empty_connection: asyncpg.Connection) -> None:
    """A database that was never migrated has no version."""
    version = await schema_version(empty_connection)

    assert version is None


async def test_functions_only_makes_no_relation(
    empty_connection: asyncpg.Connection,
) -> None:
    """With the functions alone, the names of the relations stay free for views."""
    await migrate(empty_connection, functions_only=True)

    tables = await empty_connection.fetch(
        "select relname from pg_class where relnamespace = 'authz'::regnamespace"
        " and relkind in ('r', 'v')"
    )
    names = [table["relname"] for table in tables]
    assert names == ["schema_migrations"]


async def test_functions_only_can_be_completed(
    empty_connection: asyncpg.Connection,
) -> None:
    """After the functions alone, a full migration adds what is missing."""
    functions = await migrate(empty_connection, functions_only=True)
    rest = await migrate(empty_connection)

    assert {m.name for m in read_migrations()} - set(functions) == set(rest)


async def test_views_in_the_way_are_named(empty_connection: asyncpg.Connection) -> None:
    """Over views of the relations' names, the refusal says to take the functions."""
    await migrate(empty_connection, functions_only=True)
    await empty_connection.execute(
        "create view authz.principals as select 1::bigint as id"
    )

    with pytest.raises(MigrationError, match="apply the functions only"):
        await migrate(empty_connection)


async def test_a_failed_migration_leaves_nothing(
    empty_connection: asyncpg.Connection,
) -> None:
    """A migration that fails leaves the version and the relations before it."""
    before = await migrate(empty_connection, functions_only=True)
    await empty_connection.execute(
        "create view authz.resources as select 1::bigint as id"
    )

    with pytest.raises(MigrationError):
        await migrate(empty_connection)

    kept = await empty_connection.fetchval(
        "select count(*) from authz.schema_migrations"
    )
    assert len(before) == kept
    assert None is await empty_connection.fetchval(
        "select to_regclass('authz.principals')"
    )


async def test_a_newer_database_is_refused(connection: asyncpg.Connection) -> None:
    """A database with a migration that the code lacks is refused by both numbers."""
    newest = read_migrations()[-1].version
    await connection.execute(
        "insert into authz.schema_migrations (version, name) values (9000, 'later')"
    )

    with pytest.raises(MigrationError, match=rf"\b9000\b.*\b{newest}\b"):
        await migrate(connection)


async def test_another_history_is_refused(connection: asyncpg.Connection) -> None:
    """A number under which another migration was applied is refused by both names."""
    await connection.execute(
        "update authz.schema_migrations set name = 'other' where version = 2"
    )

    with pytest.raises(MigrationError, match=r"`other`.*`tenancy`"):
        await migrate(connection)


@pytest.mark.parametrize("applied", [{}, {1: "functions"}, {2: "tenancy"}])
def test_an_older_history_is_fine(applied: dict[int, str]) -> None:
    """A database that lacks some of the migrations is not refused."""
    check_history(applied, KNOWN)


async def test_the_relations_have_the_documents_columns(
    connection: asyncpg.Connection,
) -> None:
    """Each relation has every column of the document, of the declared type."""
    rows = await connection.fetch(
        "select c.relname, a.attname, format_type(a.atttypid, null) as type"
        " from pg_class c join pg_attribute a on a.attrelid = c.oid"
        " where c.relnamespace = 'authz'::regnamespace and a.attnum > 0"
    )
    stored = {(row["relname"], row["attname"]): row["type"] for row in rows}
    types = {
        "text of roles": "text",
        "timestamptz": "timestamp with time zone",
    }

    for relation, columns in RELATIONS.items():
        for column in columns:
            expected = types.get(column.form.value, column.form.value)
            assert expected == stored[relation, column.name]


async def test_everything_has_a_comment(connection: asyncpg.Connection) -> None:
    """Each table and column of the schema says what it is."""
    silent = await connection.fetch(
        "select c.relname, a.attname from pg_class c"
        " join pg_attribute a on a.attrelid = c.oid and not a.attisdropped"
        " where c.relnamespace = 'authz'::regnamespace and c.relkind = 'r'"
        " and a.attnum >= 0 and col_description(c.oid, a.attnum) is null"
        " union all select relname, '' from pg_class c"
        " where c.relnamespace = 'authz'::regnamespace and c.relkind = 'r'"
        " and obj_description(c.oid, 'pg_class') is null"
    )

    assert silent == []


async def test_every_function_fixes_its_search_path(
    connection: asyncpg.Connection,
) -> None:
    """No function of the schema resolves names by its caller's search path."""
    loose = await connection.fetch(
        "select proname from pg_proc"
        " where pronamespace = 'authz'::regnamespace and prolang <>"
        " (select oid from pg_language where lanname = 'internal')"
        " and not coalesce(proconfig::text like '%search_path=pg_catalog, pg_temp%',"
        " false)"
    )

    assert loose == []
