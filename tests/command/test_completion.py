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


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_prints_a_script_for_each_shell(shell: str) -> None:
    """A shell is taught by what `--show-completion` prints."""
    ended = subprocess.run(  # noqa: S603  our own program
        [_PROGRAM, "--show-completion", shell],
        check=True,
        capture_output=True,
        text=True,
    )

    assert "_AUTHZ_SIDECAR_COMPLETE" in ended.stdout
