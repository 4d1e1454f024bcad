"""The commands that look at routes, without a server and without Envoy.

They import what they need when they run, as those that run the server do.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from sidecar.command.policy_files import read_text
from sidecar.command.running import Configured
from sidecar.command.screen import ExitCode, Screen
from sidecar.command.testing import TestRun
from sidecar.command.words import plain


@dataclass(frozen=True, kw_only=True)
class RoutesCheck(Configured):
    """Says whether a file of routes holds, and if not, where and why.

    For example: authz-sidecar routes check routes.yaml --config sidecar.yaml
    """

    file: Annotated[Path, typer.Argument(help="The routes, as YAML.")]
    json: Annotated[
        bool, typer.Option("--json", help="Print the problems as one JSON document.")
    ] = False

    def run(self, screen: Screen) -> ExitCode:
        """Prints each problem in its place; denied when there is one."""
        from sidecar.tools import routes_check  # noqa: PLC0415  see above

        found = routes_check.check_routes(read_text(self.file), self.config)
        if self.json:
            screen.show_json(
                {
                    "file": str(self.file),
                    "rule_sets": dict(found.rule_sets),
                    "problems": list(found.problems),
                }
            )
        elif found.problems:
            screen.show(*(plain(f"{self.file}:{each}") for each in found.problems))
        else:
            told = ", ".join(
                f"`{name}` with {count} routes"
                for name, count in found.rule_sets.items()
            )
            screen.show(plain(f"the file holds: {told}", "green"))
        return ExitCode.DENIED if found.problems else ExitCode.ALLOWED


@dataclass(frozen=True, kw_only=True)
class RoutesTest(TestRun):
    """Puts requests to the edge and compares the answers with wanted ones.

    For example: authz-sidecar routes test examples/routes-tests.yaml
    """

    def run(self, screen: Screen) -> ExitCode:
        """Runs the files; denied when an answer is not the wanted one."""
        from sidecar.command.policy_run import Plan  # noqa: PLC0415  see above
        from sidecar.command.routes_run import run_routes  # noqa: PLC0415

        plan = Plan(self.files, self.config, words=self.words)
        return self.report(run_routes(plan), screen)
