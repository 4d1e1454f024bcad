"""Calls a second of CheckVisible on one pinned core: one resource, then fifty.

Starts `authz-sidecar dev` with the example data on one core and h2load (Debian's
nghttp2-client) on another, warm, with metrics on, and prints what it measured.
"""

import argparse
import os
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "examples"))

import grpc  # noqa: E402  after the path
from authz.v1 import authorization_service_pb2 as api  # noqa: E402  after the path
from authz.v1.caller_pb2 import Caller  # noqa: E402
from authz.v1.resource_pb2 import Resource, ResourceAttributes  # noqa: E402
from dev_server import dev_server, temporary_directory  # noqa: E402

METHOD = "http://localhost/authz.v1.AuthorizationService/CheckVisible"
CONNECTIONS, STREAMS = 8, 16
SERVER_CORE, LOAD_CORE = "0", "1"
_RATE = re.compile(r"finished in [\d.]+m?s, ([\d.]+) req/s")
_DONE = re.compile(r"requests: (\d+) total.*?(\d+) succeeded, (\d+) failed")
_STATUS = re.compile(r"status codes: (\d+) 2xx")


def question(count: int, *, looked_up: bool) -> bytes:
    """CheckVisible for `count` resources, with gRPC's length before it."""
    attributes = ResourceAttributes(owner_principal_id="1", cluster_id="1")
    resources = [
        Resource(kind="worker", id=str(11 + index % 2))
        if looked_up
        else Resource(kind="worker", id=str(index), attributes=attributes)
        for index in range(count)
    ]
    caller = Caller(user_id="1", organization_id="1")
    request = api.CheckVisibleRequest(caller=caller, resources=resources)
    data = request.SerializeToString()
    return struct.pack(">BI", 0, len(data)) + data


def verify(address: str, body: bytes) -> None:
    """Asks once: h2load takes a refusal for an answer, so the answer is seen first."""
    with grpc.insecure_channel(address) as channel:
        ask = channel.unary_unary(
            "/authz.v1.AuthorizationService/CheckVisible",
            response_deserializer=api.CheckVisibleResponse.FromString,
        )
        answer = ask(body[5:], timeout=5)
    if not all(decision.allowed for decision in answer.decisions):
        raise RuntimeError(f"not as it should be: {answer}")


def measure(address: str, body: Path, calls: int) -> float:
    """Calls a second; raises when a call fails."""
    command = [
        *("taskset", "-c", LOAD_CORE, "h2load"),
        *("-n", str(calls), "-c", str(CONNECTIONS), "-m", str(STREAMS), "-t", "1"),
        *("-d", str(body), "-H", "content-type: application/grpc"),
        *("-H", "te: trailers", "-B", address, METHOD),
    ]
    output = subprocess.run(  # noqa: S603  our own arguments
        command, check=True, capture_output=True, text=True
    ).stdout
    rate, done, status = (pattern.search(output) for pattern in (_RATE, _DONE, _STATUS))
    if rate is None or done is None or status is None or int(status[1]) != calls:
        raise RuntimeError(f"h2load failed:\n{output}")
    return float(rate[1])


def processor_seconds(process_id: int) -> float:
    """How long a process has run on a processor, which other load does not change."""
    fields = Path(f"/proc/{process_id}/stat").read_text(encoding="ascii").split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def main() -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=("native", "grpcio"), default="native")
    parser.add_argument("--calls", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if shutil.which("h2load") is None:
        print("h2load is needed: Debian's package nghttp2-client")
        return 2
    os.sched_setaffinity(0, {int(SERVER_CORE)})
    with temporary_directory() as folder:
        address = f"unix:{folder / 'authz.sock'}"
        listener = {"address": address, "engine": options.engine}
        settings = {"listeners": [listener]}
        with dev_server(folder / "dev", address, settings) as server:
            for count, looked_up in ((1, False), (1, True), (50, False), (50, True)):
                body = folder / "question"
                body.write_bytes(question(count, looked_up=looked_up))
                verify(address, body.read_bytes())
                calls = options.calls if count == 1 else options.calls // 10
                measure(address, body, calls // 10)
                before = processor_seconds(server.pid)
                best = max(measure(address, body, calls) for _ in range(options.rounds))
                spent = processor_seconds(server.pid) - before
                kind = "looked up" if looked_up else "with attributes"
                print(
                    f"{options.engine}: {count:>2} resources {kind}: "
                    f"{best:>8,.0f} calls/s, {best * count:>10,.0f} resources/s, "
                    f"{spent / calls / options.rounds * 1e6:>6.1f} us of processor each"
                )
    return 0


if __name__ == "__main__":
    sys.exit(main())
