"""Builds and tests the client of every language whose tools are there.

    python clients/conformance/build.py [--language NAME]… [--only-build]

Names those that it skipped; with CI=true a missing tool is a failure.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

from clients.conformance.languages import (  # noqa: E402  after the path
    Language,
    is_complete,
    present,
)

# For one command; the first build of Rust takes minutes.
SECONDS = 900


def main() -> int:
    """Builds and tests, and returns 1 when something failed."""
    parser = argparse.ArgumentParser(description="Builds and tests every client.")
    parser.add_argument("--language", action="append", default=[])
    parser.add_argument("--only-build", action="store_true")
    arguments = parser.parse_args()
    chosen, skipped = present(arguments.language)
    lines = [_made(each, is_tested=not arguments.only_build) for each in chosen]
    print("\n".join([*skipped, *filter(None, lines)]), flush=True)
    return 1 if any(lines) or not chosen or not is_complete(skipped) else 0


def _made(language: Language, *, is_tested: bool) -> str | None:
    # One language's failure must not hide another's.
    begun = time.monotonic()
    # With which the tests of a client start a live sidecar; not AUTHZ_…, since the
    # sidecar refuses settings that it does not know.
    python = {"CLIENTS_PYTHON": sys.executable, "PYTHON": sys.executable}
    environment = {**os.environ, **python}
    commands = language.build + (language.test if is_tested else ())
    for command in commands:
        print(f"{language.name}: {' '.join(command)}", flush=True)
        try:
            subprocess.run(  # noqa: S603  from our own languages.toml
                command,
                cwd=language.folder,
                env=environment,
                check=True,
                timeout=SECONDS,
            )
        except subprocess.SubprocessError as error:
            return f"{language.name}: {error}"
    print(f"{language.name}: {time.monotonic() - begun:.0f} s", flush=True)
    return None


if __name__ == "__main__":
    sys.exit(main())
