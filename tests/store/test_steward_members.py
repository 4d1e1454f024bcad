"""Many short tests of one thing, which is what makes this long."""

from datetime import datetime

import asyncpg
import pytest

from sidecar.store.steward.deeds import OrgRoleWish
from sidecar.store.steward.members import (
    AddMember,
    DisableMember,
    EnableMember,
    ListMembers,
    RemoveMember,
)
from sidecar.store.steward.pairs import Place, Who
from sidecar.store.steward.roles import AssignRole, OnMembership
from sidecar.store.steward.turn import Errand
from tests.store.stewarding import (
    WORLD,
    changed,
    do,
    of_pair,
    only,
    refused,
    see,
)

ACME, BETA, LAB = Place("org", "1"), Place("org", "2"), Place("group", "5")
ANN, BEN = Who("user", "10"), Who("user", "11")


@pytest.fixture
async def url(connection: asyncpg.Connection, database: str) -> str:
    """A database with the world of these tests."""
    await connection.execute(WORLD)
    return database


async def test_a_new_member_gets_the_next_id(
    url: str, connection: asyncpg.Connection
) -> None:
    """Adding makes one active row with the role, and says so."""
    deed = await do(url, AddMember(ACME, BEN, OrgRoleWish.ADMIN))

    change = only(deed)
    assert None is change.before
    assert "membership 34 of user 11 (`ben`) in org 1 (`Acme`)" == change.subject
    assert {
        "id": (None, "34"),
        "member_principal_id": (None, "102"),
        "parent_principal_id": (None, "1"),
        "role": (None, "admin"),
        "enabled": (None, True),
    } == changed(change)
    assert [(34, "admin", True, False)] == await of_pair(connection, 102, 1)
    assert () == deed.notes


async def test_the_first_membership_of_all_is_numbered_one(
    url: str, connection: asyncpg.Connection
) -> None:
    """Where there is no row yet, ids begin at one."""
    await connection.execute("delete from authz.principal_memberships")

    await do(url, AddMember(ACME, BEN))

    assert [(1, None, True, False)] == await of_pair(connection, 102, 1)


async def test_no_id_is_left_above_the_largest(
    url: str, connection: asyncpg.Connection
) -> None:
    """An id is never wrapped around or guessed."""
    await connection.execute(
        "insert into authz.principal_memberships"
        " (id, member_principal_id, parent_principal_id)"
        " values (9223372036854775807, 104, 1)"
    )

    problem = await refused(url, AddMember(ACME, BEN))

    assert "no id is left above the largest of `principal_memberships`" == problem


@pytest.mark.parametrize("role", [None, OrgRoleWish.USER])
async def test_adding_a_member_again_changes_nothing(
    url: str, connection: asyncpg.Connection, role: OrgRoleWish | None
) -> None:
    """A member without another role wished for stays as they are."""
    deed = await do(url, AddMember(ACME, ANN, role))

    said = "membership 31 of user 10 (`ann`) in org 1 (`Acme`) is in force already"
    assert ((), (said,)) == (deed.changes, deed.notes)
    assert [(31, "user", True, False)] == await of_pair(connection, 101, 1)


@pytest.mark.parametrize(
    ("wish", "role"), [(OrgRoleWish.ADMIN, "admin"), (OrgRoleWish.NONE, None)]
)
async def test_adding_with_another_role_changes_it(
    url: str, connection: asyncpg.Connection, wish: OrgRoleWish, role: str | None
) -> None:
    """The same membership goes on, with the role that was named."""
    deed = await do(url, AddMember(ACME, ANN, wish))

    assert {"role": ("user", role)} == changed(only(deed))
    assert [(31, role, True, False)] == await of_pair(connection, 101, 1)


async def test_adding_does_not_lift_a_suspension(
    url: str, connection: asyncpg.Connection
) -> None:
    """Who was disabled on purpose is not let in again by the way."""
    problem = await refused(url, AddMember(BETA, ANN))

    assert problem.startswith(
        "membership 32 of user 10 (`ann`) in org 2 (`Beta`) is disabled: "
        "`member enable` puts it in force again"
    )
    assert [(32, "admin", False, False)] == await of_pair(connection, 101, 2)


@pytest.mark.parametrize(
    ("errand", "problem"),
    [
        (AddMember(Place("org", "4"), ANN), "org 4 (`Gone`) is deleted"),
        (AddMember(Place("org", "Gone"), ANN), "there is no org `Gone`"),
        (AddMember(Place("org", "5"), ANN), "principal `5` is of kind group, not org"),
        (AddMember(Place("org", "Lab"), ANN), "there is no org `Lab`"),
        (AddMember(Place("org", "01"), ANN), "there is no org `01`"),
        (AddMember(Place("org", ""), ANN), "there is no org ``"),
        (AddMember(Place("org", "\udcff"), ANN), "there is no org `\udcff`"),
        (AddMember(Place("org", "9" * 19), ANN), f"there is no org `{'9' * 19}`"),
        (AddMember(ACME, Who("user", "999")), "there is no user `999`"),
        (AddMember(ACME, Who("principal", "2")), "principal `2` is of kind org, not "),
        (AddMember(ACME, Who("principal", "107")), "principal 107 (`nobody`) is no "),
        (
            AddMember(ACME, Who("user", "twin")),
            "user `twin` could be any of the users `13`, `14`; give an id",
        ),
        (AddMember(LAB, ANN, OrgRoleWish.USER), "a role counts in an organization"),
        (DisableMember(ACME, BEN), "user 11 (`ben`) in org 1 (`Acme`) is no member"),
        (EnableMember(ACME, BEN), "user 11 (`ben`) in org 1 (`Acme`) is no member"),
    ],
)
async def test_what_names_nothing_is_refused(
    url: str, connection: asyncpg.Connection, errand: Errand, problem: str
) -> None:
    """Whoever or whatever is meant must be there, be live, and be one only."""
    query = "select count(*) from authz.principal_memberships"
    before = await connection.fetchval(query)

    assert (await refused(url, errand)).startswith(problem)

    assert before == await connection.fetchval(query)


@pytest.mark.parametrize(
    ("place", "who"),
    [
        (Place("org", "Acme"), Who("user", "ben")),
        (ACME, Who("principal", "102")),
        (ACME, Who("principal", "Ben")),
    ],
)
async def test_names_that_are_unique_will_do(url: str, place: Place, who: Who) -> None:
    """A user or principal is meant by its id or by a name that only it has."""
    change = only(await do(url, AddMember(place, who)))

    assert "membership 34 of user 11 (`ben`) in org 1 (`Acme`)" == change.subject


async def test_a_whole_number_is_an_id_and_never_a_name(
    url: str, connection: asyncpg.Connection
) -> None:
    """A mistyped id does not hit whoever is called like it."""
    await connection.execute("update authz.users set name = '999' where id = 11")

    assert "there is no user `999`" == await refused(
        url, AddMember(ACME, Who("user", "999"))
    )


async def test_a_member_who_cannot_act_is_told_of(url: str) -> None:
    """Adding somebody inactive is done, and does not pass for more than it is."""
    deed = await do(url, AddMember(ACME, Who("user", "12")))

    assert ("user 12 (`cleo`) is not active",) == deed.notes


async def test_an_outsider_in_a_group_is_told_of(url: str) -> None:
    """A group counts only inside its organization (semantics, case 10)."""
    outsider = await do(url, AddMember(LAB, BEN))
    await do(url, RemoveMember(LAB, BEN))
    await do(url, AddMember(ACME, BEN))
    insider = await do(url, AddMember(LAB, BEN))

    (note,) = outsider.notes
    assert "user 11 (`ben`) is none of org 1 (`Acme`)" in note
    assert () == insider.notes


async def test_removing_ends_softly(url: str, connection: asyncpg.Connection) -> None:
    """The row stays, marked; what has no effect without it is named."""
    deed = await do(url, RemoveMember(ACME, ANN))

    before, after = changed(only(deed))["deleted_at"]
    assert None is before
    assert isinstance(after, datetime)
    assert [(31, "user", True, True)] == await of_pair(connection, 101, 1)
    (note,) = deed.notes
    assert note.startswith(
        "1 membership(s) of its groups and 2 feature access(es) stay"
    )


async def test_removing_ends_disabled_ones_as_well(
    url: str, connection: asyncpg.Connection
) -> None:
    """Nothing is left that could be enabled again."""
    await connection.execute(
        "insert into authz.principal_memberships"
        " (id, member_principal_id, parent_principal_id, enabled)"
        " values (40, 101, 1, false)"
    )

    deed = await do(url, RemoveMember(ACME, ANN))

    assert ["31", "40"] == [str((each.after or {})["id"]) for each in deed.changes]
    ended = [each[3] for each in await of_pair(connection, 101, 1)]
    assert [True, True] == ended


async def test_removing_from_a_deleted_organization_works(
    url: str, connection: asyncpg.Connection
) -> None:
    """What is left of a deleted organization can be tidied up, by its id."""
    await connection.execute(
        "update authz.principals set deleted_at = now() where id = 1"
    )

    deed = await do(url, RemoveMember(ACME, ANN))

    assert 1 == len(deed.changes)


async def test_removing_who_is_no_member_changes_nothing(url: str) -> None:
    """What is wished for is so already."""
    deed = await do(url, RemoveMember(ACME, BEN))

    assert () == deed.changes
    assert ("user 11 (`ben`) in org 1 (`Acme`) is no member",) == deed.notes


async def test_who_is_added_again_has_none_of_the_old_roles(
    url: str, connection: asyncpg.Connection
) -> None:
    """A membership that ended stays ended, and its roles with it."""
    await do(url, AssignRole("editor-1", OnMembership("1", "10")))
    await do(url, RemoveMember(ACME, ANN))
    change = only(await do(url, AddMember(ACME, ANN)))

    assert "34" == (change.after or {})["id"]
    holders = await connection.fetch("select membership_id from authz.membership_roles")
    assert [31] == [row["membership_id"] for row in holders]


async def test_disabling_and_enabling(url: str, connection: asyncpg.Connection) -> None:
    """The same membership is suspended and resumed; doing so twice changes nothing."""
    disabled = await do(url, DisableMember(ACME, ANN))
    again = await do(url, DisableMember(ACME, ANN))
    off = await of_pair(connection, 101, 1)
    enabled = await do(url, EnableMember(ACME, ANN))
    once_more = await do(url, EnableMember(ACME, ANN))

    assert {"enabled": (True, False)} == changed(only(disabled))
    assert [(31, "user", False, False)] == off
    assert {"enabled": (False, True)} == changed(only(enabled))
    assert [(31, "user", True, False)] == await of_pair(connection, 101, 1)
    assert [(), ()] == [again.changes, once_more.changes]


async def test_several_disabled_memberships_are_not_guessed_between(
    url: str, connection: asyncpg.Connection
) -> None:
    """Only one may be in force, and which is for a person to say."""
    await connection.execute(
        "insert into authz.principal_memberships"
        " (id, member_principal_id, parent_principal_id, enabled)"
        " values (40, 101, 2, false)"
    )

    problem = await refused(url, EnableMember(BETA, ANN))

    assert "user 10 (`ann`) in org 2 (`Beta`) has several disabled" in problem
    assert "`32`, `40`" in problem


async def test_lists_by_place_and_by_member(url: str) -> None:
    """A list has what was asked for, in the order of ids, and says when it is cut."""
    await do(url, RemoveMember(LAB, ANN))
    of_ann = await see(url, ListMembers(None, ANN, 10))
    of_acme = await see(url, ListMembers(ACME, None, 10))
    with_removed = await see(url, ListMembers(None, ANN, 10, with_removed=True))
    cut = await see(url, ListMembers(None, None, 1))

    assert (
        ("31", "10", "101", "ann", "org", "1", "Acme", "user", "active"),
        ("32", "10", "101", "ann", "org", "2", "Beta", "admin", "disabled"),
    ) == of_ann.rows
    assert of_ann.rows[:1] == of_acme.rows
    assert ["active", "disabled", "removed"] == [row[-1] for row in with_removed.rows]
    assert (of_ann.rows[:1], True) == (cut.rows, cut.is_cut)
    assert not of_ann.is_cut
