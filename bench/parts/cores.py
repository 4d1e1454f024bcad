"""Processes on cores of their own: what is measured on one, all else on the other."""

import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Final

MEASURED: Final = 0
LOAD: Final = 1
_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 30.0
_TICKS: Final = os.sysconf("SC_CLK_TCK")


class NotStartedError(Exception):
    """A process did not come up; the message has the end of its log."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What a process holds, in bytes; `peak` is the most that it ever held."""

    resident: int
    proportional: int
    peak: int


@dataclass(frozen=True, slots=True)
class Started:
    """A process that runs, and how many seconds it took to be ready."""

    process: subprocess.Popen[bytes]
    seconds: float

    def processor_seconds(self) -> float:
        """How long it has run on a processor, which other load changes less."""
        return processor_seconds(self.process.pid)

    def memory(self) -> Memory:
        """What it holds now."""
        folder = Path(f"/proc/{self.process.pid}")
        rollup = _kilobytes(folder / "smaps_rollup")
        status = _kilobytes(folder / "status")
        return Memory(rollup["Rss"], rollup["Pss"], status["VmHWM"])


def processor_seconds(process_id: int) -> float:
    """How long a process has run on a processor."""
    stat = Path(f"/proc/{process_id}/stat").read_text(encoding="ascii")
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _kilobytes(file: Path) -> dict[str, int]:
    found = {}
    for line in file.read_text(encoding="ascii", errors="replace").splitlines():
        name, _, rest = line.partition(":")
        if rest.endswith(" kB"):
            found[name] = int(rest.split()[0]) * 1024
    return found


def stay_on(core: int) -> None:
    """Keeps this process, and what it starts from here on, on a core."""
    os.sched_setaffinity(0, {core})


@contextmanager
def started(
    command: Sequence[str],
    log: Path,
    is_ready: Callable[[], bool],
    *,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Started]:
    """A process on the measured core, from when it is ready until the end.

    Args:
        command: Its words.
        log: Where its output goes.
        is_ready: Asked again and again from the start on.
        environment: Its variables; none are ours.

    Raises:
        NotStartedError: it ended, or was not ready in time.
    """
    # Given before the start, so that each of its threads inherits it.
    words = ["taskset", "-c", str(MEASURED), *command]
    began = monotonic()
    with log.open("wb") as file:
        process = subprocess.Popen(  # noqa: S603  our own words
            words,
            env=dict(os.environ if environment is None else environment),
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    try:
        _wait(process, is_ready, log)
        yield Started(process, monotonic() - began)
    finally:
        _stop(process)


def _wait(
    process: subprocess.Popen[bytes], is_ready: Callable[[], bool], log: Path
) -> None:
    deadline = monotonic() + _START_SECONDS
    while monotonic() < deadline and process.poll() is None:
        if is_ready():
            return
        sleep(0.005)
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    raise NotStartedError("\n".join(["it did not start:", *lines[-15:]]))


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port() -> int:
    """A port of loopback that nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def accepts(address: str) -> bool:
    """Whether somebody listens at `unix:<path>` or `<host>:<port>`."""
    try:
        connect(address).close()
    except OSError:
        return False
    return True


def connect(address: str) -> socket.socket:
    """A connection to `unix:<path>` or `<host>:<port>`."""
    if address.startswith("unix:"):
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(address.removeprefix("unix:"))
        except OSError:
            connection.close()
            raise
        return connection
    host, _, port = address.rpartition(":")
    connection = socket.create_connection((host, int(port)), timeout=5)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection
