import pytest

from sidecar.core.authorize import (
    ALL_HOLD,
    MustBeVisible,
    MustBeWritable,
    MustPass,
    MustPermit,
    NamedResource,
    Requirement,
    permit,
    verdict,
)
from sidecar.core.decision import Allowed, Decision, Denied
from sidecar.core.gates import PlatformAdminGate
from sidecar.core.ids import ResourceId
from sidecar.core.model import AccessLevel, Operation, RuleContext
from sidecar.core.permissions import NOTHING, PermissionQuery
from sidecar.core.reasons import Denial, Reason
from tests.core.facts import permissions

ROW = NamedResource("thing", ResourceId("7"))
SEE, CHANGE = MustBeVisible(ROW), MustBeWritable(ROW, skip_visible=False)
PASS = MustPass(PlatformAdminGate())
HOLDS = Allowed(Reason.OWNED)
UNSEEN = Denied(Denial.NOT_FOUND, Reason.RESOURCE_NOT_FOUND)
REFUSED = Denied(Denial.FORBIDDEN, Reason.PLATFORM_ADMIN_REQUIRED)
FOREIGN = Denied(Denial.FORBIDDEN, Reason.OTHER_OWNER)


@pytest.mark.parametrize(
    ("requirements", "decisions", "expected"),
    [
        ([SEE, CHANGE], [HOLDS, HOLDS], ALL_HOLD),
        ([PASS, CHANGE], [REFUSED, FOREIGN], REFUSED),
        ([CHANGE, PASS], [FOREIGN, REFUSED], FOREIGN),
        ([PASS, SEE], [REFUSED, UNSEEN], UNSEEN),
        ([CHANGE, SEE], [FOREIGN, HOLDS], FOREIGN),
        ([CHANGE, PASS], [UNSEEN, REFUSED], UNSEEN),
        ([PASS, CHANGE], [REFUSED, UNSEEN], REFUSED),
        ([SEE, SEE], [FOREIGN, UNSEEN], FOREIGN),
    ],
)
def test_the_first_that_fails_decides_a_visibility_before_all(
    requirements: list[Requirement], decisions: list[Decision], expected: Decision
) -> None:
    """Only a failing `visible` overtakes; one not visible to be written does not."""
    assert expected == verdict(requirements, decisions)


def _wanted(operation: Operation, least: AccessLevel) -> MustPermit:
    return MustPermit(PermissionQuery(RuleContext.DATA, None, None), operation, least)


@pytest.mark.parametrize(
    ("operation", "least", "allowed"),
    [
        (Operation.READ, AccessLevel.ALL, True),
        (Operation.CREATE, AccessLevel.GROUP, True),
        (Operation.CREATE, AccessLevel.MY, True),
        (Operation.CREATE, AccessLevel.ALL, False),
        (Operation.UPDATE, AccessLevel.MY, True),
        (Operation.UPDATE, AccessLevel.GROUP, False),
        (Operation.DELETE, AccessLevel.MY, False),
        (Operation.DELETE, AccessLevel.NONE, False),
        (Operation.VIEW, AccessLevel.NONE, True),
    ],
)
def test_a_level_is_reached_or_surpassed(
    operation: Operation, least: AccessLevel, *, allowed: bool
) -> None:
    """A higher level permits what a lower one does; nothing permits nothing."""
    decision = permit(_wanted(operation, least), permissions("agmn"))

    assert allowed is isinstance(decision, Allowed)


@pytest.mark.parametrize("operation", list(Operation))
@pytest.mark.parametrize("least", list(AccessLevel))
def test_without_permissions_nothing_is_permitted(
    operation: Operation, least: AccessLevel
) -> None:
    """Default deny: not even the least level is reached by none."""
    expected = Denied(Denial.FORBIDDEN, Reason.INSUFFICIENT_PERMISSION)

    assert expected == permit(_wanted(operation, least), NOTHING)
