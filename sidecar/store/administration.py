"""One connection for one piece of work: migrating, importing, exporting, looking."""

from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing

from sidecar.store.bulk import BulkFolder
from sidecar.store.connected import connected
from sidecar.store.document import Document
from sidecar.store.exporter import Part, export_rows
from sidecar.store.importer import (
    PLAIN,
    ImportMode,
    Tell,
    import_document,
    import_folder,
    tell_nobody,
)
from sidecar.store.migrate import migrate


async def migrate_database(url: str, *, functions_only: bool = False) -> list[str]:
    """Applies missing migrations; gives their names.

    With `functions_only`, those that a database with views of its own needs.

    Raises MigrationError, and StoreError when the database cannot be reached.
    """
    async with connected(url) as connection:
        return await migrate(connection, functions_only=functions_only)


async def import_into(
    url: str, document: Document, mode: ImportMode = PLAIN
) -> dict[str, int]:
    """Stores a document; gives the number of rows by relation.

    Raises DocumentError, and StoreError when the database cannot be reached.
    """
    async with connected(url) as connection:
        return await import_document(connection, document, mode)


async def import_folder_into(
    url: str, folder: BulkFolder, mode: ImportMode = PLAIN, tell: Tell = tell_nobody
) -> dict[str, int]:
    """Stores a folder of files; gives the number of rows by relation.

    Raises DocumentError, and StoreError when the database cannot be reached.
    """
    async with connected(url) as connection:
        return await import_folder(connection, folder, mode, tell)


async def export_from(
    url: str, without: Collection[str] = ()
) -> AsyncGenerator[Part, None]:
    """Gives every row, but for relations to leave out; to be closed.

    Raises StoreError when the database cannot be reached, or is not what is needed.
    """
    async with (
        connected(url) as connection,
        aclosing(export_rows(connection, without)) as parts,
    ):
        async for part in parts:
            yield part


async def is_empty(url: str) -> bool:
    """Whether the reference schema has no principal yet.

    Raises StoreError when the database cannot be reached.
    """
    async with connected(url) as connection:
        query = "select not exists (select from authz.principals)"
        return bool(await connection.fetchval(query))
