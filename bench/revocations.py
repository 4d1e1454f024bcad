"""From a revocation to its first denial: how long, a thousand times, under load.

Four processes and a PostgreSQL: a sidecar on the native engine; one that asks it at a
fixed rate; one that revokes; and this one, which asks for who is being revoked, again
and again. Writes the figures into docs/reliability.md and draws docs/revocation.svg.
Long, because the four of them are in one place.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import grpc
import uvloop
from authz.v1 import authorization_service_pb2 as api
from authz.v1.caller_pb2 import Caller
from authz.v1.permission_pb2 import (
    ACCESS_LEVEL_MY,
    OPERATION_READ,
    RULE_CONTEXT_DATA,
    PermissionQuery,
)
from authz.v1.resource_pb2 import (
    PermissionRequirement,
    Requirement,
    Resource,
)

from bench.marked_figures import write_figures
from bench.plots import distribution
from bench.revoking import REVOKE, ask_on, write
from bench.town import ROOT, organization, settle, sidecar
from examples.dev_server import temporary_directory
from sidecar.store.administration import migrate_database
from tests.support.cluster import cluster

PAGE: Final = ROOT / "docs" / "reliability.md"
PLOT: Final = ROOT / "docs" / "revocation.svg"
AIM_MS: Final = 5.0
# User 3k deletes a membership, 3k + 1 a grant, 3k + 2 a rule.
KINDS: Final = tuple(REVOKE)
_AUTHORIZE: Final = "/authz.v1.AuthorizationService/Authorize"
_PATIENCE: Final = 5.0
_QUESTIONS_AFTERWARDS: Final = 20
_ATTEMPTS: Final = 1000


@dataclass(frozen=True, slots=True)
class Revocation:
    """One revocation: times of the monotonic clock, in seconds.

    `sent` and `returned` are of COMMIT, `heard` of another listener. `last_allowed`
    is when the last question that was allowed was put, `denied` when the first denial
    had come. `questions`: how many there were from the begin to that denial.
    """

    kind: str
    sent: float
    returned: float
    heard: float
    began: float
    last_allowed: float
    denied: float
    questions: int

    @property
    def from_sent(self) -> float:
        """Milliseconds."""
        return (self.denied - self.sent) * 1000

    @property
    def from_returned(self) -> float:
        """Milliseconds; the denial may well come before whoever commits knows."""
        return max(self.denied - self.returned, 0) * 1000

    @property
    def to_heard(self) -> float:
        """Milliseconds, as above."""
        return max(self.heard - self.returned, 0) * 1000

    @property
    def allowed_for(self) -> float:
        """Milliseconds after the return for which it was surely still allowed."""
        return max(self.last_allowed - self.returned, 0) * 1000

    @property
    def period(self) -> float:
        """Milliseconds from one question to the next."""
        return (self.denied - self.began) * 1000 / self.questions


class Prober:
    """Asks whether a user may, until the answer is no."""

    def __init__(self, channel: grpc.Channel, writer: subprocess.Popen[str]) -> None:
        self._visible = channel.unary_unary(
            "/authz.v1.AuthorizationService/CheckVisible",
            api.CheckVisibleRequest.SerializeToString,
            api.CheckVisibleResponse.FromString,
        )
        self._authorize = channel.unary_unary(
            _AUTHORIZE,
            api.AuthorizeRequest.SerializeToString,
            api.AuthorizeResponse.FromString,
        )
        self._writer = writer

    def revoke(self, user: int) -> Revocation:
        """Has what a user has taken away, and sees when that holds.

        Raises RuntimeError when it was not allowed before, is not denied in time, or
        is allowed afterwards.
        """
        kind = KINDS[user % 3]
        may = self._question(kind, user)
        # The first answer is read from the database, the second is from memory.
        if not (answered(may) and answered(may)):
            raise RuntimeError(f"user `{user}` was not allowed before")
        _stream(self._writer.stdin).write(f"{kind} {user}\n")
        _stream(self._writer.stdin).flush()
        began = last_allowed = time.monotonic()
        questions = 0
        while True:
            asked = time.monotonic()
            answer = may()
            denied = time.monotonic()
            questions += 1
            if answer is False:
                break
            if answer:
                last_allowed = asked
            if denied - began > _PATIENCE:
                raise RuntimeError(f"user `{user}` is not denied")
        sent, returned, heard = map(
            float, _stream(self._writer.stdout).readline().split()
        )
        if any(may() for _ in range(_QUESTIONS_AFTERWARDS)):
            raise RuntimeError(f"user `{user}` was allowed after a denial")
        return Revocation(
            kind, sent, returned, heard, began, last_allowed, denied, questions
        )

    def _question(self, kind: str, user: int) -> Callable[[], bool | None]:
        caller = Caller(user_id=str(user), organization_id=str(organization(user)))
        if kind == "rule":
            query = PermissionQuery(context=RULE_CONTEXT_DATA, item=f"data.item{user}")
            permission = PermissionRequirement(
                query=query, operation=OPERATION_READ, least_level=ACCESS_LEVEL_MY
            )
            needs = [Requirement(permission=permission)]
            both = api.AuthorizeRequest(caller=caller, requirements=needs)
            return lambda: _or_none(
                lambda: self._authorize(both, timeout=5).decision.allowed
            )
        name = {"membership": "worker", "grant": "cluster"}[kind]
        resource = Resource(kind=name, id=str(user))
        one = api.CheckVisibleRequest(caller=caller, resources=[resource])
        return lambda: _or_none(
            lambda: self._visible(one, timeout=5).decisions[0].allowed
        )


def answered(may: Callable[[], bool | None]) -> bool:
    """The answer, however often it takes; raises RuntimeError when there is none."""
    for _ in range(_ATTEMPTS):
        answer = may()
        if answer is not None:
            return answer
    raise RuntimeError("there is no answer")


def _or_none(ask: Callable[[], bool]) -> bool | None:
    # Where the machine has other work, the sidecar turns calls away.
    try:
        return ask()
    except grpc.RpcError as error:
        if error.code() in (  # it is a call, too
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            grpc.StatusCode.DEADLINE_EXCEEDED,
        ):
            return None
        raise


def measure(count: int, rate: float, folder: Path) -> tuple[list[Revocation], str]:
    """Revokes so many times; says in words what the load was meanwhile."""
    address = f"unix:{folder / 'authz.sock'}"
    settings = {
        "listeners": [{"address": address, "engine": "native"}],
        "metrics": {"address": None},
    }
    people = max(3 * count, 3000)
    with cluster() as made:
        url = made.primary.url()
        asyncio.run(migrate_database(url))
        asyncio.run(settle(url, people))
        # Users above these keep what they have, and are asked for meanwhile.
        load = ("--load", address, "--rate", str(rate), "--count", str(people))
        with (
            sidecar(url, folder / "log", settings),
            another("--write", url) as writer,
            another(*load) as asking,
            grpc.insecure_channel(address) as channel,
        ):
            if _stream(writer.stdout).readline() != "ready\n":
                raise RuntimeError("whoever revokes did not start")
            prober = Prober(channel, writer)
            for user in range(3, 3 + count // 10 + 3):
                prober.revoke(user)
            first = 3 + count // 10 + 3
            seen = [prober.revoke(user) for user in range(first, first + count)]
            found, _ = asking.communicate()
    return seen, told(json.loads(found))


def told(load: dict[str, object]) -> str:
    """How the load went."""
    took = load["took"]
    if not isinstance(took, list):
        raise TypeError(took)
    return (
        f"{load['rate']:.0f} questions a second by others, each about a random one of "
        f"many users, of which {load['failed']} failed; half of these took at most "
        f"{quantile(took, 0.5) * 1000:.1f} ms, 99% at most "
        f"{quantile(took, 0.99) * 1000:.1f} ms. Over the minute there were "
        f"{os.getloadavg()[0]:.1f} processes at a time that ran or wanted to, of all "
        f"on the machine, for {os.cpu_count()} cores"
    )


@contextmanager
def another(*options: str) -> Iterator[subprocess.Popen[str]]:
    """This program with other options, until its standard input ends."""
    process = subprocess.Popen(  # noqa: S603  this very program
        [sys.executable, __file__, *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def quantile(values: Sequence[float], share: float) -> float:
    """The least value that so large a share of all is at most."""
    ordered = sorted(values)
    return ordered[max(-int(-share * len(ordered) // 1) - 1, 0)]


def table(seen: Sequence[Revocation], load: str) -> str:
    """A row for each kind and measure."""
    period = sum(each.period for each in seen) / len(seen)
    told = (
        f"{len(seen)} revocations; {load}. Whoever looks for the denial asks every "
        f"{period:.2f} ms on average, and that much is part of the first two figures."
    )
    rows = [
        told,
        "",
        "| from | what is revoked | p50 | p90 | p99 | most |",
        "|---|---|---|---|---|---|",
    ]
    measures: dict[str, Callable[[Revocation], float]] = {
        "COMMIT sent, to the first denial seen": lambda each: each.from_sent,
        "COMMIT returned, to the first denial seen": lambda each: each.from_returned,
        "COMMIT returned, to the last question allowed": lambda each: each.allowed_for,
        "COMMIT returned, to the notification at another listener": (
            lambda each: each.to_heard
        ),
    }
    for name, of in measures.items():
        for kind in (*KINDS, "all"):
            own = [of(each) for each in seen if kind in (each.kind, "all")]
            shown = [f"{quantile(own, share):.2f} ms" for share in (0.5, 0.9, 0.99, 1)]
            rows.append(f"| {name} | {kind} | {' | '.join(shown)} |")
    return "\n".join(rows) + "\n"


def draw(seen: Sequence[Revocation], path: Path) -> None:
    """The distribution for each kind."""
    samples = {
        f"a {kind}": [each.from_sent for each in seen if each.kind == kind]
        for kind in KINDS
    }
    label = "milliseconds from sending COMMIT to the first denial seen"
    distribution(path, samples, label, mark=AIM_MS)


def main() -> int:
    """Gives 1 when more than one in a hundred took longer than is aimed at."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=300.0, help="questions a second")
    parser.add_argument("--print", action="store_true", help="and leave the page")
    parser.add_argument("--write", metavar="URL", help=argparse.SUPPRESS)
    parser.add_argument("--load", metavar="ADDRESS", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write is not None:
        uvloop.run(write(options.write))
        return 0
    if options.load is not None:
        uvloop.run(ask_on(options.load, options.rate, options.count))
        return 0
    with temporary_directory() as folder:
        seen, load = measure(options.count, options.rate, folder)
    figures = table(seen, load)
    print(figures)
    if not options.print:
        write_figures(PAGE, "bench/revocations.py", figures)
        draw(seen, PLOT)
    return int(quantile([each.from_returned for each in seen], 0.99) > AIM_MS)


def _stream(stream: IO[str] | None) -> IO[str]:
    if stream is None:
        raise RuntimeError("the process has no pipes")
    return stream


if __name__ == "__main__":
    sys.exit(main())
