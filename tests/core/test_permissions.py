"""Many short tests of one thing, which is what makes this long."""

from collections.abc import Sequence
from itertools import product

import pytest

from sidecar.core.ids import FeatureInstanceId, PrincipalId, RoleId
from sidecar.core.model import (
    AccessLevel,
    InstanceStanding,
    Operation,
    Permissions,
    Principal,
    PrincipalKind,
    Role,
    RuleContext,
    Standing,
    TenantContext,
)
from sidecar.core.permissions import (
    NOTHING,
    Basis,
    PermissionQuery,
    RoleOutcome,
    RolePrecedence,
    Within,
    basis,
    fitting_roles,
    held_roles,
    judge_roles,
    ranks,
    union,
    winning_rule,
)
from tests.core import facts
from tests.core.facts import (
    ACME,
    GLOBEX,
    OWN,
    SHOP,
    acting,
    instance_standing,
    principal,
    role,
    standing,
    user,
)

DATA = RuleContext.DATA
UNION, HIGHEST = RolePrecedence.UNION, RolePrecedence.HIGHEST_SCOPE
QUERY = PermissionQuery(DATA, "trustee.contract", SHOP)
NO_MEMBER = standing(is_member=False)


@pytest.mark.parametrize(
    ("context", "found", "expected"),
    [
        (acting(user(is_platform_admin=True), None), None, Basis.ALL_MODE),
        (acting(user(is_system=True), None), None, Basis.NO_CONTEXT),
        (acting(user(), OWN), standing(), Basis.NO_ORGANIZATION),
        (acting(user(), ACME), None, Basis.NO_ORGANIZATION),
        (acting(user(), ACME), standing(), Basis.ROLES),
        (acting(user(), ACME), NO_MEMBER, Basis.NOT_A_MEMBER),
        (acting(user(is_platform_admin=True), ACME), NO_MEMBER, Basis.NOT_A_MEMBER),
        (acting(user(is_system=True), ACME), NO_MEMBER, Basis.NOT_A_MEMBER),
    ],
)
def test_only_members_have_roles(
    context: TenantContext, found: Standing | None, expected: Basis
) -> None:
    """Nobody has a privilege in an organization, and personal scope has no roles."""
    assert expected is basis(context, found)


@pytest.mark.parametrize(
    "current",
    [None, principal(is_deleted=True), principal(PrincipalKind.GROUP), principal(None)],
)
def test_only_a_live_organization_has_roles(current: Principal | None) -> None:
    """Roles within what is deleted, missing or no organization are nothing."""
    found = standing("reader")
    there = Standing(
        current, found.membership, found.group_ids, found.cluster_ids, found.role_ids
    )

    assert Basis.NO_ORGANIZATION is basis(acting(user(is_system=True), ACME), there)


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("a.b.c", "exact"),
        ("a.b.c.d", "exact"),
        ("a.b.x", "prefix"),
        ("a.b", "prefix"),
        ("a.bc", "generic"),
        ("a", "generic"),
        ("A.b.c", "generic"),
        (None, "generic"),
    ],
)
def test_the_most_specific_rule_wins(item: str | None, expected: str) -> None:
    """Equal, then the longest prefix by whole segments, then generic."""
    held = role("r", a_b_c="aaaa", a_b="gggg", generic="mmmm")
    names = {"exact": "r/a_b_c", "prefix": "r/a_b", "generic": "r/generic"}

    found = winning_rule(held, DATA, item)

    assert found is not None
    assert names[expected] == found.id


def test_other_rule_contexts_have_no_part() -> None:
    """A rule for DATA says nothing about UI."""
    assert winning_rule(role("r", generic="aaaa"), RuleContext.UI, None) is None


def test_the_winning_rule_replaces_the_others() -> None:
    """What a narrower rule does not grant is not inherited."""
    held = role("r", generic="aaaa", data_User="nnnn")

    allowed = union(ranks([held], DATA, UNION), "data.User")

    assert facts.permissions("nnnn") == allowed


@pytest.mark.parametrize("order", [1, -1])
def test_roles_are_united_level_by_level(order: int) -> None:
    """Each level is the highest of any role, in whichever order they come."""
    held = [role("r", generic="gnnn"), role("s", generic="mmnn")][::order]

    assert facts.permissions("gmnn") == union(ranks(held, DATA, UNION), None)


@pytest.mark.parametrize("precedence", list(RolePrecedence))
def test_without_roles_nothing_is_allowed(precedence: RolePrecedence) -> None:
    """No role, no permission."""
    assert NOTHING == union(ranks([], DATA, precedence), None)


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        ([role("r", generic="aaaa"), role("s", None, SHOP, generic="mmmm")], "mmmm"),
        ([role("r", generic="aaaa"), role("s", ACME, generic="gggg")], "gggg"),
        (
            [role("r", ACME, generic="aaaa"), role("s", ACME, SHOP, generic="mmmm")],
            "mmmm",
        ),
        ([role("r", generic="gggg"), role("s", None, SHOP, other="aaaa")], "gggg"),
    ],
)
def test_only_the_highest_scope_with_a_rule_takes_part(
    roles: Sequence[Role], expected: str
) -> None:
    """Under highest_scope a role without a matching rule outranks nobody."""
    allowed = union(ranks(roles, DATA, HIGHEST), "thing")

    assert facts.permissions(expected) == allowed


def _outcomes(
    within: Within, *roles: Role, precedence: RolePrecedence = UNION
) -> list[RoleOutcome]:
    held = held_roles(within, {each.id: each for each in roles})
    return [each.outcome for each in judge_roles(held, QUERY, precedence)]


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        (role("r", generic="mmmm"), RoleOutcome.TOOK_PART),
        (role("r", ACME, generic="mmmm"), RoleOutcome.TOOK_PART),
        (role("r", None, SHOP, generic="mmmm"), RoleOutcome.TOOK_PART),
        (role("r", other="mmmm"), RoleOutcome.NO_MATCHING_RULE),
        (role("r", GLOBEX, generic="aaaa"), RoleOutcome.OTHER_ORGANIZATION),
        (
            role("r", None, FeatureInstanceId("lab"), generic="aaaa"),
            RoleOutcome.OTHER_INSTANCE,
        ),
        (role("unheld", generic="aaaa"), RoleOutcome.UNKNOWN_ROLE),
    ],
)
def test_each_role_of_a_membership_is_told(held: Role, expected: RoleOutcome) -> None:
    """An explanation says of every role held what became of it."""
    within = Within(ACME, standing("r"), SHOP, instance_standing())

    assert [expected] == _outcomes(within, held)


@pytest.mark.parametrize(
    ("found", "instance", "expected"),
    [
        (instance_standing("r"), ACME, RoleOutcome.TOOK_PART),
        (instance_standing("r", enabled=False), ACME, RoleOutcome.ACCESS_DISABLED),
        (instance_standing("r"), GLOBEX, RoleOutcome.INSTANCE_NOT_USABLE),
    ],
)
def test_each_role_of_a_feature_access_is_told(
    found: InstanceStanding, instance: PrincipalId, expected: RoleOutcome
) -> None:
    """Access must be enabled, and the instance of the organization."""
    within = Within(instance, standing(), SHOP, found)

    assert [expected] == _outcomes(within, role("r", generic="mmmm"))


def test_a_feature_access_is_no_membership_role() -> None:
    """Without access to the instance, the membership's roles are all there is."""
    within = Within(ACME, standing("r"), SHOP, instance_standing("s", access=False))

    assert [RoleOutcome.TOOK_PART] == _outcomes(within, role("r", generic="mmmm"))


def test_an_instance_role_needs_its_instance_usable() -> None:
    """A membership's role of a named instance does not count through a foreign one."""
    within = Within(GLOBEX, standing("r"), SHOP, instance_standing())

    assert [RoleOutcome.INSTANCE_NOT_USABLE] == _outcomes(
        within, role("r", None, SHOP, generic="mmmm")
    )


def test_a_malformed_role_contributes_nothing_and_is_told() -> None:
    """A role with a bad stored rule is told as malformed in that context."""
    bad = Role(RoleId("r"), "r", None, None, {}, frozenset({DATA}))
    within = Within(ACME, standing("r"), SHOP, instance_standing())

    assert [RoleOutcome.MALFORMED] == _outcomes(within, bad)


@pytest.mark.parametrize("precedence", list(RolePrecedence))
def test_outranked_roles_are_told(precedence: RolePrecedence) -> None:
    """Under highest_scope a lower role that matches is told as outranked."""
    roles = [
        role("r", generic="aaaa"),
        role("s", None, SHOP, generic="mmmm"),
        role("t", other="aaaa"),
    ]
    within = Within(ACME, standing("r", "s", "t", "u"), SHOP, instance_standing())
    lower = RoleOutcome.LOWER_SCOPE if precedence is HIGHEST else RoleOutcome.TOOK_PART

    assert [
        lower,
        RoleOutcome.TOOK_PART,
        RoleOutcome.NO_MATCHING_RULE,
        RoleOutcome.UNKNOWN_ROLE,
    ] == _outcomes(within, *roles, precedence=precedence)


def test_nobody_is_outranked_where_nobody_takes_part() -> None:
    """Under highest_scope roles without a rule are told as such."""
    within = Within(ACME, standing("r"), SHOP, instance_standing())

    assert [RoleOutcome.NO_MATCHING_RULE] == _outcomes(
        within, role("r", other="aaaa"), precedence=HIGHEST
    )


def test_roles_that_do_not_fit_do_not_count() -> None:
    """Only roles that exist and whose scope fits are asked for rules."""
    roles = [role("r", generic="mmmm"), role("s", GLOBEX, generic="aaaa")]
    within = Within(ACME, standing("r", "s", "t"), None, None)

    held = held_roles(within, {each.id: each for each in roles})

    assert (roles[0],) == fitting_roles(held)


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (Operation.VIEW, AccessLevel.ALL),
        (Operation.READ, AccessLevel.ALL),
        (Operation.CREATE, AccessLevel.GROUP),
        (Operation.UPDATE, AccessLevel.MY),
        (Operation.DELETE, AccessLevel.NONE),
    ],
)
def test_each_operation_has_its_level(
    operation: Operation, expected: AccessLevel
) -> None:
    """Viewing is all or nothing, and each other operation has a level of its own."""
    assert expected is facts.permissions("agmn").level(operation)
    assert AccessLevel.NONE is NOTHING.level(operation)


@pytest.mark.parametrize("view", [True, False])
@pytest.mark.parametrize(
    "levels", ["".join(each) for each in product("nmga", repeat=4)]
)
def test_bits_are_the_permissions(levels: str, view: bool) -> None:  # noqa: FBT001
    """Permissions come back from their bits, all 512 of them."""
    granted = facts.permissions(levels, view=view)

    assert granted == Permissions.of_bits(granted.bits)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [("mnga", "gnma", "gnga"), ("nnnn", "amgn", "amgn"), ("mmmm", "gggg", "gggg")],
)
def test_bits_of_a_union_are_those_of_its_parts(
    one: str, other: str, expected: str
) -> None:
    """The higher level of each operation is what both bits together say."""
    bits = facts.permissions(one).bits | facts.permissions(other).bits

    assert facts.permissions(expected) == Permissions.of_bits(bits)
