"""Import and export as an operator types them."""

import io
import json
import os
import stat
import threading
from pathlib import Path

import pytest
from rich.console import Console

from sidecar.command.data import Export, Import
from sidecar.command.program import main
from sidecar.command.progress import Lines, gauge
from tests.support.serving import Place, Schema, Stage

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "gpu-cloud.yaml"
TENANCY = Place(Schema.REFERENCE, "tenancy")


@pytest.fixture
async def config(stage: Stage, tmp_path: Path) -> Path:
    """Settings for a database of the reference schema, with a world in it."""
    url = await stage.stored(TENANCY)
    path = tmp_path / "sidecar.yaml"
    path.write_text(f"database: {{url: {json.dumps(url)}}}\n", encoding="utf-8")
    return path


def _run(*line: object) -> int:
    """Runs a command line beside the loop that the tests run in."""
    codes: list[int] = []
    thread = threading.Thread(
        target=lambda: codes.append(main([str(word) for word in line]))
    )
    thread.start()
    thread.join()
    return codes[0]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("principals: [{id: 1, kind: boss}]", ":1:28: principals[0].kind: `boss` is"),
        ("users: [{id: 999, principal_id: 9999}]", ":1:33: users[0].principal_id: "),
        ("principals: [", ":2:1: neither YAML nor JSON"),
    ],
)
def test_a_refused_import_names_file_place_path_and_reason(
    config: Path,
    tmp_path: Path,
    text: str,
    problem: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whoever imports learns which file, where in it, and what is wrong."""
    document = tmp_path / "world.yaml"
    document.write_text(text, encoding="utf-8")

    assert _run("import", document, "--config", config) == 2
    assert capsys.readouterr().err.startswith(f"error: {document}{problem}")


def test_every_fault_is_a_line(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Several faults are several lines, each an error."""
    document = tmp_path / "world.yaml"
    document.write_text("roles: [{}, {}]", encoding="utf-8")

    assert _run("import", document, "--config", config) == 2
    assert capsys.readouterr().err.splitlines() == [
        f"error: {document}:1:9: roles[0].id: is missing",
        f"error: {document}:1:13: roles[1].id: is missing",
    ]


def test_what_is_exported_can_be_imported(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Export, import of it and export again give the same bytes, in both formats."""
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    folder, again = tmp_path / "folder", tmp_path / "again"

    assert _run("import", EXAMPLE, "--replace", "-c", config) == 0
    assert _run("export", "--out", first, "-c", config) == 0
    assert _run("export", "--format", "ndjson", "-o", folder, "-c", config) == 0
    assert _run("import", first, "--replace", "-c", config) == 0
    assert _run("export", "--out", second, "-c", config) == 0
    assert _run("import", folder, "--replace", "-c", config) == 0
    assert _run("export", "--format", "ndjson", "-o", again, "-c", config) == 0
    capsys.readouterr()
    assert _run("export", "-c", config) == 0

    assert first.read_bytes() == second.read_bytes()
    assert first.read_text("utf-8") == capsys.readouterr().out
    names = sorted(path.name for path in folder.iterdir())
    assert names == sorted(path.name for path in again.iterdir())
    assert all(
        (folder / name).read_bytes() == (again / name).read_bytes() for name in names
    )


def test_a_rehearsed_import_keeps_nothing(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A dry run says what it would store, and that it did not."""
    before, after = tmp_path / "before.yaml", tmp_path / "after.yaml"
    _run("export", "--out", before, "--config", config)
    capsys.readouterr()

    assert _run("import", EXAMPLE, "--replace", "--dry-run", "-c", config) == 0
    captured = capsys.readouterr()
    assert "15 principals\n" in captured.out
    assert captured.err == "nothing was kept\n"
    _run("export", "--out", after, "--config", config)
    assert before.read_bytes() == after.read_bytes()


def test_an_export_is_for_its_owner_alone(config: Path, tmp_path: Path) -> None:
    """Files with hashes of secrets in them can be read by nobody else."""
    old = os.umask(0)
    try:
        _run("export", "--out", tmp_path / "all.yaml", "--config", config)
        _run("export", "--format", "ndjson", "-o", tmp_path / "all", "-c", config)
    finally:
        os.umask(old)

    made = [tmp_path / "all.yaml", *(tmp_path / "all").iterdir()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in made} == {0o600}
    assert stat.S_IMODE((tmp_path / "all").stat().st_mode) == 0o700


def test_api_keys_can_be_left_out(config: Path, tmp_path: Path) -> None:
    """Without API keys no hash is in an export, and no file for them in a folder."""
    out, folder = tmp_path / "all.yaml", tmp_path / "all"
    assert _run("import", EXAMPLE, "--replace", "-c", config) == 0
    assert _run("export", "-o", out, "--without-api-keys", "-c", config) == 0
    line = ("export", "--format", "ndjson", "--without-api-keys", "-o", folder)
    assert _run(*line, "-c", config) == 0

    assert "sha256:" not in out.read_text("utf-8")
    assert not (folder / "api_keys.ndjson").exists()


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (["--format", "ndjson"], "`--format ndjson` makes a folder; name it"),
        (["--out", "{folder}/none/x.yaml"], "no such file or directory `{folder}/none"),
        (["--format", "ndjson", "--out", "{folder}"], "directory not empty `{folder}`"),
        (["--out", "{folder}"], "is a directory `{folder}`"),
    ],
)
def test_an_export_that_cannot_be_written_is_one_line(
    config: Path,
    tmp_path: Path,
    line: list[str],
    problem: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Where nothing can be written, nothing is left, and one line says so."""
    before = sorted(tmp_path.iterdir())
    words = [word.format(folder=tmp_path) for word in line]

    assert _run("export", *words, "--config", config) == 2

    error = capsys.readouterr().err
    assert error.startswith(f"error: {problem.format(folder=tmp_path)}")
    assert error.count("\n") == 1
    assert before == sorted(tmp_path.iterdir())


def test_a_failed_export_leaves_what_was_there(tmp_path: Path) -> None:
    """An export that fails does not touch the file that it was to replace."""
    out, config = tmp_path / "all.yaml", tmp_path / "sidecar.yaml"
    out.write_text("mine", encoding="utf-8")
    config.write_text("database: {url: postgresql://nobody@127.0.0.1:1/none}\n")

    assert _run("export", "--out", out, "--config", config) == 2
    assert _run("export", "--format=ndjson", f"--out={tmp_path / 'x'}", "-c", config)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "all.yaml",
        "sidecar.yaml",
    ]
    assert out.read_text("utf-8") == "mine"


@pytest.fixture
def console() -> Console:
    """What is no terminal."""
    return Console(file=io.StringIO(), width=160)


def _printed(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_progress_on_a_pipe_is_a_line_now_and_then(console: Console) -> None:
    """Progress is a line every ten seconds; short work leaves none."""
    times = iter([0.0, 9.9, 10.0, 15.0, 20.0])
    lines = Lines(console, "importing", lambda: next(times))
    for rows in (1000, 2000, 3000, 4000):
        lines.count("users", rows, (rows, 8000))

    assert _printed(console) == (
        "importing: 2,000 rows of users, 25 %\nimporting: 4,000 rows of users, 50 %\n"
    )


def test_progress_in_a_terminal_is_a_bar() -> None:
    """In a terminal the bar names what is at work, and goes when all is done."""
    console = Console(file=io.StringIO(), force_terminal=True, width=120)
    with gauge(console, "exporting") as shown:
        shown.count("users", 1234)
        shown.count("principal_memberships", 5_000_000, (50, 100))

    assert "exporting principal_memberships 5,000,000" in _printed(console)
    assert "50%" in _printed(console)


def test_the_commands_have_examples() -> None:
    """The help of both commands shows a line to start from."""
    assert "For example: authz-sidecar import" in str(Import.__doc__)
    assert "For example: authz-sidecar export" in str(Export.__doc__)
