"""Decision logs as files: those that were rotated too, line by line.

A log may be larger than the memory, and another process may write and rotate it
meanwhile. The newest file is read first, so what moves on while it is read is met
again in the next one, and never missed.
"""

import gzip
import json
import re
import sys
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, cast

from sidecar.tools.decision_records import (
    BEGIN,
    NewerRecordError,
    Record,
    TornRecordError,
    read_record,
)

STDIN: Final = Path("-")
# What rotation puts behind the name: a number or a day, and what compressed it.
_ROTATED: Final = re.compile(r"(?:\.(\d{1,9})|[-.](\d{8}\d*))(\.gz)?", re.ASCII)
_LONGEST_LINE: Final = 16 * 1024 * 1024


class LogError(Exception):
    """A log cannot be read; says which and why."""


@dataclass(slots=True)
class Tally:
    """How much was read, and how much of it was of no use."""

    files: int = 0
    lines: int = 0
    torn: int = 0
    newer: int = 0

    @property
    def words(self) -> str:
        """The same for people."""
        parts = [f"{self.lines} lines in {self.files} files"]
        if self.torn:
            parts.append(f"{self.torn} torn ones skipped")
        if self.newer:
            parts.append(f"{self.newer} written by a newer version skipped")
        return ", ".join(parts)


def find_record(logs: Sequence[Path], decision_id: str, tally: Tally) -> Record | None:
    """The record of a decision, none when no log has it.

    Raises:
        LogError: a log is not there or cannot be read.
    """
    # The lines of other decisions are not decoded.
    written = json.dumps(decision_id)[1:-1].encode()
    for line in _lines(logs, tally):
        if written not in line:
            continue
        record = _read(line, tally)
        if record is not None and record.decision_id == decision_id:
            return record
    return None


def read_records(logs: Sequence[Path], tally: Tally) -> Iterator[Record]:
    """All records, those of the newest file first, within a file in their order.

    Raises:
        LogError: a log is not there or cannot be read.
    """
    for line in _lines(logs, tally):
        record = _read(line, tally)
        if record is not None:
            yield record


def files_of(log: Path) -> list[Path]:
    """A log and what rotation made of it, the newest first.

    Raises:
        LogError: there is none of them.
    """
    if log == STDIN:
        return [log]
    try:
        beside = sorted(log.parent.iterdir())
    except OSError as error:
        raise _unreadable(log, error) from error
    aged = sorted(
        (age, path)
        for path in beside
        if path.name.startswith(log.name)
        and (age := _age(path.name[len(log.name) :])) is not None
    )
    found = [path for _, path in aged]
    if not found:
        raise LogError(f"cannot read `{log}`: there is no such file")
    return found


def _age(suffix: str) -> tuple[int, int] | None:
    """What grows with the age of a file; none when rotation gave no such name."""
    if not suffix:
        return 0, 0
    match = _ROTATED.fullmatch(suffix)
    if match is None:
        return None
    number, day = match[1], match[2]
    if day is not None or len(number) >= len("20260101"):
        return 1, -int(day or number)
    return 1, int(number)


def _lines(logs: Sequence[Path], tally: Tally) -> Iterator[bytes]:
    files = dict.fromkeys(path for log in logs for path in files_of(log))
    for path in files:
        with ExitStack() as ending:
            try:
                stream = _opened(path, ending)
                tally.files += 1
                yield from _whole_lines(stream, tally)
            except FileNotFoundError:
                # Rotation took it away meanwhile: it was the oldest.
                continue
            except (EOFError, zlib.error):
                # Whoever compressed it was killed, or is at it still.
                tally.torn += 1
            except OSError as error:
                raise _unreadable(path, error) from error


def _whole_lines(stream: IO[bytes], tally: Tally) -> Iterator[bytes]:
    while line := stream.readline(_LONGEST_LINE):
        if line.endswith(b"\n") or len(line) < _LONGEST_LINE:
            tally.lines += 1
            yield line
            continue
        tally.torn += 1
        while line and not line.endswith(b"\n"):
            line = stream.readline(_LONGEST_LINE)


def _opened(path: Path, ending: ExitStack) -> IO[bytes]:
    if path == STDIN:
        return sys.stdin.buffer
    if path.suffix == ".gz":
        # It is what its type does not say.
        return ending.enter_context(cast("IO[bytes]", gzip.open(path, "rb")))
    return ending.enter_context(path.open("rb"))


def _read(line: bytes, tally: Tally) -> Record | None:
    # Before a whole one there may be what another writer has begun.
    tally.torn += max(0, line.count(BEGIN) - 1)
    try:
        return read_record(line)
    except TornRecordError:
        tally.torn += 1
    except NewerRecordError:
        tally.newer += 1
    return None


def _unreadable(path: Path, error: OSError) -> LogError:
    reason = (error.strerror or "it cannot be read").lower()
    return LogError(f"cannot read `{path}`: {reason}")
