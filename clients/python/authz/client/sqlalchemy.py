"""List filters as SQLAlchemy conditions; needs `authz-client[sqlalchemy]`."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias, assert_never, cast
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, or_, true
from sqlalchemy.orm import InstrumentedAttribute

from authz.client.answers import (
    AllOf,
    AnyOf,
    Condition,
    Equals,
    Everything,
    In,
    ListFilter,
    Nothing,
    Selection,
)
from authz.client.errors import UnmappedError
from authz.client.questions import Field

Id: TypeAlias = int | str | UUID
_Ids: TypeAlias = (
    ColumnElement[int]
    | ColumnElement[int | None]
    | ColumnElement[str]
    | ColumnElement[str | None]
    | ColumnElement[UUID]
    | ColumnElement[UUID | None]
)
# A column with ids, of a mapped class or of a table.
Column: TypeAlias = (
    _Ids
    | InstrumentedAttribute[int]
    | InstrumentedAttribute[int | None]
    | InstrumentedAttribute[str]
    | InstrumentedAttribute[str | None]
    | InstrumentedAttribute[UUID]
    | InstrumentedAttribute[UUID | None]
)
_READ: Final[dict[type[object], Callable[[str], Id]]] = {int: int, str: str, UUID: UUID}


def where(
    found: ListFilter | Selection, columns: Mapping[Field, Column]
) -> ColumnElement[bool]:
    """The condition of the rows that may be listed, for `select(…).where(…)`.

    Values are bound as parameters, in the type of their column. A row without a value
    in a compared column is not listed.

    Args:
        found: the answer of `get_list_filter`, or its `selection`.
        columns: for each field that the filter may need, the column in your rows.

    Raises:
        UnmappedError: a needed field has no column, or one that cannot have such a
            value. No condition is ever left out.
    """
    selection = found.selection if isinstance(found, ListFilter) else found
    match selection:
        case Everything():
            return true()
        case Nothing():
            return false()
        case _:
            return _condition(selection, columns)


def _condition(
    condition: Condition, columns: Mapping[Field, Column]
) -> ColumnElement[bool]:
    match condition:
        case AllOf(conditions):
            return and_(*_each(conditions, columns))
        case AnyOf(conditions):
            return or_(*_each(conditions, columns))
        case Equals(field, value):
            column, read = _mapped(field, columns)
            return column == _value(read, field, value)
        case In(field, values):
            column, read = _mapped(field, columns)
            return column.in_([_value(read, field, each) for each in values])
        case _:
            assert_never(condition)


def _each(
    conditions: Sequence[Condition], columns: Mapping[Field, Column]
) -> list[ColumnElement[bool]]:
    # All of nothing would be every row.
    if not conditions:
        raise UnmappedError("the filter joins no conditions")
    return [_condition(each, columns) for each in conditions]


def _mapped(
    field: Field, columns: Mapping[Field, Column]
) -> tuple[ColumnElement[Id], Callable[[str], Id]]:
    column = columns.get(field)
    if column is None:
        raise UnmappedError(f"the filter needs a column for `{field}`")
    try:
        read = _READ.get(column.type.python_type)
    except NotImplementedError:
        read = None
    if read is None:
        raise UnmappedError(f"the column for `{field}` cannot have ids")
    # An attribute of a mapped class compares as its column does.
    return cast("ColumnElement[Id]", column), read


def _value(read: Callable[[str], Id], field: Field, value: str) -> Id:
    try:
        return read(value)
    except ValueError as error:
        message = f"the column for `{field}` cannot have the value `{value}`"
        raise UnmappedError(message) from error
