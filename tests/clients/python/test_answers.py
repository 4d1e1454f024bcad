import pytest
from authz.client import (
    AccessLevel,
    Answer,
    Caller,
    Decision,
    Decisions,
    Denial,
    DeniedError,
    Everything,
    Operation,
    Permissions,
    PermissionsList,
    RuleProblems,
)
from authz.client.calls import check_visible
from authz.client.errors import InvalidRequestError
from authz.client.reading import ALLOWING, DENYING
from authz.v1 import decision_pb2

from tests.clients.python.scripted import ANN, CLUSTER

ALLOWED = Decision(
    allowed=True, denial=None, reason="OWNED", message="yours", decision_id="d.0"
)
DENIED = Decision(
    allowed=False,
    denial=Denial.NOT_FOUND,
    reason="RESOURCE_NOT_FOUND",
    message="not there",
    decision_id="d.1",
)


@pytest.mark.parametrize(
    "answer",
    [
        ALLOWED,
        DENIED,
        Decisions((DENIED,), "d"),
        Decisions((), "d"),
        Permissions(),
        PermissionsList((Permissions(),), "d"),
        Everything(),
        RuleProblems(()),
        AccessLevel.NONE,
        AccessLevel.ALL,
    ],
    ids=repr,
)
def test_no_answer_has_a_truth_value(answer: Answer | AccessLevel) -> None:
    """An `if` around an answer fails instead of allowing."""
    with pytest.raises(TypeError, match="neither true nor false"):
        bool(answer)


def test_all_of_decisions_cannot_be_asked_by_truth() -> None:
    """The built-in `all` over decisions fails instead of allowing."""
    with pytest.raises(TypeError):
        all(Decisions((DENIED, DENIED), "d"))  # type: ignore[truthy-bool,unused-ignore]


def test_require_names_the_first_denial() -> None:
    """Of several decisions, the first that denies is raised with all it says."""
    with pytest.raises(DeniedError) as caught:
        Decisions((ALLOWED, DENIED), "d").require()

    error = caught.value
    assert (Denial.NOT_FOUND, "RESOURCE_NOT_FOUND", "not there", "d.1") == (
        error.denial,
        error.reason,
        str(error),
        error.decision_id,
    )


def test_allowed_decisions_pass() -> None:
    """What allows in everything raises nothing."""
    decisions = Decisions((ALLOWED, ALLOWED), "d")
    decisions.require()

    assert True is decisions.all_allowed


def test_nothing_is_not_allowed() -> None:
    """No decision at all does not allow."""
    nothing = Decisions((), "d")
    with pytest.raises(DeniedError):
        nothing.require()

    assert False is nothing.all_allowed


def test_levels_are_compared() -> None:
    """Levels rise from NONE to ALL, and are not compared with words."""
    levels = [AccessLevel.ALL, AccessLevel.NONE, AccessLevel.GROUP, AccessLevel.MY]

    assert ["NONE", "MY", "GROUP", "ALL"] == [each.value for each in sorted(levels)]
    with pytest.raises(TypeError):
        assert AccessLevel.ALL >= "GROUP"  # type: ignore[operator,unused-ignore]


def test_permissions_are_nothing_by_default() -> None:
    """Permissions that say nothing allow nothing."""
    none = Permissions()

    assert {AccessLevel.NONE} == {none.level(each) for each in Operation}


def test_every_reason_is_of_one_kind() -> None:
    """Each reason of the API allows, denies, or belongs to the edge or to errors."""
    kinds = {
        name.removeprefix("REASON_"): (
            "allows" if 0 < number < 20 else "denies" if 20 <= number < 32 else "other"
        )
        for name, number in decision_pb2.Reason.items()
    }

    assert {each for each, kind in kinds.items() if kind == "allows"} == ALLOWING
    assert {each for each, kind in kinds.items() if kind == "denies"} == DENYING


@pytest.mark.parametrize(
    "caller", [Caller.api_key("ak_1_secret"), Caller.access_token("ey.secret.x")]
)
def test_credentials_are_not_shown(caller: Caller) -> None:
    """The repr of a caller shows no credential."""
    assert "secret" not in repr(caller)


def test_a_misspelt_option_is_refused() -> None:
    """An option that does not exist is an error, never ignored."""
    with pytest.raises(TypeError, match="fully_consistant"):
        check_visible(ANN, CLUSTER, fully_consistant=True)  # type: ignore[call-arg]


def test_two_consistencies_are_refused() -> None:
    """A question is of one consistency."""
    with pytest.raises(ValueError, match="only one"):
        check_visible(ANN, CLUSTER, fully_consistent=True, at_least_as_fresh="1.x")


def test_text_that_cannot_be_sent_is_refused() -> None:
    """A header with bytes that are no text becomes a typed error."""
    with pytest.raises(InvalidRequestError):
        check_visible(Caller.user("2", organization="\udcff"), CLUSTER)
