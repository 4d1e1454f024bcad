"""The one table from reasons to statuses, against the proto and the core."""

import grpc
import pytest
from authz.v1 import decision_pb2, permission_pb2

from sidecar.core.decision import Allowed, Denied
from sidecar.core.reasons import Denial, Reason, RuleFault
from sidecar.transport.status import TABLE, code_of, malformed, status_of

HTTP = {
    Denial.INVALID: 400,
    Denial.UNAUTHENTICATED: 401,
    Denial.FORBIDDEN: 403,
    Denial.NOT_FOUND: 404,
}


def names(enum: list[str], prefix: str) -> set[str]:
    """The bare names of a proto enum, without its zero."""
    bare = {name.removeprefix(prefix) for name in enum}
    return bare - {"UNSPECIFIED"}


def test_every_reason_has_a_status() -> None:
    """A reason that the table lacks fails here before it fails a call."""
    assert set(Reason) == set(TABLE)


def test_reasons_are_those_of_the_proto() -> None:
    """What the core says is public, word for word, and nothing else is."""
    assert names(decision_pb2.Reason.keys(), "REASON_") == set(Reason.__members__)
    assert names(decision_pb2.Denial.keys(), "DENIAL_") == set(Denial.__members__)
    faults = permission_pb2.AccessRuleFault.keys()
    assert names(faults, "ACCESS_RULE_FAULT_") == set(RuleFault.__members__)


@pytest.mark.parametrize("reason", [r for r in Reason if TABLE[r][0].denial])
def test_denial_has_the_http_status_of_its_kind(reason: Reason) -> None:
    """Each way in which a reason denies has the HTTP status that the API names."""
    for status in TABLE[reason]:
        assert status.denial is not None
        assert HTTP[status.denial] == status.http
        assert status == status_of(Denied(status.denial, reason))


def test_nothing_but_allowing_is_ok() -> None:
    """Only reasons of allowing have the code OK, so no error reads as allowed."""
    allowing = {
        reason
        for reason, statuses in TABLE.items()
        if grpc.StatusCode.OK in {status.grpc for status in statuses}
    }

    assert {reason for reason in Reason if is_allowing(reason)} == allowing


def is_allowing(reason: Reason) -> bool:
    """Whether the proto's numbers say that a reason allows: below 20."""
    return decision_pb2.Reason.Value(f"REASON_{reason.name}") < 20


def test_combination_that_cannot_be_fails() -> None:
    """A denial that the table does not know is a defect, not a guess."""
    with pytest.raises(KeyError):
        status_of(Denied(Denial.NOT_FOUND, Reason.OTHER_OWNER))
    with pytest.raises(KeyError):
        status_of(Allowed(Reason.OTHER_OWNER))


def test_path_of_a_malformed_field_grows_outwards() -> None:
    """What contains a message puts its own path before the field's."""
    error = malformed("id", "must not be empty").under("resources[3]")

    assert ("resources[3].id", "`resources[3].id` must not be empty") == (
        error.field,
        error.message,
    )
    assert grpc.StatusCode.INVALID_ARGUMENT is code_of(error)
