import pytest

from sidecar.core.filters import (
    EVERYTHING,
    NOTHING,
    AllOf,
    AnyOf,
    Equals,
    Field,
    ListFilter,
    both,
    either,
    level_filter,
    list_filter,
)
from sidecar.core.model import AccessLevel, ResourceKind, TenantContext, Visibility
from tests.core.facts import ACME, acting, user

OWNED = Equals(Field.OWNER_PRINCIPAL_ID, "20")
CREATED = Equals(Field.CREATED_BY, "1")


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (EVERYTHING, EVERYTHING, EVERYTHING),
        (EVERYTHING, NOTHING, NOTHING),
        (NOTHING, EVERYTHING, NOTHING),
        (EVERYTHING, CREATED, CREATED),
        (CREATED, EVERYTHING, CREATED),
        (CREATED, NOTHING, NOTHING),
        (NOTHING, CREATED, NOTHING),
        (OWNED, CREATED, AllOf((OWNED, CREATED))),
    ],
)
def test_both_select_what_each_selects(
    first: ListFilter, second: ListFilter, expected: ListFilter
) -> None:
    """The two ends disappear, and two conditions stand in the order given."""
    assert expected == both(first, second)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (NOTHING, NOTHING, NOTHING),
        (EVERYTHING, NOTHING, EVERYTHING),
        (NOTHING, EVERYTHING, EVERYTHING),
        (EVERYTHING, CREATED, EVERYTHING),
        (CREATED, EVERYTHING, EVERYTHING),
        (CREATED, NOTHING, CREATED),
        (NOTHING, CREATED, CREATED),
        (OWNED, CREATED, AnyOf((OWNED, CREATED))),
    ],
)
def test_either_selects_what_one_selects(
    first: ListFilter, second: ListFilter, expected: ListFilter
) -> None:
    """The two ends disappear, and two conditions stand in the order given."""
    assert expected == either(first, second)


@pytest.mark.parametrize(
    ("context", "level", "expected"),
    [
        (acting(user(), ACME), AccessLevel.NONE, NOTHING),
        (acting(user(), ACME), AccessLevel.MY, CREATED),
        (acting(user(), ACME), AccessLevel.GROUP, Equals(Field.ORGANIZATION_ID, "20")),
        (acting(user(), None), AccessLevel.GROUP, NOTHING),
        (acting(user(), ACME), AccessLevel.ALL, EVERYTHING),
    ],
)
def test_a_level_reaches_its_rows(
    context: TenantContext, level: AccessLevel, expected: ListFilter
) -> None:
    """Own rows are those the user created, group rows those of the organization."""
    assert expected == level_filter(context, level)


@pytest.mark.parametrize("visibility", list(Visibility))
def test_nobody_without_a_principal_lists_owned_rows(visibility: Visibility) -> None:
    """Without a current principal and without bypass, no row is one's own."""
    kind = ResourceKind("thing", visibility, carries_owner=True, carries_cluster=False)
    context = TenantContext(user(), None, acting(user(), None).source)

    assert NOTHING is list_filter(context, kind)
