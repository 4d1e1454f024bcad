"""A directory out of a file or a folder, into the database of the settings."""

from pathlib import Path

from sidecar import wiring_database
from sidecar.settings import Settings
from sidecar.store import administration
from sidecar.store.bulk import BulkFolder, open_folder
from sidecar.store.document import Document, read_document_file
from sidecar.store.importer import PLAIN, ImportMode, Tell, tell_nobody


async def import_path(
    settings: Settings,
    path: Path,
    mode: ImportMode = PLAIN,
    tell: Tell = tell_nobody,
) -> dict[str, int]:
    """Stores a directory; gives the number of rows by relation.

    A file is a directory document, and is read before the database is asked anything;
    a folder has NDJSON files, and `tell` hears how far it is.

    Raises:
        DocumentError: what the document has wrong, or the database refuses of it.
        StoreError: the database cannot be reached, or has not the reference schema.
        OSError: the file or folder cannot be read.
    """
    url = wiring_database.url_of(settings)
    source = _opened(path)
    if isinstance(source, BulkFolder):
        return await administration.import_folder_into(url, source, mode, tell)
    return await administration.import_into(url, source, mode)


def _opened(path: Path) -> Document | BulkFolder:
    return open_folder(path) if path.is_dir() else read_document_file(path)
