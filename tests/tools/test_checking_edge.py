"""The edge in the settings, looked at before a start: its routes and its listeners."""

from pathlib import Path
from typing import Final

import pytest

from sidecar import wiring_listeners
from sidecar.command.program import main
from sidecar.command.screen import ExitCode
from sidecar.settings import load
from sidecar.transport.listener import ListenerError, Serves

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


EDGE_ALONE: Final = "listeners: [{address: 'unix:a', services: [edge, health]}]"


def test_an_edge_that_is_named_needs_routes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever wants the edge is told that there would be none, and so is a server."""
    path = written(tmp_path, EDGE_ALONE)

    assert ExitCode.UNDECIDED == main(["check-config", str(path)])
    assert (
        "1:23: `listeners[0]` listener `unix:a` has `edge` in its `services`, which "
        "needs `edge.routes_file`" in capsys.readouterr().err
    )

    settings = load(path)
    with pytest.raises(ListenerError, match="needs `edge"):
        wiring_listeners.listener_of(settings.listeners[0], settings)


@pytest.mark.parametrize(
    "text",
    ["listeners: [{address: 'unix:a'}]", "listeners: [{services: [api, health]}]"],
)
def test_an_edge_that_nobody_named_needs_none(text: str, tmp_path: Path) -> None:
    """The services that a listener has by default hold with and without an edge."""
    settings = load(written(tmp_path, text))

    listener = wiring_listeners.listener_of(settings.listeners[0], settings)

    assert Serves.API in listener.serves


def test_an_edge_that_is_named_has_its_routes(tmp_path: Path) -> None:
    """With routes there is nothing to refuse."""
    (tmp_path / "routes.yaml").write_text(ROUTES % "require: []")
    routes = f"edge: {{routes_file: {tmp_path}/routes.yaml}}"
    settings = load(written(tmp_path, f"{EDGE_ALONE}\n{routes}"))

    listener = wiring_listeners.listener_of(settings.listeners[0], settings)

    assert Serves.EDGE in listener.serves
