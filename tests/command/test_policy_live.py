import asyncio
from pathlib import Path

import asyncpg
import pytest

from sidecar.command.program import main
from sidecar.command.screen import ExitCode
from tests.support.serving import Place, Schema, Stage

LIVE = """
directory: of-no-use.yaml
tests:
  - {name: a, caller: {user: 2, organization: 20}, context: {org_role: ADMIN}}
"""


def _written(folder: Path, text: str) -> Path:
    path = folder / "tests.yaml"
    path.write_text(text)
    return path


async def _run_live(path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setenv("AUTHZ_DATABASE__URL", url)
    return await asyncio.to_thread(main, ["policy", "test", "--database", str(path)])


async def test_a_live_database_is_asked_as_it_is(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --database the rows of the settings' database decide."""
    url = await stage.stored(Place(Schema.REFERENCE, "tenancy"))
    path = _written(tmp_path, LIVE)
    before = await _run_live(path, url, monkeypatch)
    connection = await asyncpg.connect(url)
    await connection.execute("update authz.principal_memberships set role = 'user'")
    await connection.close()

    after = await _run_live(path, url, monkeypatch)

    assert (ExitCode.ALLOWED, ExitCode.DENIED) == (before, after)


async def test_rows_that_fail_closed_are_told(
    stage: Stage,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Behind views a row may be malformed: whoever wonders why reads which."""
    url = await stage.stored(Place(Schema.CAMEL_CASE, "malformed_tenancy"))
    connection = await asyncpg.connect(url)
    users = await connection.fetch("select id::text from authz.users")
    await connection.close()
    tests = [
        f"- {{name: a{n}, caller: {{user: {user['id']}}}, contexts: []}}"
        for n, user in enumerate(users)
    ]

    await _run_live(_written(tmp_path, "\n".join(["tests:", *tests])), url, monkeypatch)

    told = capsys.readouterr().out
    assert "of principal_memberships failed closed: DUPLICATE_ROW" in told


async def test_a_live_database_needs_no_right_to_write(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever may only read can ask: nothing is written, nothing is notified."""
    url = await stage.stored(Place(Schema.REFERENCE, "tenancy"))
    connection = await asyncpg.connect(url)
    name = await connection.fetchval("select current_database()")
    await connection.execute(
        f"alter database {name} set default_transaction_read_only = on"
    )
    await connection.close()

    assert ExitCode.ALLOWED == await _run_live(
        _written(tmp_path, LIVE), url, monkeypatch
    )


def test_a_database_that_is_away_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A database that does not answer is an error, and no test has failed."""
    monkeypatch.setenv("AUTHZ_DATABASE__URL", "postgresql://x@127.0.0.1:1/none")

    code = main(["policy", "test", "--database", str(_written(tmp_path, LIVE))])

    assert ExitCode.UNDECIDED == code
    error = capsys.readouterr().err
    assert error.startswith("error: the database cannot be reached")
    assert 1 == error.count("\n")
