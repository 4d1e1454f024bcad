import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from authz.v1 import authorization_service_pb2 as api
from google.protobuf.message import Message

from bench.memory import weights
from bench.parts.loads import each_once
from bench.parts.questions import caller, every, home, of_worker, verified, visible
from bench.parts.servers import Sidecar, sidecar
from bench.parts.wire import ask, prefixed
from bench.parts.world import Size, world
from bench.peers.shared import to_compare

# Each process would have a server of its own for it.
pytestmark = pytest.mark.xdist_group("a small world")

TINY = Size("tiny", 20_000, 20_000, 1, 20)


@pytest.fixture(scope="module")
def asked() -> Iterator[Sidecar]:
    """A sidecar over a small world."""
    with (
        tempfile.TemporaryDirectory(prefix="authz-") as name,
        world(TINY, Path(name)) as url,
        sidecar(url, Path(name)) as running,
    ):
        yield running


def test_every_question_is_answered(asked: Sidecar) -> None:
    """What is measured is answered with OK, and allowed where there is a decision."""
    before = asked.refused()
    for question in every(TINY):
        if question.elements <= 50:
            verified(question, asked)

    assert 0 == before == asked.refused()


def test_refused_calls_are_counted(asked: Sidecar) -> None:
    """A run in which calls are refused is found out by the sidecar's own metrics."""
    nobody = of_worker(caller(1, "no organization"), 1)
    each_once(asked.target("ResolveContext"), [nobody.body] * 3)

    assert asked.refused() >= 3


def test_the_world_is_what_peers_are_told(asked: Sidecar) -> None:
    """The plain rule over `world.sql`'s numbers is what the sidecar says."""
    for question in list(to_compare())[::20]:
        who = caller(question.user, question.organization)
        for worker, expected in zip(question.workers, question.expected, strict=True):
            answer = verdict(of_worker(who, worker).request, asked)

            assert expected == answer, (question, worker)


def test_callers_in_memory_weigh_something(asked: Sidecar) -> None:
    """What caches hold is read from the metrics, by the kind of fact."""
    bodies = [visible(caller(user, home(user, TINY)), 1).body for user in range(1, 21)]
    run = each_once(asked.target("CheckVisible"), bodies)

    held = weights(asked)

    assert 0 == run.failed
    assert held["user"] >= 20
    assert held["standing"] >= 20


def verdict(request: Message, asked: Sidecar) -> bool:
    """Whether one worker is visible."""
    target = asked.target("CheckVisible")
    body = prefixed(request.SerializeToString())
    response = api.CheckVisibleResponse.FromString(
        ask(target.address, target.method, body)
    )
    return response.decisions[0].allowed
