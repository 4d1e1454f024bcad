"""Where lines go."""

import os
from collections.abc import Sequence
from typing import Protocol

from typing_extensions import override


class DecisionLogError(Exception):
    """A decision log cannot be written; the message says which and why."""


class RejectedError(Exception):
    """Lines are lost for good; nobody says which of them. The message says why."""

    def __init__(self, taken: int, lost: int, problem: str) -> None:
        """Of the first `taken` lines, none of which may come again, so many are."""
        super().__init__(problem)
        self.taken = taken
        self.lost = lost


class Sink(Protocol):
    """Takes lines, each with its line feed; only one thread knows it."""

    def write(self, lines: Sequence[bytes]) -> int:
        """How many of the first were taken whole; may wait for as long as it likes.

        Raises:
            OSError: not one was taken.
            RejectedError: some were, and others never will be.
        """
        ...

    def close(self) -> None:
        """Takes no more."""
        ...


class Stream(Sink):
    """A descriptor that is open and stays so, such as standard output."""

    def __init__(self, descriptor: int) -> None:
        self._lines = Lines(descriptor)

    @override
    def write(self, lines: Sequence[bytes]) -> int:
        return self._lines.write(lines)

    @override
    def close(self) -> None:
        """Leaves it open: others write to it too."""


class Lines:
    """Writes whole lines to a descriptor, and knows when one was torn."""

    def __init__(self, descriptor: int, *, is_torn: bool = False) -> None:
        """`is_torn`: whether what was written before ends within a line."""
        self.descriptor = descriptor
        self._is_torn = is_torn

    def write(self, lines: Sequence[bytes]) -> int:
        """How many lines were written; raises OSError when it was none."""
        # Half a line ends there, and is one that readers skip.
        start = b"\n" if self._is_torn else b""
        data = memoryview(start + b"".join(lines))
        done = 0
        try:
            while done < len(data):
                done += os.write(self.descriptor, data[done:])
        except OSError:
            whole, rest = _whole(lines, done - len(start))
            if done > 0:
                self._is_torn = rest > 0
            if whole == 0:
                raise
            return whole
        self._is_torn = False
        return len(lines)


def _whole(lines: Sequence[bytes], written: int) -> tuple[int, int]:
    """How many lines so many bytes are, and how many bytes of the next."""
    for number, line in enumerate(lines):
        if written < len(line):
            return number, max(written, 0)
        written -= len(line)
    return len(lines), 0
