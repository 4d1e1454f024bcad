"""Starts and stops `authz-sidecar dev` for the demo and for `make run`."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
START_SECONDS = 90.0
STOP_SECONDS = 30.0
# The operating system bounds the path of a socket; a deep TMPDIR would pass it.
LONGEST_SOCKET_PATH = 90


class NotStartedError(Exception):
    """The server did not come up; the message has the end of its log."""


@contextmanager
def temporary_directory() -> Iterator[Path]:
    """A fresh directory with a path short enough for sockets in it."""
    base = Path(tempfile.gettempdir())
    if len(str(base)) > LONGEST_SOCKET_PATH // 2:
        base = Path("/var/tmp")  # noqa: S108  the directory in it is made safely
    with tempfile.TemporaryDirectory(
        prefix="authz-", dir=base, ignore_cleanup_errors=True
    ) as name:
        yield Path(name)


@contextmanager
def dev_server(
    data_dir: Path, address: str, settings: Mapping[str, object]
) -> Iterator[subprocess.Popen[bytes]]:
    """A running server with the example's data; gives its process.

    Args:
        data_dir: Where its database and its log are.
        address: Where it is to listen, unix:path.
        settings: What differs from examples/sidecar.yaml, by name.

    Raises:
        NotStartedError: it ended, or did not serve in time.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    log_path = data_dir / "server.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603  our own program
            _command(data_dir),
            cwd=ROOT,
            env=_environment(address, settings),
            stdout=log,
            stderr=subprocess.STDOUT,
            # Ctrl-C is for the script, which then stops the server in good order.
            start_new_session=True,
        )
    try:
        _wait_until_serving(process, address, log_path)
        yield process
    finally:
        _stop(process)


def _command(data_dir: Path) -> list[str]:
    return [
        *(sys.executable, "-m", "sidecar", "dev"),
        *("--config", str(EXAMPLES / "sidecar.yaml")),
        *("--data-dir", str(data_dir)),
        *("--document", str(EXAMPLES / "gpu-cloud.yaml")),
    ]


def _environment(address: str, settings: Mapping[str, object]) -> dict[str, str]:
    # Settings of the surrounding shell are not the example's.
    kept = {name: text for name, text in os.environ.items() if "AUTHZ_" not in name}
    chosen = {"listeners": [{"address": address}], **settings}
    return kept | {
        f"AUTHZ_{name.upper()}": json.dumps(value) for name, value in chosen.items()
    }


def _wait_until_serving(
    process: subprocess.Popen[bytes], address: str, log_path: Path
) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        if _is_serving(address):
            return
        time.sleep(0.1)
    log = log_path.read_text(encoding="utf-8", errors="replace").splitlines()
    raise NotStartedError("\n".join(["the server did not start:", *log[-15:]]))


def _is_serving(address: str) -> bool:
    # A channel of its own each time: a failed one would back off longer and longer.
    with grpc.insecure_channel(address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        try:
            answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=1)
        except grpc.RpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
