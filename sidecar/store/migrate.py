"""The migrations of the reference schema, and which of them a database has."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Final

import asyncpg

# Any number will do that nobody else locks; this one spells `authz` in ASCII.
LOCK_KEY: Final = 0x61757468_7A

_FILE_NAME: Final = re.compile(r"(?P<version>\d{4})_(?P<name>[a-z0-9_]+)\.sql")

_LEDGER: Final = """
create schema if not exists authz;
create table if not exists authz.schema_migrations (
    version int not null constraint schema_migrations_pkey primary key,
    name text not null,
    applied_at timestamptz not null default now()
);
comment on table authz.schema_migrations is 'The migrations that were applied.';
comment on column authz.schema_migrations.version is 'The number of the migration.';
comment on column authz.schema_migrations.name is 'Its name.';
comment on column authz.schema_migrations.applied_at is 'When it was applied.';
"""


class MigrationError(Exception):
    """The database and the migrations of this version do not go together."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema, applied once and never edited after a release."""

    version: int
    name: str
    sql: str

    @property
    def is_functions(self) -> bool:
        """Whether a platform with tables of its own needs it as well."""
        return self.name.endswith("functions")


def read_migrations() -> tuple[Migration, ...]:
    """Read the migrations that this version carries, in order."""
    folder = resources.files("sidecar.store") / "migrations"
    found = [
        Migration(int(match["version"]), match["name"], file.read_text("utf-8"))
        for file in folder.iterdir()
        if (match := _FILE_NAME.fullmatch(file.name))
    ]
    return tuple(sorted(found, key=lambda migration: migration.version))


async def migrate(
    connection: asyncpg.Connection,
    *,
    functions_only: bool = False,
) -> list[str]:
    """Apply what the database lacks; give the names of what was applied, in order.

    Each migration is one transaction. Two that migrate at once do not disturb each
    other: each step is taken by whoever gets to it first.

    Args:
        connection: An owner of the schema, not within a transaction.
        functions_only: For a database whose relations are views: leave them alone.

    Raises:
        MigrationError: The database is newer than this version, has another history,
            or refuses a migration.
    """
    migrations = read_migrations()
    wanted = [m for m in migrations if m.is_functions or not functions_only]
    names: list[str] = []
    while (migration := await _apply_next(connection, migrations, wanted)) is not None:
        names.append(migration.name)
    return names


async def schema_version(connection: asyncpg.Connection) -> int | None:
    """Give the number of the newest migration applied, or None when none was."""
    if await connection.fetchval(
        "select to_regclass('authz.schema_migrations') is null",
    ):
        return None
    version: int | None = await connection.fetchval(
        "select max(version) from authz.schema_migrations",
    )
    return version


def check_history(applied: Mapping[int, str], migrations: Sequence[Migration]) -> None:
    """Refuse a database whose migrations are not those of this version.

    Raises:
        MigrationError: It is newer, or a number stands for another migration.
    """
    known = {migration.version: migration.name for migration in migrations}
    newest = max(known, default=0)
    if (stored := max(applied, default=0)) > newest:
        raise MigrationError(
            f"the database is at migration {stored}, this version knows "
            f"{newest} and older; use a newer version",
        )
    for version, name in sorted(applied.items()):
        if known.get(version) != name:
            raise MigrationError(
                f"migration {version} of the database is `{name}`, "
                f"migration {version} of this version is `{known.get(version)}`",
            )


async def _apply_next(
    connection: asyncpg.Connection,
    migrations: Sequence[Migration],
    wanted: Sequence[Migration],
) -> Migration | None:
    async with connection.transaction():
        # Held to the end of the transaction, not of the session: so it also works
        # through a transaction pooler, and no crash leaves it behind.
        await connection.execute("select pg_advisory_xact_lock($1)", LOCK_KEY)
        if await schema_version(connection) is None:
            await connection.execute(_LEDGER)
        applied = await _read_applied(connection)
        check_history(applied, migrations)
        missing = [m for m in wanted if m.version not in applied]
        if not missing:
            return None
        await _apply(connection, missing[0])
        return missing[0]


async def _read_applied(connection: asyncpg.Connection) -> dict[int, str]:
    rows = await connection.fetch("select version, name from authz.schema_migrations")
    return {row["version"]: row["name"] for row in rows}


async def _apply(connection: asyncpg.Connection, migration: Migration) -> None:
    try:
        await connection.execute(migration.sql)
    except asyncpg.DuplicateTableError as error:
        raise MigrationError(
            f"migration {migration.version} `{migration.name}` finds relations of its "
            "names in schema `authz`; where these are views, apply the functions only",
        ) from error
    except asyncpg.PostgresError as error:
        raise MigrationError(
            f"migration {migration.version} `{migration.name}` was refused by the "
            "database",
        ) from error
    await connection.execute(
        "insert into authz.schema_migrations (version, name) values ($1, $2)",
        migration.version,
        migration.name,
    )
