"""Platforms with tables of their own, and what deploy/ ships for them on top.

Everything is done by the role whose work it is: a superuser makes the roles, the
migrator migrates, the owner of the tables does the rest.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum, unique
from pathlib import Path
from typing import Final

import asyncpg

from sidecar.store.migrate import migrate

SHIPPED: Final = Path(__file__).parents[3] / "deploy" / "sql"
ROLES: Final = (SHIPPED / "roles.sql").read_text("utf-8")
READER: Final = "authz_reader"
MIGRATOR: Final = "authz_migrator"
OWNER: Final = "platform"

_FILES: Final = ("tables.sql", "views.sql", "triggers.sql", "indexes.sql")

# What the guide has the administrator of a platform do, and the platform itself before.
_OWNER: Final = f"""
do $$
begin
    if not exists (select from pg_roles where rolname = '{OWNER}') then
        create role {OWNER} login;
    end if;
end
$$;
grant create on schema public to {OWNER};
grant usage, create on schema authz to {OWNER};
"""


@unique
class Platform(Enum):
    """A kind of platform; the value is its folder in what is shipped."""

    GPUSTACK = "gpustack"
    CAMEL_CASE = "camel-case"

    @property
    def tables(self) -> Path:
        """The platform's own tables."""
        name = self.value.replace("-", "_")
        return Path(__file__).with_name(f"{name}_tables.sql")


async def create_roles(connection: asyncpg.Connection) -> None:
    """Make the shipped roles; the connection is a superuser's."""
    await connection.execute(ROLES)


async def migrate_as_migrator(
    connection: asyncpg.Connection, *, functions_only: bool
) -> None:
    """Make the roles, and migrate with the rights of the migrator."""
    await create_roles(connection)
    async with acting_as(connection, MIGRATOR):
        await migrate(connection, functions_only=functions_only)


async def apply_shipped(
    connection: asyncpg.Connection,
    platform: Platform,
    id_type: tuple[str, str] = ("", ""),
) -> None:
    """Make an empty database a platform's, with all that is shipped for it on top.

    `id_type` replaces one type in the platform's tables by another.
    """
    await migrate_as_migrator(connection, functions_only=True)
    await connection.execute(_OWNER)
    async with acting_as(connection, OWNER):
        await connection.execute(_text(platform.tables).replace(*id_type))
    for name in _FILES:
        await as_owner(connection, SHIPPED / platform.value / name)


async def as_owner(connection: asyncpg.Connection, file: Path) -> None:
    """Run a file with the rights of the owner of the platform's tables."""
    async with acting_as(connection, OWNER):
        await connection.execute(_text(file))


@asynccontextmanager
async def acting_as(connection: asyncpg.Connection, role: str) -> AsyncIterator[None]:
    """With the rights of a role, and no others."""
    await connection.execute(f'set role "{role}"')
    try:
        yield
    finally:
        await connection.execute("reset role")


def _text(file: Path) -> str:
    return file.read_text("utf-8")
