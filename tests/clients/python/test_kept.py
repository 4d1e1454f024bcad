"""What is kept, and until when it may be given: times are plain numbers."""

from datetime import timedelta
from typing import Final

import pytest
from authz.client import (
    Beat,
    Bounds,
    Caller,
    Change,
    Changes,
    Decision,
    Decisions,
    DropEverything,
    Position,
    ProtocolError,
    Resource,
    ServerInfo,
    calls,
)
from authz.client.calls import Call
from authz.client.kept import Kept

from tests.clients.python.scripted import ANN, CLUSTER

ASK: Final = calls.check_visible(ANN, CLUSTER)
CHANGES: Final = Changes((Change("member", "2", "r"),))


def answer(decision_id: str = "s1-7") -> Decisions:
    """An answer of a server."""
    decision = Decision(
        allowed=True, denial=None, reason="OWNED", message="", decision_id="x"
    )
    return Decisions((decision,), decision_id)


def beat(number: int, server: str = "s1") -> Beat:
    """A beat that has come so far."""
    return Beat("r", timedelta(), Position(server, number))


def info(
    number: int,
    server: str = "s1",
    *,
    staleness: float | None = 0.5,
    most: float | None = 10,
) -> ServerInfo:
    """What a server says that has heard so much."""
    return ServerInfo(
        "1",
        "native",
        "",
        None,
        frozenset(),
        Position(server, number),
        None if staleness is None else timedelta(seconds=staleness),
        None if most is None else timedelta(seconds=most),
    )


@pytest.fixture
def kept() -> Kept:
    """Live from 100 until 109.5, with nothing in it."""
    kept = Kept(Bounds())
    kept.hear(beat(5))
    kept.prove(100, info(5))
    return kept


def holds(kept: Kept, now: float = 101) -> bool:
    """Whether an answer that is kept now is there."""
    kept.keep(ASK, answer(), kept.epoch, now)
    return kept.find(ASK, now) is not None


def test_an_answer_is_given_until_the_proof_ends(kept: Kept) -> None:
    """What is kept is given up to the bound, counted from before the proof."""
    kept.keep(ASK, answer(), kept.epoch, 101)

    assert answer() == kept.find(ASK, 109.4)
    assert kept.find(ASK, 109.5) is None
    assert not kept.is_live(109.5)


def test_a_new_proof_prolongs(kept: Kept) -> None:
    """A later proof lets the same answer be given for longer."""
    kept.keep(ASK, answer(), kept.epoch, 101)
    kept.prove(108, info(5))

    assert kept.find(ASK, 117.4) is not None


def test_a_proof_waits_for_the_stream(kept: Kept) -> None:
    """What the server has heard counts once the stream has told as much."""
    kept.keep(ASK, answer(), kept.epoch, 101)
    kept.prove(108, info(7))
    assert not kept.is_live(110)
    kept.hear(beat(6))
    assert not kept.is_live(110)
    kept.hear(beat(7))

    assert kept.find(ASK, 110) is not None


def test_a_beat_alone_proves_nothing() -> None:
    """A beat that lay in a buffer says nothing of the time at which it arrives."""
    kept = Kept(Bounds())
    for number in range(9):
        kept.hear(beat(number))

    assert not holds(kept)


def test_a_proof_alone_proves_nothing() -> None:
    """Without a stream that tells changes nothing is kept."""
    kept = Kept(Bounds())
    kept.prove(100, info(5))

    assert not holds(kept)


@pytest.mark.parametrize(
    "event",
    [CHANGES, DropEverything(None), Changes(())],
    ids=lambda e: type(e).__name__,
)
def test_any_change_drops_all(kept: Kept, event: Changes | DropEverything) -> None:
    """Whatever changed, nothing that was kept is given again."""
    kept.keep(ASK, answer(), kept.epoch, 101)
    kept.hear(event)
    kept.prove(101, info(5))

    assert kept.find(ASK, 101) is None
    assert 0 == len(kept)


def test_an_answer_that_a_change_overtook_is_not_kept(kept: Kept) -> None:
    """A change between a question and its answer keeps the answer out."""
    epoch = kept.epoch
    kept.hear(CHANGES)
    kept.keep(ASK, answer(), epoch, 101)

    assert kept.find(ASK, 101) is None


def test_an_answer_from_before_the_stream_is_not_kept() -> None:
    """A question from before the first beat may lack a change that was never told."""
    kept = Kept(Bounds())
    epoch = kept.epoch
    kept.prove(100, info(5))
    kept.hear(beat(5))
    kept.keep(ASK, answer(), epoch, 101)

    assert kept.is_live(101)
    assert kept.find(ASK, 101) is None


def test_lost_continuity_ends_proofs(kept: Kept) -> None:
    """After everything was dropped a new proof is wanted."""
    kept.prove(100, info(9))
    kept.hear(DropEverything(None))
    kept.hear(beat(9))

    assert not kept.is_live(101)


def test_a_new_stream_begins_with_nothing(kept: Kept) -> None:
    """Proofs and answers of a stream end with it."""
    kept.keep(ASK, answer(), kept.epoch, 101)
    kept.restart()
    assert not kept.is_live(101)
    kept.hear(beat(5))
    kept.prove(101, info(5))

    assert kept.is_live(101)
    assert kept.find(ASK, 101) is None


@pytest.mark.parametrize("decision_id", ["s2-7", "s1", "s17-7", "", "7"])
def test_an_answer_of_another_server_is_not_kept(kept: Kept, decision_id: str) -> None:
    """Behind a balancer, an answer of a server whose changes are not heard is not."""
    kept.keep(ASK, answer(decision_id), kept.epoch, 101)

    assert kept.find(ASK, 101) is None


def test_a_proof_of_another_server_ends_the_stream(kept: Kept) -> None:
    """Positions of different servers are never compared."""
    with pytest.raises(ProtocolError):
        kept.prove(101, info(5, "s2"))


def test_a_stream_of_another_server_than_the_proof_ends() -> None:
    """The same when the proof was there first."""
    kept = Kept(Bounds())
    kept.prove(100, info(5, "s2"))
    with pytest.raises(ProtocolError):
        kept.hear(beat(5))

    assert not kept.is_live(101)


@pytest.mark.parametrize("other", [beat(6, "s2"), beat(4)], ids=["server", "back"])
def test_a_stream_that_jumps_ends(kept: Kept, other: Beat) -> None:
    """A stream keeps its server, and goes forward."""
    with pytest.raises(ProtocolError):
        kept.hear(other)


def test_an_incomplete_proof_is_none(kept: Kept) -> None:
    """A server that does not know how fresh it is, or tells no bound, proves naught."""
    kept.prove(108, info(5, staleness=None))
    kept.prove(108, info(5, most=None))
    kept.hear(Beat("r", timedelta(), None))

    assert not kept.is_live(110)


def test_a_staleness_below_nothing_prolongs_nothing(kept: Kept) -> None:
    """The bound is never longer than the server's."""
    kept.prove(100, info(5, staleness=-50))

    assert not kept.is_live(110)


def test_nothing_is_kept_that_is_not_live(kept: Kept) -> None:
    """An answer that comes after the end of the proof is not kept."""
    kept.keep(ASK, answer(), kept.epoch, 120)
    kept.prove(120, info(5))

    assert kept.find(ASK, 121) is None


@pytest.mark.parametrize(
    "call",
    [
        calls.check_visible(ANN, CLUSTER, explain=True),
        calls.check_visible(ANN, CLUSTER, fully_consistent=True),
        calls.check_visible(ANN, CLUSTER, at_least_as_fresh="r"),
        calls.check_visible(Caller.api_key("k"), CLUSTER),
        calls.check_visible(Caller.access_token("t"), CLUSTER),
    ],
    ids=["explain", "consistent", "revision", "key", "token"],
)
def test_only_lasting_questions_are_kept(kept: Kept, call: Call[Decisions]) -> None:
    """Credentials expire by a clock; a wanted freshness is wanted each time."""
    kept.keep(call, answer(), kept.epoch, 101)

    assert kept.find(call, 101) is None


def test_questions_are_told_apart(kept: Kept) -> None:
    """Another caller, resource or call has no part in an answer."""
    kept.keep(ASK, answer(), kept.epoch, 101)
    others = [
        calls.check_writable(ANN, CLUSTER),
        calls.check_visible(Caller.user("2"), CLUSTER),
        calls.check_visible(ANN, Resource("cluster", "701")),
        calls.check_visible(ANN, CLUSTER, CLUSTER),
    ]

    assert [None] * 4 == [kept.find(each, 101) for each in others]


def _numbered(number: int) -> Call[Decisions]:
    return calls.check_visible(ANN, Resource("cluster", f"{number:05}"))


def test_the_least_used_goes_first() -> None:
    """Beyond the bound on answers the one that was not used for longest goes."""
    kept = Kept(Bounds(answers=2))
    kept.hear(beat(5))
    kept.prove(100, info(5))
    for number in (1, 2):
        kept.keep(_numbered(number), answer(), kept.epoch, 101)
    kept.find(_numbered(1), 101)
    kept.keep(_numbered(3), answer(), kept.epoch, 101)

    there = [kept.find(_numbered(each), 101) is not None for each in (1, 2, 3)]
    assert [True, False, True] == there


def test_the_bytes_of_questions_are_bounded() -> None:
    """No more is kept than there is room for, and one too large not at all."""
    size = len(_numbered(1).request)
    kept = Kept(Bounds(request_bytes=2 * size))
    kept.hear(beat(5))
    kept.prove(100, info(5))
    for number in (1, 2, 2, 3):
        kept.keep(_numbered(number), answer(), kept.epoch, 101)
    large = calls.check_visible(ANN, *[CLUSTER] * 9)
    kept.keep(large, answer(), kept.epoch, 101)

    there = [kept.find(_numbered(each), 101) is not None for each in (1, 2, 3)]
    assert ([False, True, True], 2) == (there, len(kept))
