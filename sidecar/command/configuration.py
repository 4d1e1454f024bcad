"""The command that looks at settings without serving by them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from sidecar.command.screen import ExitCode, Screen


@dataclass(frozen=True, kw_only=True)
class CheckConfig:
    """Looks at the settings as the server would, and does not serve.

    For example: authz-sidecar check-config examples/sidecar.yaml --show
    """

    file: Annotated[
        Path | None,
        typer.Argument(
            envvar="AUTHZ_CONFIG",
            help="Settings as YAML; AUTHZ_... variables win over them.",
        ),
    ] = None
    show: Annotated[
        bool,
        typer.Option(
            "--show", help="Print every setting, and where its value comes from."
        ),
    ] = False
    online: Annotated[
        bool,
        typer.Option(
            "--online",
            help="Connect to the database too, with the checks of a start.",
        ),
    ] = False
    json: Annotated[
        bool, typer.Option("--json", help="Print what was found as one JSON document.")
    ] = False

    def run(self, screen: Screen) -> ExitCode:
        """Prints what is wrong in its place; undecided when anything is."""
        # Imported when it runs: a question must not wait for all these modules.
        from sidecar.command import configuration_page as page  # noqa: PLC0415

        found = page.look(self.file, online=self.online)
        if self.json:
            return page.show_json(found, screen)
        return page.show(found, self.file, screen, shows_all=self.show)
