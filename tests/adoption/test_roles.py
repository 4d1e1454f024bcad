"""The shipped roles have the rights that their work needs, and no others."""

# ruff: noqa: S608 - what is put into a statement are names from the catalogue

from collections.abc import AsyncIterator

import asyncpg
import pytest

from sidecar.store.embedded import EmbeddedPostgres
from sidecar.store.migrate import migrate
from sidecar.store.relations import RELATIONS
from tests.adoption.conftest import Adopted
from tests.store.foreign.shipped import (
    MIGRATOR,
    OWNER,
    READER,
    ROLES,
    Platform,
    acting_as,
    migrate_as_migrator,
)
from tests.support.serving import as_reader

DENIED = asyncpg.InsufficientPrivilegeError
# Some views take no write whoever asks.
REFUSED = (
    DENIED,
    asyncpg.WrongObjectTypeError,
    asyncpg.ObjectNotInPrerequisiteStateError,
)
SCHEMAS = ("reference", *(platform.value for platform in Platform))

TABLES = """
select format('%I.%I', n.nspname, c.relname) as name, n.nspname as schema
from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
where n.nspname in ('public', 'authz') and c.relkind in ('r', 'v')
"""


async def prepare(adopted: Adopted, schema: str) -> str:
    """A new database with a schema on which the shipped roles are applied."""
    if schema != "reference":
        return await adopted.empty(Platform(schema))
    name = "adopted_reference"
    connection = await asyncpg.connect(adopted.postgres.url())
    await connection.execute(f"drop database if exists {name} with (force)")
    await connection.close()
    adopted.postgres.create_database(name)
    url = adopted.postgres.url(name)
    connection = await asyncpg.connect(url)
    await migrate_as_migrator(connection, functions_only=False)
    await connection.close()
    return url


@pytest.fixture(params=SCHEMAS)
async def url(adopted: Adopted, request: pytest.FixtureRequest) -> str:
    """A database of each schema: its address for a superuser."""
    return await prepare(adopted, str(request.param))


@pytest.fixture
async def reader(url: str) -> AsyncIterator[asyncpg.Connection]:
    """The reader, logged in as itself."""
    connection = await asyncpg.connect(as_reader(url))
    yield connection
    await connection.close()


@pytest.fixture
async def names(url: str) -> dict[str, str]:
    """Every table and view, with its schema."""
    connection = await asyncpg.connect(url)
    rows = await connection.fetch(TABLES)
    await connection.close()
    return {row["name"]: row["schema"] for row in rows}


@pytest.fixture
async def platform(adopted: Adopted) -> AsyncIterator[asyncpg.Connection]:
    """A superuser in the database of a platform with tables of its own."""
    url = await adopted.empty(Platform.GPUSTACK)
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


async def test_reader_reads_every_relation(
    reader: asyncpg.Connection, names: dict[str, str]
) -> None:
    """Whatever is in schema authz, a relation or the list of migrations."""
    relations = [name for name, schema in names.items() if schema == "authz"]

    rows = [await reader.fetch(f"select * from {name}") for name in relations]

    optional = {"authz.user_identities"}
    assert {f"authz.{name}" for name in RELATIONS} - optional <= set(relations)
    assert [[]] * (len(relations) - 1) == [row for row in rows if not row]


async def test_reader_cannot_read_the_tables_of_the_platform(
    reader: asyncpg.Connection, names: dict[str, str]
) -> None:
    """What is behind the views is read with the rights of their owner."""
    for name in (name for name, schema in names.items() if schema == "public"):
        with pytest.raises(DENIED):
            await reader.fetch(f"select * from {name}")


async def test_reader_needs_not_even_enter_the_schema_of_the_platform(
    platform: asyncpg.Connection,
) -> None:
    """A view is read where its reader may not look at the schema behind it."""
    await platform.execute("revoke all on schema public from public")

    async with acting_as(platform, READER):
        rows = await platform.fetch("select * from authz.resources")

    assert [] == rows


async def test_reader_cannot_write(
    reader: asyncpg.Connection, names: dict[str, str]
) -> None:
    """Neither a row of any table or view, nor all of them."""
    for name in names:
        for write in (
            f"insert into {name} default values",
            f"delete from {name}",
            f"truncate {name}",
        ):
            with pytest.raises(REFUSED):
                await reader.execute(write)


async def test_reader_updates_nothing(
    reader: asyncpg.Connection, names: dict[str, str]
) -> None:
    """No column of anything, though some views could be updated."""
    rights = [
        await reader.fetchval(
            "select has_any_column_privilege($1, 'insert, update, references')"
            " or has_table_privilege($1, 'delete, truncate, trigger')",
            name,
        )
        for name in names
    ]

    assert {False} == set(rights)


@pytest.mark.parametrize(
    "statement",
    [
        "create table authz.mine (id int)",
        "create function authz.mine() returns int language sql return 1",
        "create or replace view authz.users as select 1 as id",
        "drop schema authz cascade",
        "create schema mine",
        "create role mine",
        "alter role authz_reader createdb superuser",
    ],
)
async def test_reader_makes_and_drops_nothing(
    reader: asyncpg.Connection, statement: str
) -> None:
    """Not in schema authz, and not elsewhere."""
    with pytest.raises(DENIED):
        await reader.execute(statement)


async def test_reader_takes_no_watch_away(reader: asyncpg.Connection) -> None:
    """It may call the procedures, which ask for the ownership of the table."""
    relation = await reader.fetchval(
        "select tgrelid::regclass::text from pg_trigger"
        " where tgname = 'authz_watch_insert' limit 1"
    )

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await reader.execute(f"call authz.unwatch('{relation}')")


async def test_a_stranger_reads_nothing(url: str) -> None:
    """A role that was granted nothing does not even enter schema authz."""
    connection = await asyncpg.connect(url)
    await connection.execute("create role stranger")
    try:
        async with acting_as(connection, "stranger"):
            with pytest.raises(DENIED):
                await connection.fetch("select * from authz.users")
    finally:
        await connection.execute("drop role stranger")
        await connection.close()


async def test_migrator_does_not_read_the_platform(
    platform: asyncpg.Connection,
) -> None:
    """Its rights end where schema authz does."""
    async with acting_as(platform, MIGRATOR):
        with pytest.raises(DENIED):
            await platform.fetch("select * from public.users")


async def test_migrator_watches_only_what_it_owns(
    platform: asyncpg.Connection,
) -> None:
    """TRIGGER on a table is not enough: a trigger that always fires is its owner's."""
    await platform.execute(
        f"grant usage on schema public to {MIGRATOR};"
        f"grant select, trigger on public.users to {MIGRATOR}"
    )
    watch = "call authz.watch('public.users', 'other', 'id', 'id')"

    async with acting_as(platform, MIGRATOR):
        with pytest.raises(DENIED, match="must be owner of table users"):
            await platform.execute(watch)
    async with acting_as(platform, OWNER):
        await platform.execute(watch)

    count = await platform.fetchval(
        "select count(*) from pg_trigger where tgname like 'authz_watch_%_other'"
        " and tgenabled = 'A'"
    )
    assert count == 4


async def test_views_stay_of_use_without_the_right_to_create(
    platform: asyncpg.Connection,
) -> None:
    """What was needed to migrate and to adopt can be taken away afterwards."""
    name = await platform.fetchval("select current_database()")
    await platform.execute(
        f"revoke create on database {name} from {MIGRATOR};"
        f"revoke create on schema authz from {OWNER}"
    )

    async with acting_as(platform, MIGRATOR):
        assert await migrate(platform, functions_only=True) == []
    async with acting_as(platform, OWNER):
        await platform.execute("insert into public.users (username) values ('a')")
    async with acting_as(platform, READER):
        count = await platform.fetchval("select count(*) from authz.users")
    assert count == 1


async def test_roles_can_be_applied_again(platform: asyncpg.Connection) -> None:
    """A second time nothing changes and nothing is refused."""
    await platform.execute(ROLES)

    rights = await platform.fetchval(
        f"select has_table_privilege('{READER}', 'authz.users', 'select')"
    )
    assert rights


async def test_no_superuser_is_needed(postgres: EmbeddedPostgres) -> None:
    """The owner of a database who may create roles applies them, as clouds have it."""
    server = await asyncpg.connect(postgres.url())
    await server.execute("create role steward login createrole")
    # The roles are of the whole server; a fresh one is imitated by administering them.
    await server.execute(f"grant {READER}, {MIGRATOR} to steward with admin option")
    await server.execute("create database stewarded owner steward")
    await server.close()
    connection = await asyncpg.connect(postgres.url("stewarded"))

    await connection.execute("set session authorization steward")
    await connection.execute(ROLES)
    await connection.execute("reset session authorization")
    async with acting_as(connection, MIGRATOR):
        applied = await migrate(connection)
    async with acting_as(connection, READER):
        rows = await connection.fetch("select * from authz.principals")
    await connection.close()

    assert applied
    assert [] == rows


async def test_tables_are_usable_when_migrated_before(
    postgres: EmbeddedPostgres,
) -> None:
    """Applied after a migration by another role, the reader reads, and only that."""
    postgres.create_database("roles_later")
    connection = await asyncpg.connect(postgres.url("roles_later"))
    await migrate(connection)

    await connection.execute(ROLES)

    async with acting_as(connection, READER):
        rows = await connection.fetch("select * from authz.principals")
        with pytest.raises(DENIED):
            await connection.execute("update authz.principals set name = 'x'")
        with pytest.raises(DENIED):
            await connection.execute("delete from authz.principals")
    await connection.close()
    assert [] == rows
