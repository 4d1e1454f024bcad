"""The stubs of other languages that are committed, made by those languages' tools.

Java and Rust make theirs when they are built.
"""

import filecmp
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUF = Path(sys.executable).parent / "buf"
GO = ROOT / "clients" / "go"
TYPESCRIPT = ROOT / "clients" / "typescript"


def generate() -> list[str]:
    """Makes all whose tools are there; a line for each language that was left out."""
    lines = _lacking("Go", ("go",))
    if not lines:
        _make_go(GO)
    lacking = _lacking("TypeScript", ("node", "npm"))
    if not lacking:
        _install_typescript()
        _run(["node", "scripts/generate.mjs"], TYPESCRIPT)
    return lines + lacking


def differing() -> tuple[list[str], list[str]]:
    """The names of stubs that differ, and a line for each language not looked at."""
    names: list[str] = []
    lines = _lacking("Go", ("go",))
    if not lines:
        names += _differing_go()
    lacking = _lacking("TypeScript", ("node", "npm"))
    if not lacking:
        _install_typescript()
        check = ["node", "scripts/generate.mjs", "--check"]
        if not _run(check, TYPESCRIPT, is_checked=False):
            names.append("clients/typescript/src/gen")
    return names, lines + lacking


def is_complete(lines: Sequence[str]) -> bool:
    """Whether that may be all: in CI no language may be left out."""
    return not lines or os.environ.get("CI") != "true"


def _lacking(language: str, tools: Sequence[str]) -> list[str]:
    missing = [each for each in tools if shutil.which(each) is None]
    if not missing:
        return []
    named = "`, `".join(missing)
    return [f"the stubs of {language} are left out: `{named}` is not on the PATH"]


def _make_go(folder: Path) -> None:
    for path in (folder / "authzv1").glob("*.pb.go"):
        path.unlink()
    # The plugins are tools of a Go module, and found from its folder.
    _run([str(BUF), "generate", "../../proto", "-o", str(folder)], GO)


def _differing_go() -> list[str]:
    with tempfile.TemporaryDirectory() as name:
        fresh = Path(name)
        _make_go(fresh)
        wanted = {path.name for path in (fresh / "authzv1").glob("*.pb.go")}
        present = {path.name for path in (GO / "authzv1").glob("*.pb.go")}
        _, changed, missing = filecmp.cmpfiles(
            fresh / "authzv1", GO / "authzv1", sorted(wanted), shallow=False
        )
    names = sorted({*changed, *missing, *(present - wanted)})
    return [f"clients/go/authzv1/{each}" for each in names]


def _install_typescript() -> None:
    if not (TYPESCRIPT / "node_modules" / ".bin" / "protoc-gen-es").exists():
        _run(["npm", "ci", "--no-audit", "--no-fund"], TYPESCRIPT)


def _run(command: Sequence[str], folder: Path, *, is_checked: bool = True) -> bool:
    done = subprocess.run(  # noqa: S603  our own arguments
        command, cwd=folder, env={**os.environ, "BUF": str(BUF)}, check=is_checked
    )
    return done.returncode == 0
