"""Runs tests of routes: puts each request to the edge, and compares the answers."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from sidecar.command.options import OptionError
from sidecar.command.policy_files import read_text
from sidecar.command.policy_run import (
    Outcome,
    Report,
    Result,
    document_of,
    is_chosen,
)
from sidecar.command.policy_suite import Check, Suite
from sidecar.command.routes_suite import read_routes_suite
from sidecar.edge.compiling import RoutesError
from sidecar.settings import Settings, SettingsError, load
from sidecar.store.document import Document, DocumentError
from sidecar.store.errors import StoreError
from sidecar.store.migrate import MigrationError
from sidecar.tools.policy_test import Scratch
from sidecar.tools.policy_yaml import FileError
from sidecar.tools.routes_test import Edge, opened_edge

if TYPE_CHECKING:
    from sidecar.transport.envoy import external_auth_pb2 as envoy

_SPOKEN = (SettingsError, DocumentError, StoreError, MigrationError, RoutesError)


@dataclass(frozen=True, slots=True)
class RoutesPlan:
    """What is to be run.

    `words`: only checks in whose name, with the file's, all of them stand.
    """

    files: Sequence[Path]
    config: Path | None = None
    words: Sequence[str] = field(default=())


@dataclass(frozen=True, slots=True)
class _Ready:
    path: Path
    suite: Suite
    routes: Path
    settings: Settings
    document: Document


def run_routes(plan: RoutesPlan) -> list[Report]:
    """Runs the files, every one of which is read before anything is asked.

    Raises:
        OptionError: a file, the routes, a document or the settings cannot be used,
            or nothing is chosen.
    """
    ready = [_read(path, plan) for path in plan.files]
    if not any(each.suite.checks for each in ready):
        raise OptionError(f"no check has `{' '.join(plan.words)}` in its name")
    try:
        return asyncio.run(_run(ready))
    except _SPOKEN as error:
        raise OptionError(str(error)) from error


async def _run(ready: Iterable[_Ready]) -> list[Report]:
    with Scratch() as scratch:
        return [await _run_file(each, scratch) for each in ready]


async def _run_file(ready: _Ready, scratch: Scratch) -> Report:
    suite = ready.suite
    report = Report(ready.path, left_out=suite.left_out)
    if not suite.checks:
        return report
    url = await scratch.store(ready.document)
    async with opened_edge(url, ready.settings, ready.routes, suite.now) as edge:
        began = time.perf_counter()
        results = [await _judged(check, edge) for check in suite.checks]
        return replace(
            report,
            results=results,
            malformed=tuple(edge.malformed),
            seconds=time.perf_counter() - began,
        )


async def _judged(check: Check, edge: Edge) -> Result:
    if check.skip:
        return Result(check, Outcome.SKIPPED)
    answer = await edge.ask(cast("envoy.CheckRequest", check.request))
    outcome = Outcome.PASSED if check.wanted.holds(answer) else Outcome.FAILED
    return Result(check, outcome, check.wanted.found(answer))


def _read(path: Path, plan: RoutesPlan) -> _Ready:
    try:
        read = read_routes_suite(read_text(path), path.parent)
    except FileError as error:
        raise OptionError(f"{path}:{error}") from error
    checks = read.suite.checks
    chosen = tuple(each for each in checks if is_chosen(path, each, plan.words))
    suite = replace(read.suite, checks=chosen)
    try:
        settings = load(suite.settings or plan.config)
    except SettingsError as error:
        raise OptionError(str(error)) from error
    routes = read.routes or settings.edge.routes_file
    if routes is None:
        raise OptionError(
            f"{path}: names no file of routes; add `routes:`, or set "
            "`edge.routes_file` in the settings"
        )
    return _Ready(path, suite, routes, settings, document_of(path, suite))
