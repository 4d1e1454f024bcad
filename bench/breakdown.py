"""Where the time of one warm CheckVisible goes, part by part.

Each part is timed alone, with what the one before gave it, as the least of many rounds:
a profiler would make calls of Python look dear that are not. The rest is what the whole
takes beyond its parts; the engine is what a bare echo of the same lengths costs on a
processor, measured over its socket. --functions prints a profile by function as well.
"""

import argparse
import asyncio
import cProfile
import pstats
import sys
import tempfile
from collections.abc import Callable
from math import inf
from pathlib import Path
from time import perf_counter
from typing import Final, TypeVar

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "clients" / "python")]

from authz.v1 import authorization_service_pb2 as api  # noqa: E402  after the path

from bench.parts import questions, report  # noqa: E402
from bench.parts.cores import LOAD, stay_on  # noqa: E402
from bench.parts.inside import Built, Inside  # noqa: E402
from bench.parts.loads import lasting  # noqa: E402
from bench.parts.servers import echo  # noqa: E402
from bench.parts.wire import prefixed  # noqa: E402
from sidecar.ports import Consistency  # noqa: E402
from sidecar.service.asking import Decided  # noqa: E402
from sidecar.transport import answers  # noqa: E402
from sidecar.transport.parse import (  # noqa: E402
    CallerParser,
    ListenerPolicy,
)
from sidecar.transport.parse_resources import ResourceParser  # noqa: E402

T = TypeVar("T")

COUNTS: Final = (1, 50, 1000)
_SECONDS_OF_A_ROUND: Final = 0.01
PARTS: Final = {
    "engine": "the bare echo: socket, HTTP/2, handing over to Python and back",
    "decode": "bytes to a message",
    "parse": "message to a question",
    "resolve": "what memory shows, and as which tenant the caller acts",
    "judge": "a decision for each resource, and its reason",
    "answers": "decisions to bytes",
    "metrics": "counting the call and the decisions",
    "rest": "guard, shedding, deadline, ids, coroutines in between",
}


def main() -> int:
    """Measures, and writes the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--functions", action="store_true", help="print a profile too")
    parser.add_argument("--print", action="store_true", help="and leave the page")
    options = parser.parse_args()
    stay_on(LOAD)
    found = asyncio.run(measure(options.rounds, functions=options.functions))
    report.publish("bench/breakdown.py", figures(found), only_print=options.print)
    return 0


async def measure(rounds: int, *, functions: bool) -> dict[int, dict[str, float]]:
    """Seconds of each part, by the number of resources."""
    with tempfile.TemporaryDirectory(prefix="authz-bench-") as name:
        built = Built.over(Path(name) / "routes.yaml")
        found = {}
        for count in COUNTS:
            question = questions.visible(questions.caller(100, "1"), count)
            call = built.api(question)
            await call.raw(call.request, _NoDeadline)
            found[count] = parts(built, call, rounds)
            found[count]["engine"] = engine(call, Path(name))
            if functions:
                profile(call)
    return found


class _NoDeadline:
    @staticmethod
    def time_remaining() -> float | None:
        return None


def parts(built: Built, call: Inside, rounds: int) -> dict[str, float]:
    """What each part takes but the engine."""
    policy = ListenerPolicy()
    callers = CallerParser(policy)
    resources = ResourceParser(built.policy.kinds, policy.limits)
    message = api.CheckVisibleRequest.FromString(call.request)
    parsed, places = resources.alike(message.resources)
    caller, freshness = callers.parse(message.caller), Consistency.MINIMIZE_LATENCY
    metrics = built.metrics

    def resolve() -> None:
        moment = built.source.at_hand(freshness)
        built.resolver.remembered(caller, None if moment is None else moment.epoch)

    def judge() -> Decided:
        decided = built.service.visible_at_once(caller, freshness, parsed)
        if decided is None:
            raise AssertionError("there is something to wait for")
        return decided

    def count() -> None:
        metrics.decided_often("CheckVisible", decided.decisions, places or (0,))
        metrics.called("CheckVisible", "OK", "", 0.0001)

    decided = judge()

    taken = {
        "decode": least(
            lambda: api.CheckVisibleRequest.FromString(call.request), rounds
        ),
        "parse": least(
            lambda: (callers.parse(message.caller), resources.alike(message.resources)),
            rounds,
        ),
        "resolve": least(resolve, rounds),
        "judge": least(judge, rounds),
        "answers": least(
            lambda: answers.encoded(decided, "0123456789ab-1", places), rounds
        ),
        "metrics": least(count, rounds),
    }
    taken["judge"] -= taken["resolve"]
    taken["rest"] = max(least(call.run, rounds) - sum(taken.values()), 0.0)
    return taken


def least(work: Callable[[], object], rounds: int) -> float:
    """Seconds that it takes when nothing disturbs it: the least of many rounds."""
    began = perf_counter()
    work()
    often = max(int(_SECONDS_OF_A_ROUND / (perf_counter() - began)), 1)
    best = inf
    for _ in range(rounds):
        began = perf_counter()
        for _ in range(often):
            work()
        best = min(best, (perf_counter() - began) / often)
    return best


def engine(call: Inside, folder: Path) -> float:
    """Processor seconds of a bare echo for messages of the same lengths."""
    with echo(folder) as bare:
        body = bare.question(prefixed(call.request), len(call.run()))
        runs = [lasting(bare.target, body, bare.started, 0.5) for _ in range(3)]
    return min(run.processor for run in runs)


def profile(call: Inside) -> None:
    """Prints the functions in which most time is spent."""
    profiler = cProfile.Profile()
    profiler.enable()
    for _ in range(2_000):
        call.run()
    profiler.disable()
    pstats.Stats(profiler).sort_stats("tottime").print_stats(20)


def figures(found: dict[int, dict[str, float]]) -> str:
    """The table."""
    head = ["part", *(f"{count:,} resources" for count in found), "what it is"]
    rows = [
        [name, *(_cell(each, name) for each in found.values()), text]
        for name, text in PARTS.items()
    ]
    whole = [report.took(sum(each.values())) for each in found.values()]
    rows.append(["**whole**", *whole, "what a core is busy for one call"])
    return f"{report.machine()}\n\n{report.table(head, rows)}\n"


def _cell(parts: dict[str, float], name: str) -> str:
    return f"{report.took(parts[name])} ({parts[name] / sum(parts.values()):.0%})"


if __name__ == "__main__":
    sys.exit(main())
