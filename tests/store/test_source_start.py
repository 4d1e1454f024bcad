"""The start of a store: what it finds out, and what it refuses."""

from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import pytest

from sidecar.core.filters import Field
from sidecar.core.ids import IdType, RoleId
from sidecar.ports import (
    Consistency,
    RoleKey,
)
from sidecar.store.errors import StoreError
from sidecar.store.source import Store
from tests.store.opened import (
    CLOCK,
    FAST,
    ignore,
    settings_of,
    soon,
    standing,
)


@pytest.fixture
async def store(world: str) -> AsyncIterator[Store]:
    """A store that has started."""
    store = await Store.start(settings_of(world), CLOCK, ignore)
    yield store
    await store.close()


async def test_types_of_fields_are_those_of_the_columns(store: Store) -> None:
    """Filters are made of ids of these types."""
    types = store.field_types

    assert IdType.BIGINT is types.organization
    assert dict.fromkeys(Field, IdType.BIGINT) == types.fields


async def test_without_identities_nobody_has_one(
    database: str, connection: asyncpg.Connection
) -> None:
    """The relation may be missing."""
    await connection.execute("drop table authz.user_identities")

    store = await Store.start(settings_of(database), CLOCK, ignore)
    async with store.open(FAST, soon()) as facts:
        role = await facts.get(RoleKey(RoleId("x")))
    await store.close()

    assert role is None


async def test_start_that_fails_closes_what_it_opened(
    empty_database: str, empty_connection: asyncpg.Connection
) -> None:
    """A database without the relations is refused, and left alone."""
    with pytest.raises(StoreError, match="authz-sidecar migrate"):
        await Store.start(settings_of(empty_database), CLOCK, ignore)

    others = await empty_connection.fetch(
        "select from pg_stat_activity where datname = current_database()"
        " and pid <> pg_backend_pid() and backend_type = 'client backend'"
    )
    assert others == []


async def test_relations_that_cannot_be_compared_are_refused(
    database: str, connection: asyncpg.Connection
) -> None:
    """What no statement can read is found at the start, and named."""
    await connection.execute(
        "drop table authz.api_keys; create table authz.api_keys (id int, user_id int,"
        " owner_principal_id int, lookup_id int, secret_hash text, expires_at"
        " timestamp, revoked_at timestamp)"
    )

    with pytest.raises(StoreError, match="api key cannot be read"):
        await Store.start(settings_of(database), CLOCK, ignore)


async def test_unreachable_database_is_refused(database: str) -> None:
    """The start says so in words."""
    address = database.replace("host=", "host=/nowhere")

    with pytest.raises(StoreError, match="cannot be reached"):
        await Store.start(settings_of(address), CLOCK, ignore)


async def test_store_works_without_prepared_statements(world: str) -> None:
    """As it must through a transaction pooler."""
    settings = settings_of(world)
    pool = replace(settings.pool, statement_cache=0)
    store = await Store.start(replace(settings, pool=pool), CLOCK, ignore)

    found = [await standing(store, consistency) for consistency in Consistency]
    await store.close()

    assert found[0] == found[1]
