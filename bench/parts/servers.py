"""What is measured, started: the sidecar, and the bare echo on its engine."""

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.request import urlopen

from bench.parts.cores import Started, accepts, free_port, started
from bench.parts.loads import Target
from bench.parts.wire import prefixed

API: Final = "/authz.v1.AuthorizationService/"
_ECHO: Final = Path(__file__).resolve().parents[1] / "echo.py"
_KINDS: Final = {
    "cluster": {"visibility": "CLUSTER"},
    "worker": {"visibility": "CLUSTER_RESOURCE", "cluster": True},
    "model": {"visibility": "OWNED"},
}
_CALLS: Final = re.compile(r"authz_calls_total\{([^}]*)\} ([\d.e+]+)")


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A sidecar that serves, its metrics on: `metrics` is their URL."""

    started: Started
    address: str
    metrics: str

    def target(self, rpc: str) -> Target:
        """One of the API's calls."""
        return Target(self.address, f"{API}{rpc}")

    def scraped(self) -> str:
        """Its metrics."""
        with urlopen(self.metrics, timeout=10) as answer:  # noqa: S310  its own
            return str(answer.read(), "utf-8")

    def calls(self) -> int:
        """How many calls have ended, so far."""
        counts = _CALLS.findall(self.scraped())
        return sum(int(float(count)) for _, count in counts)

    def refused(self) -> int:
        """How many calls did not end with OK, so far."""
        return sum(
            int(float(count))
            for labels, count in _CALLS.findall(self.scraped())
            if 'code="OK"' not in labels
        )


@contextmanager
def sidecar(
    url: str, folder: Path, settings: Mapping[str, object] | None = None
) -> Iterator[Sidecar]:
    """A sidecar over a database, on the measured core, with metrics and logs on."""
    folder.mkdir(parents=True, exist_ok=True)
    address, port = f"unix:{folder / 'authz.sock'}", free_port()
    log = folder / "sidecar.log"
    chosen: dict[str, object] = {
        "database": {"url": url},
        "listeners": [{"address": address, "engine": "native"}],
        "resource_kinds": _KINDS,
        "metrics": {"address": f"127.0.0.1:{port}"},
        "stop": {"linger_seconds": 0},
        **(settings or {}),
    }
    kept = {name: text for name, text in os.environ.items() if "AUTHZ_" not in name}
    environment = kept | {
        f"AUTHZ_{name.upper()}": json.dumps(value) for name, value in chosen.items()
    }

    def is_ready() -> bool:
        return b"ready" in log.read_bytes().split()

    command = (sys.executable, "-m", "sidecar", "serve")
    with started(command, log, is_ready, environment=environment) as running:
        yield Sidecar(running, address, f"http://127.0.0.1:{port}/metrics")


@dataclass(frozen=True, slots=True)
class Echo:
    """A bare echo that serves."""

    started: Started
    address: str

    @property
    def target(self) -> Target:
        """Its one call."""
        return Target(self.address, "/bench.Echo/Answer")

    @staticmethod
    def question(like: bytes, answer_bytes: int) -> bytes:
        """A body as long as another, to be answered with so many bytes."""
        return prefixed(answer_bytes.to_bytes(4, "big") + like[9:])


@contextmanager
def echo(folder: Path) -> Iterator[Echo]:
    """A bare echo on the measured core."""
    folder.mkdir(parents=True, exist_ok=True)
    address = f"unix:{folder / 'echo.sock'}"
    command = (sys.executable, str(_ECHO), address)
    with started(command, folder / "echo.log", lambda: accepts(address)) as running:
        yield Echo(running, address)
