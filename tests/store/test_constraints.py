# ruff: noqa: S608 the statements are the tests' own
import asyncio
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import asyncpg
import pytest
import yaml

from sidecar.store.refusals import REFUSALS
from tests.store.databases import PostgresServer, create_database

SHA = f"sha256:{'0' * 64}"

FOLDER = Path(__file__).parent
WORLD = (FOLDER / "world.sql").read_text("utf-8").replace("{sha}", SHA)
VIOLATIONS = [
    (statement.replace("{sha}", SHA), constraint)
    for constraint, statements in yaml.safe_load(
        (FOLDER / "violations.yaml").read_text("utf-8")
    ).items()
    for statement in statements
]


# Unique for the sake of a foreign key, and implied by the primary key; or kept true by
# the triggers that fill the column in.
UNREACHABLE = {
    "principals_id_kind_key",
    "principal_memberships_id_parent_key",
    "feature_instances_id_organization_key",
    "roles_id_scope_key",
    "roles_scope_organization_check",
    "feature_access_id_instance_key",
    "feature_access_roles_feature_instance_id_fkey",
    # Below, one for each level.
    "access_rules_create_within_read",
    "access_rules_update_within_read",
    "access_rules_delete_within_read",
}

LEVELS = "nmga"
ABOVE = [
    (operation, level, read)
    for operation in ("create", "update", "delete")
    for read in LEVELS
    for level in LEVELS
    if LEVELS.index(level) > LEVELS.index(read)
]
WITHIN = [
    (level, read)
    for read in LEVELS
    for level in LEVELS
    if LEVELS.index(level) <= LEVELS.index(read)
]


def _rule(**columns: str) -> str:
    names = ", ".join(["id", "role_id", *(f'"{name}"' for name in columns)])
    values = ", ".join(["'new'", "'free'", *columns.values()])
    return f"insert into authz.access_rules ({names}) values ({values})"


def _membership(columns: str) -> str:
    return (
        "insert into authz.principal_memberships"
        f" (id, member_principal_id, parent_principal_id, role) values ({columns})"
    )


@pytest.fixture(scope="module")
async def shared(
    store_server: PostgresServer,
) -> AsyncIterator[asyncpg.Connection]:
    """A database with the rows of world.sql, for tests that leave it as it is."""
    async for address in create_database(store_server, "reference"):
        connection = await asyncpg.connect(address)
        await connection.execute(WORLD)
        yield connection
        await connection.close()


@pytest.fixture
async def world(shared: asyncpg.Connection) -> AsyncIterator[asyncpg.Connection]:
    """The same, in a transaction that is undone after the test."""
    transaction = shared.transaction()
    await transaction.start()
    yield shared
    await transaction.rollback()


async def _refusal(connection: asyncpg.Connection, statement: str) -> str | None:
    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as caught:
        await connection.execute(statement)
    return caught.value.constraint_name


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [pytest.param(*each, id=textwrap.shorten(each[0], 90)) for each in VIOLATIONS],
)
async def test_a_violation_is_refused(
    world: asyncpg.Connection, statement: str, constraint: str
) -> None:
    """What breaks a rule of the schema is refused by the constraint of that rule."""
    assert constraint == await _refusal(world, statement)


@pytest.mark.parametrize(("operation", "level", "read"), ABOVE)
async def test_no_operation_exceeds_read(
    world: asyncpg.Connection, operation: str, level: str, read: str
) -> None:
    """A DATA rule with an operation above its read level is refused."""
    rule = _rule(context="'DATA'", read=f"'{read}'", **{operation: f"'{level}'"})

    assert f"access_rules_{operation}_within_read" == await _refusal(world, rule)


@pytest.mark.parametrize(("level", "read"), WITHIN)
async def test_an_operation_may_reach_read(
    world: asyncpg.Connection, level: str, read: str
) -> None:
    """A DATA rule whose operations stay within read is taken."""
    levels = dict.fromkeys(("create", "update", "delete"), f"'{level}'")

    await world.execute(_rule(context="'DATA'", read=f"'{read}'", **levels))


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param(_rule(context="'UI'", create="'a'"), id="levels outside DATA"),
        pytest.param(_rule(context="'UI'", item="'a.b-c_1'"), id="an item"),
        pytest.param(
            "insert into authz.access_rules (id, role_id, context)"
            " values ('new', 'global', 'UI')",
            id="the same item in another context",
        ),
        pytest.param(
            "insert into authz.membership_roles values (31, 'of-third')",
            id="the role of an instance of the organization",
        ),
        pytest.param(
            "insert into authz.membership_roles values (35, 'global')",
            id="a global role in a group",
        ),
        pytest.param(
            "update authz.roles set organization_id = null where id = 'of-1'",
            id="a role becomes global",
        ),
        pytest.param(
            "update authz.roles set organization_id = 2 where id = 'free'",
            id="a role that nobody holds changes its organization",
        ),
        pytest.param(
            "delete from authz.feature_access_roles where role_id = 'of-1';"
            "delete from authz.membership_roles where role_id = 'of-first';"
            "update authz.feature_instances set organization_id = 2"
            " where id = 'first'",
            id="an instance moves with the roles that are its own",
        ),
        pytest.param(
            "delete from authz.membership_roles where membership_id = 31;"
            "update authz.principal_memberships set parent_principal_id = 2"
            " where id = 31",
            id="a membership without roles moves",
        ),
        pytest.param(
            "update authz.principal_memberships set enabled = false where id = 31;"
            + _membership("39, 3, 1, null"),
            id="a second membership beside a disabled one",
        ),
        pytest.param(
            "update authz.principal_memberships set deleted_at = now() where id = 31;"
            + _membership("39, 3, 1, null"),
            id="a second membership beside a deleted one",
        ),
        pytest.param(
            "update authz.api_keys set secret_hash ="
            " '$argon2id$v=19$m=8,t=1,p=1$c2FsdA$aGFzaA', owner_principal_id = 1",
            id="an argon2 hash",
        ),
    ],
)
async def test_what_is_valid_is_taken(
    world: asyncpg.Connection, statement: str
) -> None:
    """What breaks no rule is not refused."""
    await world.execute(statement)


async def test_blanks_are_those_of_the_core(world: asyncpg.Connection) -> None:
    """The database refuses exactly the blanks that the core refuses in an item."""
    blanks = await world.fetch(
        "select code from generate_series(1, 1114111) as code"
        " where code not between 55296 and 57343"
        " and chr(code) ~ (select substring(pg_get_constraintdef(oid)"
        " from '''(\\[.*\\])''') from pg_constraint"
        " where conname = 'access_rules_item_blanks')"
    )

    expected = [
        code
        for code in range(1, 0x110000)
        if not 0xD800 <= code <= 0xDFFF and chr(code).isspace()
    ]
    assert expected == [row["code"] for row in blanks]


async def test_hidden_columns_cannot_be_forged(world: asyncpg.Connection) -> None:
    """Whoever writes the columns that the database keeps is overruled."""
    forged = "insert into authz.membership_roles values (31, 'of-2', 2, -1, '')"

    actual = await _refusal(world, forged)

    assert actual == "membership_roles_role_fits"


@pytest.mark.parametrize("isolation", ["read_committed", "repeatable_read"])
async def test_two_writers_cannot_break_a_scope(
    connection: asyncpg.Connection,
    database: str,
    isolation: Literal["read_committed", "repeatable_read"],
) -> None:
    """A role assigned while another writer moves it: one of the two is refused."""
    await connection.execute(WORLD)
    other = await asyncpg.connect(database)
    await connection.execute(
        "delete from authz.membership_roles where role_id = 'of-1'"
    )
    await connection.execute("delete from authz.feature_access_roles")
    moving = other.transaction(isolation=isolation)
    assigning = connection.transaction(isolation=isolation)
    await moving.start()
    await other.fetch("select from authz.membership_roles")
    await assigning.start()
    await connection.execute("insert into authz.membership_roles values (31, 'of-1')")
    moved = asyncio.create_task(
        other.execute("update authz.roles set organization_id = 2 where id = 'of-1'")
    )
    await asyncio.wait({moved}, timeout=0.1)
    await assigning.commit()

    with pytest.raises(asyncpg.PostgresError) as caught:
        await moved
    await moving.rollback()
    await other.close()
    assert isinstance(
        caught.value, (asyncpg.CheckViolationError, asyncpg.SerializationError)
    )


async def test_every_constraint_has_its_words(connection: asyncpg.Connection) -> None:
    """Each constraint and unique index is explained, and nothing else is."""
    rows = await connection.fetch(
        "select conname as name from pg_constraint"
        " where connamespace = 'authz'::regnamespace and contype <> 'n'"
        " union select i.indexrelid::regclass::text from pg_index i"
        " join pg_class c on c.oid = i.indexrelid"
        " where c.relnamespace = 'authz'::regnamespace and i.indisunique"
        " and not exists (select from pg_constraint where conindid = c.oid)"
    )
    names = {row["name"].removeprefix("authz.") for row in rows}

    assert names - {"schema_migrations_pkey"} == set(REFUSALS)


def test_every_constraint_is_seen_to_refuse() -> None:
    """Each constraint refuses something in these tests, or cannot be reached."""
    refusing = {constraint for _, constraint in VIOLATIONS}

    assert set(REFUSALS) == refusing | UNREACHABLE
