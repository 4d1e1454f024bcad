from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.store.databases import PostgresServer, create_database
from tests.store.foreign.load import Flavour, create_schema
from tests.store.lookups import LOOKUPS, explain, unserved

SCHEMAS = {
    "reference": None,
    "gpustack_like": Flavour.GPUSTACK_LIKE,
    "camel_case": Flavour.CAMEL_CASE,
}


@pytest.fixture(scope="module", params=SCHEMAS)
async def schema(
    request: pytest.FixtureRequest, store_server: PostgresServer
) -> AsyncIterator[asyncpg.Connection]:
    """The reference schema and both foreign ones, without rows."""
    flavour = SCHEMAS[request.param]
    template = "template1" if flavour else "reference"
    async for address in create_database(store_server, template):
        connection = await asyncpg.connect(address)
        if flavour:
            await create_schema(connection, flavour)
        yield connection
        await connection.close()


@pytest.mark.parametrize("lookup", LOOKUPS.values(), ids=list(LOOKUPS))
async def test_a_lookup_uses_an_index(schema: asyncpg.Connection, lookup: str) -> None:
    """Each look-up reaches an index of the base tables, through the views as well."""
    nodes = await explain(schema, lookup)

    assert await unserved(schema, nodes) == []


async def test_a_lookup_without_an_index_shows(schema: asyncpg.Connection) -> None:
    """A condition that no index serves is seen in the plan."""
    nodes = await explain(schema, "select from authz.users where name = $1")

    assert await unserved(schema, nodes) != []
