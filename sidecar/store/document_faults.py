"""What is wrong in a directory document, and where."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from typing_extensions import override

# From the document inwards: a relation, the index of a row, a column.
Steps = tuple[str | int, ...]

_SHOWN_AT_MOST: Final = 20


@dataclass(frozen=True, slots=True)
class Place:
    """A line and a column of a file, both from one, columns in characters."""

    line: int
    column: int

    @override
    def __str__(self) -> str:
        return f"{self.line}:{self.column}"


# Where the steps lead to: the value, or with True the name before it.
Places = Callable[[Steps, bool], Place | None]


def nowhere(steps: Steps, at_name: bool) -> None:  # noqa: FBT001 as Places has it
    """The places of a document that is no text."""
    del steps, at_name


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong.

    `path` is like `principal_memberships[3].role`, or empty for the whole document;
    `file` is empty when it was none.
    """

    path: str
    reason: str
    place: Place | None = None
    file: str = ""

    @override
    def __str__(self) -> str:
        where = ":".join(str(each) for each in (self.file, self.place) if each)
        line = ": ".join(each for each in (where, self.path, self.reason) if each)
        return line.replace("\n", "\\n").replace("\r", "\\r")


class DocumentError(Exception):
    """A document with faults: one a line, the first twenty of them."""

    def __init__(self, *faults: Fault) -> None:
        shown = [str(fault) for fault in faults[:_SHOWN_AT_MOST]]
        if len(faults) > _SHOWN_AT_MOST:
            shown.append(f"and more; these are the first {_SHOWN_AT_MOST}")
        super().__init__("\n".join(shown))
        self.faults = faults[:_SHOWN_AT_MOST]
        self.lines = tuple(shown)


class Faults:
    """Gathers faults, until there are as many as anybody wants to read."""

    def __init__(self) -> None:
        self._found: list[Fault] = []

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, fault: Fault) -> None:
        """Keeps one; raises DocumentError when there are more than can be shown."""
        self._found.append(fault)
        if len(self._found) > _SHOWN_AT_MOST:
            self.end()

    def end(self) -> None:
        """Raises DocumentError if there are any."""
        if self._found:
            raise DocumentError(*self._found)


def path_of(steps: Sequence[str | int]) -> str:
    """The path of steps, such as `principal_memberships[3].role`."""
    path = ""
    for step in steps:
        if isinstance(step, int):
            path += f"[{step}]"
        else:
            path += f".{step}" if path else step
    return path
