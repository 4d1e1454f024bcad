"""Commands of administration: run, and what they printed taken apart."""

import asyncio
import json
from typing import cast

import asyncpg
import pytest

from sidecar.command.program import main


def execute(url: str, statement: str) -> list[asyncpg.Record]:
    """Runs a statement beside the commands."""

    async def run() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetch(statement)
        finally:
            await connection.close()

    return asyncio.run(run())


def run(line: str, code: int = 0) -> None:
    """Runs a command that ends with a code."""
    assert code == main(line.split())


def document(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    """The JSON document that was printed."""
    return cast("dict[str, object]", json.loads(capsys.readouterr().out))


def changes(capsys: pytest.CaptureFixture[str]) -> str:
    """What was printed but for the revision, which must be the last line."""
    text, holds, _ = capsys.readouterr().out.partition("holds from revision ")
    assert holds
    return text
