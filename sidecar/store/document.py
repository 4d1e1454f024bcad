"""The directory document: the relations' rows as YAML or JSON, read to values.

    principals:
      - {id: 20, kind: org, name: Acme}
    roles:
      - {id: viewer, label: Viewer}

Pure: the text goes in, validated rows or a `DocumentError` come out. What only the
database can know (foreign keys, uniqueness, scopes) is the importer's to report.
"""

import json
import re
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from types import MappingProxyType
from typing import Final

import yaml
from typing_extensions import override

from sidecar.store.relations import RELATIONS, Column, Form, Value

Row = Mapping[str, Value]

_TIME: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,6})?([Zz]|[+-]\d{2}:\d{2})",
    re.ASCII,
)


class DocumentError(Exception):
    """A document that says something wrong, and where.

    `path` is like `principal_memberships[3].role`, or empty for the whole document.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}" if path else reason)
        self.path = path
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Document:
    """Validated rows, in the order in which they may be stored.

    Each row has every column of its relation. Ids are text, whatever they were
    written as; times have a time zone.
    """

    relations: Mapping[str, tuple[Row, ...]]


def parse_document(text: str) -> Document:
    """Read a document from YAML or JSON text.

    Raises:
        DocumentError: The text is neither, or not of the shape of a directory.
    """
    return read_document(_load(text))


def read_document(raw: object) -> Document:
    """Validate a document that is already mappings, lists and scalars.

    Raises:
        DocumentError: It is not of the shape of a directory.
    """
    if not isinstance(raw, dict):
        raise DocumentError("", "a document is a mapping from relations to rows")
    for name in raw:
        if name not in RELATIONS:
            raise DocumentError("", f"there is no relation `{name}`")
    return Document(
        MappingProxyType(
            {name: _rows(name, raw[name]) for name in RELATIONS if name in raw},
        ),
    )


def _rows(relation: str, raw: object) -> tuple[Row, ...]:
    if not isinstance(raw, list):
        raise DocumentError(relation, "must be a list of rows")
    return tuple(
        _row(f"{relation}[{index}]", RELATIONS[relation], row)
        for index, row in enumerate(raw)
    )


def _row(path: str, columns: tuple[Column, ...], raw: object) -> Row:
    if not isinstance(raw, dict):
        raise DocumentError(path, "must be a mapping from columns to values")
    known = {column.name for column in columns}
    for name in raw:
        if name not in known:
            raise DocumentError(path, f"there is no column `{name}`")
    return MappingProxyType(
        {
            column.name: _value(
                f"{path}.{column.name}",
                column,
                raw.get(column.name, column.default),
            )
            for column in columns
        },
    )


def _value(path: str, column: Column, raw: object) -> Value:
    if raw is None:
        if column.required:
            raise DocumentError(path, "is missing")
        return None
    match column.form:
        case Form.TENANCY_ID | Form.ROLE_ID:
            return _read_id(path, raw)
        case Form.TEXT:
            return _read_text(path, column, raw)
        case Form.FLAG:
            return _read_flag(path, raw)
        case Form.TIME:
            return _read_time(path, raw)


def _read_id(path: str, raw: object) -> str:
    if isinstance(raw, int) and not isinstance(raw, bool):
        return str(raw)
    if isinstance(raw, str) and raw:
        return _storable(path, raw)
    raise DocumentError(path, f"`{raw}` is no id: a whole number, or text in quotes")


def _read_text(path: str, column: Column, raw: object) -> str:
    if not isinstance(raw, str):
        raise DocumentError(path, f"`{raw}` is no text; put it in quotes")
    if column.words and raw not in column.words:
        raise DocumentError(path, f"`{raw}` is none of {', '.join(column.words)}")
    return _storable(path, raw)


def _read_flag(path: str, raw: object) -> bool:
    if not isinstance(raw, bool):
        raise DocumentError(path, f"`{raw}` is neither true nor false")
    return raw


def _read_time(path: str, raw: object) -> datetime:
    # YAML takes a time or a date without a zone for one in UTC.
    if isinstance(raw, datetime):
        return raw if raw.tzinfo is not None else raw.replace(tzinfo=UTC)
    if isinstance(raw, date):
        return datetime.combine(raw, time(), UTC)
    if isinstance(raw, str) and _TIME.fullmatch(raw):
        try:
            return datetime.fromisoformat(raw.upper())
        except ValueError:
            pass
    raise DocumentError(path, f"`{raw}` is no time like 2030-01-31T12:00:00Z")


def _storable(path: str, text: str) -> str:
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise DocumentError(path, "holds a character that cannot be stored")
    return text


def _load(text: str) -> object:
    try:
        if text.lstrip().startswith("{"):
            try:
                raw: object = json.loads(text, object_pairs_hook=_once)
            except json.JSONDecodeError:
                # YAML's flow style starts the same way.
                raw = yaml.load(text, _Loader)  # noqa: S506 a safe loader, see below
        else:
            raw = yaml.load(text, _Loader)  # noqa: S506 a safe loader, see below
    except yaml.MarkedYAMLError as error:
        raise DocumentError("", f"neither YAML nor JSON{_place(error)}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise DocumentError("", "neither YAML nor JSON") from error
    return raw


def _place(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark
    return "" if mark is None else f": line {mark.line + 1}, column {mark.column + 1}"


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    _refuse_twice(name for name, _ in pairs)
    return dict(pairs)


def _refuse_twice(names: Iterator[object]) -> None:
    seen: set[object] = set()
    for name in names:
        if name in seen:
            raise DocumentError("", f"`{name}` stands twice in one mapping")
        seen.add(name)


class _Loader(yaml.SafeLoader):
    """Safe YAML that guesses less: `0020`, `1_000` and `no` are the text they are.

    A name that stands twice in a mapping is refused, not overwritten.
    """

    @override
    def construct_mapping(
        self,
        node: yaml.MappingNode,
        deep: bool = False,
    ) -> dict[Hashable, object]:
        _refuse_twice(
            key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)
        )
        return super().construct_mapping(node, deep)


_BOOL: Final = "tag:yaml.org,2002:bool"
_INT: Final = "tag:yaml.org,2002:int"

_Loader.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in resolvers if tag not in {_BOOL, _INT}]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(_BOOL, re.compile(r"^(true|false)$"), list("tf"))
_Loader.add_implicit_resolver(
    _INT,
    re.compile(r"^(0|-?[1-9][0-9]*)$"),
    list("-0123456789"),
)
