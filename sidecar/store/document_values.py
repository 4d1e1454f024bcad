"""One row of a directory document: raw scalars in, checked values out."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import partial
from typing import Final, Generic, TypeVar

from sidecar.core.ids import IdType
from sidecar.store.relations import Column, Form, Value

I = TypeVar("I", str, int)  # noqa: E741 the type of ids of the tenancy

# RFC 3339 within what Python and PostgreSQL both can hold: each day exists, and no
# zone moves a time out of the years 1 to 9999.
TIME_PATTERN: Final = (
    r"(?!0000)(?!(0001|9999).{15}[^+-]*[+-](?!00:00))"
    r"(([0-9]{4})-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])"
    r"|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))"
    r"|([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)"
    r"[Tt ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?"
    r"([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
)
_TIME: Final = re.compile(TIME_PATTERN)
_UNSTORABLE: Final = re.compile("[\0\ud800-\udfff]")
_SHOWN_AT_MOST: Final = 100
_INT64: Final = range(-(2**63), 2**63)


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with a row: with a column, or without one with all of it.

    `at_name`: it is the name of the column that is wrong, not its value.
    """

    column: str | None
    reason: str
    at_name: bool = False


class RowError(Exception):
    """A row of a wrong shape."""

    def __init__(self, *wrongs: Wrong) -> None:
        super().__init__("; ".join(wrong.reason for wrong in wrongs))
        self.wrongs = wrongs


class _ValueError(Exception):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _Reader(Generic[I]):
    name: str
    default: bool | None
    required: bool
    read: Callable[[object], Value | I]


class RowReader(Generic[I]):
    """Reads the rows of one relation. `read_id` reads the ids of the tenancy."""

    def __init__(
        self, columns: Sequence[Column], read_id: Callable[[object], I]
    ) -> None:
        self._readers: list[_Reader[I]] = [
            _Reader(
                column.name, column.default, column.required, _reader(column, read_id)
            )
            for column in columns
        ]
        self._names = frozenset(column.name for column in columns)

    def read(self, raw: object) -> tuple[Value | I, ...]:
        """A value for each column of the relation, in its order.

        Raises:
            RowError: It is no mapping of the columns; says all that is wrong.
        """
        if not isinstance(raw, dict):
            raise RowError(Wrong(None, "must be a mapping from columns to values"))
        get = raw.get
        try:
            row = [
                reader.read(value)
                if (value := get(reader.name, reader.default)) is not None
                or reader.required
                else None
                for reader in self._readers
            ]
        except _ValueError:
            raise RowError(*self._wrongs(raw)) from None
        if not raw.keys() <= self._names:
            raise RowError(*self._wrongs(raw))
        return tuple(row)

    def _wrongs(self, raw: Mapping[object, object]) -> Iterator[Wrong]:
        for name in raw:
            if name not in self._names:
                yield Wrong(str(name), f"there is no column `{name}`", at_name=True)
        for reader in self._readers:
            value = raw.get(reader.name, reader.default)
            if value is None:
                if reader.required:
                    yield Wrong(reader.name, "is missing")
                continue
            try:
                reader.read(value)
            except _ValueError as error:
                yield Wrong(reader.name, error.reason)


def read_text_id(raw: object) -> str:
    """An id as text, whatever it was written as."""
    if type(raw) is int:
        return str(raw)
    if isinstance(raw, str) and raw:
        return _storable(raw)
    raise _ValueError(f"`{_shown(raw)}` is no id: a whole number, or text in quotes")


def read_bigint(raw: object) -> int:
    """An id of the reference schema's tenancy, a whole number of 64 bits."""
    if type(raw) is int and raw in _INT64:
        return raw
    text = read_text_id(raw)
    if not IdType.BIGINT.names(text):
        raise _ValueError(
            f"`{_shown(text)}` is not a whole number of 64 bits without leading zeros"
        )
    return int(text)


def why_no_bigint(text: str) -> str | None:
    """Why an id cannot be stored in the tenancy of the reference schema, if so."""
    try:
        read_bigint(text)
    except _ValueError as error:
        return error.reason
    return None


def _reader(
    column: Column, read_id: Callable[[object], I]
) -> Callable[[object], Value | I]:
    if column.form is Form.TENANCY_ID:
        return read_id
    if column.words:
        return partial(_read_word, column.words)
    return _READ[column.form]


def _read_word(words: Sequence[str], raw: object) -> str:
    text = _read_text(raw)
    if text not in words:
        raise _ValueError(f"`{_shown(text)}` is none of {', '.join(words)}")
    return text


def _read_text(raw: object) -> str:
    if not isinstance(raw, str):
        raise _ValueError(f"`{_shown(raw)}` is no text; put it in quotes")
    return _storable(raw)


def _read_flag(raw: object) -> bool:
    if not isinstance(raw, bool):
        raise _ValueError(f"`{_shown(raw)}` is neither true nor false")
    return raw


def _read_time(raw: object) -> datetime:
    # YAML takes a time or a date without a zone for one in UTC.
    if isinstance(raw, datetime):
        zoned = raw if raw.tzinfo is not None else raw.replace(tzinfo=UTC)
        try:
            return zoned.astimezone(UTC)
        except OverflowError:
            pass
    elif isinstance(raw, date):
        return datetime.combine(raw, time(), UTC)
    elif isinstance(raw, str) and _TIME.fullmatch(raw):
        return datetime.fromisoformat(raw.upper())
    raise _ValueError(f"`{_shown(raw)}` is no time like 2030-01-31T12:00:00Z")


_READ: Final[Mapping[Form, Callable[[object], Value]]] = {
    Form.ROLE_ID: read_text_id,
    Form.TEXT: _read_text,
    Form.FLAG: _read_flag,
    Form.TIME: _read_time,
}


def _storable(text: str) -> str:
    if _UNSTORABLE.search(text):
        raise _ValueError("holds a character that cannot be stored")
    return text


def _shown(raw: object) -> str:
    # As a document writes it, not as Python does; of what has no end, its beginning.
    match raw:
        case bool():
            return str(raw).lower()
        case list():
            return "[…]"
        case dict():
            return "{…}"
        case _:
            text = str(raw)
            return text if len(text) <= _SHOWN_AT_MOST else f"{text[:_SHOWN_AT_MOST]}…"
