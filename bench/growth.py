"""How the cost of a call grows, one dimension at a time: a table and a plot for each.

Processor time of one warm call on the native engine, which other load changes least;
for directories of different sizes how long a cold call takes, and for callers in memory
what they hold.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "clients" / "python")]

from bench import plots  # noqa: E402  after the path
from bench.latency import cold_of  # noqa: E402
from bench.parts import report  # noqa: E402
from bench.parts.cores import LOAD, stay_on  # noqa: E402
from bench.parts.loads import Spread, each_once, lasting  # noqa: E402
from bench.parts.questions import (  # noqa: E402
    Question,
    admin,
    caller,
    holder,
    home,
    listed,
    permissions,
    verified,
    visible,
)
from bench.parts.servers import Sidecar, sidecar  # noqa: E402
from bench.parts.wire import CallFailedError  # noqa: E402
from bench.parts.world import LARGE, MIDDLE, SMALL, Size, world  # noqa: E402

FOLDER: Final = ROOT / "docs"
AT_ONCE: Final = 4
CALLERS: Final = (100, 1_000, 10_000, 20_000)
COLD_CALLS: Final = 1_000


Points = Sequence[tuple[int, float]]
Cold = tuple[Size, Spread]


@dataclass(frozen=True, slots=True)
class Dimension:
    """What grows, and the question at each size. `name` is also the plot's file."""

    name: str
    label: str
    sizes: Sequence[int]
    question: Callable[[int], Question]


def _granted(count: int) -> Question:
    user = 40_000_000 + count
    return visible(caller(user, user), 1)


def _listing(count: int) -> Question:
    user = 50_000_000 + count
    return listed(caller(user, 1))


DIMENSIONS: Final = (
    Dimension(
        "elements",
        "resources in one CheckVisible",
        (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000),
        lambda count: visible(admin(SMALL), count),
    ),
    Dimension(
        "items",
        "items in one GetPermissions, 20 roles of 200 rules",
        (1, 10, 50, 100, 200, 500, 1000),
        lambda count: permissions(holder(200, 20), count, ""),
    ),
    Dimension(
        "grants", "cluster grants of the caller", (1, 10, 100, 1000, 10_000), _granted
    ),
    Dimension(
        "organizations",
        "organizations of the caller, in ListContexts",
        (1, 10, 100, 1000, 10_000),
        _listing,
    ),
    Dimension(
        "roles",
        "roles of 200 rules, for one item",
        (1, 5, 20, 50, 100, 200),
        lambda count: permissions(holder(200, count), 1, ""),
    ),
    Dimension(
        "rules",
        "rules of each of 20 roles, for one item",
        (1, 10, 50, 200, 1000, 5000),
        lambda count: permissions(holder(count, 20), 1, ""),
    ),
)


def main() -> int:
    """Measures, draws, and writes the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each point")
    parser.add_argument("--sizes", type=int, default=3, help="of directories")
    parser.add_argument("--print", action="store_true", help="and leave page and plots")
    options = parser.parse_args()
    stay_on(LOAD)
    with (
        tempfile.TemporaryDirectory(prefix="authz-bench-") as name,
        world(SMALL) as url,
    ):
        folder = Path(name)
        with sidecar(url, folder) as asked:
            found = {
                each: list(grown(each, asked, options.seconds)) for each in DIMENSIONS
            }
        memory = [(count, held(url, folder, count)) for count in CALLERS]
    sizes = (SMALL, MIDDLE, LARGE)[: options.sizes]
    colds = [(size, cold_of(size, COLD_CALLS).spread) for size in sizes]
    if not options.print:
        draw(found, memory, colds)
    page = figures(found, memory, colds)
    report.publish("bench/growth.py", page, only_print=options.print)
    return 0


def grown(
    dimension: Dimension, asked: Sidecar, seconds: float
) -> Iterator[tuple[int, float]]:
    """Processor seconds of a call at each size.

    Raises CallFailedError when calls were refused although there was one at a time.
    """
    for size in dimension.sizes:
        question = dimension.question(size)
        verified(question, asked)
        target = asked.target(question.rpc)
        # Very long calls are turned away as soon as some wait.
        for at_once in (AT_ONCE, 1):
            before = asked.refused()
            run = lasting(target, question.body, asked.started, seconds, at_once)
            if asked.refused() == before:
                break
        else:
            raise CallFailedError(f"{question.name} was refused meanwhile")
        yield size, run.processor


def held(url: str, folder: Path, count: int) -> int:
    """Bytes resident once so many ordinary callers were asked about."""
    users = range(1, count + 1)
    bodies = [visible(caller(user, home(user, SMALL)), 1).body for user in users]
    with sidecar(url, folder) as asked:
        each_once(asked.target("CheckVisible"), bodies)
        return asked.started.memory().resident


def draw(
    found: Mapping[Dimension, Points], memory: Points, colds: Sequence[Cold]
) -> None:
    """One plot for each dimension."""
    for dimension, points in found.items():
        plots.lines(
            FOLDER / f"growth-{dimension.name}.svg",
            {dimension.label: [(x, y * 1e6) for x, y in points]},
            plots.Axis(dimension.label, is_log=True),
            plots.Axis("µs of processor for a call", is_log=True),
        )
    plots.lines(
        FOLDER / "growth-callers.svg",
        {"resident": [(x, y / 2**20) for x, y in memory]},
        plots.Axis("callers in memory", is_log=True),
        plots.Axis("MB resident"),
    )

    plots.lines(
        FOLDER / "growth-directory.svg",
        {
            "median": [(size.users, at.p50 * 1e3) for size, at in colds],
            "p99": [(size.users, at.p99 * 1e3) for size, at in colds],
        },
        plots.Axis("users in the directory, ten memberships each", is_log=True),
        plots.Axis("ms for a cold call"),
    )


def figures(
    found: Mapping[Dimension, Points], memory: Points, colds: Sequence[Cold]
) -> str:
    """The table."""
    rows = [
        [dimension.label, *_row([(x, report.took(y)) for x, y in points])]
        for dimension, points in found.items()
    ]
    rows.append(
        [
            "callers in memory: resident",
            *_row([(x, report.megabytes(int(y))) for x, y in memory]),
        ]
    )
    rows.append(
        [
            "users in the directory: cold p50 / p99",
            *_row(
                [
                    (size.users, f"{report.took(at.p50)} / {report.took(at.p99)}")
                    for size, at in colds
                ]
            ),
        ]
    )
    head = ("what grows", "at each size")
    pictures = [
        *((each.name, each.label) for each in DIMENSIONS),
        ("callers", "Callers in memory"),
        ("directory", "Users in the directory"),
    ]
    links = "\n".join(f"![{label}](growth-{name}.svg)" for name, label in pictures)
    return f"{report.machine()}\n\n{report.table(head, rows)}\n\n{links}\n"


def _row(cells: Sequence[tuple[int, str]]) -> list[str]:
    return [", ".join(f"{size:,}: {text}" for size, text in cells)]


if __name__ == "__main__":
    sys.exit(main())
