import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.store.heard import Heard, Snapshot, parse_snapshot

SNAPSHOT = Snapshot(10, 15, frozenset({10, 12}))


@pytest.mark.parametrize(
    ("text", "snapshot"),
    [("10:10:", Snapshot(10, 10, frozenset())), ("10:15:10,12", SNAPSHOT)],
)
def test_snapshot_is_read_as_postgresql_writes_it(
    text: str, snapshot: Snapshot
) -> None:
    """Its bounds, and what was under way between them."""
    assert snapshot == parse_snapshot(text)


@pytest.mark.parametrize(
    "text",
    [
        *(None, "", "10", "10:15", "15:10:", "10:15:9", "10:15:15", "10:15:x"),
        *("10:15:11,", "-1:15:", "10:15::", "\u0661:15:"),
    ],
)
def test_anything_else_is_no_snapshot(text: object) -> None:
    """It comes from a payload, which anybody may send."""
    assert parse_snapshot(text) is None


def test_snapshot_sees_what_had_ended() -> None:
    """All below its start, and between its bounds what was not under way."""
    seen = [xid for xid in range(8, 18) if SNAPSHOT.sees(xid)]

    assert [8, 9, 11, 13, 14] == seen


def heard(*told: int) -> Heard:
    """Connected at 10, and told of some."""
    heard = Heard()
    heard.begin(SNAPSHOT)
    heard.see(SNAPSHOT)
    for xid in told:
        heard.tell(xid)
    return heard


def test_nothing_is_covered_before_the_feed_lives() -> None:
    """Nor after it was lost, whatever was told."""
    lost = heard(20, 21)
    lost.lose()

    assert not Heard().covers(1)
    assert not Heard().covers_all_below(0)
    assert not lost.covers(20)
    assert not lost.covers(1)


def test_transaction_told_last_is_not_covered() -> None:
    """More of it may come, until something else does or the database answered."""
    told = heard(20, 20)
    last = told.covers(20)
    told.tell(21)
    followed = (told.covers(20), told.covers(21))
    told.tell_whole()

    assert (False, (True, False), True) == (last, followed, told.covers(21))


def test_later_snapshot_takes_the_place_of_the_earlier() -> None:
    """An earlier one that arrives late takes nothing away."""
    told = heard(20, 12, 21)
    later = Snapshot(12, 30, frozenset({12, 25}))
    told.see(later)
    told.see(SNAPSHOT)

    covered = [xid for xid in (10, 12, 20, 21, 24, 25, 30) if told.covers(xid)]
    assert later == told.snapshot
    assert [10, 12, 20, 21, 24] == covered
    assert (True, False) == (told.covers_all_below(12), told.covers_all_below(13))


def test_snapshot_in_which_more_had_ended_is_the_later() -> None:
    """Also when nothing began in between."""
    told = heard()
    told.see(Snapshot(12, 15, frozenset({12})))

    assert told.covers(10)


def test_newest_is_never_below_what_could_be_missing() -> None:
    """What had ended at the connect counts, as nobody tells it any more."""
    connected = heard().newest
    told = heard(20, 16)

    assert (14, 20, -1) == (connected, told.newest, Heard().newest)


@pytest.mark.parametrize(
    ("snapshot", "agrees"),
    [
        (Snapshot(10, 22, frozenset({10, 12})), True),
        (Snapshot(30, 30, frozenset()), True),
        (Snapshot(10, 20, frozenset()), False),
        (Snapshot(10, 22, frozenset({11})), False),
        (Snapshot(10, 22, frozenset({20})), False),
    ],
)
def test_what_cannot_have_been_heard_is_found_out(
    snapshot: Snapshot, *, agrees: bool
) -> None:
    """A transaction that was told, or seen, is over in every later snapshot."""
    told = heard(20)
    told.tell_whole()

    assert agrees == told.agrees_with(snapshot)


@given(st.lists(st.integers(0, 40_000), max_size=50), st.integers(0, 20_000))
def test_what_is_told_is_bounded(xids: list[int], many: int) -> None:
    """However many there are; forgetting covers less, never more."""
    told = heard(*range(100, 100 + many), *xids)

    assert len(told._whole) <= 10_000
    assert all(100 <= xid < 100 + many or xid in xids for xid in told._whole)
