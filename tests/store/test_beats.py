from sidecar.store.beats import Beats, Question
from sidecar.store.heard import Snapshot
from tests.store.fakes import FakeClock

# 10 and 12 had not ended, 11 had.
SNAPSHOT = Snapshot(10, 13, frozenset({10, 12}))


def test_beat_that_came_back_tells_when_it_was_sent() -> None:
    """Whatever the time is now, and once only."""
    clock = FakeClock()
    beats = Beats(clock)
    beat = beats.next()
    sent = clock.now
    clock.now += 3

    assert (sent, None) == (beats.came_back(beat), beats.came_back(beat))


def test_beats_of_others_do_not_come_back() -> None:
    """When they were sent is not known on this clock."""
    clock = FakeClock()
    beat = Beats(clock).next()

    assert Beats(clock).came_back(beat) is None
    assert Beats(clock).came_back("") is None


def test_later_beats_still_count() -> None:
    """One that came back says nothing of those sent after it."""
    clock = FakeClock()
    beats = Beats(clock)
    first = beats.next()
    clock.now += 1
    second = beats.next()
    beats.came_back(first)

    assert clock.now == beats.came_back(second)


def test_transaction_that_had_not_ended_proves() -> None:
    """Once; whatever its number, and though it began before the question."""
    question = Question(5.0, SNAPSHOT)
    proofs = []
    for xid in (10, 12, 13, 20):
        beats = Beats(FakeClock())
        beats.asked(question)
        proofs.append((beats.proven(xid), beats.proven(xid)))

    assert [(question, None)] * 4 == proofs


def test_transaction_that_had_ended_proves_nothing() -> None:
    """It may have ended long before the question."""
    beats = Beats(FakeClock())
    beats.asked(Question(5.0, SNAPSHOT))

    assert [None, None] == [beats.proven(9), beats.proven(11)]


def test_forgotten_do_not_count() -> None:
    """After a reconnect nothing that was asked or sent before it does."""
    beats = Beats(FakeClock())
    beat = beats.next()
    beats.asked(Question(5.0, SNAPSHOT))
    beats.forget()

    assert (None, None) == (beats.came_back(beat), beats.proven(20))
