"""Questions with revisions, on a real database, while others write."""

from collections.abc import AsyncIterator
from itertools import pairwise

import asyncpg
import pytest

from sidecar.core.model import Standing
from sidecar.ports import (
    AtLeast,
    Consistency,
    Freshness,
    StandingKey,
    UnknownRevisionError,
)
from sidecar.store.revisions import Revision
from sidecar.store.source import Store
from tests.store.opened import CLOCK, FAST, FRESH, IN_ACME, ignore, settings_of, soon

HISTORY = "1.700-5.1"
REVOKE = "update authz.principal_memberships set enabled = false where id = 31"
ALLOW = "update authz.principal_memberships set enabled = true where id = 31"
CURRENT = "select authz.current_revision()"


@pytest.fixture
async def store(world: str) -> AsyncIterator[Store]:
    """A store that has started."""
    store = await Store.start(settings_of(world), CLOCK, ignore)
    yield store
    await store.close()


async def ask(store: Store, freshness: Freshness) -> tuple[Standing, str | None]:
    """What Ann is in Acme, and the revision of the answer."""
    async with store.open(freshness, soon()) as facts:
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
    store = await Store.start(settings_of(world), CLOCK, ignore)
    found = [(await ask(store, each))[1] for each in Consistency]
    with pytest.raises(UnknownRevisionError):
        await ask(store, AtLeast(f"{HISTORY}.x9"))
    await store.close()

    assert [None, None] == found
