import asyncpg
import pytest

from sidecar.store.steward.members import (
    AddMember,
    DisableMember,
    RemoveMember,
)
from sidecar.store.steward.pairs import Place, Who
from tests.store.stewarding import (
    WORLD,
    at_once,
    changed,
    do,
    meanwhile,
    of_pair,
    only,
    refused,
    until_somebody_waits,
)

ACME, BETA, LAB = Place("org", "1"), Place("org", "2"), Place("group", "5")
ANN, BEN = Who("user", "10"), Who("user", "11")


@pytest.fixture
async def url(connection: asyncpg.Connection, database: str) -> str:
    """A database with the world of these tests."""
    await connection.execute(WORLD)
    return database


async def test_administrators_at_once_make_one_membership(
    url: str, connection: asyncpg.Connection
) -> None:
    """One of them makes it, the others find it made, and nobody's number is doubled."""
    deeds = await at_once(
        url, *[AddMember(ACME, BEN)] * 4, AddMember(BETA, BEN), AddMember(LAB, BEN)
    )

    made = [deed.changes for deed in deeds if not isinstance(deed, str)]
    assert [0, 0, 0, 1, 1, 1] == sorted(map(len, made))
    rows = await connection.fetch(
        "select id from authz.principal_memberships where member_principal_id = 102"
    )
    assert [34, 35, 36] == sorted(row["id"] for row in rows)


async def test_removing_and_changing_at_once_agree(
    url: str, connection: asyncpg.Connection
) -> None:
    """Whatever comes first, what is said to be changed is what was there."""
    deeds = await at_once(
        url, RemoveMember(ACME, ANN), DisableMember(ACME, ANN), RemoveMember(ACME, ANN)
    )

    ended = [
        deed
        for deed in deeds
        if not isinstance(deed, str)
        and any("deleted_at" in changed(change) for change in deed.changes)
    ]
    assert 1 == len(ended)
    assert [True] == [each[3] for each in await of_pair(connection, 101, 1)]


async def test_an_id_that_the_platform_takes_meanwhile_is_left_to_it(
    url: str, connection: asyncpg.Connection
) -> None:
    """The platform takes no turn with administrators; its row is not lost."""
    platform = connection.transaction()
    await platform.start()
    await connection.execute(
        "insert into authz.principal_memberships"
        " (id, member_principal_id, parent_principal_id) values (34, 104, 1)"
    )

    async with meanwhile(do(url, AddMember(ACME, BEN))) as adding:
        await until_somebody_waits(connection)
        await platform.commit()
        deed = await adding

    assert "35" == (only(deed).after or {})["id"]


async def test_a_membership_that_the_platform_makes_meanwhile_is_not_doubled(
    url: str, connection: asyncpg.Connection
) -> None:
    """The database refuses the second, and the refusal is put in words."""
    platform = connection.transaction()
    await platform.start()
    await connection.execute(
        "insert into authz.principal_memberships"
        " (id, member_principal_id, parent_principal_id) values (900, 102, 1)"
    )

    async with meanwhile(refused(url, AddMember(ACME, BEN))) as adding:
        await until_somebody_waits(connection)
        await platform.commit()
        problem = await adding

    assert problem.startswith("`102` has another active membership in `1`")
    assert [(900, None, True, False)] == await of_pair(connection, 102, 1)


async def test_a_membership_that_the_platform_ends_meanwhile_stays_ended(
    url: str, connection: asyncpg.Connection
) -> None:
    """Disabling waits for the row, and then sees that it is over."""
    platform = connection.transaction()
    await platform.start()
    await connection.execute(
        "update authz.principal_memberships set deleted_at = now() where id = 31"
    )

    async with meanwhile(refused(url, DisableMember(ACME, ANN))) as disabling:
        await until_somebody_waits(connection)
        await platform.commit()
        problem = await disabling

    assert "is no member" in problem
    assert [(31, "user", True, True)] == await of_pair(connection, 101, 1)
