import asyncpg
import pytest

from sidecar.store.document import DocumentError, parse_document
from sidecar.store.errors import StoreError
from sidecar.store.importer import ImportMode, import_document
from tests.store.ear import Ear

WORLD = """
principals:
  - {id: 5, kind: group, name: Lab, parent_principal_id: 1}
  - {id: 1, kind: org, name: Acme}
  - {id: 2, kind: org, name: Initech, deleted_at: "2025-01-01T01:00:00+01:00"}
  - {id: 3, kind: user, name: Ann}
users: [{id: 30, principal_id: 3, name: ann, is_admin: true}]
user_identities: [{issuer: i, subject: s, user_id: 30}]
principal_memberships: [{id: 31, member_principal_id: 3, parent_principal_id: 1}]
cluster_access: [{cluster_id: 50, principal_id: 5}]
api_keys:
  - id: 9223372036854775807
    user_id: 30
    lookup_id: key
    secret_hash: sha256:0000000000000000000000000000000000000000000000000000000000000000
resources: [{kind: model, id: 70, owner_principal_id: 1}]
feature_instances: [{id: first, organization_id: 1}]
roles: [{id: global}, {id: of-1, organization_id: 1}]
access_rules: [{id: rule, role_id: global, context: DATA, view: true, read: g}]
membership_roles: [{membership_id: 31, role_id: of-1}]
feature_access: [{id: access, user_id: 30, feature_instance_id: first}]
feature_access_roles: [{feature_access_id: access, role_id: global}]
"""

COUNTS = {
    "principals": 4,
    "users": 1,
    "user_identities": 1,
    "principal_memberships": 1,
    "cluster_access": 1,
    "api_keys": 1,
    "resources": 1,
    "feature_instances": 1,
    "roles": 2,
    "access_rules": 1,
    "membership_roles": 1,
    "feature_access": 1,
    "feature_access_roles": 1,
}

# What is added to the world, and what is said of it.
REFUSED = {
    "principals: [{id: 8, kind: org}, {id: 3, kind: org}]": (
        "1:39: principals[1].id: `3` is taken by another row"
    ),
    "principals: [{id: 8, kind: org}, {id: 8, kind: org}]": (
        "1:39: principals[1].id: `8` is taken by another row"
    ),
    "principals: [{id: 8, kind: group, parent_principal_id: 9}, {id: 9, kind: user}]": (
        "1:56: principals[0].parent_principal_id: there is no principal `9` of kind org"
    ),
    # A group may stand before its organization.
    """
    principals:
      - {id: 8, kind: group, parent_principal_id: 9}
      - {id: 1, kind: org}
      - {id: 9, kind: org}
    """: "4:14: principals[1].id: `1` is taken by another row",
    "principals: [{id: 08, kind: org}]": (
        "1:19: principals[0].id: `08` is not a whole number of 64 bits without "
        "leading zeros"
    ),
    "principals: [{id: 9223372036854775808, kind: org}]": (
        "1:19: principals[0].id: `9223372036854775808` is not a whole number of 64 "
        "bits without leading zeros"
    ),
    "principals: [{id: -8, kind: org}]": "1:19: principals[0].id: `-8` is below zero",
    "users: [{id: 8, principal_id: 2}]": (
        "1:31: users[0].principal_id: there is no principal `2` of kind user"
    ),
    """
    principal_memberships:
      - {id: 8, member_principal_id: 5, parent_principal_id: 1}
      - {id: 9, member_principal_id: 3, parent_principal_id: 5}
      - {id: 10, member_principal_id: 3, parent_principal_id: 1}
      - {id: 11, member_principal_id: 3, parent_principal_id: 1}
    """: (
        "5:39: principal_memberships[2].member_principal_id: `3` has another active "
        "membership in `1`; this one is `10`"
    ),
    "api_keys: [{id: 8, user_id: 30, lookup_id: x, secret_hash: my secret}]": (
        "1:60: api_keys[0].secret_hash: is neither `sha256:` with 64 lower-case hex "
        "digits nor an argon2 hash"
    ),
    "access_rules: [{id: r, role_id: of-1, context: DATA, read: m, delete: g}]": (
        "1:71: access_rules[0].delete: `g` exceeds read, which is `m`"
    ),
    "access_rules: [{id: r, role_id: of-1, context: DATA}]": (
        "1:16: access_rules[0].read: a DATA rule needs it"
    ),
    "access_rules: [{id: r, role_id: none, context: UI}]": (
        "1:33: access_rules[0].role_id: there is no role `none`"
    ),
    """
    roles: [{id: of-2, organization_id: 2}]
    membership_roles: [{membership_id: 31, role_id: of-2}]
    """: (
        "3:53: membership_roles[0].role_id: role `of-2` belongs to another "
        "organization or feature instance"
    ),
}


@pytest.fixture
async def world(connection: asyncpg.Connection) -> asyncpg.Connection:
    """A database that holds the world."""
    await import_document(connection, parse_document(WORLD))
    return connection


async def _count_rows(connection: asyncpg.Connection) -> dict[str, int]:
    return {
        relation: await connection.fetchval(f"select count(*) from authz.{relation}")  # noqa: S608 the names are above
        for relation in COUNTS
    }


async def test_an_import_stores_and_counts(connection: asyncpg.Connection) -> None:
    """Every row of a document is stored, and counted by relation."""
    counts = await import_document(connection, parse_document(WORLD))

    assert counts == COUNTS
    assert await _count_rows(connection) == COUNTS


async def test_values_arrive_as_written(world: asyncpg.Connection) -> None:
    """A row that was imported reads as it was written, its time in any zone."""
    row = await world.fetchrow(
        "select name, parent_principal_id, deleted_at at time zone 'UTC' as deleted"
        " from authz.principals where id = 2"
    )

    assert row is not None
    actual = (row["name"], row["parent_principal_id"], str(row["deleted"]))
    assert actual == ("Initech", None, "2025-01-01 00:00:00")


@pytest.mark.parametrize(("text", "message"), REFUSED.items())
async def test_a_refused_row_is_named(
    world: asyncpg.Connection, text: str, message: str
) -> None:
    """A row that the database refuses is named by its path, with the reason."""
    with pytest.raises(DocumentError) as caught:
        await import_document(world, parse_document(text))

    assert message == str(caught.value)


async def test_nothing_stays_of_a_refused_document(
    world: asyncpg.Connection,
) -> None:
    """When the last row is refused, the rows before it are not kept."""
    document = parse_document(
        "principals: [{id: 8, kind: org}]\n"
        "feature_access_roles: [{feature_access_id: access, role_id: none}]"
    )

    with pytest.raises(DocumentError):
        await import_document(world, document)

    assert await _count_rows(world) == COUNTS


async def test_the_culprit_is_found_among_many(world: asyncpg.Connection) -> None:
    """One refused row among thousands is found by its place in the document."""
    rows = "".join(f"  - {{kind: model, id: {number}}}\n" for number in range(71, 2071))
    document = parse_document(
        f"resources:\n{rows}  - {{kind: model, id: 1500}}\n  - {{kind: '', id: 1}}\n"
    )

    with pytest.raises(DocumentError) as caught:
        await import_document(world, document)

    assert str(caught.value) == (
        "2002:23: resources[2000].id: `1500` of kind `model` is taken"
    )


async def test_an_oversized_item_is_refused(world: asyncpg.Connection) -> None:
    """What no constraint names is refused all the same, without the driver's words."""
    item = "".join(chr(0x4E00 + number) for number in range(20_000))
    document = parse_document(
        f"access_rules: [{{id: r, role_id: of-1, context: UI, item: {item}}}]"
    )

    with pytest.raises(DocumentError) as caught:
        await import_document(world, document)

    assert str(caught.value) == "1:16: access_rules[0]: is refused by the database"


async def test_a_rehearsal_keeps_nothing(connection: asyncpg.Connection) -> None:
    """What is only tried is counted and judged as ever, and nothing of it is kept."""
    document = parse_document(WORLD)
    counts = await import_document(connection, document, ImportMode(keeps=False))

    assert counts == COUNTS
    assert set((await _count_rows(connection)).values()) == {0}


async def test_replacing_leaves_nothing_else(world: asyncpg.Connection) -> None:
    """What was stored is gone once another document replaces it."""
    document = parse_document("principals: [{id: 1, kind: org, name: New}]")
    await import_document(world, document, ImportMode(replaces=True))

    counts = await _count_rows(world)
    assert {name: count for name, count in counts.items() if count} == {"principals": 1}
    assert await world.fetchval("select name from authz.principals") == "New"


async def test_a_refused_replacement_leaves_all(world: asyncpg.Connection) -> None:
    """When a row of the replacement is refused, what was stored stays."""
    document = parse_document("users: [{id: 30, principal_id: 3}]")

    with pytest.raises(DocumentError):
        await import_document(world, document, ImportMode(replaces=True))

    assert await _count_rows(world) == COUNTS


async def test_a_replacement_is_told_group_by_group(
    watched: asyncpg.Connection, ear: Ear
) -> None:
    """Of each relation that is replaced, what was there and what comes is told."""
    document = parse_document("principals: [{id: 9, kind: org}]")
    await import_document(watched, document, ImportMode(replaces=True))

    told = {
        (change["g"], str(key))
        for change in await ear.listen()
        for key in (change["k"] if isinstance(change["k"], list) else [])
    }
    assert {("principal", key) for key in "123459"} <= told
    assert {("member", "3"), ("grants", "1"), ("role", "r"), ("user", "40")} <= told


async def test_a_replacement_lets_readers_read(
    world: asyncpg.Connection, database: str
) -> None:
    """While a replacement goes on, others read what was there before."""
    reader = await asyncpg.connect(database)
    transaction = world.transaction()
    await transaction.start()
    document = parse_document("principals: [{id: 9, kind: org}]")
    await import_document(world, document, ImportMode(replaces=True))
    seen = await reader.fetchval("select count(*) from authz.principals", timeout=5)
    await transaction.rollback()
    await reader.close()

    assert seen == COUNTS["principals"]


async def test_a_table_of_many_pages_is_emptied(world: asyncpg.Connection) -> None:
    """A table of more pages than one step takes is replaced whole."""
    await world.execute(
        "insert into authz.resources (kind, id)"
        " select repeat('x', 900), n from generate_series(1, 9000) as n"
    )
    pages = await world.fetchval("select pg_relation_size('authz.resources') / 8192")
    await import_document(world, parse_document("{}"), ImportMode(replaces=True))

    assert pages > 1024
    assert set((await _count_rows(world)).values()) == {0}


async def test_views_are_no_place_to_store(
    empty_connection: asyncpg.Connection,
) -> None:
    """Where the relations are views, or are not there, an import says so."""
    await empty_connection.execute("create schema authz")
    with pytest.raises(StoreError, match=r"no table `authz\.principals`; run `authz"):
        await import_document(empty_connection, parse_document("{}"))

    await empty_connection.execute("create view authz.principals as select 1 as id")
    with pytest.raises(StoreError, match=r"`authz\.principals` is no table of the"):
        await import_document(empty_connection, parse_document("{}"))
