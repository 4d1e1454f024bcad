import asyncpg
import pytest

from sidecar.store.steward.roles import (
    AssignRole,
    ListRoles,
    OnAccess,
    OnInstance,
    OnMembership,
    Target,
    UnassignRole,
)
from sidecar.store.steward.turn import Errand
from tests.store.stewarding import WORLD, at_once, changed, do, only, refused, see

COUNTS_IF_NAMED = ", so it counts only in questions that name this instance"
ON_ACME = OnMembership("Acme", "ann")


@pytest.fixture
async def url(connection: asyncpg.Connection, database: str) -> str:
    """A database with the world of these tests."""
    await connection.execute(WORLD)
    return database


async def held(connection: asyncpg.Connection) -> set[tuple[str, str]]:
    """Every assignment: what holds it, and the role."""
    rows = await connection.fetch(
        "select membership_id::text, role_id from authz.membership_roles"
        " union all select feature_access_id, role_id from authz.feature_access_roles"
    )
    return {(row[0], row[1]) for row in rows}


@pytest.mark.parametrize(
    ("role", "target", "row"),
    [
        ("editor-1", ON_ACME, {"membership_id": "31", "role_id": "editor-1"}),
        ("Reader", ON_ACME, {"membership_id": "31", "role_id": "reader"}),
        (
            "tuner",
            OnAccess("access"),
            {"feature_access_id": "access", "role_id": "tuner"},
        ),
        (
            "Tuner",
            OnInstance("first", "10"),
            {"feature_access_id": "access", "role_id": "tuner"},
        ),
    ],
)
async def test_assigning_and_unassigning(
    url: str,
    connection: asyncpg.Connection,
    role: str,
    target: Target,
    row: dict[str, str],
) -> None:
    """A role is given once and taken once; more of the same changes nothing."""
    assigned = await do(url, AssignRole(role, target))
    again = await do(url, AssignRole(role, target))
    there = await held(connection)
    gone = await do(url, UnassignRole(role, target))
    gone_again = await do(url, UnassignRole(role, target))

    expected = {name: (None, value) for name, value in row.items()}
    assert expected == changed(only(assigned))
    assert () == again.changes
    assert again.notes[0].endswith("is there already")
    assert {tuple(row.values())} == there
    taken = {name: (value, None) for name, value in row.items()}
    assert taken == changed(only(gone))
    assert () == gone_again.changes
    assert set() == await held(connection)


async def test_the_row_is_named_for_people(url: str) -> None:
    """Role, holder, user and organization stand with ids and names."""
    on_membership = only(await do(url, AssignRole("editor-1", ON_ACME)))
    on_access = only(await do(url, AssignRole("reader", OnAccess("access"))))

    assert (
        "role `editor-1` (`Editor`) on membership 31 of user 10 (`ann`) in org 1 "
        "(`Acme`)"
    ) == on_membership.subject
    assert (
        "role `reader` (`Reader`) on feature access `access` of user 10 to instance "
        "`first`"
    ) == on_access.subject


@pytest.mark.parametrize(
    ("errand", "problem"),
    [
        (
            AssignRole("editor-2", ON_ACME),
            "role `editor-2` belongs to another organization or feature instance",
        ),
        (
            AssignRole("editor-2", OnAccess("access")),
            "role `editor-2` belongs to another organization or feature instance",
        ),
        (
            AssignRole("tuner", OnAccess("access-off")),
            "role `tuner` belongs to another organization or feature instance",
        ),
        (
            AssignRole("Editor", ON_ACME),
            "role `Editor` could be any of the roles `editor-1`, `editor-2`",
        ),
        (AssignRole("nothing", ON_ACME), "there is no role `nothing`"),
        (AssignRole("", ON_ACME), "there is no role ``"),
        (
            AssignRole("reader", OnMembership("1", "11")),
            "user 11 (`ben`) in org 1 (`Acme`) is no member; `member add` makes one",
        ),
        (
            AssignRole("reader", OnMembership("5", "10")),
            "principal `5` is of kind group, not org",
        ),
        (
            AssignRole("reader", OnAccess("nothing")),
            "there is no feature access `nothing`",
        ),
        (
            AssignRole("reader", OnInstance("second", "10")),
            "user 10 (`ann`) has no feature access to `second`",
        ),
    ],
)
async def test_what_does_not_fit_is_refused(
    url: str, connection: asyncpg.Connection, errand: Errand, problem: str
) -> None:
    """The reason is in words, and nothing is stored."""
    assert (await refused(url, errand)).startswith(problem)

    assert set() == await held(connection)


@pytest.mark.parametrize(
    ("errand", "note"),
    [
        (
            AssignRole("reader", OnMembership("Beta", "ann")),
            "the membership is disabled",
        ),
        (
            AssignRole("reader", OnInstance("off", "10")),
            "the feature access or its instance is disabled",
        ),
        (
            AssignRole("tuner", ON_ACME),
            f"role `tuner` (`Tuner`) is of a feature instance{COUNTS_IF_NAMED}",
        ),
    ],
)
async def test_an_assignment_without_effect_is_told_of(
    url: str, errand: Errand, note: str
) -> None:
    """It is made, and does not pass for more than it is."""
    deed = await do(url, errand)

    assert (1, (note,)) == (len(deed.changes), deed.notes)


async def test_an_id_goes_before_a_label(
    url: str, connection: asyncpg.Connection
) -> None:
    """A role whose label is another one's id does not get in its way."""
    await connection.execute(
        "update authz.roles set label = 'reader' where id = 'tuner'"
    )

    change = only(await do(url, AssignRole("reader", ON_ACME)))

    assert "reader" == (change.after or {})["role_id"]


async def test_lists_by_role_user_and_organization(url: str) -> None:
    """Each assignment with what it is on, where, and whether that is in force."""
    await do(url, AssignRole("reader", ON_ACME))
    await do(url, AssignRole("reader", OnMembership("Beta", "ann")))
    await do(url, AssignRole("tuner", OnAccess("access")))

    of_ann = await see(url, ListRoles(None, "ann", None, 10))
    readers = await see(url, ListRoles("reader", None, None, 10))
    in_acme = await see(url, ListRoles(None, None, "Acme", 10))
    of_ben = await see(url, ListRoles(None, "ben", None, 10))

    ann = ("10", "ann")
    on_acme = ("reader", "Reader", "membership", "31", *ann, "1", None, "active")
    on_beta = ("reader", "Reader", "membership", "32", *ann, "2", None, "disabled")
    on_first = (
        *("tuner", "Tuner", "feature access", "access"),
        *(*ann, "1", "first", "active"),
    )
    assert (on_acme, on_beta, on_first) == of_ann.rows
    assert (on_acme, on_beta) == readers.rows
    assert (on_acme, on_first) == in_acme.rows
    assert () == of_ben.rows


async def test_administrators_at_once_assign_once(
    url: str, connection: asyncpg.Connection
) -> None:
    """One of them gives the role, the others find it given."""
    deeds = await at_once(url, *[AssignRole("reader", ON_ACME)] * 4)

    made = [len(deed.changes) for deed in deeds if not isinstance(deed, str)]
    assert [0, 0, 0, 1] == sorted(made)
    assert {("31", "reader")} == await held(connection)
