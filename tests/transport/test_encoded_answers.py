"""Answers that are encoded without a message are what the message would be."""

import pytest
from authz.v1 import authorization_service_pb2 as api
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.decision import Allowed, Decision
from sidecar.core.reasons import Reason
from sidecar.service.asking import Decided
from sidecar.transport import answers
from tests.support.drawn_decisions import DECISIONS, placed_decisions

KINDS = (
    api.CheckVisibleResponse,
    api.CheckWritableResponse,
    api.CheckCreatableResponse,
)


@given(
    st.lists(DECISIONS, min_size=1, max_size=60),
    st.integers(1, 2**64).map(lambda number: f"0a1b2c3d4e5f-{number:x}"),
    st.none() | st.text("0123456789.", min_size=1, max_size=300),
)
def test_encoding_is_that_of_the_message(
    decided: list[Decision], decision_id: str, revision: str | None
) -> None:
    """However many decisions there are, and however long a revision is."""
    actual = answers.encoded(Decided(decided, revision=revision), decision_id)

    for kind in KINDS:
        expected = kind(
            decisions=[answers.decision(each) for each in decided],
            decision_id=decision_id,
            revision=revision,
        )
        assert expected.SerializeToString() == actual


@given(placed_decisions())
def test_decisions_are_where_their_places_are(
    placed: tuple[list[Decision], list[int]],
) -> None:
    """Resources that are judged alike have the same decision, each in its place."""
    different, places = placed
    each = [different[place] for place in places]

    actual = answers.encoded(Decided(different), "0a-1", places)

    assert answers.encoded(Decided(each), "0a-1") == actual


def test_id_that_is_too_long_is_an_error() -> None:
    """Its length would not fit, and what follows would be read as something else."""
    decided = Decided([Allowed(Reason.OWNED)])
    answers.encoded(decided, "x" * 127)

    with pytest.raises(IndexError):
        answers.encoded(decided, "x" * 128)
