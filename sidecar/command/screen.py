"""Where the command line writes: answers to one stream, failures to another."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, unique

from rich.console import Console, RenderableType
from rich.text import Text

from sidecar.command.bare_json import Json
from sidecar.command.failures import CallFailedError
from sidecar.command.words import plain

# A pipe has no width of its own; tables take of it only what they need.
_WIDTH_OF_A_PIPE = 160


@unique
class ExitCode(IntEnum):
    """How a command ends."""

    ALLOWED = 0
    """Allowed, answered, done."""
    DENIED = 1
    """Denied: at least one of the answers is no."""
    UNDECIDED = 2
    """Could not decide, or the question is malformed."""


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = _WIDTH_OF_A_PIPE
    return console


@dataclass(frozen=True, slots=True)
class Screen:
    """The two streams of a command."""

    out: Console = field(default_factory=lambda: _console(stderr=False))
    err: Console = field(default_factory=lambda: _console(stderr=True))

    def show(self, *parts: RenderableType) -> None:
        """Prints an answer for people."""
        for part in parts:
            self.out.print(part, soft_wrap=isinstance(part, Text))

    def show_json(self, document: Mapping[str, Json]) -> None:
        """Prints an answer for programs: one document, the same for the same answer."""
        text = json.dumps(document, indent=2, ensure_ascii=False)
        self.out.print(Text(text), soft_wrap=True)

    def show_error(self, problem: str) -> None:
        """Prints in one line why a command cannot be done."""
        self.err.print(
            Text("error: ", "red").append_text(plain(problem)), soft_wrap=True
        )

    def show_failure(self, failure: CallFailedError) -> None:
        """Prints why a call has no answer, and what to do about it."""
        word = "denied: " if failure.is_denial else "error: "
        lines = [
            Text(word, "red").append_text(plain(failure.message)),
            Text(f"  code    {failure.code.name}"),
        ]
        if failure.reason:
            lines.append(plain(f"  reason  {failure.reason}"))
        for name, problem in failure.fields.items():
            said_already = problem in failure.message
            lines.append(plain(f"  field   {name if said_already else problem}"))
        if failure.advice:
            lines.append(plain(f"  do      {failure.advice}"))
        for line in lines:
            self.err.print(line, soft_wrap=True)
