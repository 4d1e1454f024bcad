# ruff: noqa: S608 the statements are the tests' own
import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import asyncpg
import pytest

WORLD = """
insert into authz.principals (id, kind, name, parent_principal_id) values
    (1, 'org', 'Acme', null), (2, 'org', 'Globex', null), (3, 'user', 'Ann', null),
    (4, 'user', 'Bob', null), (5, 'group', 'Lab', 1);
insert into authz.users (id, principal_id) values (30, 3), (40, 4);
insert into authz.user_identities values ('issuer', 'subject', 30);
insert into authz.principal_memberships
    (id, member_principal_id, parent_principal_id) values (31, 3, 1);
insert into authz.cluster_access values (50, 1);
insert into authz.api_keys (id, user_id, lookup_id, secret_hash)
    values (60, 30, 'key', 'sha256:' || repeat('0', 64));
insert into authz.resources values ('model', 70, 1, null, null);
insert into authz.feature_instances (id, organization_id) values ('i', 1), ('j', 2);
insert into authz.roles (id, label, organization_id)
    values ('r', 'R', null), ('s', 'S', 1);
insert into authz.access_rules (id, role_id, context, read)
    values ('rule', 'r', 'DATA', 'g');
insert into authz.membership_roles values (31, 'r');
insert into authz.feature_access (id, user_id, feature_instance_id)
    values ('fa', 30, 'i');
insert into authz.feature_access_roles values ('fa', 'r');
"""


def _identity(issuer: str, subject: str) -> str:
    return hashlib.sha256(f"{issuer}\x1f{subject}".encode()).hexdigest()


# The statement, and the group and keys that it tells.
TOLD = (
    (
        "insert into authz.principals (id, kind, parent_principal_id) values"
        " (6, 'user', null), (7, 'group', 2)",
        ("principal", ["2", "6", "7"]),
    ),
    ("update authz.principals set name = 'x' where id = 3", ("principal", ["3"])),
    (
        "update authz.principals set deleted_at = now() where id in (3, 4)",
        ("principal", ["3", "4"]),
    ),
    (
        "update authz.principals set parent_principal_id = 2 where id = 5",
        ("principal", ["1", "2", "5"]),
    ),
    ("delete from authz.principals where id = 5", ("principal", ["1", "5"])),
    ("update authz.users set is_admin = true where id = 30", ("user", ["30"])),
    ("update authz.users set id = 31 where id = 40", ("user", ["31", "40"])),
    ("delete from authz.users where id = 40", ("user", ["40"])),
    (
        "insert into authz.user_identities values ('ä', '\"b\\', 30)",
        ("identity", [_identity("ä", '"b\\')]),
    ),
    (
        "update authz.user_identities set subject = 'Subject'",
        (
            "identity",
            [_identity("issuer", "Subject"), _identity("issuer", "subject")],
        ),
    ),
    (
        "insert into authz.principal_memberships"
        " (id, member_principal_id, parent_principal_id) values (41, 4, 1)",
        ("member", ["4"]),
    ),
    (
        "update authz.principal_memberships set role = 'admin'",
        ("member", ["3"]),
    ),
    (
        "update authz.principal_memberships set member_principal_id = 4",
        ("member", ["3", "4"]),
    ),
    (
        "update authz.principal_memberships set enabled = false",
        ("member", ["3"]),
    ),
    ("insert into authz.cluster_access values (51, 2)", ("grants", ["2"])),
    ("delete from authz.cluster_access", ("grants", ["1"])),
    ("update authz.api_keys set revoked_at = now()", ("api_key", ["key"])),
    ("update authz.api_keys set lookup_id = 'new'", ("api_key", ["key", "new"])),
    (
        "insert into authz.resources (kind, id) values ('a\"b\\\u00e4/c', 1)",
        ("resource", ['a"b\\\u00e4/c/1']),
    ),
    (
        "update authz.resources set owner_principal_id = null",
        ("resource", ["model/70"]),
    ),
    (
        "update authz.feature_instances set enabled = false where id = 'i'",
        ("instance", ["i"]),
    ),
    ("update authz.roles set label = 'x' where id = 'r'", ("role", ["r"])),
    ("delete from authz.roles where id = 's'", ("role", ["s"])),
    ("update authz.access_rules set item = 'x'", ("role", ["r"])),
    ("update authz.access_rules set role_id = 's'", ("role", ["r", "s"])),
    ("delete from authz.access_rules", ("role", ["r"])),
    (
        "insert into authz.membership_roles values (31, 's')",
        ("membership_roles", ["31"]),
    ),
    ("delete from authz.membership_roles", ("membership_roles", ["31"])),
    (
        "insert into authz.feature_access (id, user_id, feature_instance_id)"
        " values ('fb', 40, 'j')",
        ("access", ["40/j"]),
    ),
    (
        "update authz.feature_access set user_id = 40",
        ("access", ["30/i", "40/i"]),
    ),
    ("delete from authz.feature_access_roles", ("access_roles", ["fa"])),
    # One statement may insert and update.
    (
        "insert into authz.cluster_access values (50, 1), (52, 2)"
        " on conflict (principal_id, cluster_id)"
        " do update set cluster_id = 53",
        ("grants", ["2"], ["1"]),
    ),
    (
        "with gone as (delete from authz.cluster_access returning *)"
        " insert into authz.cluster_access select cluster_id, 2 from gone",
        ("grants", ["2"], ["1"]),
    ),
)

SILENT = (
    "update authz.principals set name = name",
    "update authz.users set name = 'x'",
    "update authz.principal_memberships set role = null, enabled = enabled",
    "update authz.principals set name = 'x' where id = 99",
    "delete from authz.principals where id = 99",
    "insert into authz.cluster_access select 1, 1 where false",
    # What the database keeps for itself changes, and no column that is read.
    "update authz.membership_roles set organization_id = 9, role_organization_id = 9",
)

RELATION_GROUPS = {
    "user_identities": "identity",
    "cluster_access": "grants",
    "api_keys": "api_key",
    "resources": "resource",
    "access_rules": "role",
    "membership_roles": "membership_roles",
    "feature_access_roles": "access_roles",
}


@dataclass
class Ear:
    """Hears the changes; what is told in between is waited for, never slept for."""

    connection: asyncpg.Connection
    heard: list[dict[str, object]] = field(default_factory=list)
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, *notice: object) -> None:
        """Note one notification, or that all before it have come."""
        if notice[3] == "done":
            self.done.set()
        else:
            self.heard.append(json.loads(str(notice[3])))

    async def listen(self) -> list[dict[str, object]]:
        """Give what was told since the last time, keys sorted, transaction left out."""
        self.done.clear()
        await self.connection.execute("notify authz_changes, 'done'")
        async with asyncio.timeout(10):
            await self.done.wait()
        heard, self.heard = self.heard, []
        return [_plain(change) for change in heard]


def _plain(change: dict[str, object]) -> dict[str, object]:
    keys = change.get("k")
    plain: dict[str, object] = {"g": change["g"]}
    return plain | ({"k": sorted(keys)} if isinstance(keys, list) else {})


@pytest.fixture
async def world(connection: asyncpg.Connection) -> asyncpg.Connection:
    """A database with a row of everything."""
    await connection.execute(WORLD)
    return connection


@pytest.fixture
async def ear(world: asyncpg.Connection, database: str) -> AsyncIterator[Ear]:
    """Who listens to the database, from after the world was stored."""
    assert not world.is_closed()
    connection = await asyncpg.connect(database)
    ear = Ear(connection)
    await connection.add_listener("authz_changes", ear.hear)
    yield ear
    await connection.close()


async def test_a_change_tells_its_keys(world: asyncpg.Connection, ear: Ear) -> None:
    """Each change tells exactly the keys of the rows that it touched."""
    for statement, (group, *keys) in TOLD:
        transaction = world.transaction()
        await transaction.start()
        await world.execute("set constraints all immediate")
        await world.execute(_without_dependants(statement))
        await transaction.commit()

        expected = [{"g": group, "k": each} for each in keys]
        assert (statement, expected) == (statement, _of(group, await ear.listen()))
        await _restore(world, ear)


@pytest.mark.parametrize("statement", SILENT)
async def test_what_changes_nothing_is_silent(
    world: asyncpg.Connection, ear: Ear, statement: str
) -> None:
    """A statement that changes no watched column tells nothing."""
    await world.execute(statement)

    assert await ear.listen() == []


async def test_a_change_undone_is_silent(world: asyncpg.Connection, ear: Ear) -> None:
    """What is rolled back is never told."""
    transaction = world.transaction()
    await transaction.start()
    await world.execute("delete from authz.cluster_access")
    await transaction.rollback()

    assert await ear.listen() == []


async def test_swapped_rows_are_told(world: asyncpg.Connection, ear: Ear) -> None:
    """Rows that trade values are told, though the values are the same as before."""
    await world.execute(
        "update authz.principals set name ="
        " case id when 1 then 'Globex' else 'Acme' end where id in (1, 2)"
    )

    assert await ear.listen() == [{"g": "principal", "k": ["1", "2"]}]


async def test_a_change_carries_its_transaction(
    world: asyncpg.Connection, ear: Ear
) -> None:
    """A change carries the id of its transaction, of a nested one the outermost."""
    async with world.transaction():
        expected = await world.fetchval("select pg_current_xact_id()::text")
        async with world.transaction():
            await world.execute("delete from authz.cluster_access")
    await asyncio.wait_for(_until_heard(ear), 10)

    assert [expected] == [change["x"] for change in ear.heard]


@pytest.mark.parametrize(("relation", "group"), RELATION_GROUPS.items())
async def test_truncate_drops_the_group(
    world: asyncpg.Connection, ear: Ear, relation: str, group: str
) -> None:
    """TRUNCATE tells the group without keys."""
    await world.execute(f"truncate authz.{relation}")

    assert await ear.listen() == [{"g": group}]


@pytest.mark.parametrize(("keys", "fits"), [(500, True), (1200, False), (5000, False)])
async def test_a_big_change_drops_the_group(
    world: asyncpg.Connection, ear: Ear, *, keys: int, fits: bool
) -> None:
    """Keys that do not fit into a notification are left out, all of them."""
    await world.execute(
        "insert into authz.cluster_access select 1, 1 where false;"
        "insert into authz.resources (kind, id)"
        f" select 'm', n from generate_series(1, {keys}) as n"
    )

    [change] = await ear.listen()
    assert fits == ("k" in change)


async def test_the_largest_payload_fits(world: asyncpg.Connection, ear: Ear) -> None:
    """One key of any length is told, by itself or by its group, and never refused."""
    lengths = [*range(7800, 8010, 7), 100_000]
    await world.execute(
        "alter table authz.api_keys drop constraint api_keys_lookup_id_key"
    )
    for length in lengths:
        await world.execute(
            "update authz.api_keys set lookup_id = repeat('é', $1 / 2)", length
        )
        changes = await ear.listen()

        assert [change["g"] for change in changes] == ["api_key"]


async def test_watch_again_replaces(world: asyncpg.Connection, ear: Ear) -> None:
    """Calling watch again for a group leaves four triggers, of the new arguments."""
    await world.execute(
        "call authz.watch('authz.users', 'user', 'id, name', 'id', 'principal_id')"
    )
    await world.execute("update authz.users set is_admin = true")
    await world.execute("update authz.users set name = 'x' where id = 30")

    assert await ear.listen() == [{"g": "user", "k": ["3", "30"]}]
    assert await _triggers(world, "authz.users") == [
        "authz_watch_delete",
        "authz_watch_insert",
        "authz_watch_truncate",
        "authz_watch_update",
    ]


async def test_a_table_feeds_several_groups(
    world: asyncpg.Connection, ear: Ear
) -> None:
    """A second group has triggers of its own, and each tells its own keys."""
    await world.execute(
        "call authz.watch('authz.users', 'principal', 'principal_id', 'principal_id')"
    )
    await world.execute("insert into authz.principals (id, kind) values (8, 'user')")
    await ear.listen()
    await world.execute("update authz.users set principal_id = 8 where id = 30")

    told = sorted(await ear.listen(), key=lambda change: str(change["g"]))
    assert told == [{"g": "principal", "k": ["3", "8"]}, {"g": "user", "k": ["30"]}]
    names = await _triggers(world, "authz.users")
    assert len(names) == 8
    assert "authz_watch_update_principal" in names


async def test_unwatch_ends_it(world: asyncpg.Connection, ear: Ear) -> None:
    """After unwatch a table tells nothing, and has no trigger left."""
    await world.execute("call authz.unwatch('authz.cluster_access')")
    await world.execute("delete from authz.cluster_access")

    assert await ear.listen() == []
    assert await _triggers(world, "authz.cluster_access") == []


async def test_replicas_role_does_not_silence(
    world: asyncpg.Connection, ear: Ear
) -> None:
    """A bulk load that switches ordinary triggers off tells its changes all the same."""
    await world.execute("set session_replication_role = replica")
    await world.execute("delete from authz.cluster_access")

    assert await ear.listen() == [{"g": "grants", "k": ["1"]}]


async def test_a_null_key_is_skipped(world: asyncpg.Connection, ear: Ear) -> None:
    """A row whose key is null has none, and rows without any key tell nothing."""
    await world.execute(
        "create table public.t (a text, b int); call authz.watch('t', 'grp', 'b', 'a')"
    )
    await world.execute("insert into public.t values (null, 1), ('x', 1), ('x', 2)")
    await world.execute("insert into public.t values (null, 1)")

    assert await ear.listen() == [{"g": "grp", "k": ["x"]}]


async def test_types_without_equality_and_loose_collations_are_told(
    world: asyncpg.Connection, ear: Ear
) -> None:
    """A change that the column's own comparison does not see is told."""
    await world.execute(
        "create collation public.loose"
        " (provider = icu, locale = 'und-u-ks-level2', deterministic = false);"
        "create table public.t (id text collate public.loose, j json);"
        "call authz.watch('t', 'grp', 'id, j', 'id');"
        """insert into public.t values ('a', '{"a": 1}'), ('A', '{}')"""
    )
    await world.execute("""update public.t set j = '{"a":1}' where j::text <> '{}'""")
    await world.execute("update public.t set id = upper(id)")

    assert await ear.listen() == [
        {"g": "grp", "k": ["A", "a"]},
        {"g": "grp", "k": ["a"]},
        {"g": "grp", "k": ["A", "a"]},
    ]


async def test_a_renamed_column_drops_the_group(
    world: asyncpg.Connection, ear: Ear
) -> None:
    """Under a trigger whose columns are gone, writes go on and drop the whole group."""
    await world.execute("alter table authz.cluster_access rename cluster_id to renamed")
    await world.execute("update authz.cluster_access set renamed = 51")

    assert await ear.listen() == [{"g": "grants"}]


async def test_a_callers_search_path_is_of_no_use(
    world: asyncpg.Connection, ear: Ear
) -> None:
    """Functions and operators that a writer puts in the way are not called."""
    await world.execute(
        "create schema trap;"
        "create function trap.pg_notify(text, text) returns void language sql"
        " as 'select null::void';"
        "create function trap.sha256(bytea) returns bytea language sql"
        " as $$select '\\x00'::bytea$$;"
        "set search_path = trap, pg_catalog"
    )
    await world.execute("insert into authz.user_identities values ('i', 's', 30)")

    assert await ear.listen() == [{"g": "identity", "k": [_identity("i", "s")]}]


async def test_a_writer_needs_no_right_but_to_write(
    world: asyncpg.Connection, ear: Ear
) -> None:
    """A writer without rights on the schema of the functions is told of as well."""
    await world.execute(
        "create role writer_of_t; create table public.t (id int);"
        "grant insert on public.t to writer_of_t;"
        "call authz.watch('t', 'grp', 'id', 'id'); set role writer_of_t"
    )
    await world.execute("insert into public.t values (1)")
    await world.execute(
        "reset role; drop table public.t; drop role writer_of_t"
    )

    assert await ear.listen() == [{"g": "grp", "k": ["1"]}]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("'t', 'grp', 'nothing', 'id'", "column"),
        ("'t', 'grp', 'id', 'nothing'", "column"),
        ("'t', 'Group', 'id', 'id'", "a group is"),
        ("'t', 'grp', null, 'id'", "columns and at least one key"),
        ("'t', 'grp', 'id', variadic '{}'", "columns and at least one key"),
        ("'v', 'grp', 'id', 'id'", "`v` is not an ordinary table"),
        ("'p', 'grp', 'id', 'id'", "`p` is not an ordinary table"),
        ("'p1', 'grp', 'id', 'id'", "`p1` is not an ordinary table"),
        ("'child', 'grp', 'id', 'id'", "`child` is not an ordinary table"),
        ("'parent', 'grp', 'id', 'id'", "`parent` is not an ordinary table"),
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
    world: asyncpg.Connection, ear: Ear
) -> None:
    """A table and columns of any name are watched, and quotes in them do no harm."""
    await world.execute(
        'create schema "S; --"; create table "S; --"."T\'""" ("a\'b""" text);'
        "call authz.watch('\"S; --\".\"T''\"\"\"', 'grp', '\"a''b\"\"\"',"
        " '\"a''b\"\"\"')"
    )
    await world.execute('insert into "S; --"."T\'""" values (\'x\')')

    assert await ear.listen() == [{"g": "grp", "k": ["x"]}]


def _of(group: object, told: Sequence[dict[str, object]]) -> list[dict[str, object]]:
    return [change for change in told if change["g"] == group]


def _without_dependants(statement: str) -> str:
    """The statement, after what refers to the rows that it takes away."""
    return statement


async def _restore(world: asyncpg.Connection, ear: Ear) -> None:
    tables = await world.fetchval(
        "select string_agg(oid::regclass::text, ', ') from pg_class"
        " where relnamespace = 'authz'::regnamespace and relkind = 'r'"
        " and relname <> 'schema_migrations'"
    )
    await world.execute(f"truncate {tables}")
    await world.execute(WORLD)
    await ear.listen()


async def _until_heard(ear: Ear) -> None:
    await ear.connection.execute("notify authz_changes, 'done'")
    await ear.done.wait()


async def _triggers(connection: asyncpg.Connection, table: str) -> list[str]:
    rows = await connection.fetch(
        "select tgname from pg_trigger where tgrelid = $1::text::regclass"
        " and not tgisinternal order by tgname",
        table,
    )
    return [row["tgname"] for row in rows]
