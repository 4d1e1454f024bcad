"""Builds and tests the client of every language whose tools are there.

    python clients/conformance/build.py [--language NAME]… [--tested NAME]…

Builds several at a time, as far as there are processors and memory. Tests them one
after the other, because many hold an answer to its deadline, which a busy machine would
pass. Names those that it skipped; with CI=true a missing tool is a failure.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

from clients.conformance.languages import (  # noqa: E402  after the path
    Command,
    Language,
    is_complete,
    present,
)

# For one command; the first build of Rust takes minutes.
SECONDS: Final = 900
BYTES_FOR_ONE: Final = 3 * 2**30


def main() -> int:
    """Builds and tests, and returns 1 when something failed."""
    parser = argparse.ArgumentParser(description="Builds and tests every client.")
    parser.add_argument("--language", action="append", default=[])
    parser.add_argument(
        "--tested", action="append", default=[], help="is built, and not tested again"
    )
    arguments = parser.parse_args()
    chosen, skipped = present(arguments.language)
    with ThreadPoolExecutor(_at_once()) as pool:
        failures = dict(zip(chosen, pool.map(_built, chosen), strict=True))
    for each in chosen:
        # One language's failure must not hide another's.
        if failures[each] is None and each.name not in arguments.tested:
            failures[each] = _tested(each)
    lines = [line for line in failures.values() if line is not None]
    print("\n".join([*skipped, *lines]), flush=True)
    return 1 if lines or not chosen or not is_complete(skipped) else 0


def _at_once() -> int:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES")
    return max(1, min(os.cpu_count() or 1, memory // BYTES_FOR_ONE))


def _built(language: Language) -> str | None:
    # What several print at once nobody could read.
    return _ran(language, "build", language.build, output=subprocess.PIPE)


def _tested(language: Language) -> str | None:
    return _ran(language, "test", language.test, output=None)


def _ran(
    language: Language, what: str, commands: Sequence[Command], *, output: int | None
) -> str | None:
    begun = time.monotonic()
    # With which the tests of a client start a live sidecar; not AUTHZ_…, since the
    # sidecar refuses settings that it does not know.
    python = {"CLIENTS_PYTHON": sys.executable, "PYTHON": sys.executable}
    for command in commands:
        print(f"{language.name}: {' '.join(command)}", flush=True)
        try:
            subprocess.run(  # noqa: S603  from our own languages.toml
                command,
                cwd=language.folder,
                env={**os.environ, **python},
                check=True,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=None if output is None else subprocess.STDOUT,
                text=True,
                timeout=SECONDS,
            )
        except subprocess.SubprocessError as error:
            return f"{language.name}: {error}\n{getattr(error, 'output', None) or ''}"
    if commands:
        seconds = time.monotonic() - begun
        print(f"{language.name}: {what} took {seconds:.0f} s", flush=True)
    return None


if __name__ == "__main__":
    sys.exit(main())
