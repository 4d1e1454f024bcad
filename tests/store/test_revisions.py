from collections.abc import AsyncIterator
from itertools import pairwise

import asyncpg
import pytest

from sidecar.core.ids import PrincipalId
from sidecar.core.model import Standing
from sidecar.ports import (
    AtLeast,
    Consistency,
    FactsUnavailableError,
    Freshness,
    StandingKey,
    UnknownRevisionError,
)
from sidecar.store.anomalies import Anomaly
from sidecar.store.clock import SystemClock
from sidecar.store.database import PoolSettings
from sidecar.store.document import read_document
from sidecar.store.feed import FeedSettings
from sidecar.store.heard import Heard, Snapshot
from sidecar.store.importer import import_document
from sidecar.store.revisions import Form, Position, Revision, covers, revision_of
from sidecar.store.source import Store, StoreSettings
from tests.store.places import WORLD

IN_ACME = StandingKey(PrincipalId("3"), PrincipalId("1"))
CLOCK = SystemClock()
FAST, FRESH = Consistency.MINIMIZE_LATENCY, Consistency.FULLY_CONSISTENT
HISTORY = "1.700-5.1"
REVOKE = "update authz.principal_memberships set enabled = false where id = 31"
ALLOW = "update authz.principal_memberships set enabled = true where id = 31"
CURRENT = "select authz.current_revision()"


def ignore(_: Anomaly) -> None:
    """Nothing is odd here."""


@pytest.fixture
async def world(database: str, connection: asyncpg.Connection) -> str:
    """The address of a database with a world in it."""
    await import_document(connection, read_document(WORLD))
    return database


@pytest.fixture
async def store(world: str) -> AsyncIterator[Store]:
    """A store that has started."""
    settings = StoreSettings(
        PoolSettings(world, smallest=1, largest=2, waiting=9, connect_timeout=2.0),
        FeedSettings(world, world, beat_interval=0.05, max_backoff=0.1),
    )
    store = await Store.start(settings, CLOCK, ignore)
    yield store
    await store.close()


async def ask(store: Store, freshness: Freshness) -> tuple[Standing, str | None]:
    """What Ann is in Acme, and the revision of the answer."""
    async with store.open(freshness, CLOCK.monotonic() + 10) as facts:
        return await facts.get(IN_ACME), facts.revision


async def is_member(store: Store, freshness: Freshness) -> bool:
    """Whether Ann is a member of Acme."""
    return (await ask(store, freshness))[0].membership is not None


async def is_answered_from_memory(store: Store, revision: str) -> bool:
    """Whether a question with a revision costs the database nothing."""
    before = store.cache_stats()[StandingKey].hits
    await ask(store, AtLeast(revision))
    return store.cache_stats()[StandingKey].hits > before


async def written(connection: asyncpg.Connection, statement: str, *before: str) -> str:
    """Writes in one transaction, and gives the revision that it got in it."""
    async with connection.transaction():
        for each in (*before, statement):
            await connection.execute(each)
        return str(await connection.fetchval(CURRENT))


@pytest.mark.parametrize(
    "text",
    [
        *("", "r1", "1.700-5.1", "1.700-5.1.", "1.700-5.1.x", "1.700-5.1.y9"),
        *("2.700-5.1.x9", "1.700.1.x9", "1.700-5.0.x9", "1.700-5.1.x09"),
        *("1.700-5.1.x-9", "1.700-5.1.x9 ", "1.700-5.1.x9\n", "1.700-5.1.x\u0669"),
        "1.700-5.1.x" + "9" * 21,
    ],
)
def test_what_no_database_gives_out_is_no_revision(text: str) -> None:
    """Each part has its form, and nothing comes after."""
    with pytest.raises(UnknownRevisionError):
        Revision.parse(text)


def test_revision_is_read_as_it_was_written() -> None:
    """That of a transaction, and that of answers."""
    answered = Position(HISTORY, Snapshot(7, 9, frozenset({7}))).revision

    assert Revision(HISTORY, Form.TRANSACTION, 9) == Revision.parse(f"{HISTORY}.x9")
    assert f"{HISTORY}.s7" == answered


def test_later_number_that_was_heard_covers_no_earlier_one() -> None:
    """Transactions commit in another order than they began."""
    heard = Heard()
    heard.begin(Snapshot(10, 10, frozenset()), HISTORY)
    heard.see(Snapshot(10, 13, frozenset({10})))
    heard.tell(12)
    heard.tell(15)
    heard.tell(16)

    covered = [
        number
        for number in range(9, 18)
        if covers(heard, Revision(HISTORY, Form.TRANSACTION, number))
    ]
    below = [
        number
        for number in range(9, 18)
        if covers(heard, Revision(HISTORY, Form.EVERYTHING_BELOW, number))
    ]

    assert [9, 11, 12, 15] == covered
    assert [9, 10] == below
    assert f"{HISTORY}.s10" == revision_of(heard)


def test_what_was_heard_of_one_history_covers_nothing_of_another() -> None:
    """After a failover the same numbers name other transactions."""
    heard = Heard()
    heard.begin(Snapshot(10, 10, frozenset()), HISTORY)
    heard.see(Snapshot(10, 10, frozenset()))

    assert covers(heard, Revision(HISTORY, Form.TRANSACTION, 9))
    assert not covers(heard, Revision("1.700-5.2", Form.TRANSACTION, 9))
    assert not covers(heard, Revision("1.700-6.1", Form.EVERYTHING_BELOW, 9))


def test_lost_feed_covers_nothing() -> None:
    """What was missed meanwhile cannot be known."""
    heard = Heard()
    heard.begin(Snapshot(10, 10, frozenset()), HISTORY)
    heard.see(Snapshot(10, 10, frozenset()))
    heard.lose()

    assert not covers(heard, Revision(HISTORY, Form.TRANSACTION, 9))
    assert revision_of(heard) is None


def test_standby_answers_no_question_with_a_revision() -> None:
    """It may be behind, and does not know its history."""
    with pytest.raises(FactsUnavailableError):
        Position(None, Snapshot(10, 10, frozenset())).check(
            Revision(HISTORY, Form.TRANSACTION, 9)
        )


async def test_question_with_a_revision_never_misses_its_commit(
    store: Store, connection: asyncpg.Connection
) -> None:
    """Asked at once after each of many commits, with memory warm every time."""
    found = []
    for statement in [REVOKE, ALLOW] * 100:
        await ask(store, FAST)
        token = await written(connection, statement)
        found.append(await is_member(store, AtLeast(token)))

    assert [False, True] * 100 == found


async def test_revision_is_answered_from_memory_once_it_was_heard(
    store: Store, connection: asyncpg.Connection
) -> None:
    """The database is asked for one interval at most."""
    token = await written(connection, REVOKE)
    while not await is_answered_from_memory(store, token):
        await ask(store, FAST)

    assert not await is_member(store, AtLeast(token))


async def test_uncommitted_revision_is_answered_by_the_database(
    store: Store, connection: asyncpg.Connection, world: str
) -> None:
    """Later transactions that commit sooner do not make it known."""
    other = await asyncpg.connect(world)
    await ask(store, FAST)
    async with connection.transaction():
        await connection.execute(REVOKE)
        token = str(await connection.fetchval(CURRENT))
        later = await written(other, "delete from authz.membership_roles")
        while not await is_answered_from_memory(store, later):
            await ask(store, FAST)
        from_memory = await is_answered_from_memory(store, token)
        before = await is_member(store, AtLeast(token))
    after = await is_member(store, AtLeast(token))
    await other.close()

    assert not from_memory
    assert (True, False) == (before, after)


async def test_revision_of_a_transaction_that_failed_is_covered(
    store: Store, connection: asyncpg.Connection
) -> None:
    """It is over, and nothing of it is to come."""
    transaction = connection.transaction()
    await transaction.start()
    token = str(await connection.fetchval(CURRENT))
    await transaction.rollback()
    while not await is_answered_from_memory(store, token):
        await ask(store, FAST)

    assert await is_member(store, AtLeast(token))


@pytest.mark.parametrize("part", [0, 1, 2])
async def test_revision_of_another_history_is_refused(
    store: Store, connection: asyncpg.Connection, part: int
) -> None:
    """Another system, another database, another timeline."""
    token = str(await connection.fetchval(CURRENT))
    _, place, timeline, number = token.split(".")
    system, database = place.split("-")
    parts = [system, database, timeline]
    parts[part] = str(int(parts[part]) + 1)
    strange = f"1.{parts[0]}-{parts[1]}.{parts[2]}.{number}"

    with pytest.raises(UnknownRevisionError):
        await ask(store, AtLeast(strange))


async def test_each_answer_says_a_revision_that_is_accepted(
    store: Store, connection: asyncpg.Connection
) -> None:
    """From memory and from a snapshot; a later answer never says less."""
    numbers = []
    for statement in [REVOKE, ALLOW] * 5:
        await written(connection, statement)
        for freshness in (FAST, FRESH):
            revision = (await ask(store, freshness))[1]
            assert revision is not None
            await ask(store, AtLeast(revision))
            numbers.append((freshness, Revision.parse(revision).number))

    for freshness in (FAST, FRESH):
        of_one = [number for each, number in numbers if each is freshness]
        assert all(earlier <= later for earlier, later in pairwise(of_one))


async def test_answer_of_a_snapshot_reflects_its_revision(
    store: Store, connection: asyncpg.Connection, world: str
) -> None:
    """A transaction under way holds the revision back below itself."""
    other = await asyncpg.connect(world)
    async with connection.transaction():
        under_way = str(await connection.fetchval(CURRENT))
        await written(other, REVOKE)
        found = (await ask(store, FRESH))[1]
    await other.close()

    assert found is not None
    assert Revision.parse(under_way).number >= Revision.parse(found).number


async def test_without_a_feed_the_database_answers(
    store: Store, connection: asyncpg.Connection
) -> None:
    """A revision does not wait for the feed to come back."""
    token = await written(connection, REVOKE)
    await connection.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where query like 'LISTEN%' or query like '%pg_current_snapshot%'"
        " and datname = current_database() and pid <> pg_backend_pid()"
    )

    assert not await is_member(store, AtLeast(token))


async def test_without_the_functions_there_are_no_revisions(
    world: str, connection: asyncpg.Connection
) -> None:
    """Everything else is answered as ever."""
    await connection.execute("drop function authz.current_revision(), authz.history()")
    settings = StoreSettings(PoolSettings(world), FeedSettings(world, world))
    store = await Store.start(settings, CLOCK, ignore)
    found = [(await ask(store, each))[1] for each in Consistency]
    with pytest.raises(UnknownRevisionError):
        await ask(store, AtLeast(f"{HISTORY}.x9"))
    await store.close()

    assert [None, None] == found


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
