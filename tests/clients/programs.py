"""The sidecar and the liar of `clients/conformance`, as programs of their own."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CONFORMANCE: Final = Path(__file__).parents[2] / "clients" / "conformance"
_SECONDS: Final = 60


@dataclass(frozen=True)
class Program:
    """One that runs, and what it printed in its first line."""

    told: Mapping[str, object]
    process: subprocess.Popen[bytes]

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """While it lasts, it does nothing, and no connection closes."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)


@contextmanager
def started(name: str, *arguments: str) -> Iterator[Program]:
    """A program that listens; it must end well with its input."""
    command = [sys.executable, str(CONFORMANCE / name), *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(  # noqa: S603  our own programs
        command, stdin=pipe, stdout=pipe
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Program(json.loads(process.stdout.readline()), process)
        finally:
            process.stdin.close()
            code = process.wait(_SECONDS)
    assert 0 == code
