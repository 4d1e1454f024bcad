"""The tables of a page: what tests compare with what really is."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

DOCS: Final = Path(__file__).parents[2] / "docs"

_CODE: Final = re.compile(r"`([^`]+)`")


def rows(page: str) -> Iterator[Mapping[str, str]]:
    """Every row of every table of a page under docs, by the names of its columns."""
    columns: list[str] = []
    for line in (DOCS / page).read_text(encoding="utf-8").splitlines():
        if not line.startswith("|"):
            columns = []
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not columns:
            columns = cells
        elif not set(line) <= set("|-"):
            yield dict(zip(columns, cells, strict=True))


def codes(cell: str) -> tuple[str, ...]:
    """What stands in backticks in a cell."""
    return tuple(_CODE.findall(cell))
