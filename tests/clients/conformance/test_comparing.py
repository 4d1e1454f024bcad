import pytest

from clients.conformance.python.comparing import difference

ALLOWED = {"allowed": True, "reason": "OWNED"}
DENIED = {"allowed": False, "denial": "NOT_FOUND", "reason": "RESOURCE_NOT_FOUND"}


@pytest.mark.parametrize(
    ("wanted", "came"),
    [
        (ALLOWED, ALLOWED),
        (DENIED, {**DENIED, "message": "there is no such row"}),
        ({"context": {"user_id": "2"}}, {"context": {"user_id": "2", "bypass": True}}),
        ([1, 2], [1, 2]),
        ({"error": {"code": "NOT_FOUND"}}, {"error": {"code": "NOT_FOUND", "x": 1}}),
    ],
)
def test_what_a_wish_lacks_is_not_compared(wanted: object, came: object) -> None:
    """Texts for people, and what else a wish does not say, may be as they are."""
    assert difference(wanted, came) is None


@pytest.mark.parametrize(
    ("wanted", "came"),
    [
        (ALLOWED, DENIED),
        (DENIED, ALLOWED),
        (ALLOWED, {**ALLOWED, "denial": "FORBIDDEN"}),
        (ALLOWED, {"allowed": True}),
        (DENIED, {**DENIED, "denial": "FORBIDDEN"}),
        ({"allowed": False}, {"allowed": False, "reason": "OWNED"}),
        ([ALLOWED], [ALLOWED, ALLOWED]),
        ([ALLOWED, DENIED], [DENIED, ALLOWED]),
        ([], None),
        ({"allowed": True}, {"allowed": 1}),
        ({"value": 20}, {"value": "20"}),
        ({"response": {}}, {"error": {"code": "UNAVAILABLE"}}),
        ({"context": {}}, {}),
    ],
)
def test_a_difference_is_told(wanted: object, came: object) -> None:
    """Decisions are compared whole, lists by length and order, values by type."""
    assert difference(wanted, came) is not None


def test_a_difference_says_where() -> None:
    """The path of the first difference is in the text."""
    wanted = {"response": {"decisions": [ALLOWED, DENIED]}}
    came = {"response": {"decisions": [ALLOWED, {**DENIED, "reason": "OTHER_OWNER"}]}}

    assert (
        "response.decisions[1].reason is 'OTHER_OWNER' instead of 'RESOURCE_NOT_FOUND'"
        == difference(wanted, came)
    )
