"""A directory as a folder of files: one NDJSON file for each relation.

A line is a row, as a directory document has it. Folders may be larger than memory:
they are read batch by batch, and a batch is all that is ever held.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Final

from sidecar.store.document_faults import (
    DocumentError,
    Fault,
    Faults,
    Place,
    Steps,
    path_of,
)
from sidecar.store.document_text import TextPlaces, read_json
from sidecar.store.document_values import RowError, RowReader, Wrong, read_bigint
from sidecar.store.relations import RELATIONS, Value

SUFFIX: Final = ".ndjson"

# Of what is stored by one statement: enough that its cost is that of its rows, and
# little enough that the database keeps what it has yet to check in memory.
BATCH_ROWS: Final = 50_000

Cells = tuple[Value | int, ...]

_READERS: Final = MappingProxyType(
    {name: RowReader(columns, read_bigint) for name, columns in RELATIONS.items()}
)
_KIND: Final = [column.name for column in RELATIONS["principals"]].index("kind")


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one relation, as the reference schema holds them.

    `indexes` are their places within the relation. `read` is how many bytes were read
    up to here, of all that there are to read.
    """

    relation: str
    rows: list[Cells]
    indexes: list[int]
    read: int = 0


@dataclass(frozen=True, slots=True)
class BulkFolder:
    """The files of a folder, by relation, in the order of storing."""

    path: Path
    files: MappingProxyType[str, Path]

    @property
    def size(self) -> int:
        """How many bytes there are to read; principals are read twice."""
        sizes = {name: file.stat().st_size for name, file in self.files.items()}
        return sum(sizes.values()) + sizes.get("principals", 0)

    def batches(self) -> Iterator[Batch]:
        """All rows, in the order of storing: of principals, groups come last.

        From the first fault on only faults are looked for.

        Raises:
            DocumentError: Lines are no rows; at the end, or when there are too many.
                Or a file cannot be read.
        """
        reading = _Reading(self)
        for relation, file in self.files.items():
            try:
                yield from reading.read(relation)
            except OSError as error:
                reason = f"cannot be read: {error.strerror}".lower()
                raise DocumentError(Fault("", reason, None, str(file))) from error
        reading.faults.end()

    def fault(self, steps: Steps, reason: str) -> Fault:
        """What is wrong with a row, with the place of the column at fault."""
        relation, index = steps[:2]
        file, number = self.files[str(relation)], int(index)
        with file.open("rb") as lines:
            line = next(islice(lines, number, None), b"")
        place = _place(line, number, Wrong(str(steps[2]) if steps[2:] else None, ""))
        return Fault(path_of(steps), reason, place, str(file))


def open_folder(path: Path) -> BulkFolder:
    """The folder's files.

    Raises:
        DocumentError: It holds something else, or nothing.
        OSError: It cannot be read.
    """
    found = {file.name: file for file in path.iterdir() if file.name[0] != "."}
    files = {
        name: found.pop(f"{name}{SUFFIX}")
        for name in RELATIONS
        if f"{name}{SUFFIX}" in found
    }
    faults = [
        Fault("", f"is not the file of a relation, such as users{SUFFIX}", None, each)
        for each in sorted(map(str, found.values()))
    ]
    if not files and not faults:
        reason = f"holds no file of a relation, such as users{SUFFIX}"
        faults.append(Fault("", reason, None, str(path)))
    if faults:
        raise DocumentError(*faults)
    return BulkFolder(path, MappingProxyType(files))


@dataclass(slots=True)
class _Reading:
    folder: BulkFolder
    faults: Faults = field(default_factory=Faults)
    read_before: int = 0

    def read(self, relation: str) -> Iterator[Batch]:
        """One file's batches."""
        if relation == "principals":
            yield from self._read(relation, groups=False)
            yield from self._read(relation, groups=True)
        else:
            yield from self._read(relation)

    def _read(self, relation: str, *, groups: bool | None = None) -> Iterator[Batch]:
        read_row = _READERS[relation].read
        batch = Batch(relation, [], [])
        offset = 0
        with self.folder.files[relation].open("rb") as lines:
            for index, line in enumerate(lines):
                offset += len(line)
                try:
                    row = read_row(_parsed(line))
                except (RowError, DocumentError) as error:
                    # The first pass over a file has told them.
                    if not groups:
                        self._tell(relation, index, line, error)
                    continue
                if groups is not None and groups is not (row[_KIND] == "group"):
                    continue
                batch.rows.append(row)
                batch.indexes.append(index)
                if len(batch.rows) == BATCH_ROWS:
                    yield from self._full(batch, offset)
                    batch = Batch(relation, [], [])
        if batch.rows:
            yield from self._full(batch, offset)
        self.read_before += offset

    def _full(self, batch: Batch, offset: int) -> Iterable[Batch]:
        if self.faults:
            return ()
        read = self.read_before + offset
        return (Batch(batch.relation, batch.rows, batch.indexes, read),)

    def _tell(
        self, relation: str, index: int, line: bytes, error: RowError | DocumentError
    ) -> None:
        file = str(self.folder.files[relation])
        if isinstance(error, DocumentError):
            for fault in error.faults:
                column = fault.place.column if fault.place else 1
                path = path_of((relation, index))
                place = Place(index + 1, column)
                self.faults.add(Fault(path, fault.reason, place, file))
            return
        for wrong in error.wrongs:
            path = path_of((relation, index))
            if wrong.column is not None and not wrong.at_name:
                path = path_of((relation, index, wrong.column))
            place = _place(line, index, wrong)
            self.faults.add(Fault(path, wrong.reason, place, file))


def _parsed(line: bytes) -> object:
    try:
        return read_json(line.decode().rstrip("\r\n"))
    except UnicodeDecodeError as error:
        column = len(line[: error.start].decode()) + 1
        raise DocumentError(Fault("", "not UTF-8", Place(1, column))) from error
    except json.JSONDecodeError as error:
        raise DocumentError(
            Fault("", "is no row as JSON", Place(1, error.colno))
        ) from error
    except (ValueError, RecursionError) as error:
        raise DocumentError(Fault("", "is no row as JSON")) from error


def _place(line: bytes, index: int, wrong: Wrong) -> Place:
    places = TextPlaces(line.decode(), is_json=True)
    steps = () if wrong.column is None else (wrong.column,)
    place = places(steps, wrong.at_name)
    return Place(index + 1, 1 if place is None else place.column)
