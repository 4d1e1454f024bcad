"""Revisions as values: their text, and what was heard of whose history."""

import pytest

from sidecar.ports import (
    FactsUnavailableError,
    UnknownRevisionError,
)
from sidecar.store.heard import Heard, Snapshot
from sidecar.store.revisions import Form, Position, Revision, covers, revision_of

HISTORY = "1.700-5.1"
REVOKE = "update authz.principal_memberships set enabled = false where id = 31"
ALLOW = "update authz.principal_memberships set enabled = true where id = 31"
CURRENT = "select authz.current_revision()"


@pytest.mark.parametrize(
    "text",
    [
        *("", "r1", "1.700-5.1", "1.700-5.1.", "1.700-5.1.x", "1.700-5.1.y9"),
        *("2.700-5.1.x9", "1.700.1.x9", "1.700-5.0.x9", "1.700-5.1.x09"),
        *("1.700-5.1.x-9", "1.700-5.1.x9 ", "1.700-5.1.x9\n", "1.700-5.1.x\u0669"),
        "1.700-5.1.x" + "9" * 21,
    ],
)
def test_what_no_database_gives_out_is_no_revision(text: str) -> None:
    """Each part has its form, and nothing comes after."""
    with pytest.raises(UnknownRevisionError):
        Revision.parse(text)


def test_revision_is_read_as_it_was_written() -> None:
    """That of a transaction, and that of answers."""
    answered = Position(HISTORY, Snapshot(7, 9, frozenset({7}))).revision

    assert Revision(HISTORY, Form.TRANSACTION, 9) == Revision.parse(f"{HISTORY}.x9")
    assert f"{HISTORY}.s7" == answered


def test_later_number_that_was_heard_covers_no_earlier_one() -> None:
    """Transactions commit in another order than they began."""
    heard = Heard()
    heard.begin(Snapshot(10, 10, frozenset()), HISTORY)
    heard.see(Snapshot(10, 13, frozenset({10})))
    heard.tell(12)
    heard.tell(15)
    heard.tell(16)

    covered = [
        number
        for number in range(9, 18)
        if covers(heard, Revision(HISTORY, Form.TRANSACTION, number))
    ]
    below = [
        number
        for number in range(9, 18)
        if covers(heard, Revision(HISTORY, Form.EVERYTHING_BELOW, number))
    ]

    assert [9, 11, 12, 15] == covered
    assert [9, 10] == below
    assert f"{HISTORY}.s10" == revision_of(heard)


def test_what_was_heard_of_one_history_covers_nothing_of_another() -> None:
    """After a failover the same numbers name other transactions."""
    heard = Heard()
    heard.begin(Snapshot(10, 10, frozenset()), HISTORY)
    heard.see(Snapshot(10, 10, frozenset()))

    assert covers(heard, Revision(HISTORY, Form.TRANSACTION, 9))
    assert not covers(heard, Revision("1.700-5.2", Form.TRANSACTION, 9))
    assert not covers(heard, Revision("1.700-6.1", Form.EVERYTHING_BELOW, 9))


def test_lost_feed_covers_nothing() -> None:
    """What was missed meanwhile cannot be known."""
    heard = Heard()
    heard.begin(Snapshot(10, 10, frozenset()), HISTORY)
    heard.see(Snapshot(10, 10, frozenset()))
    heard.lose()

    assert not covers(heard, Revision(HISTORY, Form.TRANSACTION, 9))
    assert revision_of(heard) is None


def test_standby_answers_no_question_with_a_revision() -> None:
    """It may be behind, and does not know its history."""
    with pytest.raises(FactsUnavailableError):
        Position(None, Snapshot(10, 10, frozenset())).check(
            Revision(HISTORY, Form.TRANSACTION, 9)
        )
