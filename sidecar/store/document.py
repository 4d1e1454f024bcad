"""The directory document: the relations' rows as YAML or JSON, read to values.

    principals:
      - {id: 20, kind: org, name: Acme}
    roles:
      - {id: viewer, label: Viewer}

The text goes in, validated rows or a `DocumentError` come out. What only the database
can know (foreign keys, uniqueness, scopes) is the importer's to report.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

from sidecar.store.document_faults import (
    DocumentError,
    Fault,
    Faults,
    Place,
    Places,
    Steps,
    nowhere,
    path_of,
)
from sidecar.store.document_text import read_text
from sidecar.store.document_values import RowError, RowReader, read_text_id
from sidecar.store.relations import RELATIONS, Value

__all__ = [
    "Document",
    "DocumentError",
    "Row",
    "parse_document",
    "read_document",
    "read_document_file",
]

Row = Mapping[str, Value]

_READERS: Final = MappingProxyType(
    {name: RowReader(columns, read_text_id) for name, columns in RELATIONS.items()}
)


@dataclass(frozen=True, slots=True)
class Document:
    """Validated rows, in the order in which they may be stored.

    Each row has every column of its relation. Ids are text, whatever they were
    written as; times have a time zone. `file` is empty when it was read from none.
    """

    relations: Mapping[str, tuple[Row, ...]]
    file: str = ""
    places: Places = field(default=nowhere, repr=False, compare=False)

    def fault(self, steps: Steps, reason: str) -> Fault:
        """What is wrong with a part of it, with its place."""
        return Fault(path_of(steps), reason, self.places(steps, False), self.file)  # noqa: FBT003


def parse_document(text: str, file: str = "") -> Document:
    """Read a document from YAML or JSON text; `file` is named in faults.

    Raises:
        DocumentError: The text is neither, or not of the shape of a directory.
    """
    try:
        raw, places = read_text(text)
    except DocumentError as error:
        raise DocumentError(*(_named(fault, file) for fault in error.faults)) from error
    return _Parsing(file, places).read(raw)


def read_document(raw: object) -> Document:
    """Validate a document that is already mappings, lists and scalars.

    Raises:
        DocumentError: It is not of the shape of a directory.
    """
    return _Parsing("", nowhere).read(raw)


def read_document_file(path: Path) -> Document:
    """Read a document from a file.

    Raises:
        DocumentError: It is no UTF-8, or as `parse_document` does.
        OSError: It cannot be read.
    """
    written = path.read_bytes()
    try:
        text = written.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = written[: error.start].decode("utf-8-sig", "replace")
        lines = before.split("\n")
        place = Place(len(lines), len(lines[-1]) + 1)
        raise DocumentError(Fault("", "not UTF-8", place, str(path))) from error
    return parse_document(text, str(path))


@dataclass(frozen=True, slots=True)
class _Parsing:
    file: str
    places: Places
    faults: Faults = field(default_factory=Faults)

    def read(self, raw: object) -> Document:
        relations = self._read_relations(raw)
        self.faults.end()
        return Document(MappingProxyType(relations), self.file, self.places)

    def _read_relations(self, raw: object) -> dict[str, tuple[Row, ...]]:
        if not isinstance(raw, dict):
            self._wrong((), "a document is a mapping from relations to rows")
            return {}
        for name in raw:
            if name not in RELATIONS:
                place = self.places((str(name),), True)  # noqa: FBT003
                reason = f"there is no relation `{name}`"
                self.faults.add(Fault("", reason, place, self.file))
        return {
            name: self._read_rows(name, raw[name]) for name in RELATIONS if name in raw
        }

    def _read_rows(self, relation: str, raw: object) -> tuple[Row, ...]:
        if not isinstance(raw, list):
            self._wrong((relation,), "must be a list of rows")
            return ()
        names = [column.name for column in RELATIONS[relation]]
        read = _READERS[relation].read
        rows: list[Row] = []
        for index, each in enumerate(raw):
            try:
                row = dict(zip(names, read(each), strict=True))
            except RowError as error:
                self._wrong_row((relation, index), error)
            else:
                rows.append(MappingProxyType(row))
        return tuple(rows)

    def _wrong_row(self, steps: Steps, error: RowError) -> None:
        for wrong in error.wrongs:
            if wrong.column is None:
                self._wrong(steps, wrong.reason)
            elif wrong.at_name:
                place = self.places((*steps, wrong.column), True)  # noqa: FBT003
                fault = Fault(path_of(steps), wrong.reason, place, self.file)
                self.faults.add(fault)
            else:
                self._wrong((*steps, wrong.column), wrong.reason)

    def _wrong(self, steps: Steps, reason: str) -> None:
        place = self.places(steps, False)  # noqa: FBT003
        self.faults.add(Fault(path_of(steps), reason, place, self.file))


def _named(fault: Fault, file: str) -> Fault:
    return Fault(fault.path, fault.reason, fault.place, file)
