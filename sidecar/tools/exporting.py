"""The directory of the database of the settings, into a file, a folder or a stream."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, aclosing, contextmanager, nullcontext
from errno import ENOTEMPTY
from pathlib import Path
from typing import Final, TextIO

from sidecar import wiring_database
from sidecar.settings import Settings
from sidecar.store import administration
from sidecar.store.bulk import SUFFIX
from sidecar.store.document_writing import json_row, yaml_heading, yaml_row
from sidecar.store.relations import RELATIONS

_NOTHING: Final = "{}\n"

# A relation, and how many of its rows were written.
Tell = Callable[[str, int], None]


def tell_nobody(relation: str, rows: int) -> None:
    """Keeps progress to itself."""
    del relation, rows


async def export_document(
    settings: Settings,
    out: Path | TextIO,
    *,
    with_api_keys: bool = True,
    tell: Tell = tell_nobody,
) -> dict[str, int]:
    """Writes a directory document; gives the number of rows by relation.

    A file is made for its owner alone, in place of one that is there, and only once
    all of it is written.

    Raises:
        StoreError: the database cannot be read as a directory.
        OSError: the file cannot be written.
    """
    counts: dict[str, int] = {}
    url = wiring_database.url_of(settings)
    with _opened(out) as file:
        parts = administration.export_from(url, _left_out(with_api_keys=with_api_keys))
        async with aclosing(parts):
            async for part in parts:
                if part.relation not in counts:
                    file.write(yaml_heading(part.relation, is_first=not counts))
                file.writelines(yaml_row(part.relation, row) for row in part.rows)
                counts[part.relation] = counts.get(part.relation, 0) + len(part.rows)
                tell(part.relation, counts[part.relation])
        if not counts:
            file.write(_NOTHING)
    return counts


async def export_folder(
    settings: Settings,
    out: Path,
    *,
    with_api_keys: bool = True,
    tell: Tell = tell_nobody,
) -> dict[str, int]:
    """Writes a folder of NDJSON files; gives the number of rows by relation.

    The folder is new or empty; it is made for its owner alone, and only once all of it
    is written.

    Raises:
        StoreError: the database cannot be read as a directory.
        OSError: the folder cannot be written, or holds something.
    """
    counts: dict[str, int] = {}
    url = wiring_database.url_of(settings)
    left_out = _left_out(with_api_keys=with_api_keys)
    with _new_folder(out) as folder:
        for relation in RELATIONS:
            if relation not in left_out:
                _appended(folder, relation).close()
        parts = administration.export_from(url, left_out)
        async with aclosing(parts):
            async for part in parts:
                lines = (json_row(part.relation, row) for row in part.rows)
                with _appended(folder, part.relation) as file:
                    file.writelines(lines)
                counts[part.relation] = counts.get(part.relation, 0) + len(part.rows)
                tell(part.relation, counts[part.relation])
    return counts


def _left_out(*, with_api_keys: bool) -> tuple[str, ...]:
    return () if with_api_keys else ("api_keys",)


def _opened(out: Path | TextIO) -> AbstractContextManager[TextIO]:
    return _new_file(out) if isinstance(out, Path) else nullcontext(out)


@contextmanager
def _new_file(path: Path) -> Iterator[TextIO]:
    with _blamed(path):
        number, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(number, "w", encoding="utf-8", newline="\n") as file:
            yield file
            file.flush()
            os.fsync(number)
        with _blamed(path):
            Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextmanager
def _new_folder(path: Path) -> Iterator[Path]:
    with _blamed(path):
        if path.exists() and any(path.iterdir()):
            raise OSError(ENOTEMPTY, os.strerror(ENOTEMPTY))
        name = tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent)
    folder = Path(name)
    try:
        yield folder
        with _blamed(path):
            folder.replace(path)
    except BaseException:
        shutil.rmtree(folder)
        raise


def _appended(folder: Path, relation: str) -> TextIO:
    path = folder / f"{relation}{SUFFIX}"
    number = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    return os.fdopen(number, "a", encoding="utf-8", newline="\n")


@contextmanager
def _blamed(path: Path) -> Iterator[None]:
    """Has errors name what was asked for, not what is made beside it until then."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
