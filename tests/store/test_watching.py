import asyncpg
import pytest

from sidecar.store.watching import Behind, judge, unwatched
from tests.store.foreign.load import Flavour, create_schema


@pytest.mark.parametrize("flavour", [None, *Flavour])
async def test_schemas_with_their_triggers_are_watched(
    connection: asyncpg.Connection,
    empty_connection: asyncpg.Connection,
    flavour: Flavour | None,
) -> None:
    """Every relation of the three schemas is."""
    if flavour is not None:
        connection = empty_connection
        await create_schema(connection, flavour)

    assert await unwatched(connection) == {}


TAMPERED = {
    "no trigger": "call authz.unwatch('authz.users')",
    "no insert": "drop trigger authz_watch_insert on authz.users",
    "no update": "drop trigger authz_watch_update on authz.users",
    "no delete": "drop trigger authz_watch_delete on authz.users",
    "no truncate": "drop trigger authz_watch_truncate on authz.users",
    "disabled": "alter table authz.users disable trigger authz_watch_update",
    "not always": "alter table authz.users enable trigger authz_watch_update",
    "replica only": "alter table authz.users enable replica trigger authz_watch_update",
    "other group": """
        call authz.unwatch('authz.users');
        call authz.watch('authz.users', 'role', 'id', 'id')
    """,
    "other version": """
        drop trigger authz_watch_delete on authz.users;
        create trigger authz_watch_delete after delete on authz.users
            referencing old table as authz_old for each statement
            execute function authz.notify_change('2', 'user', 'id', 'id');
        alter table authz.users enable always trigger authz_watch_delete
    """,
    "one column only": """
        drop trigger authz_watch_update on authz.users;
        create trigger authz_watch_update after update of name on authz.users
            for each statement
            execute function authz.notify_change('1', 'user', 'id', 'id');
        alter table authz.users enable always trigger authz_watch_update
    """,
    "a child": "create table authz.more_users () inherits (authz.users)",
    "materialized": """
        alter table authz.users rename to base;
        create materialized view authz.users as select * from authz.base
    """,
    "through a function": """
        alter table authz.users rename to base;
        create function authz.all_users() returns setof authz.base stable
            language sql begin atomic select * from authz.base; end;
        create view authz.users as select * from authz.all_users()
    """,
    "no table": """
        drop table authz.users cascade;
        create view authz.users as select 1 as id
    """,
    "gone": "drop table authz.users cascade",
}


@pytest.mark.parametrize("sql", TAMPERED.values(), ids=TAMPERED)
async def test_relation_without_its_triggers_is_not_watched(
    connection: asyncpg.Connection, sql: str
) -> None:
    """All four, always, after any statement, for the group, or it is not."""
    await connection.execute(sql)

    assert "users" in await unwatched(connection)


async def test_reason_says_what_to_do(connection: asyncpg.Connection) -> None:
    """Whoever reads the log learns which table and which group."""
    await connection.execute("call authz.unwatch('authz.cluster_access')")

    reasons = await unwatched(connection)

    expected = (
        "`authz.cluster_access` lacks change triggers of group `grants`; "
        "call `authz.watch` for it"
    )
    assert {"cluster_access": expected} == reasons


async def test_every_table_behind_a_view_must_be_watched(
    empty_connection: asyncpg.Connection,
) -> None:
    """One table of a view over several is enough to miss a change."""
    await create_schema(empty_connection, Flavour.CAMEL_CASE)
    await empty_connection.execute("""call authz.unwatch('public."GroupMember"')""")

    assert {"principal_memberships"} == set(await unwatched(empty_connection))


async def test_views_are_looked_through_to_any_depth(
    connection: asyncpg.Connection,
) -> None:
    """A view over a view over a table is watched when the table is."""
    await connection.execute("""
        alter table authz.users rename to base;
        create view authz.inner_users as select * from authz.base;
        create view authz.users as select * from authz.inner_users where is_active
    """)
    assert await unwatched(connection) == {}

    await connection.execute("call authz.unwatch('authz.base')")

    assert {"users"} == set(await unwatched(connection))


async def test_foreign_table_is_not_watched(connection: asyncpg.Connection) -> None:
    """Changes on another server tell nobody here."""
    await connection.execute("""
        create foreign data wrapper nowhere;
        create server elsewhere foreign data wrapper nowhere;
        drop table authz.users cascade;
        create foreign table authz.users (id bigint) server elsewhere
    """)

    assert (await unwatched(connection))["users"] == "`authz.users` is a foreign table"


async def test_missing_identities_need_no_watching(
    connection: asyncpg.Connection,
) -> None:
    """The relation that may be missing is not complained about."""
    await connection.execute("drop table authz.user_identities")

    assert await unwatched(connection) == {}


def test_table_of_another_group_does_not_fit() -> None:
    """A table that feeds two relations needs the triggers of both groups."""
    groups = frozenset({"user"})
    both = [
        Behind(relation, "r", "people", groups, reads_through_a_function=False)
        for relation in ("users", "principals")
    ]

    assert {"principals"} == set(judge(both))
