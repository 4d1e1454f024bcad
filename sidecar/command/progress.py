"""How far a long piece of work is: a bar in a terminal, now and then a line in a log.

What is done within a few seconds leaves no line.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

_SECONDS_BETWEEN_LINES: Final = 10.0

# Done and all, in whatever unit; none when nobody knows.
Share = tuple[int, int] | None


class Gauge(Protocol):
    """Whoever shows how far it is."""

    def count(self, relation: str, rows: int, share: Share = None) -> None:
        """Takes how many rows of a relation are done, and which share of everything."""
        ...


@contextmanager
def gauge(console: Console, verb: str) -> Iterator[Gauge]:
    """Shows progress on a console while it is entered."""
    if not console.is_terminal:
        yield Lines(console, verb)
        return
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    ) as progress:
        yield _Bar(progress, progress.add_task(verb, total=None), verb)


@dataclass(frozen=True, slots=True)
class _Bar:
    progress: Progress
    task: TaskID
    verb: str

    def count(self, relation: str, rows: int, share: Share = None) -> None:
        done, total = share or (None, None)
        words = f"{self.verb} {relation} {rows:,}"
        self.progress.update(self.task, description=words, completed=done, total=total)


@dataclass(slots=True)
class Lines:
    """Prints a line every ten seconds of `clock`, the first after as many."""

    console: Console
    verb: str
    clock: Callable[[], float] = time.monotonic
    _told_at: float = field(init=False)

    def __post_init__(self) -> None:
        self._told_at = self.clock()

    def count(self, relation: str, rows: int, share: Share = None) -> None:
        """See `Gauge`."""
        now = self.clock()
        if now - self._told_at < _SECONDS_BETWEEN_LINES:
            return
        self._told_at = now
        of_all = "" if share is None else f", {100 * share[0] // max(share[1], 1)} %"
        self.console.print(f"{self.verb}: {rows:,} rows of {relation}{of_all}")
