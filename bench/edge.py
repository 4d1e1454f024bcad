"""Requests a second through Envoy, with and without being asked about.

Envoy and h2load (Debian's nghttp2-client) share one core, the sidecar has the other.
Envoy answers by itself in the application's place. Five configurations, in turn for
many short rounds, the best of each: no ext_authz at all; one that allows everything, on
the native engine; the sidecar on the native engine; the sidecar on grpcio; OPA's engine
behind a small server of ours, if `bench/peers/install` has built it. With each, how
long whoever is asked runs on a processor, which other load changes less.
"""

import argparse
import math
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "examples"), str(ROOT)]

import uvloop  # noqa: E402  after the path
from dev_server import EXAMPLES, dev_server, temporary_directory  # noqa: E402
from envoy_in_front import HOST, envoy, shipped  # noqa: E402
from story_of_the_edge import ANN_KEY  # noqa: E402

from bench.parts import report  # noqa: E402
from bench.parts.cores import processor_seconds  # noqa: E402
from bench.peers import opa  # noqa: E402

SIDECAR_CORE, LOAD_CORE = "0", "1"
CONNECTIONS = 32
PATH = "/v2/clusters/1"
HEADERS = {
    "x-api-key": ANN_KEY,
    "x-organization-id": "1",
    "accept": "application/json",
    "accept-encoding": "gzip, deflate, br",
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/145.0",
}
_RATE = re.compile(r"finished in [\d.]+m?s, ([\d.]+) req/s")
_STATUS = re.compile(r"status codes: (\d+) 2xx")
_FILTER = "envoy.filters.http.ext_authz"
_HTTP_OK = 200
NAMES = {
    "alone": "Envoy alone",
    "always": "an ext_authz that always allows, native",
    "native": "the sidecar, native",
    "grpcio": "the sidecar, grpcio",
    "opa": "OPA's engine",
}
# What a request without a key is answered.
WITHOUT_KEY = {"alone": 200, "always": 200, "native": 401, "grpcio": 401, "opa": 403}


def in_front_of(socket: Path, *, asks: bool) -> dict:
    """The shipped configuration, answering for the application."""
    config = shipped(socket, 1)
    (chain,) = config["static_resources"]["listeners"][0]["filter_chains"]
    manager = chain["filters"][0]["typed_config"]
    (host,) = manager["route_config"]["virtual_hosts"]
    (route,) = host["routes"]
    # A machine with other work on it stops for longer now and then.
    manager["http_filters"][0]["typed_config"]["grpc_service"]["timeout"] = "5s"
    del route["route"]
    route["direct_response"] = {"status": 200, "body": {"inline_string": "{}"}}
    if not asks:
        del host["typed_per_filter_config"]
        manager["http_filters"] = [
            each for each in manager["http_filters"] if each["name"] != _FILTER
        ]
        config["static_resources"]["clusters"] = []
    return config


@contextmanager
def always_allowing(address: str) -> Iterator[subprocess.Popen[bytes]]:
    """The least that an ext_authz on the native engine can be."""
    process = subprocess.Popen(  # noqa: S603  this very program
        [sys.executable, __file__, "--always-allow", address], start_new_session=True
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


async def allow_always(address: str) -> None:
    """Serves until it is ended."""
    import pygrpc_native.aio  # noqa: PLC0415
    from grpc_health.v1 import health, health_pb2, health_pb2_grpc  # noqa: PLC0415

    from sidecar.transport.envoy import external_auth_pb2 as pb  # noqa: PLC0415
    from sidecar.transport.envoy import (  # noqa: PLC0415
        external_auth_pb2_grpc as pb_grpc,
    )

    class Allowing(pb_grpc.AuthorizationServicer):
        async def Check(self, request: object, context: object) -> object:  # noqa: N802
            del request, context
            return pb.CheckResponse(status=pb.Status(code=0))

    server = pygrpc_native.aio.Server(io_threads=1)
    pb_grpc.add_AuthorizationServicer_to_server(Allowing(), server)
    servicer = health.aio.HealthServicer()
    await servicer.set(
        "envoy.service.auth.v3.Authorization",
        health_pb2.HealthCheckResponse.SERVING,
    )
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    server.add_insecure_port(address)
    await server.start()
    await server.wait_for_termination()


def verify(port: int, without_key: int) -> None:
    """Asks once with the key and once without: h2load counts and does not look."""
    without = {name: text for name, text in HEADERS.items() if name != "x-api-key"}
    wanted = [_HTTP_OK, without_key]
    found = [_status(port, headers) for headers in (HEADERS, without)]
    if wanted != found:
        raise RuntimeError(f"not as it should be: {found}, wanted {wanted}")


def _status(port: int, headers: dict[str, str], path: str = PATH) -> int:
    connection = HTTPConnection(HOST, port, timeout=10)
    try:
        connection.request("GET", path, headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


def measure(port: int, requests: int) -> float:
    """Requests a second over HTTP/1.1; raises when one is not answered with 200."""
    headers = [word for each in HEADERS.items() for word in ("-H", ": ".join(each))]
    command = [
        *("taskset", "-c", LOAD_CORE, "h2load", "--h1"),
        *("-n", str(requests), "-c", str(CONNECTIONS), "-t", "1"),
        *headers,
        f"http://{HOST}:{port}{PATH}",
    ]
    output = subprocess.run(  # noqa: S603  our own arguments
        command, check=True, capture_output=True, text=True
    ).stdout
    rate, status = _RATE.search(output), _STATUS.search(output)
    if rate is None or status is None or int(status[1]) != requests:
        raise RuntimeError(f"h2load failed:\n{output}")
    return float(rate[1])


@dataclass
class Running:
    """A configuration: its Envoy's port, the process that is asked, and results."""

    port: int
    asked: int | None
    best: float = 0.0
    least_seconds: float = math.inf

    def run(self, requests: int) -> None:
        """One round."""
        before = self._seconds()
        self.best = max(self.best, measure(self.port, requests))
        spent = (self._seconds() - before) / requests
        self.least_seconds = min(self.least_seconds, spent)

    def _seconds(self) -> float:
        return 0.0 if self.asked is None else processor_seconds(self.asked)


@contextmanager
def everything(folder: Path) -> Iterator[dict[str, Running]]:
    """All configurations, running."""
    # What is started from here on stays on the sidecar's core, unless it says else.
    os.sched_setaffinity(0, {int(SIDECAR_CORE)})
    names = ("always", "native", "grpcio", *(("opa",) if opa.BINARY.exists() else ()))
    sockets = {name: folder / f"{name}.sock" for name in names}
    configurations: dict[str, Running] = {}
    before = ("taskset", "-c", LOAD_CORE)
    with ExitStack() as running:
        asked = {
            name: running.enter_context(asked_at(name, socket, folder))
            for name, socket in sockets.items()
        }
        for name in ("alone", *sockets):
            config = in_front_of(sockets.get(name, folder), asks=name in sockets)
            proxy = envoy(config, folder / f"envoy-{name}", before)
            port = running.enter_context(proxy)
            verify(port, WITHOUT_KEY[name])
            configurations[name] = Running(port, asked.get(name))
        if "opa" in configurations:
            compare(configurations["native"].port, configurations["opa"].port)
        yield configurations


@contextmanager
def asked_at(name: str, socket: Path, folder: Path) -> Iterator[int]:
    """Whoever Envoy asks at a socket, by its name; gives the process's id."""
    address = f"unix:{socket}"
    if name == "always":
        with always_allowing(address) as process:
            yield process.pid
    elif name == "opa":
        with opa.opa(socket, folder) as running:
            yield running.process.pid
    else:
        settings = {
            "listeners": [{"address": address, "engine": name}],
            "edge": {"routes_file": str(EXAMPLES / "routes.yaml"), "budget": 5},
            "metrics": {"address": "127.0.0.1:0"},
        }
        with dev_server(folder / f"data-{name}", address, settings) as process:
            yield process.pid


def compare(ours: int, theirs: int) -> None:
    """Asks both for every cluster; raises RuntimeError when they differ."""
    for cluster in range(1, 9):
        path = f"/v2/clusters/{cluster}"
        lets = [_status(port, HEADERS, path) == _HTTP_OK for port in (ours, theirs)]
        if lets[0] != lets[1]:
            raise RuntimeError(f"`{path}` is let through by one of both: {lets}")


def figures(configurations: dict[str, Running]) -> str:
    """The table and the bars."""
    rates = {name: found.best for name, found in configurations.items()}
    head = (
        *("who is asked", "requests/s", "of always-allow", "of grpcio"),
        "processor a request",
    )
    rows = [
        [
            NAMES[name],
            f"{found.best:,.0f}",
            f"{found.best / rates['always']:.0%}",
            f"{found.best / rates['grpcio']:.1f}x",
            "" if found.asked is None else report.took(found.least_seconds),
        ]
        for name, found in configurations.items()
    ]
    share, times = (rates["native"] / rates[name] for name in ("always", "grpcio"))
    bars = [
        report.bar("of an ext_authz that always allows", share * 100, 60, "%"),
        report.bar("of the same with grpcio", times, 2, "times"),
    ]
    if "opa" in rates:
        of_opa = rates["native"] / rates["opa"]
        bars.append(report.bar("of OPA's engine", of_opa, 1, "times"))
    else:
        bars.append("- OPA's engine was not measured: it is not installed")
    table = report.table(head, rows)
    return f"{report.machine()}\n\n{table}\n\n{chr(10).join(bars)}\n"


def main() -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--print", action="store_true", help="and leave the page")
    parser.add_argument("--always-allow", metavar="ADDRESS", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.always_allow is not None:
        # What the sidecar gives itself, so that only the work is compared.
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
        uvloop.run(allow_always(options.always_allow))
    if shutil.which("h2load") is None:
        print("h2load is needed: Debian's package nghttp2-client")
        return 2
    with temporary_directory() as folder, everything(folder) as configurations:
        for each in configurations.values():
            measure(each.port, options.requests)
        for _ in range(options.rounds):
            for each in configurations.values():
                each.run(options.requests)
    report.publish("bench/edge.py", figures(configurations), only_print=options.print)
    return 0


if __name__ == "__main__":
    sys.exit(main())
