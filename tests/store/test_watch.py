import asyncpg
import pytest

from tests.store.ear import Ear, identity_key


async def test_watch_again_replaces(watched: asyncpg.Connection, ear: Ear) -> None:
    """Calling watch again for a group leaves four triggers, of the new arguments."""
    await watched.execute(
        "call authz.watch('authz.users', 'user', 'id, name', 'id', 'principal_id')"
    )
    await watched.execute("update authz.users set is_admin = true")
    await watched.execute("update authz.users set name = 'x' where id = 30")

    assert await ear.listen() == [{"g": "user", "k": ["3", "30"]}]
    assert await _triggers(watched, "authz.users") == [
        "authz_watch_delete",
        "authz_watch_insert",
        "authz_watch_truncate",
        "authz_watch_update",
    ]


async def test_a_table_feeds_several_groups(
    watched: asyncpg.Connection, ear: Ear
) -> None:
    """A second group has triggers of its own, and each tells its own keys."""
    await watched.execute(
        "call authz.watch('authz.users', 'principal', 'principal_id', 'principal_id')"
    )
    await watched.execute("insert into authz.principals (id, kind) values (8, 'user')")
    await ear.listen()
    await watched.execute("update authz.users set principal_id = 8 where id = 30")

    told = sorted(await ear.listen(), key=lambda change: str(change["g"]))
    assert told == [{"g": "principal", "k": ["3", "8"]}, {"g": "user", "k": ["30"]}]
    names = await _triggers(watched, "authz.users")
    assert len(names) == 8
    assert "authz_watch_update_principal" in names


async def test_unwatch_ends_it(watched: asyncpg.Connection, ear: Ear) -> None:
    """After unwatch a table tells nothing, and has no trigger left."""
    await watched.execute("call authz.unwatch('authz.cluster_access')")
    await watched.execute("delete from authz.cluster_access")

    assert await ear.listen() == []
    assert await _triggers(watched, "authz.cluster_access") == []


async def test_replicas_role_does_not_silence(
    watched: asyncpg.Connection, ear: Ear
) -> None:
    """A bulk load that switches ordinary triggers off tells its changes too."""
    await watched.execute("set session_replication_role = replica")
    await watched.execute("delete from authz.cluster_access")

    assert await ear.listen() == [{"g": "grants", "k": ["1"]}]


async def test_a_null_key_is_skipped(watched: asyncpg.Connection, ear: Ear) -> None:
    """A row whose key is null has none, and rows without any key tell nothing."""
    await watched.execute(
        "create table public.t (a text, b int); call authz.watch('t', 'grp', 'b', 'a')"
    )
    await watched.execute("insert into public.t values (null, 1), ('x', 1), ('x', 2)")
    await watched.execute("insert into public.t values (null, 1)")

    assert await ear.listen() == [{"g": "grp", "k": ["x"]}]


async def test_a_change_is_one_of_bytes(watched: asyncpg.Connection, ear: Ear) -> None:
    """A change that the column's own comparison does not see is told."""
    await watched.execute(
        "create table public.t (id numeric, j json);"
        "call authz.watch('t', 'grp', 'id, j', 'id');"
        """insert into public.t values (1, '{"a": 1}'), (1.0, '{}')"""
    )
    await watched.execute("""update public.t set j = '{"a":1}' where j::text <> '{}'""")
    await watched.execute("update public.t set id = 1.00 where id::text = '1.0'")

    assert await ear.listen() == [
        {"g": "grp", "k": ["1", "1.0"]},
        {"g": "grp", "k": ["1"]},
        {"g": "grp", "k": ["1.0", "1.00"]},
    ]


async def test_a_renamed_column_drops_the_group(
    watched: asyncpg.Connection, ear: Ear
) -> None:
    """Under a trigger whose columns are gone, writes go on and drop the whole group."""
    await watched.execute(
        "alter table authz.cluster_access rename cluster_id to renamed"
    )
    await watched.execute("update authz.cluster_access set renamed = 51")

    assert await ear.listen() == [{"g": "grants"}]


async def test_a_callers_search_path_is_of_no_use(
    watched: asyncpg.Connection, ear: Ear
) -> None:
    """Functions and operators that a writer puts in the way are not called."""
    await watched.execute(
        "create schema trap;"
        "create function trap.pg_notify(text, text) returns void language sql"
        " as 'select null::void';"
        "create function trap.sha256(bytea) returns bytea language sql"
        " as $$select '\\x00'::bytea$$;"
        "set search_path = trap, pg_catalog"
    )
    await watched.execute("insert into authz.user_identities values ('i', 's', 30)")

    assert await ear.listen() == [{"g": "identity", "k": [identity_key("i", "s")]}]


async def test_a_writer_needs_no_right_but_to_write(
    watched: asyncpg.Connection, ear: Ear
) -> None:
    """A writer without rights on the schema of the functions is told of as well."""
    await watched.execute(
        "create role writer_of_t; create table public.t (id int);"
        "grant insert on public.t to writer_of_t;"
        "call authz.watch('t', 'grp', 'id', 'id'); set role writer_of_t"
    )
    await watched.execute("insert into public.t values (1)")
    await watched.execute("reset role; drop table public.t; drop role writer_of_t")

    assert await ear.listen() == [{"g": "grp", "k": ["1"]}]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("'t', 'grp', 'nothing', 'id'", "column"),
        ("'t', 'grp', 'id', 'nothing'", "column"),
        ("'t', 'Group', 'id', 'id'", "a group is"),
        ("'t', 'grp', null, 'id'", "columns and at least one key"),
        ("'t', 'grp', 'id', variadic '{}'", "columns and at least one key"),
        ("'v', 'grp', 'id', 'id'", "`public.v` is not an ordinary table"),
        ("'p', 'grp', 'id', 'id'", "`public.p` is not an ordinary table"),
        ("'p1', 'grp', 'id', 'id'", "`public.p1` is not an ordinary table"),
        ("'child', 'grp', 'id', 'id'", "`public.child` is not an ordinary table"),
        ("'parent', 'grp', 'id', 'id'", "`public.parent` is not an ordinary table"),
    ],
)
async def test_a_watch_that_would_not_work_is_refused(
    connection: asyncpg.Connection, call: str, message: str
) -> None:
    """What would break at the next write, or miss some, is refused at once."""
    await connection.execute(
        "create table t (id int); create view v as select * from t;"
        "create table p (id int) partition by list (id);"
        "create table p1 partition of p for values in (1);"
        "create table parent (id int); create table child () inherits (parent)"
    )

    with pytest.raises(asyncpg.PostgresError, match=message):
        await connection.execute(f"call authz.watch({call})")


async def test_names_that_need_quotes_are_watched(
    watched: asyncpg.Connection, ear: Ear
) -> None:
    """A table and columns of any name are watched, and quotes in them do no harm."""
    await watched.execute(
        'create schema "S; --"; create table "S; --"."T\'""" ("a\'b""" text);'
        "call authz.watch('\"S; --\".\"T''\"\"\"', 'grp', '\"a''b\"\"\"',"
        " '\"a''b\"\"\"')"
    )
    await watched.execute('insert into "S; --"."T\'""" values (\'x\')')

    assert await ear.listen() == [{"g": "grp", "k": ["x"]}]


async def _triggers(connection: asyncpg.Connection, table: str) -> list[str]:
    rows = await connection.fetch(
        "select tgname from pg_trigger where tgrelid = $1::text::regclass"
        " and not tgisinternal order by tgname",
        table,
    )
    return [row["tgname"] for row in rows]
