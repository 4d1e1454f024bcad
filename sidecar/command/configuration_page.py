"""What was found about settings: the page and the document that say so."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich import box
from rich.table import Table
from rich.text import Text

from sidecar.command.bare_json import Json
from sidecar.command.screen import ExitCode, Screen
from sidecar.command.words import plain
from sidecar.settings import Settings
from sidecar.tools.checking_config import (
    CheckedConfig,
    SettingProblem,
    check_config,
    check_database,
)
from sidecar.tools.checking_sources import Setting, Source


def look(path: Path | None, *, online: bool) -> CheckedConfig:
    """What is to be said about the settings; `online` asks the database too."""
    found = check_config(path)
    if not online or found.settings is None or found.problems:
        return found
    also = asyncio.run(check_database(found.settings))
    warnings = [*found.warnings, *also.warnings]
    return replace(found, problems=also.problems, warnings=warnings)


def show(
    found: CheckedConfig, path: Path | None, screen: Screen, *, shows_all: bool
) -> ExitCode:
    """Prints what is wrong; undecided when a server would not start."""
    for problem in found.problems:
        screen.show_error(_problem_words(problem, path))
    for warning in found.warnings:
        words = plain(_problem_words(warning, path))
        screen.err.print(Text("warning: ", "yellow").append_text(words), soft_wrap=True)
    if shows_all and found.effective:
        screen.show(_table(found.effective, path))
    if found.problems or found.settings is None:
        return ExitCode.UNDECIDED
    screen.show(plain(f"a server would start: {_summary(found.settings)}", "green"))
    return ExitCode.ALLOWED


def show_json(found: CheckedConfig, screen: Screen) -> ExitCode:
    """Prints the same as one document."""
    screen.show_json(
        {
            "starts": not found.problems,
            "problems": [_problem_json(each) for each in found.problems],
            "warnings": [_problem_json(each) for each in found.warnings],
            "settings": [
                {"path": each.path, "value": each.value, **_source_json(each.source)}
                for each in found.effective
            ],
        }
    )
    return ExitCode.UNDECIDED if found.problems else ExitCode.ALLOWED


def _problem_words(problem: SettingProblem, path: Path | None) -> str:
    where = _source_words(problem.source, path)
    what = f"`{problem.path}` {problem.message}" if problem.path else problem.message
    return f"{where}: {what}" if where else what


def _source_words(source: Source, path: Path | None) -> str:
    if source.variable is not None:
        return f"variable `{source.variable}`"
    if source.place is not None and path is not None:
        return f"{path}:{source.place.line}:{source.place.column}"
    return ""


def _summary(settings: Settings) -> str:
    addresses = ", ".join(listener.address for listener in settings.listeners)
    kinds = ", ".join(settings.resource_kinds) or "none"
    return f"listens on {addresses}; kinds of resource: {kinds}"


def _table(settings: Sequence[Setting], path: Path | None) -> Table:
    table = Table(box=box.SIMPLE, pad_edge=False)
    for column in ("setting", "value", "from"):
        table.add_column(column, overflow="fold")
    for each in settings:
        origin = _source_words(each.source, path)
        style = "" if origin else "dim"
        table.add_row(
            plain(each.path, style),
            plain(each.value, style),
            plain(origin or "default", style),
        )
    return table


def _problem_json(problem: SettingProblem) -> dict[str, Json]:
    told = {"path": problem.path, "message": problem.message}
    return {**told, **_source_json(problem.source)}


def _source_json(source: Source) -> dict[str, Json]:
    if source.variable is not None:
        return {"from": "variable", "variable": source.variable}
    if source.place is not None:
        place = source.place
        return {"from": "file", "line": place.line, "column": place.column}
    return {"from": "default"}
