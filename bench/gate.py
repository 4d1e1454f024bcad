"""Counts the instructions of one warm call of each kind, and fails when they are more.

Seconds differ from run to run and from machine to machine; instructions of the same
program hardly do. Counted by valgrind (Debian's package), from an interceptor's bytes
to its bytes, without engine, network and database. `bench/gate.json` has what is
allowed; --accept writes what was counted there.
"""

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
ALLOWED: Final = HERE / "gate.json"
OFTEN: Final = 20
# Runs of the same program were seen to differ by a quarter of this at most.
TOLERANCE: Final = 0.01
_TOTALS: Final = re.compile(r"^totals: (\d+)", re.MULTILINE)


def main() -> int:
    """Gives 1 when a call costs more than it may, 2 when nothing can be counted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accept", action="store_true", help="allow what is counted")
    options = parser.parse_args()
    if shutil.which("valgrind") is None:
        print("valgrind is needed: Debian's package valgrind")
        return 2
    counted = count(OFTEN)
    if options.accept:
        write(counted)
        return 0
    known = json.loads(ALLOWED.read_text(encoding="utf-8"))
    if known["of"] != interpreter():
        print(f"counted with {known['of']}, and this is {interpreter()}: accept anew")
        return 2
    print("\n".join(told(counted, known["instructions"])))
    return int(bool(faults(counted, known["instructions"])))


def interpreter() -> str:
    """What counts are bound to: another interpreter has others."""
    return f"{platform.python_implementation()} {platform.python_version()}"


def count(often: int) -> dict[str, int]:
    """Instructions of one call, by its name."""
    with tempfile.TemporaryDirectory(prefix="authz-gate-") as name:
        folder = Path(name)
        # `counted.py` calls this function of the C library between calls.
        command = [
            *("valgrind", "--tool=callgrind", "--dump-before=getpgid", "-q"),
            f"--callgrind-out-file={folder / 'out'}",
            *(sys.executable, str(HERE / "counted.py")),
            *(str(folder / "routes.yaml"), str(often)),
        ]
        # Hashes of text decide in which order sets are walked.
        environment = {**os.environ, "PYTHONHASHSEED": "0"}
        ran = subprocess.run(  # noqa: S603  our own words
            command, check=True, stdout=subprocess.PIPE, text=True, env=environment
        )
        names = ran.stdout.split("\n")[:-1]
        # The first has what came before the first call.
        totals = [
            int(found[1])
            for number in range(2, len(names) + 2)
            if (found := _TOTALS.search((folder / f"out.{number}").read_text()))
        ]
    return {name: total // often for name, total in zip(names, totals, strict=True)}


def faults(counted: Mapping[str, int], allowed: Mapping[str, int]) -> list[str]:
    """The calls that cost more than they may, or that nobody allowed anything."""
    return [
        name
        for name, found in counted.items()
        if found > allowed.get(name, 0) * (1 + TOLERANCE)
    ]


def told(counted: Mapping[str, int], allowed: Mapping[str, int]) -> list[str]:
    """A line for each call."""
    wrong = faults(counted, allowed)
    return [
        f"{'MORE' if name in wrong else 'good'}  {name:<20} {found:>12,} instructions, "
        f"{found / allowed[name] - 1:+.2%}"
        if name in allowed
        else f"NEW   {name:<20} {found:>12,} instructions"
        for name, found in counted.items()
    ]


def write(counted: Mapping[str, int]) -> None:
    """Allows what was counted."""
    content = {"of": interpreter(), "instructions": dict(counted)}
    ALLOWED.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    print(f"allowed in {ALLOWED.name}: {dict(counted)}")


if __name__ == "__main__":
    sys.exit(main())
