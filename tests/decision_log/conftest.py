"""A sidecar that logs, asked hundreds of questions, and its log as another reads it."""

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from sidecar.store.embedded import EmbeddedPostgres
from tests.decision_log.playing import (
    Played,
    Player,
    Row,
    api_questions,
    edge_questions,
    identity,
    token,
)
from tests.edge.checking import checking
from tests.support.edge import ROUTES, stored_example
from tests.support.serving import ENGINES


@dataclass(frozen=True)
class Logged:
    """What was asked and answered, the credentials shown, and what was logged."""

    played: list[Played]
    credentials: list[str]
    raw: bytes
    records: list[Row]


async def read_elsewhere(path: Path) -> list[Row]:
    """The records of a log, read by a process of their own."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "json.tool", "--json-lines", "--compact", str(path)),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    return [cast("Row", json.loads(line)) for line in output.splitlines()]


@pytest.fixture(scope="session")
async def example(postgres: EmbeddedPostgres) -> str:
    """A database with the example, which no test changes."""
    return await stored_example(postgres, "decision_log")


@pytest.fixture(scope="session")
async def logged(example: str, tmp_path_factory: pytest.TempPathFactory) -> Logged:
    """Everything asked of one sidecar, on both engines, and its whole log."""
    folder = tmp_path_factory.mktemp("log")
    path = folder / "decisions.log"
    tokens = [token("1"), token("6"), token("404"), token("2", aud="others")]
    settings = {"to": "file", "file": str(path), "mask": []}
    played: list[Played] = []
    async with checking(
        example, ROUTES, identity=identity(folder), decision_log=settings
    ) as running:
        player = Player(running)
        for number, engine in enumerate(ENGINES):
            played += [
                await player.ask(engine, call, request)
                for call, request in api_questions(tokens, number)
            ]
            played += [
                await player.check(engine, message)
                for message in edge_questions(tokens, number)
            ]
    return Logged(played, tokens, path.read_bytes(), await read_elsewhere(path))
