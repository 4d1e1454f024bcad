"""A list filter as a SQL condition with typed parameters.

Values stand in parameters only, and columns are always quoted names, so no
input can change what the text means.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, unique
from typing import assert_never

from sidecar.core.filters import (
    AllOf,
    AnyOf,
    Condition,
    Equals,
    Field,
    In,
    ListFilter,
    Total,
)
from sidecar.core.ids import IdType

_NAME = r"[A-Za-z_][A-Za-z0-9_]{0,62}"
_COLUMN = re.compile(rf"{_NAME}(?:\.{_NAME}){{0,2}}", re.ASCII)


@unique
class PlaceholderStyle(Enum):
    """How parameters are written."""

    DOLLAR = "DOLLAR"
    FORMAT = "FORMAT"
    QUESTION = "QUESTION"
    NAMED = "NAMED"

    @property
    def has_arrays(self) -> bool:
        """Whether a list is one array parameter."""
        return self in {PlaceholderStyle.DOLLAR, PlaceholderStyle.FORMAT}


_WRITE: dict[PlaceholderStyle, Callable[[int], str]] = {
    PlaceholderStyle.DOLLAR: "${}".format,
    PlaceholderStyle.FORMAT: lambda _: "%s",
    PlaceholderStyle.QUESTION: lambda _: "?",
    PlaceholderStyle.NAMED: ":p{}".format,
}


@dataclass(frozen=True, slots=True)
class SqlOptions:
    """Where the fields are, and how parameters are written and counted."""

    columns: Mapping[Field, str]
    style: PlaceholderStyle
    first_parameter: int = 1


@dataclass(frozen=True, slots=True)
class SqlParameter:
    """One parameter: an id of a type, or an array of ids."""

    type: IdType
    value: str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SqlFilter:
    """A condition, parenthesised or TRUE or FALSE, and its parameters in order."""

    text: str
    parameters: tuple[SqlParameter, ...]


class ColumnMissingError(Exception):
    """The filter needs a field for which no column was given."""

    def __init__(self, field: Field) -> None:
        super().__init__(f"the filter needs a column for `{field.value}`")
        self.field = field


def is_column(text: str) -> bool:
    """Whether `text` is one to three plain names joined by dots."""
    return _COLUMN.fullmatch(text) is not None


def render(
    chosen: ListFilter, options: SqlOptions, types: Mapping[Field, IdType]
) -> SqlFilter:
    """Writes a filter as SQL.

    Raises:
        ColumnMissingError: a field of the filter has no column in `options`.
    """
    match chosen:
        case Total.EVERYTHING:
            return SqlFilter("TRUE", ())
        case Total.NOTHING:
            return SqlFilter("FALSE", ())
        case Equals() | In() | AllOf() | AnyOf():
            writer = _Writer(options, types)
            return SqlFilter(writer.write(chosen), tuple(writer.parameters))
        case _:
            assert_never(chosen)


@dataclass(slots=True)
class _Writer:
    """Writes one condition and gathers its parameters as it goes."""

    options: SqlOptions
    types: Mapping[Field, IdType]
    parameters: list[SqlParameter] = field(default_factory=list)

    def write(self, condition: Condition) -> str:
        match condition:
            case Equals(name, value):
                return self._equals(name, value)
            case In(name, values):
                return self._in(name, values)
            case AllOf(conditions):
                return f"({' AND '.join(map(self.write, conditions))})"
            case AnyOf(conditions):
                return f"({' OR '.join(map(self.write, conditions))})"
            case _:
                assert_never(condition)

    def _equals(self, name: Field, value: str) -> str:
        kind = self.types[name]
        if not kind.names(value):
            return "FALSE"
        return f"({self._column(name)} = {self._parameter(kind, value)})"

    def _in(self, name: Field, values: tuple[str, ...]) -> str:
        kind = self.types[name]
        named = tuple(value for value in values if kind.names(value))
        if not named:
            return "FALSE"
        column = self._column(name)
        if self.options.style.has_arrays:
            return f"({column} = ANY({self._parameter(kind, named)}))"
        written = ", ".join(self._parameter(kind, value) for value in named)
        return f"({column} IN ({written}))"

    def _column(self, name: Field) -> str:
        column = self.options.columns.get(name)
        if column is None:
            raise ColumnMissingError(name)
        return ".".join(f'"{part}"' for part in column.split("."))

    def _parameter(self, kind: IdType, value: str | tuple[str, ...]) -> str:
        number = self.options.first_parameter + len(self.parameters)
        self.parameters.append(SqlParameter(kind, value))
        return _WRITE[self.options.style](number)
