"""A guide as a script: its blocks of commands, and the outputs that it shows."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

_BLOCK: Final = re.compile(
    r"^```(?P<language>\w+)(?: ends-with=(?P<code>\d+))?\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Step:
    """A block of commands, what it prints if the guide says so, and its exit code."""

    commands: str
    output: str | None
    code: int


def read_steps(page: Path, heading: str) -> list[Step]:
    """The steps of a section: each `sh` block, with the `text` block after it."""
    steps: list[Step] = []
    for block in _BLOCK.finditer(_section(page, heading)):
        if block["language"] == "sh":
            steps.append(Step(block["text"], None, int(block["code"] or 0)))
        elif block["language"] == "text":
            steps[-1] = replace(steps[-1], output=block["text"])
    return steps


def read_blocks(page: Path, heading: str, language: str) -> list[str]:
    """The blocks of a section in one language."""
    blocks = _BLOCK.finditer(_section(page, heading))
    return [block["text"] for block in blocks if block["language"] == language]


def _section(page: Path, heading: str) -> str:
    after = page.read_text("utf-8").split(f"\n## {heading}\n", 1)[1]
    return after.split("\n## ", 1)[0]
