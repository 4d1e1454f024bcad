import asyncpg
import pytest

from sidecar.store.steward.clusters import GrantCluster, ListGrants, RevokeCluster
from sidecar.store.steward.turn import Errand
from tests.store.stewarding import WORLD, at_once, changed, do, only, refused, see

KINDS = ("cluster",)


@pytest.fixture
async def url(connection: asyncpg.Connection, database: str) -> str:
    """A database with the world of these tests."""
    await connection.execute(WORLD)
    return database


async def grants(connection: asyncpg.Connection) -> set[tuple[int, int]]:
    """Every grant: the cluster, and to whom."""
    rows = await connection.fetch(
        "select cluster_id, principal_id from authz.cluster_access"
    )
    return {(row["cluster_id"], row["principal_id"]) for row in rows}


@pytest.mark.parametrize(
    ("to", "principal", "words"),
    [("1", 1, "org 1 (`Acme`)"), ("Lab", 5, "group 5 (`Lab`)"), ("101", 101, "")],
)
async def test_granting_and_revoking(
    url: str, connection: asyncpg.Connection, to: str, principal: int, words: str
) -> None:
    """A grant is given once and deleted once; more of the same changes nothing."""
    granted = await do(url, GrantCluster("50", to, KINDS))
    again = await do(url, GrantCluster("50", to, KINDS))
    there = await grants(connection)
    gone = await do(url, RevokeCluster("50", to))
    gone_again = await do(url, RevokeCluster("50", to))

    assert {
        "cluster_id": (None, "50"),
        "principal_id": (None, str(principal)),
    } == changed(only(granted))
    assert f"grant of cluster 50 to {words}" in only(granted).subject
    assert ((), 1) == (again.changes, len(again.notes))
    assert {(51, 1), (50, principal)} == there
    assert None is only(gone).after
    assert () == gone_again.changes
    assert {(51, 1)} == await grants(connection)


@pytest.mark.parametrize(
    ("errand", "problem"),
    [
        (GrantCluster("050", "1"), "`050` is no cluster's id"),
        (GrantCluster("x", "1"), "`x` is no cluster's id"),
        (RevokeCluster("", "1"), "`` is no cluster's id"),
        (GrantCluster("50", "4"), "org 4 (`Gone`) is deleted"),
        (GrantCluster("50", "999"), "there is no principal `999`"),
        (
            GrantCluster("50", "Twin"),
            "principal `Twin` could be any of the principals `104`, `105`",
        ),
    ],
)
async def test_what_names_nothing_is_refused(
    url: str, connection: asyncpg.Connection, errand: Errand, problem: str
) -> None:
    """The reason is in words, and nothing is stored."""
    assert (await refused(url, errand)).startswith(problem)

    assert {(51, 1)} == await grants(connection)


@pytest.mark.parametrize("cluster_id", ["52", "999"])
async def test_a_cluster_that_is_not_stored_is_told_of(
    url: str, cluster_id: str
) -> None:
    """Rows may come with the requests, so it is granted; it may be a slip, so said."""
    deed = await do(url, GrantCluster(cluster_id, "1", KINDS))

    assert 1 == len(deed.changes)
    assert (f"no cluster `{cluster_id}` is stored in `authz.resources`",) == deed.notes


async def test_a_grant_to_who_was_deleted_can_be_taken_back(
    url: str, connection: asyncpg.Connection
) -> None:
    """What is left of a deleted principal can be tidied up, by its id."""
    await connection.execute(
        "update authz.principals set deleted_at = now() where id = 1"
    )

    await do(url, RevokeCluster("51", "1"))

    assert set() == await grants(connection)


async def test_lists_by_cluster_and_by_principal(url: str) -> None:
    """Each grant with whom it is to."""
    await do(url, GrantCluster("50", "Lab", KINDS))

    everything = await see(url, ListGrants(None, None, 10))
    of_50 = await see(url, ListGrants("50", None, 10))
    to_acme = await see(url, ListGrants(None, "Acme", 10))

    to_lab, to_org = ("50", "group", "5", "Lab"), ("51", "org", "1", "Acme")
    assert (to_lab, to_org) == everything.rows
    assert ((to_lab,), (to_org,)) == (of_50.rows, to_acme.rows)


async def test_administrators_at_once_grant_once(
    url: str, connection: asyncpg.Connection
) -> None:
    """One of them makes the grant, the others find it made."""
    deeds = await at_once(url, *[GrantCluster("50", "1", KINDS)] * 4)

    made = [len(deed.changes) for deed in deeds if not isinstance(deed, str)]
    assert [0, 0, 0, 1] == sorted(made)
    assert {(51, 1), (50, 1)} == await grants(connection)
