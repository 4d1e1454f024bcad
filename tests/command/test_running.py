from pathlib import Path

import pytest

from sidecar.command.program import main

# Nothing listens on this port of the loopback address.
_NO_DATABASE = "database: {url: postgresql://nobody@127.0.0.1:1/none}\n"


@pytest.mark.parametrize(
    "line",
    [
        ["serve"],
        ["dev"],
        ["migrate"],
        ["import", "world.yaml"],
    ],
    ids=lambda line: line[0],
)
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "settings file `"),
        ("nonsense: 1", "`nonsense` is no known setting"),
        ("listeners: 3", "`listeners`"),
        ("{", "is not YAML"),
    ],
)
def test_bad_settings_are_one_line(
    line: list[str],
    text: str | None,
    problem: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Settings that cannot be used end every command that needs them."""
    config = tmp_path / "sidecar.yaml"
    if text is not None:
        config.write_text(text)

    assert main([*line, "--config", str(config)]) == 2

    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert problem in error
    assert error.count("\n") == 1


def test_a_database_that_is_away_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever migrates a database that is away reads so, without a traceback."""
    config = tmp_path / "sidecar.yaml"
    config.write_text(_NO_DATABASE)

    assert main(["migrate", "--config", str(config)]) == 2

    error = capsys.readouterr().err
    assert error.startswith("error: the database cannot be reached")
    assert error.count("\n") == 1


@pytest.mark.parametrize("command", ["import", "dev"])
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "no such file or directory"),
        ("principals: 3", "principals: must be a list of rows"),
        ("planets: []", "there is no relation `planets`"),
    ],
)
def test_a_bad_document_is_one_line(
    command: str,
    text: str | None,
    problem: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A document is judged before any database is touched or started."""
    config, document = tmp_path / "sidecar.yaml", tmp_path / "world.yaml"
    config.write_text(_NO_DATABASE)
    if text is not None:
        document.write_text(text)
    options = ["--config", str(config)]
    lines = {
        "import": ["import", str(document), *options],
        "dev": ["dev", "--document", str(document), *options],
    }

    assert main(lines[command]) == 2

    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert problem in error
    assert error.count("\n") == 1


def test_says_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    """The version is one line."""
    assert main(["version"]) == 0

    assert capsys.readouterr().out.startswith("authz-sidecar")


@pytest.mark.parametrize("line", [["--help"], ["ask", "--help"], ["serve", "--help"]])
def test_helps(line: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Help is an answer."""
    assert main(line) == 0

    assert "Usage: authz-sidecar" in capsys.readouterr().out


@pytest.mark.parametrize("line", [[], ["ask"]], ids=["program", "ask"])
def test_without_a_command_helps_too(
    line: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever does not know what to say is told, and has not asked anything."""
    assert main(line) == 2

    captured = capsys.readouterr()
    assert "Commands" in captured.out
    assert captured.err == ""
