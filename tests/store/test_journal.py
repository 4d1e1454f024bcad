"""The journal against a plain model: where a stream resumes, nothing is missing."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.ports import (
    Changes,
    DropEverything,
    OverloadedError,
    Proof,
    UnknownRevisionError,
    WatcherTooSlowError,
    WatchEvent,
)
from sidecar.store.changes import Change
from sidecar.store.heard import Snapshot
from sidecar.store.watchers import Watchers, WatchSettings, _Following

HISTORY = "1.1-1.1"
KEPT = 3
# Each proof is a second after the one before.
SECONDS = 2.0


@dataclass
class Model:
    """A database whose every commit is heard at once, if it is heard at all."""

    watchers: Watchers = field(
        default_factory=lambda: Watchers(WatchSettings(1_000, KEPT, SECONDS))
    )
    now: float = 0.0
    next_xid: int = 10
    open: list[int] = field(default_factory=list)
    # In the order of commits, and whether each was told.
    ended: list[tuple[int, bool]] = field(default_factory=list)
    listening: bool = False
    unwatched: bool = False

    @property
    def snapshot(self) -> Snapshot:
        """Which transactions have ended."""
        xmin = min(self.open, default=self.next_xid)
        return Snapshot(xmin, self.next_xid, frozenset(self.open))

    def do(self, step: str, which: int) -> None:  # noqa: C901, PLR0912, PLR0915  a list
        """One thing happens."""
        journal = self.watchers.journal
        match step:
            case "begin":
                self.open.append(self.next_xid)
                self.next_xid += 1
            case "commit" | "garble" if self.open:
                xid = self.open.pop(which % len(self.open))
                told = step == "commit" and self.listening and not self.unwatched
                self.ended.append((xid, told))
                if self.listening and step == "garble":
                    journal.missed()
                elif told:
                    journal.changed(Change("user", (str(xid),), xid))
            case "connect" if not self.listening:
                self.listening = True
                journal.begin(self.snapshot, HISTORY)
            case "lose":
                self.listening = False
                journal.lost()
            case "ask" if self.listening:
                journal.asked(self.snapshot)
            case "prove" if self.listening:
                self.now += 1
                journal.proven(self.now, f"{HISTORY}.s{self.snapshot.xmin}")
            case "unwatch" | "watch":
                self.unwatched = step == "unwatch"
                journal.unwatched(frozenset({"user"} if self.unwatched else ()))
            case _:
                pass

    def told(self, after: str | None) -> list[WatchEvent]:
        """All that a stream tells at once."""
        following = self.watchers.watch(after)
        assert isinstance(following, _Following)
        return drained(following)


# Mostly what is usual: what drops everything hides all that came before it.
usual = st.sampled_from(["begin", "commit"] * 3 + ["prove", "ask"])
faults = st.sampled_from(["connect", "lose", "garble", "unwatch", "watch"])
some = st.lists(st.tuples(usual, st.integers(0, 3)), max_size=15)
fault = st.lists(st.tuples(faults, st.integers(0, 3)), max_size=2)
histories = st.tuples(some, fault, some, fault, some).map(
    lambda parts: [step for part in parts for step in part]
)


@settings(max_examples=400, deadline=None)
@given(histories)
def test_what_resumes_without_a_drop_misses_nothing(
    happened: list[tuple[str, int]],
) -> None:
    """Whatever happened before, a stream tells all after its revision, or drops."""
    model = Model()
    for step in [*happened[:5], ("connect", 0), *happened[5:]]:
        model.do(*step)

    for number in range(9, model.next_xid + 2):
        events = model.told(f"{HISTORY}.s{number}")
        wanted = [xid for xid, _ in model.ended if xid >= number]
        assert is_drop(events) or wanted == xids(events)
    order = [xid for xid, _ in model.ended]
    for place, xid in enumerate(order):
        events = model.told(f"{HISTORY}.x{xid}")
        assert is_drop(events) or order[place:] == xids(events)


@settings(max_examples=200, deadline=None)
@given(histories)
def test_the_newest_beat_can_be_resumed(happened: list[tuple[str, int]]) -> None:
    """While the feed lives, after a question, who is up to date need not drop."""
    model = Model()
    for step in [*happened, ("connect", 0), ("watch", 0), ("ask", 0)]:
        model.do(*step)

    assert not is_drop(model.told(f"{HISTORY}.s{model.next_xid}"))


@settings(max_examples=200, deadline=None)
@given(histories)
def test_a_stream_tells_in_order_what_happens(
    happened: list[tuple[str, int]],
) -> None:
    """Who follows hears every change in order, and of each loss; numbers grow."""
    model = Model()
    following = model.watchers.watch(None)
    assert isinstance(following, _Following)
    told: list[WatchEvent] = []
    number = model.watchers.position
    for step in happened:
        model.do(*step)
        told += drained(following)
        assert number <= model.watchers.position
        number = model.watchers.position

    proofs = [each.number for each in told if isinstance(each, Proof)]
    assert [xid for xid, was_told in model.ended if was_told] == xids(told)
    assert sorted(set(proofs)) == proofs


def test_beats_that_follow_each_other_are_one() -> None:
    """Who was away for a while is told the newest only."""
    model = Model()
    model.do("connect", 0)
    following = model.watchers.watch(None)
    assert isinstance(following, _Following)
    for _ in range(3):
        model.do("prove", 0)
    model.do("begin", 0)
    model.do("commit", 0)
    newcomer = model.told(None)
    model.do("prove", 0)

    assert newcomer == []
    kinds = [type(each) for each in drained(following)]
    assert [Proof, Changes, Proof] == kinds


def test_no_beat_while_something_is_unwatched() -> None:
    """A beat says that all was told."""
    model = Model()
    for step in ("connect", "prove", "unwatch", "prove"):
        model.do(step, 0)

    assert model.told(None) == []


async def test_who_is_too_far_behind_is_told_so() -> None:
    """What was forgotten is not passed over."""
    model = Model()
    model.do("connect", 0)
    following = model.watchers.watch(None)
    for _ in range(KEPT + 1):
        model.do("begin", 0)
        model.do("commit", 0)

    with pytest.raises(WatcherTooSlowError):
        await following.next()


def test_what_the_first_snapshot_shows_as_over_cannot_be_resumed() -> None:
    """It may have ended before anybody listened, though an older one is open."""
    model = Model()
    for step in ("begin", "begin"):
        model.do(step, 0)
    model.do("commit", 1)
    model.do("connect", 0)

    assert is_drop(model.told(f"{HISTORY}.s11"))
    assert not is_drop(model.told(f"{HISTORY}.s12"))


def test_what_was_forgotten_cannot_be_resumed() -> None:
    """The bound of the journal is one of resuming, too."""
    model = Model()
    model.do("connect", 0)
    for _ in range(KEPT + 1):
        model.do("begin", 0)
        model.do("commit", 0)

    assert is_drop(model.told(f"{HISTORY}.s10"))
    assert not is_drop(model.told(f"{HISTORY}.s11"))


def test_a_number_that_nobody_has_yet_hides_nothing_later() -> None:
    """What a revision leaves out is what was there when the stream began."""
    model = Model()
    model.do("connect", 0)
    following = model.watchers.watch(f"{HISTORY}.s99")
    assert isinstance(following, _Following)
    model.do("begin", 0)
    model.do("commit", 0)

    assert [10] == xids(drained(following))


def test_one_change_that_is_too_large_is_told_all_the_same() -> None:
    """A bound below one notification would cut off everybody at each of them."""
    model = Model()
    model.do("connect", 0)
    following = model.watchers.watch(None)
    assert isinstance(following, _Following)
    keys = tuple(map(str, range(2 * KEPT)))
    model.watchers.journal.changed(Change("user", keys, 10))

    event = following._take()
    assert isinstance(event, Changes)
    assert keys == event.keys


def test_places_are_bounded_and_given_back() -> None:
    """One more than there may be is refused, until somebody leaves."""
    watchers = Watchers(WatchSettings(watchers=1))
    first = watchers.watch(None)
    with pytest.raises(OverloadedError):
        watchers.watch(None)
    first.close()
    watchers.watch(None)

    assert watchers.watching == 1


@pytest.mark.parametrize("after", ["", "s5", "1.1-1.2.s5", "1.2-1.1.x5"])
def test_revision_of_no_such_history_is_unknown(after: str) -> None:
    """It is refused and takes no place."""
    model = Model()
    model.do("connect", 0)
    with pytest.raises(UnknownRevisionError):
        model.watchers.watch(after)

    assert model.watchers.watching == 0


def test_without_the_feed_no_revision_can_be_placed() -> None:
    """Which history it is cannot be told then, so everything is dropped."""
    model = Model()

    assert [DropEverything(None)] == model.told("1.7-7.7.s5")


def drained(following: _Following) -> list[WatchEvent]:
    """All that can be told without waiting."""
    events: list[WatchEvent] = []
    while (event := following._take()) is not None:
        events.append(event)
    return events


def is_drop(events: list[WatchEvent]) -> bool:
    """Whether a stream begins by dropping everything."""
    return bool(events) and isinstance(events[0], DropEverything)


def xids(events: list[WatchEvent]) -> list[int]:
    """The transactions whose changes were told, by the keys that say them."""
    return [
        int(key)
        for event in events
        if isinstance(event, Changes)
        for key in event.keys or ()
    ]


def test_what_is_old_is_forgotten() -> None:
    """A journal does not fill up to its bound where little changes for long."""
    model = Model(Watchers(WatchSettings(10, 1_000, SECONDS)))
    model.do("connect", 0)
    for _ in range(50):
        for step in ("begin", "commit", "prove"):
            model.do(step, 0)

    journal = model.watchers.journal
    assert journal.next - journal.oldest <= 2 * (SECONDS + 2)
    assert is_drop(model.told(f"{HISTORY}.s20"))
    assert not is_drop(model.told(f"{HISTORY}.s{model.next_xid - 1}"))
