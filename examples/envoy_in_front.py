"""Starts and stops Envoy with the configuration that is shipped, at free ports."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import yaml
from dev_server import ROOT, NotStartedError

SHIPPED = ROOT / "deploy" / "envoy" / "envoy.yaml"
BINARY = Path(sys.executable).parent / "envoy"
HOST = "127.0.0.1"
START_SECONDS = 60.0
STOP_SECONDS = 10.0
_HTTP_OK = 200


def shipped(sidecar: Path, application: int) -> dict:
    """The shipped configuration between a sidecar's socket and an application's port.

    Its own ports are free ones of loopback. Nothing else is changed.
    """
    config = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))
    resources = config["static_resources"]
    config["admin"]["address"] = _tcp(0)
    resources["listeners"][0]["address"] = _tcp(0)
    at = {
        "application": _tcp(application),
        "authz-sidecar": {"pipe": {"path": str(sidecar)}},
    }
    for cluster in resources["clusters"]:
        (locality,) = cluster["load_assignment"]["endpoints"]
        locality["lb_endpoints"][0]["endpoint"]["address"] = at[cluster["name"]]
    return config


@contextmanager
def envoy(config: dict, folder: Path, before: Sequence[str] = ()) -> Iterator[int]:
    """A running Envoy; gives the port of its listener.

    Args:
        config: Its configuration, such as `shipped` gives.
        folder: Where its files and its log go.
        before: The words of a command that starts it, if it is to be started by one.

    Raises:
        NotStartedError: it ended, or was not ready in time.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file, admin, log_path = (folder / name for name in ("envoy.yaml", "admin", "log"))
    file.write_text(yaml.safe_dump(config), encoding="utf-8")
    admin.unlink(missing_ok=True)
    command = [
        *(*before, str(BINARY), "-c", str(file), "--admin-address-path", str(admin)),
        *("--concurrency", "1", "--disable-hot-restart", "--log-level", "warning"),
    ]
    with log_path.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603  our own program
            command, stdout=log, stderr=log, start_new_session=True
        )
    try:
        yield _wait_until_ready(process, admin, log_path)
    finally:
        _stop(process)


def _tcp(port: int) -> dict:
    return {"socket_address": {"address": HOST, "port_value": port}}


def _wait_until_ready(
    process: subprocess.Popen[bytes], admin: Path, log_path: Path
) -> int:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        port = _listening(admin)
        if port is not None:
            return port
        time.sleep(0.05)
    log = log_path.read_text(encoding="utf-8", errors="replace").splitlines()
    raise NotStartedError("\n".join(["Envoy did not start:", *log[-15:]]))


def _listening(admin: Path) -> int | None:
    """The port of the listener, none while Envoy is not ready for requests."""
    address = admin.read_text(encoding="ascii") if admin.exists() else ""
    if not address:
        return None
    try:
        is_ready, _ = _get(address, "/ready")
        _, listeners = _get(address, "/listeners?format=json")
    except OSError:
        return None
    statuses = json.loads(listeners).get("listener_statuses", [])
    if not is_ready or not statuses:
        return None
    return int(statuses[0]["local_address"]["socket_address"]["port_value"])


def _get(address: str, path: str) -> tuple[bool, bytes]:
    connection = HTTPConnection(address, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status == _HTTP_OK, answer.read()
    finally:
        connection.close()


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
