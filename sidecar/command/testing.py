"""What the commands have in common that run files of tests."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sidecar.command.policy_files import write_text
from sidecar.command.running import Configured
from sidecar.command.screen import ExitCode, Screen

if TYPE_CHECKING:
    from sidecar.command.policy_run import Report


@dataclass(frozen=True, kw_only=True)
class TestRun(Configured):
    """Which files, which checks of them, and where the results go."""

    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Test files.")]
    keyword: Annotated[
        list[str] | None,
        typer.Option(
            "--keyword",
            "-k",
            help="Only checks with this in the name of file, test, caller, or "
            "question or request. Several must all be there.",
        ),
    ] = None
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write JUnit's XML there too.")
    ] = None
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show what passed as well.")
    ] = False
    json: Annotated[
        bool, typer.Option("--json", help="Print the results as one JSON document.")
    ] = False

    @property
    def words(self) -> Sequence[str]:
        """All the words of all the keywords."""
        return [word for text in self.keyword or () for word in text.split()]

    def report(self, reports: "Sequence[Report]", screen: Screen) -> ExitCode:
        """Shows and writes what became of the files; denied when a check failed."""
        from sidecar.command import policy_reports  # noqa: PLC0415  as the commands do
        from sidecar.command.policy_run import Outcome  # noqa: PLC0415

        if self.junit is not None:
            write_text(self.junit, policy_reports.as_junit(reports))
        if self.json:
            screen.show_json(policy_reports.as_json(reports))
        else:
            screen.show(*policy_reports.page(reports, verbose=self.verbose))
        failed = any(report.count(Outcome.FAILED) for report in reports)
        return ExitCode.DENIED if failed else ExitCode.ALLOWED
