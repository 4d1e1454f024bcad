"""Directories to measure with, each in a PostgreSQL whose folder is kept."""

import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg

from sidecar.store.administration import migrate_database
from sidecar.store.embedded import EmbeddedPostgres

ROOT: Final = Path(__file__).resolve().parents[2]
KEPT: Final = ROOT / "build" / "bench"
_SQL: Final = Path(__file__).resolve().parents[1] / "world.sql"


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is: `memberships` of each user, `corner` roles of 5,000 rules."""

    name: str
    users: int
    organizations: int
    memberships: int
    corner: int


SMALL: Final = Size("small", 20_000, 20_000, 10, 20)
MIDDLE: Final = Size("middle", 200_000, 40_000, 10, 20)
LARGE: Final = Size("large", 1_000_000, 100_000, 10, 200)
SIZES: Final = {size.name: size for size in (SMALL, MIDDLE, LARGE)}


@contextmanager
def world(size: Size, kept: Path = KEPT) -> Iterator[str]:
    """A running PostgreSQL with a directory of that size; gives its URL.

    It is made when it is not `kept`, or was made by another `world.sql`.
    """
    folder = kept / f"world-{size.name}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with EmbeddedPostgres(folder) as postgres:
        name = f"made_{abs(_fingerprint(size)):08x}"
        if not asyncio.run(_is_there(postgres.url(), name)):
            began = time.perf_counter()
            print(f"making the {size.name} directory, once", file=sys.stderr)
            asyncio.run(_make(postgres, name, size))
            taken = time.perf_counter() - began
            print(f"made it in {taken:.0f} s", file=sys.stderr)
        yield postgres.url(name)


def _fingerprint(size: Size) -> int:
    import zlib  # noqa: PLC0415  used here alone

    return zlib.crc32(_SQL.read_bytes() + repr(size).encode())


async def _is_there(url: str, name: str) -> bool:
    connection = await asyncpg.connect(url)
    try:
        query = "select from pg_database where datname = $1"
        return await connection.fetchrow(query, name) is not None
    finally:
        await connection.close()


async def _make(postgres: EmbeddedPostgres, name: str, size: Size) -> None:
    # Under another name until it is whole.
    unfinished = f"{name}_unfinished"
    server = await asyncpg.connect(postgres.url())
    try:
        await server.execute(f"drop database if exists {unfinished}")
        await server.execute(f"create database {unfinished}")
        await _fill(postgres.url(unfinished), size)
        await server.execute(f"alter database {unfinished} rename to {name}")
    finally:
        await server.close()


async def _fill(url: str, size: Size) -> None:
    await migrate_database(url)
    connection = await asyncpg.connect(url)
    try:
        for setting in ("users", "organizations", "memberships", "corner"):
            value = str(getattr(size, setting))
            await connection.execute(
                "select set_config($1, $2, false)", f"bench.{setting}", value
            )
        await connection.execute(_SQL.read_text(encoding="utf-8"), timeout=3600)
        await connection.execute("vacuum analyze")
    finally:
        await connection.close()
