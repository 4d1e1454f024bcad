"""Load: in a closed loop for how much, in an open one for how soon.

A closed loop keeps so many calls under way, so it finds the most calls a second, and
its times are those of a queue. An open loop sends when calls are due, whatever became
of those before, and counts from then, so a stop of the server is seen by all that were
due meanwhile.
"""

import re
import subprocess
import tempfile
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice
from math import ceil
from pathlib import Path
from select import select
from time import perf_counter
from typing import Final

from bench.parts.cores import Started
from bench.parts.wire import CallFailedError, Pairs, Wire

# Calls under way at once, and on how many connections: enough that the server never
# waits, and no more, since calls that queue for long are turned away.
AT_ONCE: Final = 64
CONNECTIONS: Final = 8
_RATE: Final = re.compile(r"finished in [\d.]+m?s, ([\d.]+) req/s")
_STATUS: Final = re.compile(r"status codes: (\d+) 2xx")
_STUCK_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Spread:
    """How long calls took, in seconds."""

    p50: float
    p90: float
    p99: float
    most: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> "Spread":
        """By nearest rank: each is a time that was seen; there must be one."""
        ranked = sorted(seconds)
        p50, p90, p99 = (_rank(ranked, share) for share in (0.5, 0.9, 0.99))
        return cls(p50, p90, p99, ranked[-1])


def _rank(ranked: Sequence[float], share: float) -> float:
    return ranked[max(ceil(share * len(ranked)) - 1, 0)]


@dataclass(frozen=True, slots=True)
class Run:
    """What a run achieved.

    `rate` is calls a second; `processor` is how many seconds whoever was asked ran for
    each call, zero when nobody looked.
    """

    rate: float
    spread: Spread
    calls: int
    failed: int = 0
    processor: float = 0.0


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked: a method at an address, with headers beyond gRPC's own."""

    address: str
    method: str
    extra: Pairs = ()


def closed(target: Target, body: bytes, calls: int, at_once: int = AT_ONCE) -> Run:
    """The same call again and again, by h2load.

    It takes a refusal for an answer, so whoever uses this looks at answers before and
    counts calls after. Raises CallFailedError when one was not answered at all.
    """
    with tempfile.TemporaryDirectory(prefix="authz-bench-") as folder:
        question, times = Path(folder) / "question", Path(folder) / "times"
        question.write_bytes(body)
        output = subprocess.run(  # noqa: S603  our own words
            _h2load(target, question, times, calls, at_once),
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        rate, status = _RATE.search(output), _STATUS.search(output)
        if rate is None or status is None or int(status[1]) != calls:
            raise CallFailedError(f"h2load failed:\n{output}")
        micros = [
            int(line.split("\t")[2])
            for line in times.read_text(encoding="ascii").splitlines()
        ]
    return Run(float(rate[1]), Spread.of([each / 1e6 for each in micros]), calls)


def _h2load(
    target: Target, question: Path, times: Path, calls: int, at_once: int
) -> list[str]:
    connections = min(CONNECTIONS, at_once)
    extra = [
        word for name, value in target.extra for word in ("-H", f"{name}: {value}")
    ]
    at_socket = target.address.startswith("unix:")
    base = ("-B", target.address) if at_socket else ()
    host = "localhost" if at_socket else target.address
    return [
        *("h2load", "-n", str(calls), "-c", str(connections)),
        *("-m", str(at_once // connections), "-t", "1", "-d", str(question)),
        *("-H", "content-type: application/grpc", "-H", "te: trailers", *extra),
        *("--log-file", str(times), *base, f"http://{host}{target.method}"),
    ]


def lasting(
    target: Target,
    body: bytes,
    asked: Started,
    seconds: float,
    at_once: int = AT_ONCE,
) -> Run:
    """A closed loop of about so many seconds, after a short one to get warm."""
    few = 4 * at_once
    rate = closed(target, body, few, at_once).rate
    before = asked.processor_seconds()
    run = closed(target, body, max(int(rate * seconds), few), at_once)
    spent = (asked.processor_seconds() - before) / run.calls
    return replace(run, processor=spent)


def each_once(
    target: Target, bodies: Sequence[bytes], at_once: int = 16, connections: int = 1
) -> Run:
    """Each of many calls, with so many under way on each connection.

    Raises CallFailedError when nothing comes for long.
    """
    wires = [
        Wire(target.address, target.method, target.extra) for _ in range(connections)
    ]
    todo = iter(bodies)
    due: dict[tuple[Wire, int], float] = {}
    seconds = array("d")
    failed = 0
    began = perf_counter()
    for wire in wires:
        for body in islice(todo, at_once):
            due[wire, wire.send(body)] = perf_counter()
    while due:
        for wire in _readable(wires):
            for ended in wire.receive():
                now = perf_counter()
                seconds.append(now - due.pop((wire, ended.number)))
                failed += not ended.is_ok
                for body in islice(todo, 1):
                    due[wire, wire.send(body)] = now
    rate = len(seconds) / (perf_counter() - began)
    for wire in wires:
        wire.close()
    return Run(rate, Spread.of(seconds), len(seconds), failed)


def _readable(wires: list[Wire]) -> list[Wire]:
    readable, _, _ = select(wires, [], [], _STUCK_SECONDS)
    if not readable:
        raise CallFailedError("no answer for long")
    return readable


@dataclass(frozen=True, slots=True)
class Schedule:
    """When calls are due: so many a second, so many in all.

    Watched without rest, which takes a core; if it `rests` until the next call is due
    others may use the core too, and a call may be late by what it takes to wake.
    """

    rate: float
    calls: int
    rests: bool = False


def opened(target: Target, bodies: Sequence[bytes], schedule: Schedule) -> Run:
    """Calls by a schedule, on four connections; times count from when each was due."""
    wires = [Wire(target.address, target.method, target.extra) for _ in range(4)]
    turns = zip(cycle(wires), islice(cycle(bodies), schedule.calls), strict=False)
    due: dict[tuple[Wire, int], float] = {}
    seconds = array("d")
    failed = sent = 0
    began = last = perf_counter() + 0.01
    while len(seconds) < schedule.calls:
        now = perf_counter()
        while sent < schedule.calls and (when := began + sent / schedule.rate) <= now:
            wire, body = next(turns)
            due[wire, wire.send(body)] = when
            sent += 1
        next_due = began + sent / schedule.rate
        rest = max(next_due - perf_counter(), 0) if schedule.rests else 0
        readable, _, _ = select(wires, [], [], rest)
        for wire in readable:
            for ended in wire.receive():
                last = perf_counter()
                seconds.append(last - due.pop((wire, ended.number)))
                failed += not ended.is_ok
        if now - last > _STUCK_SECONDS:
            raise CallFailedError("no answer for long")
    for wire in wires:
        wire.close()
    rate = schedule.calls / (last - began)
    return Run(rate, Spread.of(seconds), schedule.calls, failed)
