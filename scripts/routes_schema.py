"""Generates docs/routes.schema.json, for editors; with --check, says if it differs."""

import json
import sys
from pathlib import Path
from typing import TypeAlias

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from sidecar.edge.document import RoutesFile  # noqa: E402  after the path

TARGET = ROOT / "docs" / "routes.schema.json"

Json: TypeAlias = "dict[str, Json] | list[Json] | str | float | bool | None"


def schema() -> str:
    """The JSON Schema of a file of routes."""
    found: dict[str, Json] = RoutesFile.model_json_schema()
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **{name: _without_titles(each) for name, each in found.items()},
        "title": "Routes of authz-sidecar at the edge",
    }
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def main() -> int:
    """Generates, or checks and returns 1 when it differs."""
    fresh = schema()
    if "--check" not in sys.argv[1:]:
        TARGET.write_text(fresh, encoding="utf-8")
        return 0
    if TARGET.exists() and TARGET.read_text(encoding="utf-8") == fresh:
        return 0
    sys.stderr.write(f"{TARGET.name} is not as `make gen` makes it\n")
    return 1


def _without_titles(value: Json) -> Json:
    """The same without the names in words that are made of names."""
    if isinstance(value, list):
        return [_without_titles(each) for each in value]
    if not isinstance(value, dict):
        return value
    # A title is a text; the property of a mapping that is called so would be a schema.
    return {
        name: _without_titles(each)
        for name, each in value.items()
        if not (name == "title" and isinstance(each, str))
    }


if __name__ == "__main__":
    sys.exit(main())
