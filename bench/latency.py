"""How soon: an open loop at fixed rates, and callers whom nobody has asked about yet.

Times count from when a call was due. Warm calls are of a thousand callers by turns.
Each cold call is of a caller, in their organization, and a worker that was never asked
about, in the large directory; PostgreSQL shares the load's core, and its pages were
read before by other callers of the same kind.
"""

import argparse
import random
import sys
import tempfile
from pathlib import Path
from typing import Final

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "clients" / "python")]

from bench.parts import report  # noqa: E402  after the path
from bench.parts.cores import LOAD, stay_on  # noqa: E402
from bench.parts.loads import Run, Schedule, opened  # noqa: E402
from bench.parts.questions import (  # noqa: E402
    caller,
    home,
    of_worker,
    verified,
    visible,
)
from bench.parts.servers import Sidecar, sidecar  # noqa: E402
from bench.parts.world import SIZES, SMALL, Size, world  # noqa: E402

RATES: Final = (500, 2_000, 5_000)
WANTED_RATE: Final = 2_000
COLD_RATE: Final = 200
CALLERS: Final = 1_000


def main() -> int:
    """Measures, and writes the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each rate")
    parser.add_argument("--directory", choices=SIZES, default="large", help="cold ones")
    parser.add_argument("--print", action="store_true", help="and leave the page")
    options = parser.parse_args()
    stay_on(LOAD)
    found = warm(options.seconds)
    size = SIZES[options.directory]
    asked_cold = cold_of(size, int(options.seconds * COLD_RATE))
    page = figures(found, asked_cold, size)
    report.publish("bench/latency.py", page, only_print=options.print)
    return int(any(run.failed for run in (*found.values(), asked_cold)))


def warm(seconds: float) -> dict[int, Run]:
    """By rate."""
    with (
        tempfile.TemporaryDirectory(prefix="authz-bench-") as name,
        world(SMALL) as url,
        sidecar(url, Path(name)) as asked,
    ):
        target = asked.target("CheckVisible")
        each = [visible(caller(n, home(n, SMALL)), 1) for n in range(1, CALLERS + 1)]
        verified(each[0], asked)
        bodies = [question.body for question in each]
        opened(target, bodies, Schedule(WANTED_RATE, CALLERS * 2))
        return {
            rate: opened(target, bodies, Schedule(rate, int(rate * seconds)))
            for rate in RATES
        }


def cold_of(size: Size, calls: int) -> Run:
    """Calls for which everything has to be read."""
    with (
        tempfile.TemporaryDirectory(prefix="authz-bench-") as name,
        world(size) as url,
        sidecar(url, Path(name)) as asked,
    ):
        return cold(asked, size, calls)


def cold(asked: Sidecar, size: Size, calls: int) -> Run:
    """As many again come first, for PostgreSQL's pages and the connections."""
    chance = random.Random(3)  # noqa: S311  the same each time, and no secret
    users = chance.sample(range(1, size.users + 1), min(2 * calls, size.users))
    bodies = [
        of_worker(caller(user, home(user, size)), 1 + number % 100_000).body
        for number, user in enumerate(users)
    ]
    half = len(bodies) // 2
    target = asked.target("CheckVisible")
    opened(target, bodies[:half], Schedule(COLD_RATE, half, rests=True))
    return opened(target, bodies[half:], Schedule(COLD_RATE, half, rests=True))


def figures(found: dict[int, Run], asked_cold: Run, size: Size) -> str:
    """The table and the bars."""
    head = ("calls", "due a second", "answered", *report.SPREAD_HEAD, "failed")
    rows = [
        [f"warm, {CALLERS:,} callers", f"{rate:,}", *_cells(run)]
        for rate, run in found.items()
    ]
    about = f"cold, {size.users:,} users, {size.users * size.memberships:,} memberships"
    rows.append([about, f"{COLD_RATE:,}", *_cells(asked_cold)])
    p99 = found[WANTED_RATE].spread.p99 * 1000
    bars = [
        report.bar("p99 warm, at 2,000 a second", p99, 2, "ms", most=True),
        report.bar("p99 cold", asked_cold.spread.p99 * 1000, 10, "ms", most=True),
    ]
    return f"{report.machine()}\n\n{report.table(head, rows)}\n\n{chr(10).join(bars)}\n"


def _cells(run: Run) -> list[str]:
    return [f"{run.rate:,.0f}", *report.spread(run.spread), str(run.failed)]


if __name__ == "__main__":
    sys.exit(main())
