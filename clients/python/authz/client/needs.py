"""What a route or a method demands: requirements whose ids come with each request."""

from collections.abc import Callable, Mapping
from typing import TypeAlias
from uuid import UUID

from authz.client.errors import InternalError
from authz.client.levels import AccessLevel, Operation
from authz.client.questions import (
    InRole,
    PermissionQuery,
    Permitted,
    Requirement,
    Resource,
    RoleGate,
    Visible,
    Writable,
)

# The parameters of a path, or the fields of a message, by name.
Values: TypeAlias = Mapping[str, object]
Need: TypeAlias = Callable[[Values], Requirement]


def visible(kind: str, parameter: str) -> Need:
    """The row of a kind is visible whose id is in this parameter."""

    def need(values: Values) -> Requirement:
        return Visible(Resource(kind, _id(values, parameter)))

    return need


def writable(kind: str, parameter: str) -> Need:
    """The row of a kind is visible, and writable, whose id is in this parameter."""

    def need(values: Values) -> Requirement:
        return Writable(Resource(kind, _id(values, parameter)))

    return need


def in_role(gate: RoleGate) -> Need:
    """The caller passes a gate."""
    return lambda _: InRole(gate)


def permitted(
    query: PermissionQuery, operation: Operation, least: AccessLevel | None = None
) -> Need:
    """The caller's roles allow an operation, at least to this level."""
    requirement = Permitted(query, operation, least)
    return lambda _: requirement


def _id(values: Values, parameter: str) -> str:
    """An id of a request as text.

    Raises:
        InternalError: there is none of this name; the program asks for what its
            requests do not have.
    """
    value = values.get(parameter)
    # True is an int, too.
    if isinstance(value, str | int | UUID) and not isinstance(value, bool):
        return str(value)
    raise InternalError(f"the request has no id in `{parameter}`")
