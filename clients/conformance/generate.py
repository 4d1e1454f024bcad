"""Makes `worlds/` and `vectors/`; with --check, says what differs.

    python clients/conformance/generate.py [--check]

Most vectors are the decision cases of `tests/cases`, which are written from the rules,
each with its sentence; those of `sources/` are about the API's form. No wanted answer
comes from a sidecar.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "clients" / "python")]

from clients.conformance.sources.filters import sql_filters  # noqa: E402  after the path
from clients.conformance.sources.from_cases import vectors_of_cases  # noqa: E402
from clients.conformance.sources.limits import limits  # noqa: E402
from clients.conformance.sources.shapes import shapes  # noqa: E402
from clients.conformance.sources.tokens import (  # noqa: E402
    AUDIENCE,
    ISSUER,
    key_set,
    tokens,
)
from clients.conformance.sources.vectors import Vector  # noqa: E402

HERE: Final = Path(__file__).resolve().parent
CASES: Final = ROOT / "tests" / "cases"
_HEAD: Final = "# Made by generate.py from tests/cases; do not edit.\n"
_IDENTITY: Final = f"""\
  identity:
    issuers:
      - issuer: {ISSUER}
        audiences: [{AUDIENCE}]
        jwks_file: $HERE/keys.json
"""


def main() -> int:
    """Writes, or checks and returns 1 when something differs."""
    wanted = dict(_files())
    present = {
        path for folder in ("vectors", "worlds") for path in (HERE / folder).iterdir()
    }
    if "--check" not in sys.argv[1:]:
        for path in present - wanted.keys():
            path.unlink()
        for path, text in wanted.items():
            path.write_text(text, encoding="utf-8")
        return 0
    differing = {
        path
        for path in wanted.keys() | present
        if path not in present or path.read_text(encoding="utf-8") != wanted.get(path)
    }
    for path in sorted(differing):
        sys.stderr.write(f"{path.name} is not as `make gen` makes it\n")
    return 1 if differing else 0


def _files() -> Iterator[tuple[Path, str]]:
    files: dict[tuple[str, str], list[Vector]] = {}
    for name, world, vector in _vectors():
        files.setdefault((name, world), []).append(vector)
    worlds = {world for _, world in files}
    names = [name for name, _ in files]
    for (name, world), vectors in files.items():
        whole = name if names.count(name) == 1 else f"{name}_{world}"
        yield HERE / "vectors" / f"{whole}.json", _file(whole, world, vectors)
    for world in sorted(worlds):
        yield HERE / "worlds" / f"{world}.yaml", _world(world)
    keys = json.dumps(key_set(), indent=2)
    yield HERE / "worlds" / "keys.json", f"{keys}\n"


def _vectors() -> Iterator[tuple[str, str, Vector]]:
    yield from vectors_of_cases()
    made = {
        "sql": sql_filters(),
        "shapes": shapes(),
        "limits": limits(),
        "tokens": tokens(),
    }
    for name, vectors in made.items():
        yield from ((name, "tenancy", each) for each in vectors)


def _file(name: str, world: str, vectors: Iterable[Vector]) -> str:
    lines = [
        json.dumps(each.told(name), ensure_ascii=False, separators=(",", ":"))
        for each in vectors
    ]
    body = ",\n".join(lines)
    return f'{{"world":"worlds/{world}.yaml","vectors":[\n{body}\n]}}\n'


def _world(name: str) -> str:
    base, precedence = name, "union"
    if name.endswith("_highest_scope"):
        base, precedence = name.removesuffix("_highest_scope"), "highest_scope"
    kinds = _below((CASES / "kinds.yaml").read_text(encoding="utf-8"), 4)
    directory = (CASES / "worlds" / f"{base}.yaml").read_text(encoding="utf-8")
    return (
        f"{_HEAD}settings:\n  role_precedence: {precedence}\n{_IDENTITY}"
        f"  resource_kinds:\n{kinds}\ndirectory:\n{_below(directory, 2)}"
    )


def _below(text: str, depth: int) -> str:
    lines = text.splitlines()
    return "".join(f"{' ' * depth}{line}".rstrip() + "\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
