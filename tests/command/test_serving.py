"""A plain `serve` does without what only the other commands need, and does the same."""

import subprocess
import sys
from pathlib import Path

import pytest

from sidecar.__main__ import main
from sidecar.command import program
from sidecar.command.serving import is_plain

_NEEDLESS = ("typer", "rich", "click", "jwt", "cryptography")
_LOADED = """
import sys
from sidecar.__main__ import main
main(["serve", "-c", "missing.yaml"])
print(*{name.partition(".")[0] for name, module in sys.modules.items() if module})
"""


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], False),
        (["serve"], True),
        (["serve", "-c", "sidecar.yaml"], True),
        (["serve", "--config", "sidecar.yaml"], True),
        (["serve", "--config=sidecar.yaml"], False),
        (["serve", "--help"], False),
        (["serve", "-c"], False),
        (["serve", "-c", ""], False),
        (["serve", "-c", "--help"], False),
        (["serve", "-c", "a.yaml", "b"], False),
        (["serve", "sidecar.yaml"], False),
        (["dev"], False),
        (["-c", "serve"], False),
    ],
)
def test_only_what_is_surely_meant_is_plain(
    arguments: list[str],
    expected: bool,  # noqa: FBT001  the value itself
) -> None:
    """Whatever could be a mistake is left to who reads command lines."""
    assert expected == is_plain(arguments)


def test_serving_loads_nothing_needless(tmp_path: Path) -> None:
    """Neither the command line's libraries nor those of TLS and of tokens."""
    done = subprocess.run(  # noqa: S603  our own arguments
        [sys.executable, "-c", _LOADED],
        capture_output=True,
        check=True,
        cwd=tmp_path,
        text=True,
    )

    assert set() == {*_NEEDLESS} & {*done.stdout.split()}
    assert {"grpc", "asyncpg"} <= {*done.stdout.split()}


@pytest.mark.parametrize(
    "settings", [None, "no_such_setting: 1\n", "database: {pool_min: none}\n", ": :\n"]
)
def test_mistakes_are_told_as_by_the_whole_command_line(
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    settings: str | None,
) -> None:
    """The same words, and the same end, whichever way it goes."""
    monkeypatch.chdir(tmp_path)
    if settings is not None:
        Path("sidecar.yaml").write_text(settings)
    arguments = ["serve", "-c", "sidecar.yaml"]
    found = [(main(arguments), capfd.readouterr())]
    found.append((program.main(arguments), capfd.readouterr()))

    assert found[0] == found[1]
    assert 2 == found[0][0]


def test_settings_may_be_named_in_the_environment(
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As the whole command line takes them from there."""
    monkeypatch.setenv("AUTHZ_CONFIG", str(tmp_path / "elsewhere.yaml"))

    assert 2 == main(["serve"])
    assert "elsewhere.yaml" in capfd.readouterr().err
