"""Half an hour of everything, and whether a sidecar grows by it.

A sidecar with a listener on each engine; callers of every kind that come and go; a
directory that changes all the time; a network and a PostgreSQL that fail again and
again. Writes the figures into docs/reliability.md and draws docs/soak.svg.
"""

import argparse
import asyncio
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import httpx
import uvloop
from authz.v1 import authorization_service_pb2 as api
from authz.v1.caller_pb2 import Caller, Consistency
from grpc import aio

from bench.marked_figures import write_figures
from bench.plots import Panel, panels
from bench.soak_faults import Faults, change_on
from bench.soak_load import load_on
from bench.soak_questions import API
from bench.soak_verdict import Finding, Sample, judge, table
from bench.town import ROOT, settle, sidecar
from examples.dev_server import temporary_directory
from sidecar.store.administration import migrate_database
from tests.store.faults.proxy import Proxy
from tests.support.cluster import Node, cluster, free_port

PAGE: Final = ROOT / "docs" / "reliability.md"
PLOT: Final = ROOT / "docs" / "soak.svg"
PEOPLE: Final = 20_000
# Faults come oftener when there is little time, but not oftener than they can pass.
_FAULT_SECONDS: Final = 15.0
# At first all ask without a pause. What is remembered up to some number, such as ten
# thousand callers a listener, is full by then; its filling would look like a leak.
_HURRIED_SHARE: Final = 0.1
_SAMPLE_SECONDS: Final = 5.0
_CALM_SECONDS: Final = 60.0
_POOL: Final = 4
_GAUGE: Final = re.compile(r"^(authz_\w+)(?:\{[^}]*\})? (\S+)$", re.MULTILINE)


@dataclass
class Soak:
    """A sidecar and all that is done to it."""

    process_id: int
    addresses: list[str]
    metrics: str
    log: Path
    outcomes: Mapping[str, int]
    began: float

    async def sample(self) -> Sample:
        """What it uses now."""
        gauges: defaultdict[str, float] = defaultdict(float)
        async with httpx.AsyncClient() as client:
            text = (await client.get(self.metrics, timeout=10)).text
        for name, value in _GAUGE.findall(text):
            gauges[name] += float(value)
        process = Path(f"/proc/{self.process_id}")
        status = (process / "status").read_text()
        return Sample(
            time.monotonic() - self.began,
            _number("VmRSS", status) * 1024,
            len(list((process / "fd").iterdir())),
            _number("Threads", status),
            gauges["authz_cache_weight"],
            gauges["authz_calls_running"],
            self.log.stat().st_size,
            dict(self.outcomes),
        )

    async def calm(self) -> Sample:
        """A sample with all of the pool's connections open, and nobody calling."""
        for address in self.addresses:
            await _fill_pool(address)
        return await self.sample()

    async def calm_again(self, descriptors: int) -> Sample:
        """The same, once no more descriptors than these are open, or after a while."""
        deadline = time.monotonic() + _CALM_SECONDS
        while True:
            found = await self.calm()
            if found.descriptors <= descriptors or time.monotonic() > deadline:
                return found
            await asyncio.sleep(1)


async def _fill_pool(address: str) -> None:
    caller = Caller(user_id="1")
    consistency = Consistency(fully_consistent=True)
    request = api.ListContextsRequest(caller=caller, consistency=consistency)
    data = request.SerializeToString()
    deadline = time.monotonic() + _CALM_SECONDS
    async with aio.insecure_channel(address) as channel:
        ask = channel.unary_unary(f"{API}ListContexts", bytes, bytes)
        while time.monotonic() < deadline:
            calls = [ask(data, timeout=10) for _ in range(4 * _POOL)]
            answers = await asyncio.gather(*calls, return_exceptions=True)
            if not any(isinstance(each, Exception) for each in answers):
                return


def _number(name: str, status: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+)", status, re.MULTILINE)
    if found is None:
        raise ValueError(f"the system does not tell `{name}`")
    return int(found[1])


async def soak(
    node: Node, folder: Path, seconds: float, callers: int
) -> tuple[list[Sample], list[Finding], Counter[str]]:
    """Runs it all; gives samples, what is to be said of them, and what happened."""
    proxy = Proxy(node.port)
    url = f"postgresql://postgres@127.0.0.1:{await proxy.start()}/postgres"
    addresses = [f"unix:{folder / each}" for each in ("native", "grpcio")]
    port = free_port()
    outcomes: Counter[str] = Counter()
    happened: Counter[str] = Counter()
    serving = sidecar(url, folder / "log", _settings(addresses, port))
    async with _threaded(serving) as process:
        one = Soak(
            process.pid,
            addresses,
            f"http://127.0.0.1:{port}/metrics",
            folder / "log",
            outcomes,
            time.monotonic(),
        )
        before = await one.calm()
        faults = Faults(node, proxy)
        every = min(_FAULT_SECONDS, seconds / 2)
        async with (
            _meanwhile(change_on(node.url(), PEOPLE, happened)),
            _callers(addresses, callers, seconds * _HURRIED_SHARE, outcomes),
        ):
            async with _meanwhile(faults.run(every)):
                samples = await _sampled(one, seconds)
            await faults.mend()
        after = await one.calm_again(before.descriptors)
        log = (folder / "log").read_text()
        tracebacks = log.count("Traceback")
        if tracebacks:
            at = log.index("Traceback")
            print(log[max(at - 2_000, 0) : at + 6_000], file=sys.stderr)
        happened += faults.suffered
        await proxy.close()
    return samples, judge(samples, before, after, tracebacks), happened


def _settings(addresses: list[str], port: int) -> dict[str, object]:
    engines = {"native": addresses[0], "grpcio": addresses[1]}
    # Less is kept than is asked for, so that memory is full soon.
    kept = ("users", "standings", "roles", "resources", "others", "absent")
    return {
        "listeners": [
            {"address": address, "engine": engine}
            for engine, address in engines.items()
        ],
        "metrics": {"address": f"127.0.0.1:{port}"},
        "edge": {"routes_file": str(ROOT / "examples" / "routes.yaml"), "budget": 1},
        "cache": dict.fromkeys(kept, 4000),
        "freshness": {"max_staleness": 3, "beat_interval": 0.5},
        "database__pool_min": _POOL,
        "database__pool_max": _POOL,
    }


@asynccontextmanager
async def _threaded(
    serving: AbstractContextManager[subprocess.Popen[bytes]],
) -> AsyncIterator[subprocess.Popen[bytes]]:
    """A sidecar that reaches its database through this very loop."""
    process = await asyncio.to_thread(serving.__enter__)
    try:
        yield process
    finally:
        await asyncio.to_thread(serving.__exit__, None, None, None)


async def _sampled(one: Soak, seconds: float) -> list[Sample]:
    samples = []
    while time.monotonic() - one.began < seconds:
        await asyncio.sleep(min(_SAMPLE_SECONDS, seconds / 10))
        samples.append(await one.sample())
    return samples


@asynccontextmanager
async def _meanwhile(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
        if task.done():
            task.result()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def _callers(
    addresses: list[str], count: int, hurried: float, outcomes: Counter[str]
) -> AsyncIterator[None]:
    """A process of its own that calls; what comes of it is kept in `outcomes`."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *(__file__, "--load", *addresses, "--callers", str(count)),
        *("--hurried", str(hurried)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "GRPC_VERBOSITY": "NONE"},
    )

    async def listen() -> None:
        if process.stdout is None:
            raise RuntimeError("the process has no pipes")
        async for line in process.stdout:
            outcomes.update(Counter(json.loads(line)) - outcomes)
        if process.stdin is not None and not process.stdin.is_closing():
            raise RuntimeError("whoever calls has stopped")

    try:
        async with _meanwhile(listen()):
            yield
    finally:
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()


def draw(samples: list[Sample], path: Path) -> None:
    """What was used over time."""
    parts = {
        "memory, MiB": [each.resident / 2**20 for each in samples],
        "descriptors": [float(each.descriptors) for each in samples],
        "threads": [float(each.threads) for each in samples],
        "weight kept": [each.weight for each in samples],
    }
    minutes = [each.at / 60 for each in samples]
    panels(
        path,
        "minutes",
        [
            Panel(name, {name: list(zip(minutes, values, strict=True))})
            for name, values in parts.items()
        ],
    )


def main() -> int:
    """Gives 1 when something grows that must not, or ended as nothing must end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seconds", type=float, help="instead of minutes")
    parser.add_argument("--callers", type=int, default=6, help="at once")
    parser.add_argument("--print", action="store_true", help="and leave the page")
    parser.add_argument("--load", nargs="+", help=argparse.SUPPRESS)
    parser.add_argument("--hurried", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.load is not None:
        hurried = options.hurried
        uvloop.run(load_on(options.load, PEOPLE, options.callers, hurried))
        return 0
    seconds = options.seconds or options.minutes * 60
    with temporary_directory() as folder, cluster() as made:
        url = made.primary.url()
        asyncio.run(migrate_database(url))
        asyncio.run(settle(url, PEOPLE))
        samples, findings, happened = asyncio.run(
            soak(made.primary, folder, seconds, options.callers)
        )
    events = ", ".join(f"{name} {count:,}" for name, count in happened.items())
    figures = f"What happened meanwhile: {events}.\n\n{table(samples, findings)}"
    print(figures)
    if not options.print:
        write_figures(PAGE, "bench/soak.py", figures)
        draw(samples, PLOT)
    return int(any(each.is_well is False for each in findings))


if __name__ == "__main__":
    sys.exit(main())
