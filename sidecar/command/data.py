"""The commands that take a directory in and give it back.

They import the store when they run: a question must not wait for all its modules.
"""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, unique
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from sidecar.command.problems import OptionError
from sidecar.command.progress import Gauge, gauge
from sidecar.command.running import Configured
from sidecar.command.screen import ExitCode, Screen
from sidecar.command.words import plain

if TYPE_CHECKING:
    from sidecar.settings import Settings
    from sidecar.store.importer import Progress

_Work = Callable[["Settings"], Coroutine[None, None, dict[str, int]]]


@unique
class Format(Enum):
    """How a directory is written."""

    YAML = "yaml"
    NDJSON = "ndjson"


@dataclass(frozen=True, kw_only=True)
class Import(Configured):
    """Stores a directory, all of it or nothing.

    For example: authz-sidecar import examples/gpu-cloud.yaml --dry-run
    """

    document: Annotated[
        Path,
        typer.Argument(
            help="A directory document, YAML or JSON; or a folder with one NDJSON file "
            "for each relation, of any size."
        ),
    ]
    replace: Annotated[
        bool,
        typer.Option(
            "--replace",
            help="Delete everything that is stored first, in the same transaction.",
        ),
    ] = False
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Do it all, say how it went, keep nothing."),
    ] = False

    def run(self, screen: Screen) -> ExitCode:
        """Stores the rows and counts them."""
        from sidecar.store.importer import ImportMode  # noqa: PLC0415  see above
        from sidecar.tools import importing  # noqa: PLC0415  see above

        mode = ImportMode(replaces=self.replace, keeps=not self.dry_run)
        with gauge(screen.err, "importing") as shown:
            tell = _teller(shown)
            counts = _done(
                self.config,
                lambda settings: importing.import_path(
                    settings, self.document, mode, tell
                ),
            )
        screen.show(*_counted(counts))
        if self.dry_run:
            screen.err.print(Text("nothing was kept"))
        return ExitCode.ALLOWED


@dataclass(frozen=True, kw_only=True)
class Export(Configured):
    """Writes out everything that is stored, as import takes it.

    For example: authz-sidecar export --out directory.yaml
    """

    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="The file to write, or with --format ndjson a new folder; without it, "
            "the document is printed.",
        ),
    ] = None
    format: Annotated[
        Format,
        typer.Option(
            help="One document in YAML, or a folder with one file for each relation."
        ),
    ] = Format.YAML
    without_api_keys: Annotated[
        bool,
        typer.Option(
            "--without-api-keys",
            help="Leave API keys out, and so the hashes of their secrets.",
        ),
    ] = False

    def run(self, screen: Screen) -> ExitCode:
        """Writes it; counts the rows when that is not in the way."""
        from sidecar.tools import exporting  # noqa: PLC0415  see above

        if self.format is Format.NDJSON and self.out is None:
            raise OptionError("`--format ndjson` makes a folder; name it with `--out`")
        with gauge(screen.err, "exporting") as shown:

            def work(settings: "Settings") -> Coroutine[None, None, dict[str, int]]:
                with_keys = not self.without_api_keys
                if self.format is Format.NDJSON and self.out is not None:
                    return exporting.export_folder(
                        settings, self.out, with_api_keys=with_keys, tell=shown.count
                    )
                out = self.out or sys.stdout
                return exporting.export_document(
                    settings, out, with_api_keys=with_keys, tell=shown.count
                )

            counts = _done(self.config, work)
        if self.out is not None:
            screen.show(*_counted(counts))
        return ExitCode.ALLOWED


def _teller(shown: Gauge) -> "Callable[[Progress], None]":
    def tell(progress: "Progress") -> None:
        shown.count(progress.relation, progress.rows, (progress.read, progress.size))

    return tell


def _counted(counts: dict[str, int]) -> Iterator[Text]:
    return (plain(f"{count:>7} {name}") for name, count in counts.items())


def _done(config: Path | None, work: _Work) -> dict[str, int]:
    from sidecar.settings import load  # noqa: PLC0415  see above

    with _in_words():
        return asyncio.run(work(load(config)))


@contextmanager
def _in_words() -> Iterator[None]:
    from sidecar.settings import SettingsError  # noqa: PLC0415  see above
    from sidecar.store.document import DocumentError  # noqa: PLC0415  see above
    from sidecar.store.errors import StoreError  # noqa: PLC0415  see above

    try:
        yield
    except (SettingsError, StoreError, DocumentError) as error:
        raise OptionError(str(error)) from error
    except OSError as error:
        place = "" if error.filename is None else f" `{error.filename}`"
        reason = (error.strerror or str(error)).lower()
        raise OptionError(f"{reason}{place}") from error
