from sidecar.store.beats import Beats
from tests.store.fakes import FakeClock


def test_beat_that_came_back_tells_when_it_was_sent() -> None:
    """Whatever the time is now, and once only."""
    clock = FakeClock()
    beats = Beats(clock)
    beat = beats.next()
    sent = clock.now
    clock.now += 3

    assert (sent, None) == (beats.heard(beat), beats.heard(beat))


def test_beats_of_others_tell_nothing() -> None:
    """When they were sent is not known on this clock."""
    clock = FakeClock()
    beat = Beats(clock).next()

    assert Beats(clock).heard(beat) is None
    assert Beats(clock).heard("") is None


def test_later_beats_still_count() -> None:
    """One that came back says nothing of those sent after it."""
    clock = FakeClock()
    beats = Beats(clock)
    first = beats.next()
    clock.now += 1
    second = beats.next()
    beats.heard(first)

    assert clock.now == beats.heard(second)


def test_oldest_beat_under_way_has_an_age() -> None:
    """One that came back, or could not be sent, is not under way."""
    clock = FakeClock()
    beats = Beats(clock)
    first, second = beats.next(), beats.next()
    clock.now += 2
    ages = [beats.oldest_age()]
    beats.withdraw(first)
    ages.append(beats.oldest_age())
    beats.heard(second)
    ages.append(beats.oldest_age())

    assert ages == [2.0, 2.0, 0.0]


def test_forgotten_beats_do_not_count() -> None:
    """After a reconnect nothing that was sent before it does."""
    beats = Beats(FakeClock())
    beat = beats.next()
    beats.forget()

    assert beats.heard(beat) is None
