"""A PostgreSQL of the test session, and a database of its own for each test."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from sidecar.store.document import read_document
from sidecar.store.importer import import_document
from tests.store import places
from tests.store.databases import (
    PostgresServer,
    create_database,
    get_server,
    prepare,
)
from tests.store.ear import WORLD, Ear


@pytest.fixture(scope="session")
def store_server() -> Iterator[PostgresServer]:
    """A server that loses its data when it crashes, and is removed at the end."""
    # Not pytest's own folder: the server's user must be able to walk to it.
    folder = Path(tempfile.mkdtemp(prefix="authz-store-"))
    server = get_server(folder / "data")
    try:
        asyncio.run(prepare(server))
        yield server
    finally:
        server.cleanup()
        shutil.rmtree(folder)


@pytest.fixture
async def empty_database(
    store_server: PostgresServer,
) -> AsyncIterator[str]:
    """The address of a new database with nothing in it."""
    async for address in create_database(store_server, "template1"):
        yield address


@pytest.fixture
async def database(
    store_server: PostgresServer,
) -> AsyncIterator[str]:
    """The address of a new database with the reference schema."""
    async for address in create_database(store_server, "reference"):
        yield address


@pytest.fixture
async def connection(database: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to a new database with the reference schema."""
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


@pytest.fixture
async def world(database: str, connection: asyncpg.Connection) -> str:
    """The address of a database with Acme and those in it."""
    await import_document(connection, read_document(places.WORLD))
    return database


@pytest.fixture
async def empty_connection(empty_database: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to a new database with nothing in it."""
    connection = await asyncpg.connect(empty_database)
    yield connection
    await connection.close()


@pytest.fixture
async def watched(connection: asyncpg.Connection) -> asyncpg.Connection:
    """A database with a row of everything."""
    await connection.execute(WORLD)
    return connection


@pytest.fixture
async def ear(watched: asyncpg.Connection, database: str) -> AsyncIterator[Ear]:
    """Who listens to the database, from after the world was stored."""
    assert not watched.is_closed()
    connection = await asyncpg.connect(database)
    ear = Ear(connection)
    await connection.add_listener("authz_changes", ear.hear)
    yield ear
    await connection.close()
