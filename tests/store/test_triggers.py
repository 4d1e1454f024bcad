# ruff: noqa: S608 the statements are the tests' own
import asyncpg
import pytest

from tests.store.ear import Ear, identity_key

# The statement, and the group and keys that it tells.
TOLD = (
    (
        (
            "insert into authz.principals (id, kind, parent_principal_id) values"
            " (6, 'user', null), (7, 'group', 2)"
        ),
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
        ("identity", [identity_key("ä", '"b\\')]),
    ),
    (
        "update authz.user_identities set subject = 'Subject'",
        (
            "identity",
            [identity_key("issuer", "Subject"), identity_key("issuer", "subject")],
        ),
    ),
    (
        (
            "insert into authz.principal_memberships"
            " (id, member_principal_id, parent_principal_id) values (41, 4, 1)"
        ),
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
        (
            "insert into authz.feature_access (id, user_id, feature_instance_id)"
            " values ('fb', 40, 'j')"
        ),
        ("access", ["40/j"]),
    ),
    (
        "update authz.feature_access set user_id = 40",
        ("access", ["30/i", "40/i"]),
    ),
    ("delete from authz.feature_access_roles", ("access_roles", ["fa"])),
    # One statement may insert and update.
    (
        (
            "insert into authz.cluster_access values (50, 1), (52, 2)"
            " on conflict (principal_id, cluster_id)"
            " do update set cluster_id = 53"
        ),
        ("grants", ["1"], ["2"]),
    ),
    (
        (
            "with gone as (delete from authz.cluster_access returning *)"
            " insert into authz.cluster_access select cluster_id, 2 from gone"
        ),
        ("grants", ["1"], ["2"]),
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


@pytest.mark.parametrize(("statement", "told"), TOLD)
async def test_a_change_tells_its_keys(
    watched: asyncpg.Connection, ear: Ear, statement: str, told: tuple[str, ...]
) -> None:
    """Each change tells exactly the keys of the rows that it touched."""
    await watched.execute(statement)

    group, *keys = told
    expected = [{"g": group, "k": sorted(each)} for each in keys]
    actual = await ear.listen()
    assert expected == sorted(actual, key=lambda change: str(change["k"]))


@pytest.mark.parametrize("statement", SILENT)
async def test_what_changes_nothing_is_silent(
    watched: asyncpg.Connection, ear: Ear, statement: str
) -> None:
    """A statement that changes no watched column tells nothing."""
    await watched.execute(statement)

    assert await ear.listen() == []


async def test_a_change_undone_is_silent(watched: asyncpg.Connection, ear: Ear) -> None:
    """What is rolled back is never told."""
    transaction = watched.transaction()
    await transaction.start()
    await watched.execute("delete from authz.cluster_access")
    await transaction.rollback()

    assert await ear.listen() == []


async def test_swapped_rows_are_told(watched: asyncpg.Connection, ear: Ear) -> None:
    """Rows that trade values are told, though the values are the same as before."""
    await watched.execute(
        "update authz.principals set name ="
        " case id when 1 then 'Globex' else 'Acme' end where id in (1, 2)"
    )

    assert await ear.listen() == [{"g": "principal", "k": ["1", "2"]}]


async def test_a_change_carries_its_transaction(
    watched: asyncpg.Connection, ear: Ear
) -> None:
    """A change carries the id of its transaction, of a nested one the outermost."""
    async with watched.transaction():
        expected = await watched.fetchval("select pg_current_xact_id()::text")
        async with watched.transaction():
            await watched.execute("delete from authz.cluster_access")
    heard = await ear.listen_raw()

    assert [expected] == [change["x"] for change in heard]


@pytest.mark.parametrize(("relation", "group"), RELATION_GROUPS.items())
async def test_truncate_drops_the_group(
    watched: asyncpg.Connection, ear: Ear, relation: str, group: str
) -> None:
    """TRUNCATE tells the group without keys."""
    await watched.execute(f"truncate authz.{relation}")

    assert await ear.listen() == [{"g": group}]


@pytest.mark.parametrize(("keys", "fits"), [(500, True), (1200, False), (5000, False)])
async def test_a_big_change_drops_the_group(
    watched: asyncpg.Connection, ear: Ear, *, keys: int, fits: bool
) -> None:
    """Keys that do not fit into a notification are left out, all of them."""
    await watched.execute(
        "insert into authz.resources (kind, id)"
        f" select 'm', n from generate_series(1, {keys}) as n"
    )

    [change] = await ear.listen()
    assert fits == ("k" in change)


async def test_a_key_of_any_length_is_told(
    watched: asyncpg.Connection, ear: Ear
) -> None:
    """One key is told by itself while it fits, and by its group beyond, never lost."""
    await watched.execute(
        "create table public.t (a text); call authz.watch('t', 'grp', 'a', 'a')"
    )
    told = []
    for length in range(7800, 8010, 3):
        await watched.execute("insert into public.t values (repeat('x', $1))", length)
        told += await ear.listen()

    alone = ["k" in change for change in told]
    assert len(range(7800, 8010, 3)) == len(told)
    assert alone == sorted(alone, reverse=True)
    assert {True, False} == set(alone)
