import os
import subprocess
import sys
from pathlib import Path

import pytest

_PROGRAM = Path(sys.executable).parent / "authz-sidecar"


def completed(line: str) -> set[str]:
    """What bash is offered for the last word of a command line."""
    words = line.split(" ")
    variables = {
        "_AUTHZ_SIDECAR_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
    }
    ended = subprocess.run(  # noqa: S603  our own program
        [_PROGRAM], env={**os.environ, **variables}, check=True, capture_output=True
    )
    return set(ended.stdout.decode().split())


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("authz-sidecar exp", {"explain", "export"}),
        ("authz-sidecar ask check-v", {"check-visible"}),
        ("authz-sidecar member dis", {"disable"}),
        ("authz-sidecar serve --con", {"--config"}),
    ],
)
def test_the_shell_completes_commands_and_options(line: str, offered: set[str]) -> None:
    """What was begun is completed, at every level."""
    assert offered == completed(line)


@pytest.mark.parametrize(
    ("shell", "its_own"),
    [
        ("bash", "complete -o default -F _authz_sidecar_completion authz-sidecar"),
        ("zsh", "#compdef authz-sidecar"),
        ("fish", "complete --command authz-sidecar"),
    ],
)
def test_prints_a_script_for_each_shell(shell: str, its_own: str) -> None:
    """Whichever is named, and whatever shell this is started from."""
    asked = {"_AUTHZ_SIDECAR_COMPLETE": f"source_{shell}"}

    ended = subprocess.run(  # noqa: S603  our own program
        [_PROGRAM],
        env={**os.environ, **asked},
        check=True,
        capture_output=True,
        text=True,
    )

    assert its_own in ended.stdout


def test_knows_the_shell_that_it_is_started_from() -> None:
    """There `--show-completion` prints that shell's, as `--help` says."""
    # Two commands, or else bash would give its process to the first.
    ended = subprocess.run(  # noqa: S603  our own program
        ["bash", "-c", f"{_PROGRAM} --show-completion; exit $?"],  # noqa: S607
        check=True,
        capture_output=True,
        text=True,
    )

    assert "-F _authz_sidecar_completion authz-sidecar" in ended.stdout
