"""The writer goes on after whatever fails, and counts what it could not write."""

import os
from collections.abc import Sequence
from threading import Event

from typing_extensions import override

from sidecar.audit.backlog import Backlog
from sidecar.audit.record import Outcome
from sidecar.audit.sink import Lines, RejectedError, Sink
from sidecar.audit.writer import Writer
from tests.decision_log.making import Made


class Disk(Sink):
    """Takes what it has room for, and tells when it failed for the first time."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.written: list[bytes] = []
        self.has_failed = Event()

    @override
    def write(self, lines: Sequence[bytes]) -> int:
        taken = list(lines[: self.room])
        self.room -= len(taken)
        self.written += taken
        if not taken:
            self.has_failed.set()
            raise OSError(28, "No space left on device")
        return len(taken)

    @override
    def close(self) -> None:
        """Nothing is open."""


def _line(entry: Made) -> bytes:
    if entry.number < 0:
        raise ValueError("it cannot be made a line")
    return b"%d\n" % entry.number


def _backlog(*numbers: int) -> Backlog[Made]:
    backlog = Backlog[Made](10_000)
    for number in numbers:
        backlog.put(Made(number, Outcome.DENIED))
    return backlog


def test_what_could_not_be_written_is_tried_again() -> None:
    """A disk that has room again gets all lines, once and in their order."""
    disk = Disk(2)
    writer = Writer(_backlog(0, 1, 2, 3, 4), _line, disk)
    writer.start()
    assert disk.has_failed.wait(10)

    disk.room = 100

    assert 0 == writer.close(10)
    assert [b"0\n", b"1\n", b"2\n", b"3\n", b"4\n"] == disk.written
    assert (5, None) == (writer.written, writer.problem)


class Rejecting(Disk):
    """Takes all lines, and then has lost some of the first."""

    lost = 2

    @override
    def write(self, lines: Sequence[bytes]) -> int:
        taken = super().write(lines)
        lost, self.lost = self.lost, 0
        if lost:
            raise RejectedError(taken, lost, "it rejects lines")
        return taken


def test_what_is_lost_for_good_is_counted_and_not_sent_again() -> None:
    """Nobody says which were lost; denials count first, and the rest is written."""
    backlog = Backlog[Made](10_000)
    outcomes = (Outcome.ALLOWED, Outcome.DENIED, Outcome.ALLOWED)
    for number, outcome in enumerate(outcomes):
        backlog.put(Made(number, outcome))
    disk = Rejecting(100)
    writer = Writer(backlog, _line, disk)
    writer.start()

    assert 2 == writer.close(10)
    assert [b"0\n", b"1\n", b"2\n"] == disk.written
    assert 1 == writer.written
    assert (1, 1) == (writer.failed[Outcome.DENIED], writer.failed[Outcome.ALLOWED])
    assert "it rejects lines" == writer.problem


def test_what_cannot_be_written_at_the_end_is_counted() -> None:
    """A disk that stays full does not keep the writer from ending."""
    writer = Writer(_backlog(0, 1, 2), _line, Disk(1))
    writer.start()

    assert 2 == writer.close(10)
    assert (1, 2) == (writer.written, writer.failed[Outcome.DENIED])
    assert "no space left on device" == writer.problem


def test_entry_that_makes_no_line_is_counted() -> None:
    """A defect costs the one record, and not those beside it."""
    disk = Disk(100)
    writer = Writer(_backlog(0, -1, 2), _line, disk)
    writer.start()

    assert 1 == writer.close(10)
    assert [b"0\n", b"2\n"] == disk.written
    assert 1 == writer.failed[Outcome.DENIED]


def test_half_a_line_is_ended_before_the_next() -> None:
    """When a pipe took half a line, the rest of it does not look like a line."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    lines = Lines(writing)
    long = b"x" * 5_000 + b"\n"

    taken = lines.write([long] * 100)
    filled = os.read(reading, 1_000_000)
    lines.write([b"next\n"])

    assert len(filled) % len(long) > 0
    assert len(filled) // len(long) == taken
    assert b"\nnext\n" == os.read(reading, 100)
    os.close(reading)
    os.close(writing)
