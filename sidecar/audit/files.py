"""A file of lines that is rotated, so that all of them together stay within a bound."""

import fcntl
import os
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Final

from typing_extensions import override

from sidecar.audit.sink import DecisionLogError, Lines, Sink

_MODE: Final = 0o640


class RotatingFile(Sink):
    """`FILE`, which becomes `FILE.1` when it is full, and that `FILE.2`.

    When somebody else renames or removes it, what comes next goes to a new one. Two
    sidecars may write the same, as while one takes over from the other.
    """

    def __init__(self, path: Path, most_bytes: int, files: int) -> None:
        """All `files` files together have `files * most_bytes` bytes at most.

        Raises:
            DecisionLogError: it cannot be opened.
        """
        self._path = path
        self._most = most_bytes
        self._files = files
        try:
            self._lines = self._open()
        except OSError as error:
            reason = (error.strerror or "it is no file").lower()
            raise DecisionLogError(
                f"decision log `{path}` cannot be written: {reason}"
            ) from error

    @override
    def write(self, lines: Sequence[bytes]) -> int:
        self._follow()
        done = 0
        try:
            while done < len(lines):
                end = self._fitting(lines, done)
                if end == done:
                    self._rotate()
                    continue
                wanted = lines[done:end]
                written = self._lines.write(wanted)
                done += written
                if written < len(wanted):
                    break
        except OSError:
            if done == 0:
                raise
        return done

    @override
    def close(self) -> None:
        os.close(self._lines.descriptor)

    def _fitting(self, lines: Sequence[bytes], start: int) -> int:
        """Up to which line the file has room, for one line if it is empty."""
        size = os.fstat(self._lines.descriptor).st_size
        end = start
        # One byte more, for the line feed after a line that was torn.
        while end < len(lines) and size + len(lines[end]) < self._most:
            size += len(lines[end])
            end += 1
        if end == start and size == 0:
            return start + 1
        return end

    def _follow(self) -> None:
        """Opens the file anew if the one that is open has another name by now."""
        if self._is_renamed():
            self._replace()

    def _is_renamed(self) -> bool:
        try:
            there = self._path.stat()
        except FileNotFoundError:
            return True
        mine = os.fstat(self._lines.descriptor)
        return (there.st_dev, there.st_ino) != (mine.st_dev, mine.st_ino)

    def _rotate(self) -> None:
        # Until it is closed. Who waited here for another that rotates has nothing left
        # to do but to follow.
        fcntl.flock(self._lines.descriptor, fcntl.LOCK_EX)
        if not self._is_renamed():
            names = [self._path, *map(self._aged, range(1, self._files))]
            for younger, older in reversed(list(pairwise(names))):
                with suppress(FileNotFoundError):
                    younger.replace(older)
        self._replace()

    def _aged(self, age: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{age}")

    def _replace(self) -> None:
        lines = self._open()
        os.close(self._lines.descriptor)
        self._lines = lines

    def _open(self) -> Lines:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(self._path, flags, _MODE)
        try:
            size = os.fstat(descriptor).st_size
            last = os.pread(descriptor, 1, size - 1) if size else b"\n"
        except OSError:
            os.close(descriptor)
            raise
        return Lines(descriptor, is_torn=last != b"\n")
