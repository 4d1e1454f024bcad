"""The commands that test a policy, without a server.

They import what they need when they run, as those that run the server do.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from sidecar.command.screen import ExitCode, Screen
from sidecar.command.testing import TestRun


@dataclass(frozen=True, kw_only=True)
class PolicyTest(TestRun):
    """Asks questions about a directory and compares the answers with wanted ones.

    For example: authz-sidecar policy test examples/policy-tests.yaml
    """

    database: Annotated[
        bool,
        typer.Option(
            "--database",
            help="Ask the database of the settings, as it is now, in place of the "
            "documents. Nothing is written.",
        ),
    ] = False

    def run(self, screen: Screen) -> ExitCode:
        """Runs the files; denied when an answer is not the wanted one."""
        from sidecar.command.policy_run import (  # noqa: PLC0415  see above
            Plan,
            run_files,
        )

        plan = Plan(self.files, self.config, self.database, self.words)
        return self.report(run_files(plan), screen)


@dataclass(frozen=True, kw_only=True)
class ValidateRules:
    """Says which access rules of a file are invalid, and why.

    For example: authz-sidecar validate-rules examples/gpu-cloud.yaml
    """

    file: Annotated[
        Path,
        typer.Argument(help="A directory document, or a list of its access rules."),
    ]
    json: Annotated[
        bool, typer.Option("--json", help="Print the problems as one JSON document.")
    ] = False

    def run(self, screen: Screen) -> ExitCode:
        """Prints each problem in its place; denied when there is one."""
        from sidecar.command import policy_rules  # noqa: PLC0415  see above

        return policy_rules.validate(self.file, screen, is_json=self.json)
