"""How much: calls a second of each rpc on one core, beside a bare echo.

A closed loop by h2load (Debian's nghttp2-client) from the other core: warm, logs at
info, metrics on. The echo, on the same core and engine, answers messages of the same
lengths, in turns with the sidecar.
"""

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "clients" / "python")]

from bench.parts import report  # noqa: E402  after the path
from bench.parts.cores import LOAD, stay_on  # noqa: E402
from bench.parts.loads import AT_ONCE, CONNECTIONS, Run, lasting  # noqa: E402
from bench.parts.questions import Question, every, verified  # noqa: E402
from bench.parts.servers import Echo, Sidecar, echo, sidecar  # noqa: E402
from bench.parts.world import SMALL, world  # noqa: E402

MANY = 50


@dataclass(frozen=True, slots=True)
class Measured:
    """A question's best run, and what that is of an echo of the same lengths.

    `share` is of the echo's calls a second, `processor_share` the same by processor
    time; both are the median of the turns, since a machine's pace changes.
    """

    question: Question
    run: Run
    share: float
    processor_share: float


def main() -> int:
    """Measures, and writes the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.5, help="of a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rpc", help="this one alone")
    parser.add_argument("--print", action="store_true", help="and leave the page")
    options = parser.parse_args()
    stay_on(LOAD)
    with (
        tempfile.TemporaryDirectory(prefix="authz-bench-") as name,
        world(SMALL) as url,
        sidecar(url, Path(name)) as asked,
        echo(Path(name)) as bare,
    ):
        found = [
            measure(each, (asked, bare), options.seconds, options.rounds)
            for each in every(SMALL)
            if options.rpc in {None, each.rpc}
        ]
        refused = asked.refused()
    is_part = options.print or options.rpc is not None
    report.publish("bench/capacity.py", figures(found, refused), only_print=is_part)
    return int(refused > 0)


def measure(
    question: Question, servers: tuple[Sidecar, Echo], seconds: float, rounds: int
) -> Measured:
    """Both, in turns."""
    asked, bare = servers
    size = verified(question, asked).ByteSize()
    at_once = AT_ONCE if question.elements < MANY else AT_ONCE // 8
    target, alike = asked.target(question.rpc), bare.question(question.body, size)
    runs, echoes = [], []
    for _ in range(rounds * 2 if question.elements == 1 else rounds):
        runs.append(lasting(target, question.body, asked.started, seconds, at_once))
        echoes.append(lasting(bare.target, alike, bare.started, seconds / 2))
    turns = list(zip(runs, echoes, strict=True))
    return Measured(
        question,
        max(runs, key=lambda run: run.rate),
        median(run.rate / echo.rate for run, echo in turns),
        median(echo.processor / run.processor for run, echo in turns),
    )


def figures(found: list[Measured], refused: int) -> str:
    """The tables."""
    head = (
        *("call", "elements", "calls/s", "elements/s", "of an echo"),
        *("processor a call", "of an echo's", *report.SPREAD_HEAD),
    )
    rows = [
        [
            each.question.name,
            f"{each.question.elements:,}",
            f"{each.run.rate:,.0f}",
            f"{each.run.rate * each.question.elements:,.0f}",
            f"{each.share:.0%}",
            report.took(each.run.processor),
            f"{each.processor_share:.0%}",
            *report.spread(each.run.spread),
        ]
        for each in found
    ]
    calls = sum(each.run.calls for each in found)
    told = (
        f"{report.machine()} Closed loop, {AT_ONCE} calls at once on "
        f"{CONNECTIONS} connections "
        f"({AT_ONCE // 8} from {MANY} elements on), on a Unix socket, warm; "
        f"the best of the rounds, of {calls:,} calls; {refused} were refused; shares "
        "of an echo are the median of those of each round. "
        "Times are those of a full queue."
    )
    return "\n\n".join([told, report.table(head, rows), "\n".join(bars(found))]) + "\n"


def bars(found: list[Measured]) -> list[str]:
    """What must be seen."""
    by_name = {
        (each.question.rpc, each.question.about, each.question.elements): each
        for each in found
    }
    lines = []
    one = by_name.get(("CheckVisible", "attributes given", 1))
    if one is not None:
        name = "`CheckVisible`, one resource, of a bare echo"
        lines.append(report.bar(name, one.share * 100, 60, "%"))
    thousand = by_name.get(("CheckVisible", "attributes given", 1000))
    if thousand is not None:
        name = "`CheckVisible`, 1,000 resources"
        rate = thousand.run.rate * 1000
        lines.append(report.bar(name, rate, 400_000, "resources/s"))
    items = by_name.get(("GetPermissions", "20 roles of 200 rules", 50))
    if items is not None:
        name = "`GetPermissions`, 50 items, 20 roles of 200 rules"
        lines.append(report.bar(name, items.run.rate, 4_000, "calls/s"))
    return lines


if __name__ == "__main__":
    sys.exit(main())
