"""What waits is bounded, and what was allowed gives way first."""

from threading import Thread

from sidecar.audit.backlog import Backlog
from sidecar.audit.record import Outcome
from tests.decision_log.making import Made

ALLOWED, DENIED, ERROR = Outcome.ALLOWED, Outcome.DENIED, Outcome.ERROR


def _filled(most: int, *outcomes: Outcome) -> Backlog[Made]:
    backlog = Backlog[Made](most)
    for number, outcome in enumerate(outcomes):
        backlog.put(Made(number, outcome))
    return backlog


def test_entries_come_in_their_order() -> None:
    """Whatever they came to, the oldest comes first."""
    backlog = _filled(9, DENIED, ALLOWED, ERROR, ALLOWED, DENIED)

    actual = [each.number for each in backlog.take(9)]

    assert [0, 1, 2, 3, 4] == actual


def test_oldest_allowed_gives_way_first() -> None:
    """A denial that comes last pushes out the oldest of the allowed."""
    backlog = _filled(3, DENIED, ALLOWED, ALLOWED, DENIED)

    actual = [each.number for each in backlog.take(9)]

    assert [0, 2, 3] == actual
    assert {ALLOWED: 1, DENIED: 0, ERROR: 0} == backlog.dropped


def test_allowed_pushes_no_denial_out() -> None:
    """Where only denials and errors wait, what was allowed is dropped itself."""
    backlog = _filled(2, DENIED, ERROR, ALLOWED)

    actual = [each.number for each in backlog.take(9)]

    assert [0, 1] == actual
    assert {ALLOWED: 1, DENIED: 0, ERROR: 0} == backlog.dropped


def test_oldest_other_gives_way_at_last() -> None:
    """Where nothing allowed waits, the oldest of the others goes, and is counted."""
    backlog = _filled(2, DENIED, ERROR, DENIED, ERROR)

    actual = [each.number for each in backlog.take(9)]

    assert [2, 3] == actual
    assert {ALLOWED: 0, DENIED: 1, ERROR: 1} == backlog.dropped


def test_bound_is_of_bytes() -> None:
    """One heavy entry takes the place of many light ones."""
    backlog = _filled(10, *[ALLOWED] * 10)

    backlog.put(Made(10, DENIED, 8))

    assert [8, 9, 10] == [each.number for each in backlog.take(20)]
    assert backlog.dropped[ALLOWED] == 8


def test_room_comes_back_with_what_is_taken() -> None:
    """What was taken or dropped does not weigh any more."""
    backlog = _filled(2, ALLOWED, ALLOWED, ALLOWED)
    backlog.take(9)

    for number in (3, 4):
        backlog.put(Made(number))

    assert [3, 4] == [each.number for each in backlog.take(9)]
    assert backlog.dropped[ALLOWED] == 1


def test_none_is_lost_or_doubled_between_threads() -> None:
    """While one thread adds and another takes, each is taken or counted as dropped."""
    backlog = Backlog[Made](100)
    taken: list[int] = []
    many = 30_000

    def add() -> None:
        for number in range(many):
            backlog.put(Made(number, DENIED if number % 3 else ALLOWED))

    adding = Thread(target=add)
    adding.start()
    while adding.is_alive() or len(backlog):
        taken += [each.number for each in backlog.take(7)]
    adding.join()

    assert len(taken) == len(set(taken))
    assert many == len(taken) + sum(backlog.dropped.values())
