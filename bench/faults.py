"""Suffers each fault some times and writes what was seen into docs/reliability.md."""

import argparse
import asyncio
import logging
import sys
import tempfile
from pathlib import Path
from typing import Final

import structlog

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.faults.ordeals import ORDEALS, Ordeal, place_on, prepare_world, undergo
from tests.store.faults.failing_over import FAILOVER
from tests.store.faults.faults import FAULTS, LASTS, Fault, Seen, suffer
from tests.store.faults.lab import MAX_STALENESS, Answer, lab_on, prepare
from tests.support.cluster import Node, cluster

PAGE: Final = Path(__file__).parent.parent / "docs" / "reliability.md"
BEGIN: Final = "<!-- figures of bench/faults.py -->\n"
PROCESS: Final = {each.name for each in ORDEALS}
END: Final = "<!-- end of the figures -->\n"


def main() -> int:
    """Gives 1 when an answer was stale beyond the bound, or a denial was an allow."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="of each fault")
    parser.add_argument("--print", action="store_true", help="and leave the page")
    options = parser.parse_args()
    # What the faults do to connections is the point, and no news.
    logging.disable()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL)
    )
    seen = asyncio.run(suffer_all(options.rounds))
    figures = table(seen, options.rounds)
    print(figures)
    if not options.print:
        write(figures)
    return int(any(is_wrong(each) for each in seen))


async def suffer_all(rounds: int) -> list[Seen]:
    """Each fault, with a store or a process of its own each time."""
    seen: list[Seen] = []
    with cluster() as made:
        node = made.primary
        await prepare(node)
        url = await prepare_world(node)
        seen += [await once_undergone(url, each) for each in ORDEALS * rounds]
        for fault in (*FAULTS, FAILOVER) * rounds:
            one, node = await once(node, fault)
            seen.append(one)
    return sorted(seen, key=lambda each: each.fault in PROCESS)


async def once(node: Node, fault: Fault) -> tuple[Seen, Node]:
    """One fault, and where the database is after it."""
    async with lab_on(node) as lab:
        return await suffer(lab, fault), lab.node


async def once_undergone(url: str, ordeal: Ordeal) -> Seen:
    """One ordeal of a process."""
    with tempfile.TemporaryDirectory(prefix="authz-") as folder:
        async with place_on(url, Path(folder), ordeal) as place:
            return await undergo(place, ordeal)


def is_wrong(seen: Seen) -> bool:
    """Whether what must not be was seen."""
    return (
        seen.staleness > MAX_STALENESS
        or seen.seldom is not Answer.DENIED
        or Answer.ALLOWED in seen.bobs
    )


def table(seen: list[Seen], rounds: int) -> str:
    """A row for each fault: the worst of its rounds."""
    told = (
        f"{rounds} rounds of each; a fault that lasts does so for {LASTS:g} s, "
        f"`max_staleness` is {MAX_STALENESS:g} s, there is a beat every 0.05 s."
    )
    head = (
        "| fault | answered meanwhile, of the time | stale at most "
        "| memory answers again after | longest wait for an answer |"
    )
    rows = [told, "", head, "|---|---|---|---|---|"]
    for name in dict.fromkeys(each.fault for each in seen):
        own = [each for each in seen if each.fault == name]
        rows.append(
            f"| {name} | {shares(own)} "
            f"| {milliseconds(max(each.staleness for each in own))} "
            f"| {milliseconds(max(each.recovery for each in own))} "
            f"| {milliseconds(max(each.longest for each in own))} |"
        )
    return "\n".join(rows) + "\n"


def shares(seen: list[Seen]) -> str:
    """What was answered for how much of the time, the most first."""
    times = {
        answer.value: sum(each.meanwhile.get(answer, 0.0) for each in seen)
        for answer in Answer
    }
    total = sum(times.values())
    return ", ".join(
        f"{answer} {seconds / total:.0%}"
        for answer, seconds in sorted(times.items(), key=lambda item: -item[1])
        if seconds >= total / 200
    )


def milliseconds(seconds: float) -> str:
    """Rounded up, since these are bounds."""
    return f"{-int(-seconds * 1000 // 1)} ms"


def write(figures: str) -> None:
    """Puts the figures in the place of the old ones."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{figures}\n{END}{after}")


if __name__ == "__main__":
    sys.exit(main())
