import pytest

from bench.parts.questions import home
from bench.parts.world import SMALL
from bench.peers.fields import field, many, one, read
from bench.peers.shared import ONE, Asked, is_visible, to_compare


@pytest.mark.parametrize("number", [0, 1, 127, 128, 300, 2**35])
def test_numbers_of_any_size_come_back(number: int) -> None:
    """What is written as a field is read as the same field."""
    assert [(7, number)] == list(read(field(7, number)))


def test_messages_within_messages_come_back() -> None:
    """Fields are found by their number, in order."""
    message = field(2, field(1, "a")) + field(2, field(1, "b" * 200)) + field(3, 5)

    assert [field(1, "a"), field(1, "b" * 200)] == many(message, 2)
    assert 5 == one(message, 3)
    assert None is one(message, 4)


def test_a_field_of_a_fixed_width_is_refused() -> None:
    """What is not understood is not passed over."""
    with pytest.raises(ValueError, match="type 1"):
        list(read(b"\x09" + bytes(8)))


def test_questions_are_answered_with_yes_and_with_no() -> None:
    """What peers are compared by has both answers, and no worker twice."""
    answers = [each for asked in to_compare() for each in asked.expected]

    assert {True, False} == set(answers)
    assert all(len(each.workers) == len(set(each.workers)) for each in to_compare())
    assert (True,) == ONE.expected


def test_users_of_questions_are_at_home_there() -> None:
    """The user is one of `world.sql` whose first organization is the one asked in."""
    assert [1, 7, 100] == [home(Asked(each, ()).user, SMALL) for each in (1, 7, 100)]


def test_visible_is_owned_or_granted() -> None:
    """Worker n belongs to organization n + 1 and is on cluster n + 2."""
    assert [True, True, True, False] == [is_visible(7, each) for each in (6, 12, 13, 7)]
