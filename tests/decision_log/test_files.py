"""Rotated files lose no line, keep within their bound, and survive others."""

import errno
import os
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.audit.files import RotatingFile
from sidecar.audit.sink import DecisionLogError


def _lines(first: int, last: int, size: int = 20) -> list[bytes]:
    return [f"{number:0{size - 1}}\n".encode() for number in range(first, last)]


def _all(path: Path, files: int) -> bytes:
    """The content of all files, the oldest first."""
    names = [Path(f"{path}.{age}") for age in range(files, 0, -1)]
    return b"".join(each.read_bytes() for each in (*names, path) if each.exists())


@settings(max_examples=25, deadline=None)
@given(
    batches=st.lists(st.lists(st.integers(1, 300), min_size=1, max_size=8), max_size=8),
    most=st.integers(300, 600),
)
def test_rotation_loses_no_line(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[int]], most: int
) -> None:
    """All lines are there once and in their order; no file is larger than it may be."""
    path = tmp_path_factory.mktemp("rotated") / "log"
    file = RotatingFile(path, most, 60)
    written = b""
    for batch in batches:
        lines = [b"x" * (size - 1) + b"\n" for size in batch]
        assert len(lines) == file.write(lines)
        written += b"".join(lines)
    file.close()

    assert written == _all(path, 60)
    assert all(each.stat().st_size <= most for each in path.parent.iterdir())


def test_oldest_files_go(tmp_path: Path) -> None:
    """There are no more files than there may be, with the newest lines in them."""
    path = tmp_path / "log"
    file = RotatingFile(path, 100, 3)

    for line in _lines(0, 200):
        file.write([line])
    file.close()

    assert {"log", "log.1", "log.2"} == {each.name for each in tmp_path.iterdir()}
    assert _all(path, 3) == b"".join(_lines(200 - _all(path, 3).count(b"\n"), 200))


def test_renamed_file_is_followed_by_a_new_one(tmp_path: Path) -> None:
    """When somebody else rotates the file, what comes next is in a new one."""
    path = tmp_path / "log"
    file = RotatingFile(path, 10_000, 2)
    file.write([b"before\n"])

    path.rename(tmp_path / "elsewhere")
    file.write([b"after\n"])
    file.close()

    assert (b"before\n", b"after\n") == (
        (tmp_path / "elsewhere").read_bytes(),
        path.read_bytes(),
    )


def test_emptied_file_is_written_from_its_start(tmp_path: Path) -> None:
    """When somebody else copies and empties the file, it has no hole."""
    path = tmp_path / "log"
    file = RotatingFile(path, 10_000, 2)
    file.write([b"before\n"])

    os.truncate(path, 0)
    file.write([b"after\n"])
    file.close()

    assert b"after\n" == path.read_bytes()


def test_torn_line_is_ended(tmp_path: Path) -> None:
    """After a writer was killed within a line, the next line has one of its own."""
    path = tmp_path / "log"
    path.write_bytes(b"whole\n{torn")
    file = RotatingFile(path, 10_000, 2)

    file.write([b"next\n"])
    file.write([b"last\n"])
    file.close()

    assert b"whole\n{torn\nnext\nlast\n" == path.read_bytes()


def test_two_may_write_one_file(tmp_path: Path) -> None:
    """While one sidecar takes over from another, neither loses a line to rotation."""
    path = tmp_path / "log"

    def write(first: int) -> None:
        file = RotatingFile(path, 1_000, 60)
        for line in _lines(first, first + 1_000):
            file.write([line])
        file.close()

    writing = [Thread(target=write, args=(first,)) for first in (0, 1_000)]
    for each in writing:
        each.start()
    for each in writing:
        each.join()

    assert _lines(0, 2_000) == sorted(_all(path, 60).splitlines(keepends=True))


def test_file_that_cannot_be_is_refused(tmp_path: Path) -> None:
    """Where there is no such folder, the message says so."""
    with pytest.raises(DecisionLogError, match="no such file or directory"):
        RotatingFile(tmp_path / "none" / "log", 10_000, 2)


def test_full_disk_is_told(tmp_path: Path) -> None:
    """What a full disk does not take is not said to be written."""
    (tmp_path / "log").symlink_to("/dev/full")
    file = RotatingFile(tmp_path / "log", 10_000, 2)

    with pytest.raises(OSError, match="No space") as raised:
        file.write([b"line\n"])
    file.close()

    assert errno.ENOSPC == raised.value.errno


def test_only_the_owner_and_group_may_read(tmp_path: Path) -> None:
    """Who asked what is nobody else's business."""
    RotatingFile(tmp_path / "log", 10_000, 2).close()

    assert 0o640 == (tmp_path / "log").stat().st_mode & 0o777
