"""Makes of a package's schemas of Kubernetes the files that kubeconform reads.

    schemas.py FROM TO VERSION...

The package has one file of definitions for each version, at a path that only its own
code knows. Here each kind gets a file of its own with the definitions that it needs.
"""

import json
import re
import sys
from pathlib import Path
from typing import TypeAlias

Json: TypeAlias = "dict[str, Json] | list[Json] | str | float | bool | None"

_ELSEWHERE = "/api/_definitions.json"
_REFERENCE = re.compile(r'"#/\$defs/([^"]+)"')


def main() -> int:
    """Writes TO/<version>/<kind>-<group>-<version>.json for each kind."""
    source, target, *versions = sys.argv[1:]
    for version in versions:
        folder = Path(source) / f"v{version}-local-strict"
        place = Path(target) / version
        place.mkdir(parents=True, exist_ok=True)
        definitions = json.loads(_read(folder / "_definitions.json"))["$defs"]
        for file in sorted(folder.glob("*.json")):
            text = _read(file)
            # What is no object of its own is a definition of those that are.
            if '"apiVersion"' in text and '"enum"' in text:
                (place / file.name).write_text(_whole(text, definitions), "utf-8")
    return 0


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8").replace(_ELSEWHERE, "")


def _whole(text: str, definitions: dict[str, Json]) -> str:
    needed: dict[str, Json] = {}
    waiting = _REFERENCE.findall(text)
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed[name] = definitions[name]
            waiting += _REFERENCE.findall(json.dumps(definitions[name]))
    dialect = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps({"$schema": dialect, **json.loads(text), "$defs": needed})


if __name__ == "__main__":
    sys.exit(main())
