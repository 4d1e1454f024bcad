"""Generates docs/directory.schema.json; with --check, says if it differs.

From the relations, as the parser of documents takes them. What a relation and a column
mean comes from the comments of the reference schema.
"""

import json
import re
import sys
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from sidecar.store.document_values import TIME_PATTERN  # noqa: E402  after the path
from sidecar.store.relations import RELATIONS, Column, Form  # noqa: E402  as above

TARGET = ROOT / "docs" / "directory.schema.json"

_COMMENT = re.compile(
    r"comment on (?:table|column) authz\.([\w.\"]+) is\s+((?:'(?:[^']|'')*'\s*)+);"
)
# What PostgreSQL stores: no zero character, no half of a surrogate pair.
_STORABLE = "^[^\\u0000\\ud800-\\udfff]*$"


def schema() -> dict[str, object]:
    """The schema of a directory document; a line of NDJSON is one of its `$defs`."""
    comments = _comments()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Directory document",
        "description": "The rows of each relation that authorization is decided from.",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            name: {
                "description": comments[name],
                "type": "array",
                "items": {"$ref": f"#/$defs/{name}"},
            }
            for name in RELATIONS
        },
        "$defs": {
            name: {
                "description": f"A row of {name}.",
                "type": "object",
                "additionalProperties": False,
                "required": [
                    column.name
                    for column in columns
                    if column.required and column.default is None
                ],
                "properties": {
                    column.name: {
                        "description": comments[f"{name}.{column.name}"],
                        **_values(column),
                    }
                    for column in columns
                },
            }
            for name, columns in RELATIONS.items()
        },
    }


def main() -> int:
    """Generates, or checks and returns 1 when something differs."""
    fresh = json.dumps(schema(), indent=2) + "\n"
    if "--check" not in sys.argv[1:]:
        TARGET.write_text(fresh, encoding="utf-8")
        return 0
    if TARGET.exists() and TARGET.read_text(encoding="utf-8") == fresh:
        return 0
    sys.stderr.write(f"{TARGET.name} is not as `make gen` makes it\n")
    return 1


def _values(column: Column) -> Mapping[str, object]:
    types = [] if column.required else ["null"]
    if column.words:
        words = [*column.words, *([] if column.required else [None])]
        return {"enum": words}
    match column.form:
        case Form.TENANCY_ID | Form.ROLE_ID:
            return {
                "type": ["integer", "string", *types],
                "minLength": 1,
                "pattern": _STORABLE,
            }
        case Form.TEXT:
            return {"type": ["string", *types], "pattern": _STORABLE}
        case Form.FLAG:
            return {"type": ["boolean", *types], "default": column.default}
        case Form.TIME:
            return {
                "type": ["string", *types],
                "pattern": f"^{TIME_PATTERN}(?!\n)$",
                "examples": ["2030-01-31T12:00:00Z"],
            }


def _comments() -> dict[str, str]:
    folder = resources.files("sidecar.store") / "migrations"
    texts = [file.read_text("utf-8") for file in folder.iterdir()]
    return {
        match[1].replace('"', ""): "".join(
            part.replace("''", "'")
            for part in re.findall(r"'((?:[^']|'')*)'", match[2])
        )
        for text in texts
        for match in _COMMENT.finditer(text)
    }


if __name__ == "__main__":
    sys.exit(main())
