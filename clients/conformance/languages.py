"""The languages that have a client, and how each is built, tested and played."""

import os
import shutil
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parents[1]

Command = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Language:
    """One entry of languages.toml; `{python}` in a command is this interpreter."""

    name: str
    folder: Path
    tools: tuple[str, ...]
    build: tuple[Command, ...]
    test: tuple[Command, ...]
    runner: Command
    may_skip: int

    @classmethod
    def of(cls, name: str, entry: Mapping[str, object]) -> "Language":
        """An entry; raises KeyError or TypeError when it lacks something."""
        may_skip = entry.get("may_skip", 4)
        if not isinstance(may_skip, int):
            raise TypeError(f"`may_skip` of `{name}` is not a number")
        return cls(
            name,
            ROOT / str(entry["folder"]),
            tuple(map(str, _list(entry["tools"]))),
            tuple(map(_command, _list(entry["build"]))),
            tuple(map(_command, _list(entry["test"]))),
            _command(entry["runner"]),
            may_skip,
        )

    @property
    def missing(self) -> tuple[str, ...]:
        """The tools that are not on the PATH."""
        return tuple(each for each in self.tools if shutil.which(each) is None)


def languages() -> list[Language]:
    """Every one, in the order of the file."""
    entries = tomllib.loads((HERE / "languages.toml").read_text(encoding="utf-8"))
    return [Language.of(name, entry) for name, entry in entries.items()]


def present(chosen: Sequence[str]) -> tuple[list[Language], list[str]]:
    """Those whose tools are there, and a line for each other one.

    Args:
        chosen: names; none of them means all.
    """
    wanted = [each for each in languages() if not chosen or each.name in chosen]
    there = [each for each in wanted if not each.missing]
    lines = [
        f"skipped {each.name}: `{'`, `'.join(each.missing)}` is not on the PATH"
        for each in wanted
        if each.missing
    ]
    return there, lines


def is_complete(skipped: Sequence[str]) -> bool:
    """Whether that may be all: in CI no language may be skipped."""
    return not skipped or os.environ.get("CI") != "true"


def _command(words: object) -> Command:
    return tuple(str(each).replace("{python}", sys.executable) for each in _list(words))


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError("a command is a list of words")
    return value
