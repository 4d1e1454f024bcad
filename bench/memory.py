"""What a sidecar holds: at rest, with callers in memory, at the bounds of caches.

Also how long it takes to be ready. Each state is of a process of its own.
"""

import argparse
import re
import sys
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "clients" / "python")]

from bench.parts import report  # noqa: E402  after the path
from bench.parts.cores import LOAD, Memory, stay_on  # noqa: E402
from bench.parts.loads import each_once  # noqa: E402
from bench.parts.questions import caller, home, visible  # noqa: E402
from bench.parts.servers import Sidecar, sidecar  # noqa: E402
from bench.parts.world import LARGE, SMALL, Size, world  # noqa: E402

ORDINARY: Final = 10_000
GRANTS_ORGANIZATION: Final = 40_010_000
GRANTS_USERS: Final = range(45_000_001, 45_001_001)
STARTS: Final = 5
_WEIGHT: Final = re.compile(
    r'^authz_cache_weight\{fact="([^"]+)"\} ([\d.e+]+)', re.MULTILINE
)
_AT_A_TIME: Final = 10_000


@dataclass(frozen=True, slots=True)
class Held:
    """A state of a sidecar: memory, what its caches weigh, calls that failed."""

    name: str
    memory: Memory
    weights: dict[str, int]
    failed: int = 0


def main() -> int:
    """Measures, and writes the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--callers", type=int, default=1_000_000, help="different ones")
    parser.add_argument("--print", action="store_true", help="and leave the page")
    options = parser.parse_args()
    stay_on(LOAD)
    found = []
    with tempfile.TemporaryDirectory(prefix="authz-bench-") as name:
        folder = Path(name)
        with world(SMALL) as url:
            ready = [_ready_seconds(url, folder) for _ in range(STARTS)]
            found.append(_held("at rest", url, folder, ()))
            users = range(1, ORDINARY + 1)
            found.append(_ordinary("10,000 callers", url, folder, (users, SMALL)))
            bodies = [
                visible(caller(user, GRANTS_ORGANIZATION), 1).body
                for user in GRANTS_USERS
            ]
            found.append(
                _held("1,000 callers with 10,000 grants each", url, folder, [bodies])
            )
        size = LARGE if options.callers > SMALL.users else SMALL
        with world(size) as url:
            users = range(1, options.callers + 1)
            about = f"{options.callers:,} callers"
            found.append(_ordinary(about, url, folder, (users, size)))
    page = figures(ready, found)
    report.publish("bench/memory.py", page, only_print=options.print)
    return int(any(each.failed for each in found))


def _ready_seconds(url: str, folder: Path) -> float:
    with sidecar(url, folder) as running:
        return running.started.seconds


def _ordinary(name: str, url: str, folder: Path, whom: tuple[range, Size]) -> Held:
    users, size = whom
    parts = (users[at : at + _AT_A_TIME] for at in range(0, len(users), _AT_A_TIME))
    bodies = (
        [visible(caller(user, home(user, size)), 1).body for user in part]
        for part in parts
    )
    return _held(name, url, folder, bodies)


def _held(name: str, url: str, folder: Path, bodies: Iterable[Sequence[bytes]]) -> Held:
    with ExitStack() as running:
        asked = running.enter_context(sidecar(url, folder))
        target = asked.target("CheckVisible")
        failed = sum(each_once(target, part).failed for part in bodies)
        return Held(name, asked.started.memory(), weights(asked), failed)


def weights(asked: Sidecar) -> dict[str, int]:
    """What the caches weigh, by kind of fact, where they hold something."""
    found = {fact: int(float(text)) for fact, text in _WEIGHT.findall(asked.scraped())}
    return {fact: weight for fact, weight in found.items() if weight}


def figures(ready: list[float], found: list[Held]) -> str:
    """The tables and the bars."""
    head = ("state", "resident", "proportional", "at most", "weight held", "failed")
    rows = [
        [
            each.name,
            *report.held(each.memory),
            ", ".join(f"{fact} {weight:,}" for fact, weight in each.weights.items()),
            str(each.failed),
        ]
        for each in found
    ]
    resident = found[1].memory.resident / 2**20
    name = "resident with 10,000 ordinary callers"
    bars = [
        report.bar(name, resident, 96, "MB", most=True),
        report.bar("ready after, at most", max(ready), 1, "s", most=True),
    ]
    starts = ", ".join(report.took(each) for each in sorted(ready))
    told = f"{report.machine()} Ready after {starts}."
    return f"{told}\n\n{report.table(head, rows)}\n\n{chr(10).join(bars)}\n"


if __name__ == "__main__":
    sys.exit(main())
