"""The commands that run the server or prepare its database."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.text import Text

from sidecar.command.screen import ExitCode, Screen
from sidecar.command.words import plain
from sidecar.settings import Settings, load

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class _Configured:
    """Where the settings are."""

    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            "-c",
            envvar="AUTHZ_CONFIG",
            help="Settings as YAML. AUTHZ_… variables win over them.",
        ),
    ] = None

    def settings(self) -> Settings:
        """The settings.

        Raises:
            SettingsError: they cannot be used.
        """
        return load(self.config)


@dataclass(frozen=True, kw_only=True)
class Serve(_Configured):
    """Answers questions until it is told to stop."""

    def run(self, screen: Screen) -> ExitCode:
        """Runs until SIGTERM or SIGINT."""
        from sidecar.app import serve

        def ready() -> None:
            screen.err.print(Text("ready"))

        _run(serve(self.settings(), ready=ready))
        return ExitCode.ALLOWED


@dataclass(frozen=True, kw_only=True)
class Dev(_Configured):
    """Serves example data from a PostgreSQL of its own; nothing to install."""

    data_dir: Annotated[
        Path, typer.Option(help="Where that PostgreSQL keeps its files.")
    ] = Path(".dev")
    document: Annotated[
        Path, typer.Option(help="The directory document that is loaded at first.")
    ] = Path("examples/gpu-cloud.yaml")

    def run(self, screen: Screen) -> ExitCode:
        """Runs until SIGTERM or SIGINT."""
        from sidecar.app import dev

        del screen
        _run(dev(self.settings(), self.data_dir, self.document))
        return ExitCode.ALLOWED


@dataclass(frozen=True, kw_only=True)
class Migrate(_Configured):
    """Brings the database's schema up to this version."""

    def run(self, screen: Screen) -> ExitCode:
        """Applies what is missing and names it."""
        from sidecar.app import migrate_database

        applied = _run(migrate_database(self.settings()))
        screen.show(*(plain(f"applied {name}") for name in applied))
        if not applied:
            screen.show(Text("nothing to do"))
        return ExitCode.ALLOWED


@dataclass(frozen=True, kw_only=True)
class Import(_Configured):
    """Stores a directory document, all of it or nothing."""

    document: Annotated[Path, typer.Argument(help="YAML or JSON.")]

    def run(self, screen: Screen) -> ExitCode:
        """Stores the rows and counts them."""
        from sidecar.app import import_file

        counts = _run(import_file(self.settings(), self.document))
        screen.show(*(plain(f"{count:>7} {name}") for name, count in counts.items()))
        return ExitCode.ALLOWED


def _run(work: Coroutine[None, None, T]) -> T:
    try:
        import uvloop
    except ImportError:
        return asyncio.run(work)
    return uvloop.run(work)
