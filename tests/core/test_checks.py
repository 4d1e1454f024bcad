import pytest

from sidecar.core.checks import OfResource, check_visible, check_writable
from sidecar.core.decision import Allowed, Decision, Denied, Outcome
from sidecar.core.ids import ClusterId, PrincipalId
from sidecar.core.model import OrgRole, Resource, TenantContext, Visibility
from sidecar.core.reasons import Denial, Reason
from tests.core.facts import ACME, CLUSTER, GLOBEX, acting, resource, user

MISSING = Denied(Denial.NOT_FOUND, Reason.RESOURCE_NOT_FOUND)
SYSTEM = acting(user(is_system=True), GLOBEX)
ALL_MODE = acting(user(is_platform_admin=True), None)
ACTING_ADMIN = acting(user(is_platform_admin=True), ACME)
ORG_ADMIN = acting(user(), ACME, OrgRole.ADMIN)
ORG_USER = acting(user(), ACME, OrgRole.USER)
NO_CURRENT = acting(user(), None)
EVERY_VISIBILITY = pytest.mark.parametrize("visibility", list(Visibility))


@EVERY_VISIBILITY
@pytest.mark.parametrize("context", [SYSTEM, ALL_MODE, ORG_ADMIN])
def test_what_does_not_exist_is_not_found_even_under_bypass(
    visibility: Visibility, context: TenantContext
) -> None:
    """A missing row comes before every privilege, in every check."""
    asked = OfResource(context, None)

    assert MISSING == check_visible(visibility).decide(asked)
    assert MISSING == check_writable(visibility).decide(asked)
    assert MISSING == check_writable(visibility, skip_visible=True).decide(asked)


@EVERY_VISIBILITY
@pytest.mark.parametrize(
    ("context", "reason"),
    [
        (SYSTEM, Reason.BYPASS_SYSTEM),
        (ALL_MODE, Reason.BYPASS_PLATFORM_ADMIN),
        (acting(user(is_platform_admin=True, is_system=True), None), None),
    ],
)
def test_bypass_sees_and_changes_every_row(
    visibility: Visibility, context: TenantContext, reason: Reason | None
) -> None:
    """Under bypass a foreign row is allowed; being a system user is told first."""
    asked = OfResource(context, resource(visibility, ACME))
    expected = Allowed(reason or Reason.BYPASS_SYSTEM)

    assert expected == check_visible(visibility).decide(asked)
    assert expected == check_writable(visibility).decide(asked)


@pytest.mark.parametrize(
    ("visibility", "owner", "cluster", "expected"),
    [
        (Visibility.OWNED, ACME, None, Allowed(Reason.OWNED)),
        (Visibility.OWNED, None, None, Allowed(Reason.GLOBAL_VISIBLE)),
        (Visibility.OWNED, GLOBEX, CLUSTER, MISSING),
        (Visibility.CLUSTER, ACME, None, Allowed(Reason.OWNED)),
        (Visibility.CLUSTER, None, CLUSTER, MISSING),
        (Visibility.CLUSTER_RESOURCE, ACME, CLUSTER, Allowed(Reason.OWNED)),
        (Visibility.CLUSTER_RESOURCE, GLOBEX, CLUSTER, Allowed(Reason.GRANTED)),
        (Visibility.CLUSTER_RESOURCE, None, CLUSTER, Allowed(Reason.GRANTED)),
        (Visibility.CLUSTER_RESOURCE, None, None, MISSING),
        (Visibility.CLUSTER_RESOURCE, GLOBEX, ClusterId("7"), MISSING),
    ],
)
def test_rows_are_visible_by_owner_or_grant(
    visibility: Visibility,
    owner: PrincipalId | None,
    cluster: ClusterId | None,
    expected: Decision,
) -> None:
    """Each visibility has its own ways to be seen."""
    asked = OfResource(ORG_USER, resource(visibility, owner, cluster))

    assert expected == check_visible(visibility).decide(asked)


def test_a_row_without_an_owner_is_not_owned_by_nobody() -> None:
    """That neither has a principal does not make them equal."""
    asked = OfResource(NO_CURRENT, resource(Visibility.CLUSTER, None))

    assert MISSING == check_visible(Visibility.CLUSTER).decide(asked)


@pytest.mark.parametrize(
    ("context", "owner", "expected"),
    [
        (ACTING_ADMIN, None, Denied(Denial.FORBIDDEN, Reason.GLOBAL_RESOURCE)),
        (ACTING_ADMIN, GLOBEX, Denied(Denial.FORBIDDEN, Reason.OTHER_OWNER)),
        (ACTING_ADMIN, ACME, Allowed(Reason.ACTING_PLATFORM_ADMIN)),
        (ORG_ADMIN, ACME, Allowed(Reason.ORG_ADMIN)),
        (ORG_USER, ACME, Denied(Denial.FORBIDDEN, Reason.INSUFFICIENT_ORG_ROLE)),
    ],
)
def test_rows_are_writable_in_the_order_of_the_rules(
    context: TenantContext, owner: PrincipalId | None, expected: Decision
) -> None:
    """A global row, another's row, then the caller's standing."""
    asked = OfResource(context, resource(Visibility.CLUSTER_RESOURCE, owner, CLUSTER))

    assert expected == check_writable(Visibility.CLUSTER_RESOURCE).decide(asked)


def test_skipping_visibility_judges_a_foreign_row_by_its_owner() -> None:
    """Without the visibility check, an unseen row is another's row."""
    asked = OfResource(ORG_ADMIN, resource(Visibility.OWNED, GLOBEX))
    checked = check_writable(Visibility.OWNED)
    alone = check_writable(Visibility.OWNED, skip_visible=True)

    assert MISSING == checked.decide(asked)
    assert Denied(Denial.FORBIDDEN, Reason.OTHER_OWNER) == alone.decide(asked)


@EVERY_VISIBILITY
@pytest.mark.parametrize("context", [ALL_MODE, ORG_ADMIN, ORG_USER, NO_CURRENT])
@pytest.mark.parametrize(
    "row",
    [
        None,
        resource(Visibility.OWNED, None),
        resource(Visibility.CLUSTER, ACME, CLUSTER),
        resource(Visibility.CLUSTER_RESOURCE, GLOBEX, ClusterId("9")),
    ],
)
def test_the_last_step_of_an_explanation_decides(
    visibility: Visibility, context: TenantContext, row: Resource | None
) -> None:
    """Every rule tried is told, and only the last of them decided."""
    asked = OfResource(context, row)
    for check in (check_visible(visibility), check_writable(visibility)):
        allowed = isinstance(check.decide(asked), Allowed)

        *before, last = check.explain(asked)

        assert (Outcome.ALLOWED if allowed else Outcome.DENIED) == last.outcome
        assert {Outcome.PASSED} >= {step.outcome for step in before}
        assert all(step.detail for step in (*before, last))
