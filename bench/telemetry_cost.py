"""What it costs to be seen: warm calls with traces and a log of decisions, on and off.

Sidecars that differ in nothing else are asked the same in turns, by h2load from the
other core; the one without either is the measure of the others. Spans go to a collector
in this process, which takes them and forgets them.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import grpc

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "clients" / "python")]

from bench.parts import questions, report  # noqa: E402  after the path
from bench.parts.cores import LOAD, stay_on  # noqa: E402
from bench.parts.loads import AT_ONCE, Run, lasting  # noqa: E402
from bench.parts.questions import Question, verified  # noqa: E402
from bench.parts.servers import Sidecar, sidecar  # noqa: E402
from bench.parts.world import SMALL, world  # noqa: E402

OFF: Final = "neither"
_SERVICE: Final = "opentelemetry.proto.collector.trace.v1.TraceService"
_MANY: Final = 50


def variants(collector: str, folder: Path) -> dict[str, Mapping[str, object]]:
    """What is set beyond the common settings, by what it is called."""

    def traces(ratio: float) -> dict[str, object]:
        return {"tracing": {"endpoint": collector, "sample_ratio": ratio}}

    def log(name: str, allowed: float) -> dict[str, object]:
        file = str(folder / f"{name}.log")
        return {"decision_log": {"to": "file", "file": file, "sample_allowed": allowed}}

    return {
        OFF: {},
        "traces of none": traces(0),
        "traces of 1%": traces(0.01),
        "traces of all": traces(1),
        "log of 1% of what is allowed": log("few", 0.01),
        "log of all": log("all", 1),
        "both of 1%": {**traces(0.01), **log("both", 0.01)},
    }


@dataclass(frozen=True, slots=True)
class Measured:
    """A question's runs, one of each round, by the variant that was asked."""

    question: Question
    runs: Mapping[str, list[Run]]

    def processor(self, variant: str) -> float:
        """The least processor seconds of a call: what else runs only adds to it."""
        return min(each.processor for each in self.runs[variant])

    def rate(self, variant: str) -> float:
        """The most calls a second."""
        return max(each.rate for each in self.runs[variant])


def main() -> int:
    """Measures, and writes the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.5, help="of a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", action="append", help="these variants alone")
    parser.add_argument("--print", action="store_true", help="and leave the page")
    options = parser.parse_args()
    stay_on(LOAD)
    with ExitStack() as ending:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory()))
        url = ending.enter_context(world(SMALL))
        collector = ending.enter_context(sink())
        asked = {
            name: ending.enter_context(sidecar(url, folder / str(number), settings))
            for number, (name, settings) in enumerate(
                variants(collector, folder).items()
            )
            if name == OFF or not options.only or name in options.only
        }
        who = questions.admin(SMALL)
        found = [
            measure(each, asked, options.seconds, options.rounds)
            for each in (
                questions.visible(who, 1),
                questions.visible(who, _MANY),
                questions.authorize(who, 10),
            )
        ]
        refused = sum(each.refused() for each in asked.values())
        dropped = {name: dropped_spans(each) for name, each in asked.items()}
    only_print = options.print or bool(options.only)
    told = figures(found, dropped, refused)
    report.publish("bench/telemetry_cost.py", told, only_print=only_print)
    return int(refused > 0)


@contextmanager
def sink() -> Iterator[str]:
    """A collector that forgets: where it listens."""
    server = grpc.server(ThreadPoolExecutor(1))
    handler = grpc.unary_unary_rpc_method_handler(lambda _data, _context: b"")
    handlers = grpc.method_handlers_generic_handler(_SERVICE, {"Export": handler})
    server.add_generic_rpc_handlers((handlers,))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.stop(None)


def measure(
    question: Question, asked: Mapping[str, Sidecar], seconds: float, rounds: int
) -> Measured:
    """All, in turns."""
    at_once = AT_ONCE if question.elements < _MANY else AT_ONCE // 8
    runs: dict[str, list[Run]] = {name: [] for name in asked}
    for each in asked.values():
        verified(question, each)
    for _ in range(rounds):
        for name, each in asked.items():
            target = each.target(question.rpc)
            run = lasting(target, question.body, each.started, seconds, at_once)
            runs[name].append(run)
    return Measured(question, runs)


def dropped_spans(asked: Sidecar) -> int:
    """How many spans could not be kept, so far."""
    for line in asked.scraped().splitlines():
        name, _, value = line.rpartition(" ")
        if name == 'authz_trace_spans_total{outcome="dropped"}':
            return int(float(value))
    return 0


def figures(found: list[Measured], dropped: Mapping[str, int], refused: int) -> str:
    """The table."""
    head = (
        *("call", "elements", "with", "calls/s", "of without"),
        *("processor a call", "of without"),
    )
    rows = [
        [
            each.question.name,
            f"{each.question.elements:,}",
            name,
            f"{each.rate(name):,.0f}",
            f"{each.rate(name) / each.rate(OFF):.0%}",
            report.took(each.processor(name)),
            f"{each.processor(name) / each.processor(OFF):.2f} times",
        ]
        for each in found
        for name in each.runs
    ]
    calls = sum(
        run.calls for each in found for runs in each.runs.values() for run in runs
    )
    lost = ", ".join(
        f"{count:,} with {name}" for name, count in dropped.items() if count
    )
    told = (
        f"{report.machine()} Closed loop, {AT_ONCE} calls at once ({AT_ONCE // 8} from "
        f"{_MANY} elements on), on a Unix socket, warm; the best of the rounds, which "
        f"take turns; {calls:,} calls, {refused} refused. "
        f"Spans dropped: {lost or 'none'}."
    )
    return "\n\n".join([told, report.table(head, rows)]) + "\n"


if __name__ == "__main__":
    sys.exit(main())
