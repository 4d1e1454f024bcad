"""The commands that run the server or prepare its database.

They import the server when they run: a question must not wait for all its modules.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from sidecar.command.screen import ExitCode, Screen
from sidecar.command.words import plain

Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        envvar="AUTHZ_CONFIG",
        help="Settings as YAML; AUTHZ_... variables win over them.",
    ),
]


@dataclass(frozen=True, kw_only=True)
class Configured:
    """Where the settings are."""

    config: Config = None


@dataclass(frozen=True, kw_only=True)
class Serve(Configured):
    """Answers questions until it is told to stop."""

    def run(self, screen: Screen) -> ExitCode:
        """Runs until SIGTERM or SIGINT."""
        from sidecar.command import server  # noqa: PLC0415  see above

        def ready() -> None:
            screen.err.print(Text("ready"))

        server.serve(self.config, ready)
        return ExitCode.ALLOWED


@dataclass(frozen=True, kw_only=True)
class Dev:
    """Serves example data from a PostgreSQL of its own; nothing to install.

    All that it takes by default is in a clone of the repository, and `ask` finds it.
    """

    config: Config = Path("examples/sidecar.yaml")
    data_dir: Annotated[
        Path, typer.Option(help="Where that PostgreSQL keeps its files.")
    ] = Path(".dev")
    document: Annotated[
        Path, typer.Option(help="The directory document that it starts with.")
    ] = Path("examples/gpu-cloud.yaml")

    def run(self, screen: Screen) -> ExitCode:
        """Runs until SIGTERM or SIGINT."""
        from sidecar.command import developing  # noqa: PLC0415  see above

        del screen
        developing.dev(self.config, self.data_dir, self.document)
        return ExitCode.ALLOWED


@dataclass(frozen=True, kw_only=True)
class Migrate(Configured):
    """Brings the database's schema up to this version."""

    functions_only: Annotated[
        bool,
        typer.Option(
            "--functions-only",
            help="Only the functions and triggers' code, for a database whose "
            "relations are views over tables of its own.",
        ),
    ] = False

    def run(self, screen: Screen) -> ExitCode:
        """Applies what is missing and names it."""
        from sidecar.command import developing  # noqa: PLC0415  see above

        applied = developing.migrate(self.config, functions_only=self.functions_only)
        screen.show(*(plain(f"applied {name}") for name in applied))
        if not applied:
            screen.show(Text("nothing to do"))
        return ExitCode.ALLOWED
