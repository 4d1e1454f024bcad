"""Asks while faults come and go, and counts answers that the commits forbid."""

import argparse
import asyncio
import logging
import sys
from math import inf
from pathlib import Path

import structlog

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.store.faults.histories import Plan, check_under_faults
from tests.store.faults.ledger import Ledger


def main() -> int:
    """Gives 1 when an answer was forbidden."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=1_000_000, help="answered")
    parser.add_argument("--seed", type=int, default=1, help="of faults and questions")
    parser.add_argument("--pause", type=float, default=4.0, help="longest, in seconds")
    parser.add_argument("--lasts", type=float, default=1.0, help="longest, in seconds")
    parser.add_argument("--thinks", type=float, default=0.05, help="so do writers")
    parser.add_argument("--seconds", type=float, default=inf, help="at most")
    options = parser.parse_args()
    # What the faults do to connections is the point, and no news.
    logging.disable()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL)
    )
    plan = Plan(
        options.questions,
        options.seed,
        pause=options.pause,
        lasts=options.lasts,
        thinks=options.thinks,
        seconds=options.seconds,
    )
    ledger = asyncio.run(check_under_faults(plan))
    print(told(ledger))
    return int(bool(ledger.wrong))


def told(ledger: Ledger) -> str:
    """What happened, a line for each kind of it."""
    faults = sum(
        count for name, count in ledger.counts.items() if name.startswith("fault: ")
    )
    lines = [f"{count:>9} {name}" for name, count in sorted(ledger.counts.items())]
    return "\n".join(
        (
            *lines,
            f"{ledger.answered:>9} questions answered",
            f"{len(ledger.writes):>9} values written",
            f"{faults:>9} faults",
            f"{ledger.stalest * 1000:>9.0f} ms, the stalest answer from memory",
            f"{ledger.max_staleness * 1000:>9.0f} ms, the stalest that is allowed",
            f"{len(ledger.wrong):>9} answers that the commits forbid",
            *(f"          {each}" for each in ledger.wrong[:10]),
        )
    )


if __name__ == "__main__":
    sys.exit(main())
