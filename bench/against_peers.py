"""The same questions, put to the sidecar and to those who would be used instead.

Cerbos, OpenFGA and SpiceDB, each in memory, at the versions that `bench/peers/install`
puts into build/peers. Each is first asked what can be compared; whoever answers
otherwise is named and not measured. Then sidecar and peer are asked in turns, on the
same core, the best of the rounds counts, and what counts is the ratio.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "clients" / "python")]

from authz.v1 import authorization_service_pb2 as api  # noqa: E402  after the path
from authz.v1 import resource_pb2  # noqa: E402

from bench.parts import questions, report  # noqa: E402
from bench.parts.cores import (  # noqa: E402
    LOAD,
    NotStartedError,
    free_port,
    stay_on,
)
from bench.parts.loads import AT_ONCE, Run, Spread, Target, lasting  # noqa: E402
from bench.parts.servers import API, Sidecar, sidecar  # noqa: E402
from bench.parts.wire import CallFailedError, ask, prefixed  # noqa: E402
from bench.parts.world import SMALL, world  # noqa: E402
from bench.peers import cerbos, openfga, shared, spicedb  # noqa: E402
from bench.peers.shared import FIFTY, ONE, Asked, Call, Running  # noqa: E402

# Actions of the policy that Cerbos has, and by which call the sidecar answers each.
_ACTIONS: Final = {"see": "CheckVisible", "change": "CheckWritable"}

Started = Callable[[Path], AbstractContextManager[Running]]


@dataclass(frozen=True, slots=True)
class Peer:
    """Somebody who can be asked the same.

    `is_told`: what matters comes with the question.
    """

    name: str
    version: str
    start: Started
    is_told: bool = False
    on_tcp: bool = False


PEERS: Final = (
    Peer(cerbos.NAME, cerbos.VERSION, cerbos.cerbos, is_told=True),
    Peer(openfga.NAME, openfga.VERSION, openfga.openfga, on_tcp=True),
    Peer(spicedb.NAME, spicedb.VERSION, spicedb.spicedb),
)


@dataclass(frozen=True, slots=True)
class Ours:
    """The sidecar, on a Unix socket and on TCP."""

    running: Sidecar
    tcp: str

    def call(self, asked: Asked, peer: Peer, rpc: str = "CheckVisible") -> Call:
        """What a peer is asked, as the sidecar is asked it."""
        given = _given if peer.is_told else _named
        who = questions.caller(asked.user, asked.organization)
        request = getattr(api, f"{rpc}Request")(
            caller=who, resources=[given(each) for each in asked.workers]
        )
        address = self.tcp if peer.on_tcp else self.running.address
        target = Target(address, f"{API}{rpc}")
        return Call(target, prefixed(request.SerializeToString()))

    @staticmethod
    def answers(message: bytes) -> tuple[bool, ...]:
        """Whether each worker is visible."""
        response = api.CheckVisibleResponse.FromString(message)
        return tuple(each.allowed for each in response.decisions)


def _named(worker: int) -> resource_pb2.Resource:
    return resource_pb2.Resource(kind="worker", id=str(worker))


def _given(worker: int) -> resource_pb2.Resource:
    attributes = resource_pb2.ResourceAttributes(
        owner_principal_id=str(shared.owner(worker)),
        cluster_id=str(shared.cluster(worker)),
    )
    return resource_pb2.Resource(kind="worker", id=str(worker), attributes=attributes)


@dataclass(frozen=True, slots=True)
class Compared:
    """The best runs of both; `memory` is what the peer held at the end, in bytes."""

    peer: Peer
    about: str
    ours: Run
    theirs: Run
    memory: int

    @property
    def times(self) -> float:
        """How many times the peer's calls a second ours are."""
        return self.ours.rate / self.theirs.rate


def main() -> int:
    """Compares, measures, and writes the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="of a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--print", action="store_true", help="and leave the page")
    options = parser.parse_args()
    stay_on(LOAD)
    tcp = f"127.0.0.1:{free_port()}"
    with (
        tempfile.TemporaryDirectory(prefix="authz-bench-") as name,
        world(SMALL) as url,
    ):
        folder = Path(name)
        listeners = [
            {"address": address, "engine": "native"}
            for address in (f"unix:{folder / 'authz.sock'}", tcp)
        ]
        with sidecar(url, folder, {"listeners": listeners}) as running:
            ours = Ours(running, tcp)
            found: list[Compared] = []
            left_out = []
            for peer in PEERS:
                try:
                    found += measure(peer, ours, options.seconds, options.rounds)
                except (OSError, NotStartedError, CallFailedError, ValueError) as error:
                    left_out.append(f"- {peer.name} was not measured: {error}")
            memory = running.started.memory().resident
            if running.refused():
                left_out.append(f"- The sidecar refused {running.refused()} calls.")
    page = figures(found, left_out, memory)
    report.publish("bench/against_peers.py", page, only_print=options.print)
    return int(bool(left_out))


def measure(peer: Peer, ours: Ours, seconds: float, rounds: int) -> list[Compared]:
    """Both, in turns, after they were seen to say the same.

    Raises ValueError when they do not.
    """
    with (
        tempfile.TemporaryDirectory(prefix="authz-bench-") as name,
        peer.start(Path(name)) as running,
    ):
        compare(peer, ours, running)
        found = []
        for about, asked, their, rpcs in _asked(running):
            turns = [
                (
                    _all_of(ours, peer, asked, rpcs, seconds),
                    _run(their.call(asked), their, asked, seconds),
                )
                for _ in range(rounds)
            ]
            own, theirs = (
                max(runs, key=lambda run: run.rate) for runs in zip(*turns, strict=True)
            )
            memory = running.started.memory().resident
            found.append(Compared(peer, about, own, theirs, memory))
    return found


def _asked(running: Running) -> Iterator[tuple[str, Asked, Running, tuple[str, ...]]]:
    yield "1 resource", ONE, running, ("CheckVisible",)
    yield "50 resources", FIFTY, running, ("CheckVisible",)
    if isinstance(running, cerbos.Cerbos):
        # The sidecar is asked each action in a call of its own.
        yield (
            "50 resources x 2 actions",
            FIFTY,
            _both(running),
            tuple(_ACTIONS.values()),
        )


def _both(running: cerbos.Cerbos) -> cerbos.Cerbos:
    return replace(running, actions=tuple(_ACTIONS))


def compare(peer: Peer, ours: Ours, running: Running) -> None:
    """Asks both what they can be compared by, one by one and many at once."""
    for many in (*shared.to_compare(), FIFTY):
        for asked in (many, replace(many, workers=many.workers[:1])):
            call, own = running.call(asked), ours.call(asked, peer)
            theirs = tuple(running.answers(asked, _ask(call)))
            said = ours.answers(_ask(own))
            if not theirs == said == asked.expected:
                raise ValueError(f"{asked} is answered {theirs}, and by us {said}")
    if isinstance(running, cerbos.Cerbos):
        for asked in (*shared.to_compare(), FIFTY):
            compare_actions(peer, ours, _both(running), asked)


def compare_actions(
    peer: Peer, ours: Ours, running: cerbos.Cerbos, asked: Asked
) -> None:
    """Asks for all actions at once, and the sidecar for one after the other.

    Raises ValueError when the answers differ, or are wrong.
    """
    answered = _ask(running.call(asked))
    writable = tuple(shared.is_writable(asked, each) for each in asked.workers)
    for (action, rpc), right in zip(
        _ACTIONS.items(), (asked.expected, writable), strict=True
    ):
        theirs = tuple(running.answers_to(action, asked, answered))
        said = ours.answers(_ask(ours.call(asked, peer, rpc)))
        if not theirs == said == right:
            raise ValueError(f"{action}: {asked} is answered {theirs}, by us {said}")


def _ask(call: Call) -> bytes:
    target = call.target
    return ask(target.address, target.method, call.body, target.extra)


def _run(call: Call, running: Running | Sidecar, asked: Asked, seconds: float) -> Run:
    at_once = AT_ONCE if len(asked.workers) == 1 else AT_ONCE // 8
    return lasting(call.target, call.body, running.started, seconds, at_once)


def _all_of(
    ours: Ours, peer: Peer, asked: Asked, rpcs: tuple[str, ...], seconds: float
) -> Run:
    # One run, as if each call were all of these after each other, each as slow.
    runs = [
        _run(ours.call(asked, peer, rpc), ours.running, asked, seconds) for rpc in rpcs
    ]
    rate = 1 / sum(1 / run.rate for run in runs)
    spreads = [run.spread for run in runs]
    return replace(
        runs[0],
        rate=rate,
        processor=sum(run.processor for run in runs),
        spread=Spread(
            sum(each.p50 for each in spreads),
            sum(each.p90 for each in spreads),
            sum(each.p99 for each in spreads),
            sum(each.most for each in spreads),
        ),
    )


def figures(found: list[Compared], left_out: list[str], memory: int) -> str:
    """The table, who wins, and the bars."""
    head = (
        *("peer", "question", "its calls/s", "ours", "ours is", "by processor time"),
        *("its p50", "ours", "its p99", "ours", "its memory"),
    )
    rows = [
        [
            f"{each.peer.name} {each.peer.version}",
            each.about,
            f"{each.theirs.rate:,.0f}",
            f"{each.ours.rate:,.0f}",
            f"{each.times:.1f}x",
            f"{each.theirs.processor / each.ours.processor:.1f}x",
            report.took(each.theirs.spread.p50),
            report.took(each.ours.spread.p50),
            report.took(each.theirs.spread.p99),
            report.took(each.ours.spread.p99),
            report.megabytes(each.memory),
        ]
        for each in found
    ]
    told = f"{report.machine()} The sidecar held {report.megabytes(memory)}."
    lines = [*left_out, *bars(found), *wins(found, memory)]
    return "\n\n".join([told, report.table(head, rows), "\n".join(lines)]) + "\n"


def bars(found: list[Compared]) -> list[str]:
    """What must be seen."""
    wanted = {"1 resource": 6.0, "50 resources": 20.0, "50 resources x 2 actions": 20.0}
    return [
        report.bar(f"{each.about}, of {each.peer.name}", each.times, bar, "times")
        for each in found
        if each.peer.is_told and (bar := wanted.get(each.about)) is not None
    ]


def wins(found: list[Compared], memory: int) -> list[str]:
    """Where a peer does better."""
    slower = [
        f"- {each.peer.name} wins: {each.about}, {1 / each.times:.1f} times our calls"
        for each in found
        if each.times < 1
    ]
    smaller = {
        f"- {each.peer.name} holds less memory"
        for each in found
        if each.memory < memory
    }
    return [*slower, *sorted(smaller)]


if __name__ == "__main__":
    sys.exit(main())
