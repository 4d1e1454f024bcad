"""The name of a database's history: the same for everybody who may write."""

import asyncpg

from sidecar.store.revisions import Form, Revision

HISTORY = "1.700-5.1"
REVOKE = "update authz.principal_memberships set enabled = false where id = 31"
ALLOW = "update authz.principal_memberships set enabled = true where id = 31"
CURRENT = "select authz.current_revision()"


async def test_everybody_who_may_use_the_schema_gets_the_same_history(
    connection: asyncpg.Connection, database: str
) -> None:
    """Also where only the owner may ask for the number of the system."""
    role = database.rpartition("/")[2].partition("?")[0] + "_writer"
    mine = await connection.fetchval("select authz.history()")
    async with connection.transaction():
        await connection.execute(
            "revoke execute on function pg_control_system() from public"
        )
        await connection.execute(f"create role {role}")
        await connection.execute(f"grant usage on schema authz to {role}")
        await connection.execute(f"set local role {role}")
        token = str(await connection.fetchval(CURRENT))
        await connection.execute("reset role")
        await connection.execute(f"drop owned by {role}")
        await connection.execute(f"drop role {role}")
        await connection.execute(
            "grant execute on function pg_control_system() to public"
        )

    assert mine == token.rpartition(".")[0]


async def test_where_the_system_may_not_be_asked_a_seed_names_the_database(
    connection: asyncpg.Connection, database: str
) -> None:
    """The owner of the functions is who counts."""
    role = database.rpartition("/")[2].partition("?")[0] + "_owner"
    seed = await connection.fetchval("select authz.history_seed()")
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute(
        "revoke execute on function pg_control_system() from public"
    )
    await connection.execute(f"create role {role}")
    await connection.execute(f"grant usage, create on schema authz to {role}")
    await connection.execute(f"alter function authz.history() owner to {role}")
    found = str(await connection.fetchval(CURRENT))
    await transaction.rollback()

    assert found.startswith(f"1.{seed}-")
    assert Revision.parse(found).form is Form.TRANSACTION
