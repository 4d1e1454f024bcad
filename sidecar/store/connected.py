"""One connection for one piece of work."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from sidecar.store.database import DRIVER_ERRORS
from sidecar.store.errors import StoreError
from sidecar.store.migrate import schema_version

_CONNECT_SECONDS = 10.0


async def read_schema_version(url: str) -> int | None:
    """The newest migration, none where migrations made nothing.

    Raises StoreError when the database cannot be reached.
    """
    async with connected(url) as connection:
        return await schema_version(connection)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection, closed in the end; raises StoreError for whatever fails."""
    try:
        connection = await asyncpg.connect(url, timeout=_CONNECT_SECONDS)
    except (*DRIVER_ERRORS, ValueError) as error:
        raise StoreError(
            f"the database cannot be reached: {type(error).__name__}"
        ) from error
    try:
        yield connection
    except DRIVER_ERRORS as error:
        raise StoreError(
            f"the database refuses or fails: {type(error).__name__}"
        ) from error
    finally:
        await connection.close()
