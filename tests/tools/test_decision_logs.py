"""Reading decision logs, whole ones and others."""

import gzip
import io
import json
import sys
from pathlib import Path

import pytest

from sidecar.tools.decision_logs import (
    STDIN,
    LogError,
    Tally,
    files_of,
    find_record,
    read_records,
)


def line(decision_id: str, **fields: object) -> bytes:
    """A record as it is written."""
    head = {"v": 1, "time": "2026-11-23T05:00:00.000000Z", "decision_id": decision_id}
    return json.dumps({**head, **fields}, separators=(",", ":")).encode() + b"\n"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log that was rotated twice."""
    log = tmp_path / "decisions.log"
    log.write_bytes(line("c-1") + line("c-2"))
    log.with_name("decisions.log.1").write_bytes(line("b-1"))
    log.with_name("decisions.log.2.gz").write_bytes(gzip.compress(line("a-1")))
    log.with_name("decisions.log.bak").write_bytes(line("z-1"))
    return log


def found(log: Path, decision_id: str) -> tuple[bool, Tally]:
    """Whether a decision is there, and what was read for that."""
    tally = Tally()
    return find_record([log], decision_id, tally) is not None, tally


@pytest.mark.parametrize("decision_id", ["c-1", "c-2", "b-1", "a-1"])
def test_finds_a_record_in_what_rotation_made_of_the_log(
    log: Path, decision_id: str
) -> None:
    """Wherever rotation and compression have put it by now."""
    assert (True, 0) == (found(log, decision_id)[0], found(log, decision_id)[1].torn)


@pytest.mark.parametrize("decision_id", ["z-1", "c-", "c-11", "05:00", "v"])
def test_takes_nothing_else_for_the_record(log: Path, decision_id: str) -> None:
    """A file of another name, half an id, or the same words elsewhere are not it."""
    is_there, tally = found(log, decision_id)

    assert (False, "4 lines in 3 files") == (is_there, tally.words)


def test_reads_the_newest_file_first(tmp_path: Path) -> None:
    """Numbers grow with age, and days shrink."""
    names = ["log", "log.1", "log.2", "log.10.gz", "log-20261122", "log-20261121.gz"]
    for name in names:
        (tmp_path / name).touch()

    of_log = [path.name for path in files_of(tmp_path / "log")]
    assert ["log", *names[4:], *names[1:4]] == of_log


def test_skips_and_counts_torn_lines(tmp_path: Path) -> None:
    """A writer that was killed leaves half a line, and another may go on behind it."""
    log = tmp_path / "log"
    whole = line("a-1")
    log.write_bytes(whole[:40] + line("a-2") + b'{"v":1,"decision_id":"a-3"')
    tally = Tally()

    ids = [record.decision_id for record in read_records([log], tally)]
    assert (["a-2"], 2) == (ids, tally.torn)


def test_passes_over_what_is_no_record(tmp_path: Path) -> None:
    """Other lines of the same stream are not for it, nor is what stands before."""
    log = tmp_path / "log"
    other = b'{"event": "server.started", "level": "info"}\n\n[]\n"{"\n\xff\xfe\n'
    log.write_bytes(other + b"2026-11-23T05:00:00Z stdout F " + line("a-1"))
    tally = Tally()

    ids = [record.decision_id for record in read_records([log], tally)]
    assert (["a-1"], 0) == (ids, tally.torn)


def test_counts_records_of_another_form(tmp_path: Path) -> None:
    """What a newer version wrote is not guessed at."""
    log = tmp_path / "log"
    log.write_bytes(line("a-1", v=2))
    is_there, tally = found(log, "a-1")

    newer = "1 lines in 1 files, 1 written by a newer version skipped"
    assert (False, newer) == (is_there, tally.words)


@pytest.mark.parametrize("kept", [0, 5, 40])
def test_reads_what_there_is_of_a_torn_archive(tmp_path: Path, kept: int) -> None:
    """An archive whose writer was killed is read as far as it goes."""
    log = tmp_path / "log"
    log.write_bytes(line("a-1"))
    packed = gzip.compress(b"".join(line(f"b-{n}") for n in range(9)))
    log.with_name("log.1.gz").write_bytes(packed[: kept or -9])
    tally = Tally()

    ids = [record.decision_id for record in read_records([log], tally)]
    assert ("a-1", 1) == (ids[0], tally.torn)


def test_a_file_that_is_no_archive_is_named(tmp_path: Path) -> None:
    """A log that cannot be read is no empty log."""
    log = tmp_path / "log"
    log.with_name("log.1.gz").write_bytes(b"no archive at all")

    with pytest.raises(LogError) as caught:
        find_record([log], "a-1", Tally())
    assert f"cannot read `{log}.1.gz`: it cannot be read" == str(caught.value)


def test_a_log_that_is_not_there_is_named(tmp_path: Path) -> None:
    """So is one in a folder that is not there."""
    for log in (tmp_path / "log", tmp_path / "none" / "log"):
        with pytest.raises(LogError) as caught:
            find_record([log], "a-1", Tally())
        assert str(caught.value).startswith(f"cannot read `{log}`: ")


def test_reads_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """What another program prints is a log too."""

    class _Input:
        buffer = io.BytesIO(line("a-1"))

    monkeypatch.setattr(sys, "stdin", _Input)

    assert find_record([STDIN], "a-1", Tally()) is not None


def test_a_line_without_end_is_not_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is longer than any record is passed over, and what follows is read."""
    monkeypatch.setattr("sidecar.tools.decision_logs._LONGEST_LINE", 100)
    log = tmp_path / "log"
    log.write_bytes(line("a-1", text="x" * 500) + line("a-2"))
    tally = Tally()

    ids = [record.decision_id for record in read_records([log], tally)]
    assert (["a-2"], 1) == (ids, tally.torn)
