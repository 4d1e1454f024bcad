"""Asks the real edge and its reference the same, and tells where they differ.

`python -m tests.edge.fuzz --minutes 10 --seed 1` goes on for a while. Ends with 1 when
there was any difference, after having made the request that shows it small.
"""

import argparse
import asyncio
import logging
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

import structlog
from google.protobuf.message import DecodeError

from sidecar.transport.envoy import external_auth_pb2 as envoy
from tests.edge.fuzz_requests import Maker
from tests.edge.fuzz_shrinking import lessened
from tests.edge.hearing import hear
from tests.edge.lab import Lab, hostile, lab

_UNDECODABLE = "undecodable"
_STEPS = 2_000


@dataclass
class Report:
    """What came of the requests so far."""

    requests: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """For people, most frequent first."""
        yield f"{self.requests:,} requests, {len(self.differences)} differences"
        for outcome, count in self.outcomes.most_common():
            yield f"{count:>12,}  {outcome}"
        yield from self.differences


async def fuzz(subject: Lab, maker: Maker, report: Report, requests: int) -> None:
    """Asks that many requests, a quarter of them as bytes that may be no message."""
    for number in range(requests):
        is_raw = number % 4 == 0
        data = maker.data() if is_raw else maker.request().SerializeToString()
        report.requests += 1
        outcome, difference = await ask(subject, data)
        report.outcomes[outcome] += 1
        if difference is not None:
            small = await shrink(subject, data)
            _, difference = await ask(subject, small)
            report.differences.append(f"{difference}\n{small!r}")


async def ask(subject: Lab, data: bytes) -> tuple[str, str | None]:
    """The outcome of one request, and how real and reference differ, if they do."""
    try:
        request = envoy.CheckRequest.FromString(data)
    except DecodeError:
        return _UNDECODABLE, None
    wanted = subject.reference.judge(subject.asked(request))
    try:
        actual = hear(await subject.check(request))
    except Exception as error:  # noqa: BLE001  whatever it is, it is what is sought
        return "crash", f"{type(error).__name__}: {error}\n{request}"
    if wanted != actual:
        difference = f"wanted {wanted}\n   got {actual}\n{request}"
        return "different", difference
    if not actual.passes:
        return f"{actual.status} {actual.reason}", None
    return _passes(actual.told, actual.sent), None


def _passes(told: object, sent: object) -> str:
    if told:
        return "passes, watched only"
    return "passes as somebody" if sent else "passes as nobody"


async def shrink(subject: Lab, data: bytes) -> bytes:
    """The smallest request that can be made of one that still shows a difference."""
    steps = 0
    while steps < _STEPS:
        for smaller in _smaller(data):
            steps += 1
            _, difference = await ask(subject, smaller)
            if difference is not None:
                data = smaller
                break
        else:
            return data
    return data


def _smaller(data: bytes) -> Iterator[bytes]:
    """Requests with one thing less."""
    for changed in lessened(envoy.CheckRequest.FromString(data)):
        encoded = changed.SerializeToString()
        if len(encoded) < len(data):
            yield encoded


async def labs() -> list[Lab]:
    """The edges that are asked: believing Envoy about callers, and not; other ids."""
    return [
        await lab(),
        await lab(believes_peers=False),
        await lab(id_type="text", more=hostile()),
    ]


async def _run(minutes: float, seed: int) -> Report:
    report = Report()
    maker = Maker(Random(seed))  # noqa: S311  nothing secret is made of it
    subjects = await labs()
    ends = time.monotonic() + minutes * 60
    while time.monotonic() < ends and len(report.differences) < 10:
        for subject in subjects:
            await fuzz(subject, maker, report, 200)
    return report


def main() -> int:
    """Runs for some minutes; gives 1 when something differs."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    # What a shadow would deny is told there, thousands of times.
    quiet = structlog.make_filtering_bound_logger(logging.CRITICAL)
    structlog.configure(wrapper_class=quiet)
    report = asyncio.run(_run(options.minutes, options.seed))
    sys.stdout.write("\n".join([f"seed {options.seed}", *report.lines()]) + "\n")
    return 1 if report.differences else 0


if __name__ == "__main__":
    sys.exit(main())
