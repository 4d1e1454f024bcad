"""Rows written in the one style of an export: YAML, or a line of JSON each.

What a row leaves out is what reading fills in, so the same rows give the same bytes.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Final

from sidecar.store.relations import RELATIONS, Column

# A cell of an export: times are text already, and so are ids that are no numbers.
Written = str | int | bool | None

# Text that no reader of YAML, old or new, takes for anything else.
_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_@/.-]*( [A-Za-z0-9_@/.-]+)*", re.ASCII)
_WORDS: Final = frozenset({"null", "true", "false", "yes", "no", "on", "off"})
# What JSON escapes, and what some readers of YAML take for the end of a line or
# refuse. Of what is beyond 16 bits, nothing is escaped: JSON does it by halves.
_ESCAPED: Final = re.compile(
    '["\\\\\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]'
)
# Whole numbers beyond these are rounded by readers that know no others than doubles.
_EXACT: Final = 2**53 - 1


def yaml_heading(relation: str, *, is_first: bool) -> str:
    """The line before a relation's rows, an empty one before it but for the first."""
    return f"{relation}:\n" if is_first else f"\n{relation}:\n"


def yaml_row(relation: str, row: Sequence[Written]) -> str:
    """A row as one line of YAML."""
    cells = (
        f"{name}: {_yaml(value)}" for name, value in _told(RELATIONS[relation], row)
    )
    return f"  - {{{', '.join(cells)}}}\n"


def json_row(relation: str, row: Sequence[Written]) -> str:
    """A row as one line of JSON."""
    cells = (
        f'"{name}":{_json(value)}' for name, value in _told(RELATIONS[relation], row)
    )
    return f"{{{','.join(cells)}}}\n"


def _told(
    columns: Sequence[Column], row: Sequence[Written]
) -> Iterator[tuple[str, Written]]:
    for column, value in zip(columns, row, strict=True):
        # A null where there must be a value is told: whoever imports it shall know.
        if value is not None if column.default is None else value != column.default:
            yield column.name, value
        elif value is None and column.required:
            yield column.name, None


def _yaml(value: Written) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value):
        return value if value.lower() not in _WORDS else f'"{value}"'
    return _json(value)


def _json(value: Written) -> str:
    if isinstance(value, str):
        return f'"{_ESCAPED.sub(_escape, value)}"'
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    return str(value) if -_EXACT <= value <= _EXACT else f'"{value}"'


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    return f"\\{character}" if character in '"\\' else f"\\u{ord(character):04x}"
