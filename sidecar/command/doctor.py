"""What is wrong with a database, and the statements that mend it.

It imports what looks when it runs, as the server's commands do.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from sidecar.command.bare_json import Json
from sidecar.command.problems import OptionError
from sidecar.command.running import Configured
from sidecar.command.screen import ExitCode, Screen
from sidecar.command.words import plain

if TYPE_CHECKING:
    from sidecar.store.doctor.findings import Finding, Report

_FORMAT = 1
_STYLES = {"error": "red", "warning": "yellow"}


@dataclass(frozen=True, kw_only=True)
class Doctor(Configured):
    """Looks at the database for everything that the sidecar needs.

    It changes nothing, and prints what mends each thing that it finds. Ends with 0
    when there is no error, 1 when there is one (with --strict, a warning too), 2
    when it cannot look.
    """

    strict: Annotated[
        bool, typer.Option("--strict", help="End with 1 for warnings as well.")
    ] = False
    seconds: Annotated[
        float, typer.Option(min=0.1, help="How long each look may take, in seconds.")
    ] = 30.0
    json: Annotated[
        bool, typer.Option("--json", help="Print the findings as one JSON document.")
    ] = False

    def run(self, screen: Screen) -> ExitCode:
        """Looks, and prints the findings."""
        report = self._diagnose()
        if self.json:
            screen.show_json(_document(report))
        else:
            screen.show(*_page(report))
        is_ill = report.errors or (self.strict and report.findings)
        return ExitCode.DENIED if is_ill else ExitCode.ALLOWED

    def _diagnose(self) -> "Report":
        from sidecar.settings import SettingsError, load  # noqa: PLC0415  see above
        from sidecar.store.errors import StoreError  # noqa: PLC0415
        from sidecar.tools import doctor  # noqa: PLC0415

        try:
            return asyncio.run(doctor.diagnose(load(self.config), self.seconds))
        except (SettingsError, StoreError) as error:
            raise OptionError(str(error)) from error


def _document(report: "Report") -> dict[str, Json]:
    return {
        "format": _FORMAT,
        "errors": report.errors,
        "warnings": report.warnings,
        "findings": [_finding_document(each) for each in report.findings],
        "unchecked": list(report.unchecked),
    }


def _finding_document(finding: "Finding") -> dict[str, Json]:
    mend, rows = finding.mend, finding.rows
    document: dict[str, Json] = {
        "code": finding.code,
        "severity": finding.severity.value,
        "subject": finding.subject,
        "what": finding.what,
        "why": finding.why,
        "mend": {"sql": list(mend.sql), "command": mend.command, "words": mend.words},
    }
    if rows is not None:
        document["rows"] = {
            "count": rows.count,
            "examples": list(rows.examples),
            "select": rows.select,
        }
    return document


def _page(report: "Report") -> Iterator[Text]:
    for finding in report.findings:
        yield from _finding_lines(finding)
        yield Text()
    for each in report.unchecked:
        yield Text("not looked at  ", "yellow").append_text(plain(each))
    if report.findings:
        counts = [
            _counted(report.errors, "error"),
            _counted(report.warnings, "warning"),
        ]
        yield Text(", ".join(counts))
    elif report.unchecked:
        yield Text("nothing found, but not everything was looked at", "yellow")
    else:
        yield Text("healthy", "green")


def _finding_lines(finding: "Finding") -> Iterator[Text]:
    severity = finding.severity.value
    head = Text(f"{severity:<7}", _STYLES[severity])
    yield head.append_text(plain(f"  {finding.code}  {finding.what}"))
    yield plain(f"  why   {finding.why}")
    if finding.rows is not None:
        examples = ", ".join(finding.rows.examples)
        dots = ", ..." if finding.rows.count > len(finding.rows.examples) else ""
        yield plain(f"  rows  {finding.rows.count}: {examples}{dots}")
        yield from _statement("list  ", finding.rows.select)
    for statement in finding.mend.sql:
        yield from _statement("sql   ", statement)
    if finding.mend.command:
        yield plain(f"  run   {finding.mend.command}")
    if finding.mend.words:
        yield plain(f"  do    {finding.mend.words}")


def _statement(label: str, statement: str) -> Iterator[Text]:
    # Further lines of a statement stand below its first one.
    for line in statement.splitlines():
        yield plain(f"  {label}{line}")
        label = " " * len(label)


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
