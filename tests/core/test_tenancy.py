import pytest

from sidecar.core.decision import Denied, Outcome
from sidecar.core.ids import IdType, PrincipalId, UserId
from sidecar.core.model import (
    Principal,
    PrincipalKind,
    PrincipalSource,
    Standing,
    TenantContext,
    UserRecord,
)
from sidecar.core.reasons import Denial, Reason
from sidecar.core.tenancy import (
    Acting,
    Lookup,
    authenticate,
    choose_principal,
    explain_context,
    needed_lookup,
    resolve_organization,
    resolve_personal,
)
from tests.core.facts import ACME, CLUSTER, OWN, principal, standing, user

BAD_CREDENTIAL = Denied(Denial.UNAUTHENTICATED, Reason.INVALID_CREDENTIAL)
REQUESTED = Acting(ACME, PrincipalSource.REQUESTED)


def _own(
    kind: PrincipalKind | None = PrincipalKind.USER, *, is_deleted: bool = False
) -> Principal:
    return Principal(OWN, kind, "Ann", is_deleted)


def _record(own: Principal | None, *, is_active: bool = True) -> UserRecord:
    return UserRecord(UserId("1"), False, False, is_active, own)  # noqa: FBT003


def test_a_user_with_a_live_principal_is_somebody() -> None:
    """A fit record gives the user."""
    assert user() == authenticate(_record(_own()))


@pytest.mark.parametrize(
    "record",
    [
        None,
        _record(None),
        _record(_own(), is_active=False),
        _record(_own(is_deleted=True)),
        _record(_own(PrincipalKind.ORG)),
        _record(_own(None)),
    ],
)
def test_everyone_unfit_gets_the_same_denial(record: UserRecord | None) -> None:
    """Nobody learns why a user is not accepted."""
    assert BAD_CREDENTIAL == authenticate(record)


@pytest.mark.parametrize(
    ("is_platform_admin", "pinned", "requested", "expected"),
    [
        (True, ACME, "not even parsed", Acting(ACME, PrincipalSource.PINNED)),
        (True, None, "20", REQUESTED),
        (False, None, "020", Denied(Denial.INVALID, Reason.INVALID_ORGANIZATION_ID)),
        (True, None, "", Acting(None, PrincipalSource.ALL_MODE)),
        (False, None, "", Acting(OWN, PrincipalSource.OWN)),
    ],
)
def test_the_first_way_that_applies_chooses_the_principal(
    *,
    is_platform_admin: bool,
    pinned: PrincipalId | None,
    requested: str,
    expected: Acting | Denied,
) -> None:
    """A pin, then a request, then All mode, then the user's own principal."""
    chosen = choose_principal(
        user(is_platform_admin=is_platform_admin), pinned, requested, IdType.BIGINT
    )

    assert expected == chosen


@pytest.mark.parametrize(
    ("is_system", "current", "expected"),
    [
        (False, None, Lookup.NONE),
        (True, ACME, Lookup.NONE),
        (True, OWN, Lookup.NONE),
        (False, OWN, Lookup.OWN_GRANTS),
        (False, ACME, Lookup.STANDING),
    ],
)
def test_only_needed_facts_are_looked_up(
    *, is_system: bool, current: PrincipalId | None, expected: Lookup
) -> None:
    """A system user needs no facts, and personal scope only grants."""
    acting = Acting(current, PrincipalSource.OWN)

    assert expected is needed_lookup(user(is_system=is_system), acting)


@pytest.mark.parametrize(
    ("found", "last"),
    [
        (standing(), Outcome.FACT),
        (standing(is_member=False), Outcome.DENIED),
        (
            Standing(None, standing().membership, (ACME,), frozenset(), ()),
            Outcome.DENIED,
        ),
        (
            Standing(principal(None), standing().membership, (), frozenset(), ()),
            Outcome.DENIED,
        ),
    ],
)
def test_an_explanation_tells_the_standing_in_an_organization(
    found: Standing, last: Outcome
) -> None:
    """Where the principal came from, the membership, groups, organization, outcome."""
    resolved = resolve_organization(user(), REQUESTED, found)

    steps = explain_context(REQUESTED, resolved, found)

    assert [
        "context.principal",
        "context.membership",
        "context.groups",
        "context.organization",
        "context",
    ] == [step.rule for step in steps]
    assert last is steps[-1].outcome


def test_an_explanation_of_personal_scope_has_no_standing() -> None:
    """Personal scope is told by its own step."""
    own = Acting(OWN, PrincipalSource.OWN)
    context = resolve_personal(user(), own, frozenset({CLUSTER}))

    steps = explain_context(own, context, None)

    assert ["context.principal", "context"] == [step.rule for step in steps]
    assert "personal scope" in steps[-1].detail


def test_an_explanation_of_all_mode_names_no_principal() -> None:
    """All mode is told as having no principal, with its bypass."""
    admin = user(is_platform_admin=True)
    everywhere = Acting(None, PrincipalSource.ALL_MODE)
    context = TenantContext(admin, None, PrincipalSource.ALL_MODE)

    steps = explain_context(everywhere, context, None)

    assert "current principal none" in steps[0].detail
    assert "platform admin, bypass" in steps[-1].detail
