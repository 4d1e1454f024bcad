"""Whatever becomes of the log, calls are answered, and what is lost is counted."""

import fcntl
import json
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.decision_log.processes import Running, running

OPEN, CLOSED = "1", "3"  # clusters that user 2 sees in organization 1, and does not
_PIPE_BYTES = 4_096
_DROPPED = "authz_decision_log_dropped_total"


@pytest.fixture
def full_pipe() -> Iterator[int]:
    """The writing end of a pipe that is full and that nobody reads."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    os.write(writing, b"x" * _PIPE_BYTES)
    yield writing
    os.close(reading)
    os.close(writing)


async def _ask(sidecar: Running, denied: int, allowed: int) -> list[bool]:
    asked = [CLOSED] * denied + [OPEN] * allowed
    found = [await sidecar.visible("2", each) for each in asked]
    return [each.decisions[0].allowed for each in found]


async def test_calls_are_answered_while_nobody_reads(
    example: str, full_pipe: int
) -> None:
    """A pipe that nobody reads delays no call; allowed ones are dropped, and counted.

    And it does not keep the sidecar from ending in its time.
    """
    settings = {"to": "stdout", "queue_bytes": 100_000, "flush_seconds": 0.2}
    async with running(example, settings, full_pipe) as sidecar:
        answers = await _ask(sidecar, 30, 600)

        assert [False] * 30 + [True] * 600 == answers
        assert 0 == await sidecar.figure("authz_decision_log_written_total")
        assert 0 == await sidecar.figure(f'{_DROPPED}{{outcome="denied"}}')
        dropped = await sidecar.figure(f'{_DROPPED}{{outcome="allowed"}}')
        waiting = await sidecar.figure("authz_decision_log_queue")
        assert 0 < dropped < 600
        assert 30 <= waiting <= 100
        sidecar.process.send_signal(signal.SIGTERM)
        assert 0 == await sidecar.ended()


async def test_calls_are_answered_while_the_collector_is_silent(example: str) -> None:
    """A collector that takes connections and never answers delays no call, nor the end.

    What could not be sent is dropped as it is anywhere else.
    """
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        collector = {"endpoint": f"http://127.0.0.1:{port}", "timeout_seconds": 600}
        settings = {"to": "otlp", "collector": collector, "queue_bytes": 100_000}
        async with running(example, {**settings, "flush_seconds": 0.2}) as sidecar:
            answers = await _ask(sidecar, 30, 600)

            assert [False] * 30 + [True] * 600 == answers
            assert 0 == await sidecar.figure("authz_decision_log_written_total")
            assert 0 < await sidecar.figure(f'{_DROPPED}{{outcome="allowed"}}')
            sidecar.process.send_signal(signal.SIGTERM)
            assert 0 == await sidecar.ended()


async def test_calls_are_answered_while_the_disk_is_full(
    example: str, tmp_path: Path
) -> None:
    """A full disk delays no call, and the metrics say that nothing is written."""
    (tmp_path / "log").symlink_to("/dev/full")
    settings = {"to": "file", "file": str(tmp_path / "log"), "queue_bytes": 20_000}
    async with running(example, settings) as sidecar:
        answers = await _ask(sidecar, 60, 5)

        assert [False] * 60 + [True] * 5 == answers
        assert 0 == await sidecar.figure("authz_decision_log_written_total")
        assert 0 == await sidecar.figure("authz_decision_log_good")
        assert 0 < await sidecar.figure(f'{_DROPPED}{{outcome="denied"}}')
        sidecar.process.send_signal(signal.SIGTERM)
        assert 0 == await sidecar.ended()


async def test_end_writes_all_that_waits(example: str, tmp_path: Path) -> None:
    """What was answered just before SIGTERM is in the log when the sidecar ended."""
    path = tmp_path / "log"
    async with running(example, {"to": "file", "file": str(path)}) as sidecar:
        found = [await sidecar.visible("2", OPEN) for _ in range(200)]
        sidecar.process.send_signal(signal.SIGTERM)
        assert 0 == await sidecar.ended()

    actual = [
        json.loads(line)["decision_id"] for line in path.read_bytes().splitlines()
    ]

    assert [each.decision_id for each in found] == actual


async def test_kill_tears_one_line_at_most(example: str, tmp_path: Path) -> None:
    """After kill -9 all lines but the last are whole, and were answered so."""
    path = tmp_path / "log"
    async with running(example, {"to": "file", "file": str(path)}) as sidecar:
        found = [await sidecar.visible("2", OPEN) for _ in range(300)]
        sidecar.process.kill()
        await sidecar.ended()

    *whole, _ = path.read_bytes().split(b"\n")
    actual = [json.loads(line)["decision_id"] for line in whole]

    assert actual
    assert [each.decision_id for each in found[: len(actual)]] == actual
