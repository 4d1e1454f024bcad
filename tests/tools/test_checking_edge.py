"""The edge in the settings, looked at before a start: its routes and its listeners."""

from pathlib import Path
from typing import Final

import pytest

from sidecar.command.program import main
from sidecar.command.screen import ExitCode

ROUTES: Final = (
    "default: a\nrule_sets: {a: {routes: [{path: /x, methods: [GET], %s}]}}\n"
)


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The surrounding shell has no part in a test."""
    monkeypatch.delenv("AUTHZ_CONFIG", raising=False)


def written(folder: Path, text: str) -> Path:
    """Settings with this text."""
    path = folder / "sidecar.yaml"
    path.write_text(text)
    return path


def test_routes_that_cannot_hold_are_told_with_both_places(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A server would not start with them: which setting, and where in which file."""
    routes = tmp_path / "routes.yaml"
    routes.write_text(ROUTES % "require: [{visible: {kind: boat, id: '1'}}]")
    path = written(tmp_path, f"edge: {{routes_file: {routes}}}")

    assert ExitCode.UNDECIDED == main(["check-config", str(path)])

    error = capsys.readouterr().err
    assert f"1:21: `edge.routes_file` {routes}:2:" in error
    assert "`boat`" in error


def test_routes_that_are_not_there_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A misspelt path is found before the start."""
    path = written(tmp_path, f"edge: {{routes_file: {tmp_path}/gone.yaml}}")

    assert ExitCode.UNDECIDED == main(["check-config", str(path)])
    assert "1:21: `edge.routes_file`" in capsys.readouterr().err


def test_routes_that_hold_are_no_problem(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Good routes are as good as none."""
    (tmp_path / "routes.yaml").write_text(ROUTES % "require: []")
    path = written(tmp_path, f"edge: {{routes_file: {tmp_path}/routes.yaml}}")

    assert ExitCode.ALLOWED == main(["check-config", str(path)])
    assert "a server would start" in capsys.readouterr().out
