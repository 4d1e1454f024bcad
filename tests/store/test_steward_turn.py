import asyncio
import hashlib
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from sidecar.core.model import AccessLevel, RuleContext
from sidecar.store.database import PoolSettings
from sidecar.store.errors import StoreError
from sidecar.store.steward import turn
from sidecar.store.steward.clusters import GrantCluster, ListGrants, RevokeCluster
from sidecar.store.steward.deeds import Deed, StewardError
from sidecar.store.steward.desk import Desk
from sidecar.store.steward.keys import CreateKey, ListKeys, RevokeKey, RotateKey
from sidecar.store.steward.members import (
    AddMember,
    DisableMember,
    EnableMember,
    ListMembers,
    RemoveMember,
)
from sidecar.store.steward.pairs import Place, Who
from sidecar.store.steward.roles import AssignRole, ListRoles, OnAccess, UnassignRole
from sidecar.store.steward.rules import ListRules, SetRule, UnsetRule, WantedRule
from sidecar.store.steward.turn import Errand, Look
from tests.store.stewarding import WORLD, do, meanwhile, see, until_somebody_waits

HASH = f"sha256:{hashlib.sha256(b'new').hexdigest()}"
ACME, BEN = Place("org", "1"), Who("user", "11")
RULE = WantedRule(RuleContext.DATA, "a", view=True, levels={"read": AccessLevel.MY})
# In an order in which each of them changes something.
ERRANDS: tuple[Errand, ...] = (
    AddMember(ACME, BEN),
    DisableMember(ACME, BEN),
    EnableMember(ACME, BEN),
    RemoveMember(ACME, BEN),
    AssignRole("reader", OnAccess("access")),
    UnassignRole("reader", OnAccess("access")),
    GrantCluster("50", "1"),
    RevokeCluster("50", "1"),
    SetRule("reader", RULE),
    UnsetRule("reader", RuleContext.DATA, "a"),
    CreateKey("11", "new", HASH),
    RotateKey("new", HASH),
    RevokeKey("new-2"),
)
LOOKS: tuple[Look, ...] = (
    ListMembers(None, None, 10),
    ListRoles(None, None, None, 10),
    ListGrants(None, None, 10),
    ListRules(None, None, 10),
    ListKeys(None, 10),
)
GUIDE = Path(__file__).parents[2] / "docs" / "administration.md"
VIEWED = """
alter table authz.cluster_access rename to grants;
create view authz.cluster_access as select * from authz.grants;
"""


@pytest.fixture
async def url(connection: asyncpg.Connection, database: str) -> str:
    """A database with the world of these tests."""
    await connection.execute(WORLD)
    return database


async def rehearse(url: str, errand: Errand) -> turn.Outcome:
    """What an errand would do."""
    return await turn.carry_out(PoolSettings(url), errand, is_rehearsal=True)


async def everything(connection: asyncpg.Connection) -> list[object]:
    """All rows that an errand could change."""
    return [
        await connection.fetch(f"select * from authz.{relation} order by 1, 2")  # noqa: S608
        for relation in (
            "principal_memberships",
            "api_keys",
            "access_rules",
            "cluster_access",
            "membership_roles",
            "feature_access_roles",
        )
    ]


async def test_a_rehearsal_stores_nothing_and_tells_nobody(
    url: str, connection: asyncpg.Connection
) -> None:
    """It says what would change; no sidecar is made to forget anything."""
    listening = await asyncpg.connect(url)
    heard: list[object] = []
    await listening.add_listener(
        "authz_changes", lambda *notice: heard.append(notice[3])
    )
    before = await everything(connection)

    outcome = await rehearse(url, AddMember(ACME, BEN))

    assert before == await everything(connection)
    assert outcome.is_rehearsal
    assert 1 == len(outcome.deed.changes)
    assert None is outcome.revision
    await connection.execute("notify authz_changes, 'last'")
    async with asyncio.timeout(10):
        while not heard:
            await listening.fetchval("select 1")
    await listening.close()
    assert ["last"] == heard


async def test_a_rehearsal_is_followed_by_the_same_in_earnest(url: str) -> None:
    """What was rehearsed takes no number away."""
    rehearsed = await rehearse(url, AddMember(ACME, BEN))
    done = await do(url, AddMember(ACME, BEN))

    assert done == rehearsed.deed


async def test_a_revision_is_told_where_there_are_any(
    url: str, connection: asyncpg.Connection
) -> None:
    """It is of the transaction that did it, and left out where nothing knows it."""
    with_it = await turn.carry_out(PoolSettings(url), GrantCluster("50", "2"))
    revision = await connection.fetchval(
        "select authz.history() || '.x' || xmin from authz.cluster_access"
        " where cluster_id = 50 and principal_id = 2"
    )
    await connection.execute("drop function authz.current_revision()")
    without = await turn.carry_out(PoolSettings(url), GrantCluster("50", "1"))

    assert (None, revision) == (without.revision, with_it.revision)


@dataclass(frozen=True)
class HalfWay:
    """Does something, and then cannot do the rest."""

    async def carry_out(self, desk: Desk) -> Deed:
        """Fails."""
        await desk.insert("cluster_access", {"cluster_id": "50", "principal_id": "1"})
        raise StewardError("no further")


async def test_what_fails_half_way_is_undone(
    url: str, connection: asyncpg.Connection
) -> None:
    """All of an errand is done, or nothing."""
    before = await everything(connection)

    with pytest.raises(StewardError, match="no further"):
        await do(url, HalfWay())

    assert before == await everything(connection)


async def test_views_are_left_to_the_platform(
    url: str, connection: asyncpg.Connection
) -> None:
    """Whatever an errand or a look is about, views are not written through."""
    await connection.execute(VIEWED)
    before = await connection.fetch("select * from authz.grants")
    wanted = "`authz.cluster_access` is not a table .* the platform's own tools"

    with pytest.raises(StewardError, match=wanted):
        await do(url, RevokeCluster("51", "1"))
    with pytest.raises(StewardError, match=wanted):
        await see(url, ListMembers(None, None, 10))

    assert before == await connection.fetch("select * from authz.grants")


async def test_a_database_without_the_schema_is_told_what_to_do(
    empty_database: str,
) -> None:
    """Whoever forgot to migrate is told so."""
    with pytest.raises(StewardError, match=r"no table `authz.principals`; run `authz"):
        await do(empty_database, GrantCluster("50", "1"))


async def test_a_database_that_is_away_is_told_of() -> None:
    """Nothing of the address is repeated: it may have a password."""
    url = "postgresql://somebody:secret@127.0.0.1:1/none"

    with pytest.raises(StoreError, match="cannot be reached") as failure:
        await do(url, GrantCluster("50", "1"))

    assert "secret" not in str(failure.value)


async def test_the_rights_of_the_guide_are_enough(
    url: str, connection: asyncpg.Connection
) -> None:
    """Everything can be done by a role that owns nothing."""
    role = f"steward_{connection.get_server_pid()}"
    _, _, rest = GUIDE.read_text("utf-8").partition("```sql\n")
    await connection.execute(rest.partition("```")[0].replace("authz_steward", role))
    own = url.replace("//postgres:", f"//{role}:", 1)

    deeds = [await do(own, errand) for errand in ERRANDS]
    listings = [await see(own, wanted) for wanted in LOOKS]

    assert all(deed.changes for deed in deeds)
    assert len(LOOKS) == len(listings)


async def test_a_role_without_rights_is_told_of(
    url: str, connection: asyncpg.Connection
) -> None:
    """A role that may only serve is refused in words."""
    role = f"server_{connection.get_server_pid()}"
    await connection.execute(f"create role {role} login")
    await connection.execute(f"grant usage on schema authz to {role}")
    await connection.execute(f"grant select on all tables in schema authz to {role}")
    own = url.replace("//postgres:", f"//{role}:", 1)

    with pytest.raises(StoreError, match="lacks the rights to administer"):
        await do(own, GrantCluster("50", "1"))


async def test_nobody_waits_for_ever(
    url: str, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who holds a row for long is told of, and nothing is changed."""
    monkeypatch.setattr(turn, "LOCK_SECONDS", 1)
    async with connection.transaction():
        await connection.execute(
            "select from authz.principal_memberships where id = 31 for update"
        )
        with pytest.raises(StewardError, match="somebody else has held"):
            await do(url, DisableMember(ACME, Who("user", "10")))

    assert await connection.fetchval(
        "select enabled from authz.principal_memberships where id = 31"
    )


async def test_administrators_take_turns(
    url: str, connection: asyncpg.Connection
) -> None:
    """Who comes second waits until the first is done."""
    first = connection.transaction()
    await first.start()
    await connection.execute("select pg_advisory_xact_lock($1)", turn.TURN_KEY)

    async with meanwhile(do(url, GrantCluster("50", "1"))) as second:
        await until_somebody_waits(connection)
        was_done = second.done()
        await first.rollback()
        deed = await second

    assert (False, 1) == (was_done, len(deed.changes))
