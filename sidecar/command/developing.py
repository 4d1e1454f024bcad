"""A database made ready for the server: for development, and for its next version."""

from pathlib import Path

import sidecar.app as app  # noqa: PLR0402
from sidecar import wiring_database
from sidecar.command.server import in_words, run
from sidecar.settings import Database, Settings, load
from sidecar.store import administration
from sidecar.store.document import DocumentError, read_document_file
from sidecar.store.embedded import EmbeddedPostgres
from sidecar.store.migrate import MigrationError


def dev(config: Path | None, data_dir: Path, document: Path) -> None:
    """Serves a document from an embedded database until SIGTERM or SIGINT.

    The document is imported when the database is new; `data_dir` keeps it.

    Raises:
        OptionError: what an operator can correct; so do all functions here.
    """
    with in_words(DocumentError, MigrationError):
        run(_dev(load(config), data_dir, document))


def migrate(config: Path | None, *, functions_only: bool) -> list[str]:
    """Applies missing migrations, or of those the functions; gives their names."""
    with in_words(MigrationError):
        url = wiring_database.url_of(load(config))
        return run(administration.migrate_database(url, functions_only=functions_only))


async def _dev(settings: Settings, data_dir: Path, document: Path) -> None:
    parsed = read_document_file(document)
    _make_folder(data_dir)
    with EmbeddedPostgres(data_dir / "postgres") as postgres:
        postgres.create_database("authz")
        url = postgres.url("authz")
        await administration.migrate_database(url)
        if await administration.is_empty(url):
            await administration.import_into(url, parsed)
        database = Database.model_validate(
            {**settings.database.model_dump(), "url": url, "feed_url": None}
        )
        await app.serve(settings.model_copy(update={"database": database}))


def _make_folder(path: Path) -> None:
    path.mkdir(parents=True, exist_ok=True)
