"""The commands that test a policy, without a server.

They import what they need when they run, as those that run the server do.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from sidecar.command.policy_files import write_text
from sidecar.command.running import Configured
from sidecar.command.screen import ExitCode, Screen


@dataclass(frozen=True, kw_only=True)
class PolicyTest(Configured):
    """Asks questions about a directory and compares the answers with wanted ones.

    For example: authz-sidecar policy test examples/policy-tests.yaml
    """

    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Test files.")]
    keyword: Annotated[
        list[str] | None,
        typer.Option(
            "--keyword",
            "-k",
            help="Only checks with this in the name of file, test, caller or "
            "question. Several must all be there.",
        ),
    ] = None
    database: Annotated[
        bool,
        typer.Option(
            "--database",
            help="Ask the database of the settings, as it is now, in place of the "
            "documents. Nothing is written.",
        ),
    ] = False
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write JUnit's XML there too.")
    ] = None
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show what passed as well.")
    ] = False
    json: Annotated[
        bool, typer.Option("--json", help="Print the results as one JSON document.")
    ] = False

    def run(self, screen: Screen) -> ExitCode:
        """Runs the files; denied when an answer is not the wanted one."""
        from sidecar.command import policy_reports  # noqa: PLC0415  see above
        from sidecar.command.policy_run import (  # noqa: PLC0415  see above
            Outcome,
            Plan,
            run_files,
        )

        words = [word for text in self.keyword or () for word in text.split()]
        plan = Plan(self.files, self.config, self.database, words)
        reports = run_files(plan)
        if self.junit is not None:
            write_text(self.junit, policy_reports.as_junit(reports))
        if self.json:
            screen.show_json(policy_reports.as_json(reports))
        else:
            screen.show(*policy_reports.page(reports, verbose=self.verbose))
        failed = any(report.count(Outcome.FAILED) for report in reports)
        return ExitCode.DENIED if failed else ExitCode.ALLOWED


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
