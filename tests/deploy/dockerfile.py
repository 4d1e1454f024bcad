"""The Dockerfile, read as far as tests ask about it and replay it."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PATH: Final = ROOT / "deploy" / "docker" / "Dockerfile"

_FLAG: Final = re.compile(r"--([a-z-]+)=(\S+)\s+")


@dataclass(frozen=True)
class Instruction:
    """One instruction, its continued lines as one."""

    keyword: str
    flags: Mapping[str, str]
    rest: str

    @property
    def exec_form(self) -> tuple[str, ...] | None:
        """The arguments, if they stand in JSON; none if a shell would split them."""
        try:
            found: object = json.loads(self.rest)
        except ValueError:
            return None
        return tuple(map(str, found)) if isinstance(found, list) else None

    @property
    def words(self) -> list[str]:
        """What stands there, split as a shell would."""
        return shlex.split(self.rest)

    @property
    def pairs(self) -> dict[str, str]:
        """What `ENV`, `ARG` or `LABEL` sets."""
        return {
            name: value
            for name, _, value in (word.partition("=") for word in self.words)
        }


@dataclass(frozen=True)
class Stage:
    """One `FROM`, with what is built upon it."""

    base: str
    name: str
    instructions: tuple[Instruction, ...]

    def all(self, keyword: str) -> list[Instruction]:
        """The instructions of one keyword, in order."""
        return [each for each in self.instructions if each.keyword == keyword]

    def last(self, keyword: str) -> Instruction:
        """The one that holds in the end; raises IndexError where there is none."""
        return self.all(keyword)[-1]

    @property
    def environment(self) -> dict[str, str]:
        """What `ENV` sets."""
        return {
            name: value
            for each in self.all("ENV")
            for name, value in each.pairs.items()
        }

    @property
    def probe(self) -> tuple[str, ...] | None:
        """The command of the health check, if it is in exec form."""
        word, _, rest = self.last("HEALTHCHECK").rest.partition(" ")
        return Instruction(word, {}, rest.strip()).exec_form


def parse(text: str) -> list[Stage]:
    """The stages of a Dockerfile that has no here-documents and no `escape`."""
    stages: list[Stage] = []
    for each in _instructions(text):
        if each.keyword == "FROM":
            base, _, name = each.rest.partition(" AS ")
            stages.append(Stage(base, name.strip(), ()))
        else:
            stage = stages.pop()
            inner = (*stage.instructions, each)
            stages.append(Stage(stage.base, stage.name, inner))
    return stages


def stages() -> tuple[Stage, Stage]:
    """What builds and what is shipped, of the Dockerfile that is here."""
    builder, final = parse(PATH.read_text(encoding="utf-8"))
    return builder, final


def _instructions(text: str) -> Iterator[Instruction]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for logical in "\n".join(lines).replace("\\\n", " ").splitlines():
        keyword, _, rest = logical.strip().partition(" ")
        if keyword:
            flags = {}
            rest = rest.lstrip()
            while found := _FLAG.match(rest):
                flags[found[1]] = found[2]
                rest = rest[found.end() :]
            yield Instruction(keyword, flags, rest)
