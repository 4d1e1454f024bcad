"""List filters: which rows of a kind a context may list (semantics.md §3, §4).

A filter selects exactly the rows for which `check_visible` allows, but for
global rows of an OWNED kind, which are visible by id and not listed.
"""

from dataclasses import dataclass
from enum import Enum, unique
from typing import assert_never

from sidecar.core.model import AccessLevel, ResourceKind, TenantContext, Visibility


@unique
class Field(Enum):
    """A column of the application's rows."""

    OWNER_PRINCIPAL_ID = "OWNER_PRINCIPAL_ID"
    CLUSTER_ID = "CLUSTER_ID"
    ID = "ID"
    CREATED_BY = "CREATED_BY"
    ORGANIZATION_ID = "ORGANIZATION_ID"


@dataclass(frozen=True, slots=True)
class Equals:
    """A field has a value."""

    field: Field
    value: str


@dataclass(frozen=True, slots=True)
class In:
    """A field has one of these values, sorted, at least one."""

    field: Field
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AllOf:
    """All of these hold; at least two."""

    conditions: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Any of these holds; at least two."""

    conditions: tuple["Condition", ...]


Condition = Equals | In | AllOf | AnyOf


@unique
class Total(Enum):
    """The two filters that look at no row."""

    EVERYTHING = "EVERYTHING"
    NOTHING = "NOTHING"


EVERYTHING = Total.EVERYTHING
NOTHING = Total.NOTHING

ListFilter = Total | Condition


def list_filter(context: TenantContext, kind: ResourceKind) -> ListFilter:
    """The rows of `kind` that tenancy lets `context` list."""
    if context.bypass:
        return EVERYTHING
    owned = _owned(context) if kind.carries_owner else NOTHING
    match kind.visibility:
        case Visibility.OWNED:
            return owned if kind.carries_owner else EVERYTHING
        case Visibility.CLUSTER:
            return either(owned, _granted(context, Field.ID))
        case Visibility.CLUSTER_RESOURCE:
            cluster = _granted(context, Field.CLUSTER_ID)
            return either(owned, cluster if kind.carries_cluster else NOTHING)
        case _:
            assert_never(kind.visibility)


def level_filter(context: TenantContext, read: AccessLevel) -> ListFilter:
    """The rows that a read level reaches, whatever tenancy says."""
    match read:
        case AccessLevel.NONE:
            return NOTHING
        case AccessLevel.MY:
            return Equals(Field.CREATED_BY, context.user.id)
        case AccessLevel.GROUP:
            current = context.current_principal_id
            return NOTHING if current is None else _in_organization(current)
        case AccessLevel.ALL:
            return EVERYTHING
        case _:
            assert_never(read)


def both(first: ListFilter, second: ListFilter) -> ListFilter:
    """The rows that both select."""
    if first is NOTHING or second is NOTHING:
        return NOTHING
    if isinstance(first, Total):
        return second
    if isinstance(second, Total):
        return first
    return AllOf((first, second))


def either(first: ListFilter, second: ListFilter) -> ListFilter:
    """The rows that one of them selects."""
    if first is EVERYTHING or second is EVERYTHING:
        return EVERYTHING
    if isinstance(first, Total):
        return second
    if isinstance(second, Total):
        return first
    return AnyOf((first, second))


def _owned(context: TenantContext) -> ListFilter:
    current = context.current_principal_id
    return NOTHING if current is None else Equals(Field.OWNER_PRINCIPAL_ID, current)


def _granted(context: TenantContext, field: Field) -> ListFilter:
    granted = context.accessible_cluster_ids
    return In(field, tuple(sorted(granted))) if granted else NOTHING


def _in_organization(organization_id: str) -> ListFilter:
    return Equals(Field.ORGANIZATION_ID, organization_id)
