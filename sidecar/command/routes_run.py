"""Runs tests of routes: puts each request to the edge, and compares the answers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from sidecar.command.policy_files import read_text
from sidecar.command.policy_run import (
    Asking,
    Outcome,
    Plan,
    Report,
    Result,
    chosen,
    document_of,
    run_each,
    settings_of,
)
from sidecar.command.policy_suite import Check, Suite
from sidecar.command.problems import OptionError
from sidecar.command.routes_suite import read_routes_suite
from sidecar.settings import Settings
from sidecar.store.document import Document
from sidecar.tools.policy_test import Scratch
from sidecar.tools.policy_yaml import FileError
from sidecar.tools.routes_test import Edge, opened_edge

if TYPE_CHECKING:
    from sidecar.transport.envoy import external_auth_pb2 as envoy


@dataclass(frozen=True, slots=True)
class _Ready:
    path: Path
    suite: Suite
    routes: Path
    settings: Settings
    document: Document


def run_routes(plan: Plan) -> list[Report]:
    """Runs the files, every one of which is read before anything is asked.

    Raises:
        OptionError: a file, the routes, a document or the settings cannot be used,
            or nothing is chosen.
    """
    return run_each([_read(path, plan) for path in plan.files], plan, _run_file)


@asynccontextmanager
async def _run_file(ready: _Ready, scratch: Scratch) -> AsyncIterator[Asking]:
    url = await scratch.store(ready.document)
    now = ready.suite.now
    async with opened_edge(url, ready.settings, ready.routes, now) as edge:
        yield edge.malformed, partial(_judged, edge)


async def _judged(edge: Edge, check: Check) -> Result:
    if check.skip:
        return Result(check, Outcome.SKIPPED)
    answer = await edge.ask(cast("envoy.CheckRequest", check.request))
    outcome = Outcome.PASSED if check.wanted.holds(answer) else Outcome.FAILED
    return Result(check, outcome, check.wanted.found(answer))


def _read(path: Path, plan: Plan) -> _Ready:
    try:
        read = read_routes_suite(read_text(path), path.parent)
    except FileError as error:
        raise OptionError(f"{path}:{error}") from error
    suite = chosen(path, read.suite, plan)
    settings = settings_of(suite, plan)
    routes = read.routes or settings.edge.routes_file
    if routes is None:
        raise OptionError(
            f"{path}: names no file of routes; add `routes:`, or set "
            "`edge.routes_file` in the settings"
        )
    return _Ready(path, suite, routes, settings, document_of(path, suite))
