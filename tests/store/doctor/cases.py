"""The broken databases of cases.yaml and rows.yaml."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

FILES: Final = ("cases.yaml", "rows.yaml")


@dataclass(frozen=True)
class Case:
    """A way to break a database, and the finding that it gives; see cases.yaml."""

    name: str
    schema: str
    breaks: Sequence[str]
    code: str
    subject: str
    mend: Sequence[str] = ()
    also: Sequence[str] = ()


def read_cases() -> list[Case]:
    """All of them."""
    folder = Path(__file__).parent
    return [
        Case(**{"breaks" if key == "break" else key: raw[key] for key in raw})
        for file in FILES
        for raw in yaml.safe_load((folder / file).read_text("utf-8"))
    ]
