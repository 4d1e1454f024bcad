"""Imports a big directory into an embedded PostgreSQL, and exports it again.

    python bench/import_directory.py --users 1000000 --memberships 10000000

Makes the directory as NDJSON, anew or the same each time, and writes what it took:
seconds, the most memory that the program used, what sidecars were told, the size.
"""

import argparse
import asyncio
import filecmp
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from bench.parts import report  # noqa: E402  after the path
from sidecar.store.administration import migrate_database  # noqa: E402
from sidecar.store.embedded import EmbeddedPostgres  # noqa: E402  as above

ADMINS = 0.01


@dataclass(frozen=True, slots=True)
class Size:
    """How many there are to be."""

    users: int
    memberships: int

    @property
    def organizations(self) -> int:
        """One for a thousand users, and enough that nobody is in one twice."""
        return max(self.users // 1000, 2 * self.each, 1)

    @property
    def each(self) -> int:
        """In how many organizations a user is, one less for some."""
        return -(-self.memberships // self.users)


@dataclass(frozen=True, slots=True)
class Run:
    """What a command took. `memory` is in bytes."""

    seconds: float
    memory: int


def make_directory(folder: Path, size: Size) -> None:
    """Writes the files of a directory."""
    folder.mkdir(parents=True)
    with (folder / "principals.ndjson").open("w") as file:
        file.writelines(_principals(size))
    with (folder / "users.ndjson").open("w") as file:
        file.writelines(
            f'{{"id":{user},"principal_id":{size.organizations + user},'
            f'"name":"user-{user}"}}\n'
            for user in range(size.users)
        )
    with (folder / "principal_memberships.ndjson").open("w") as file:
        file.writelines(_memberships(size))


def _principals(size: Size) -> Iterator[str]:
    for organization in range(size.organizations):
        name = f"Organization {organization}"
        yield f'{{"id":{organization},"kind":"org","name":"{name}"}}\n'
    for user in range(size.users):
        principal = size.organizations + user
        yield f'{{"id":{principal},"kind":"user","name":"User {user}"}}\n'


def _memberships(size: Size) -> Iterator[str]:
    chance = random.Random(1)  # noqa: S311 the same each time, and no secret
    step = size.organizations // size.each
    for membership in range(size.memberships):
        place, user = divmod(membership, size.users)
        # The places of a user are a step apart, so none is there twice.
        home = (user * 7919 + place * step) % size.organizations
        role = "admin" if chance.random() < ADMINS else "user"
        yield (
            f'{{"id":{membership},"member_principal_id":{size.organizations + user},'
            f'"parent_principal_id":{home},"role":"{role}"}}\n'
        )


def run(url: str, *line: str) -> Run:
    """Runs the program to its end."""
    began = time.perf_counter()
    environment = {**os.environ, "AUTHZ_DATABASE__URL": url}
    words = [sys.executable, "-m", "sidecar", *line]
    process = os.posix_spawn(sys.executable, words, environment)
    _, status, usage = os.wait4(process, 0)
    if status:
        sys.exit(f"{' '.join(line)} failed")
    return Run(time.perf_counter() - began, usage.ru_maxrss * 1024)


async def measure(postgres: EmbeddedPostgres, folder: Path, out: Path) -> str:
    """Imports and exports a folder; gives the figures."""
    postgres.create_database("directory")
    url = postgres.url("directory")
    await migrate_database(url)
    connection = await asyncpg.connect(url)
    told: list[object] = []
    await connection.add_listener("authz_changes", lambda *notice: told.append(notice))
    taken = await asyncio.to_thread(run, url, "import", str(folder))
    size = await connection.fetchval("select pg_database_size(current_database())")
    given = await asyncio.to_thread(
        run, url, "export", "--format", "ndjson", "--out", str(out)
    )
    await connection.close()
    rows = [
        ["import", report.took(taken.seconds), report.megabytes(taken.memory)],
        ["export", report.took(given.seconds), report.megabytes(given.memory)],
    ]
    table = report.table(("", "time", "memory at most"), rows)
    same = "the same bytes" if _is_same(folder, out) else "OTHER BYTES"
    return (
        f"{table}\n\nThe files have {report.megabytes(_bytes(folder))}, the database "
        f"{report.megabytes(size)}. Sidecars were told by {len(told)} notifications. "
        f"What was exported is {same}.\n"
    )


def _bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())


def _is_same(folder: Path, out: Path) -> bool:
    names = [file.name for file in folder.iterdir()]
    return filecmp.cmpfiles(folder, out, names, shallow=False)[0] == names


@contextmanager
def _folder(path: Path | None) -> Iterator[Path]:
    if path is not None:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="authz-import-") as name:
        # The user that runs the PostgreSQL must be able to walk to its files.
        Path(name).chmod(0o755)
        yield Path(name)


def main() -> None:
    """Reads the options and does it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--memberships", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="keep the files there")
    parser.add_argument("--print", action="store_true", help="and leave the page")
    options = parser.parse_args()
    size = Size(options.users, options.memberships)
    with _folder(options.folder) as folder:
        if not (folder / "directory").exists():
            began = time.perf_counter()
            make_directory(folder / "directory", size)
            print(f"made     {time.perf_counter() - began:8.1f} s", flush=True)
        with EmbeddedPostgres(folder / "postgres") as postgres:
            work = measure(postgres, folder / "directory", folder / "exported")
            told = asyncio.run(work)
    about = f"{size.users:,} users and {size.memberships:,} memberships"
    page = f"{report.machine()} A directory of {about}.\n\n{told}"
    report.publish("bench/import_directory.py", page, only_print=options.print)


if __name__ == "__main__":
    main()
