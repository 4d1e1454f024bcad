"""Runs test files: asks each of their questions, and compares the answers."""

import asyncio
import time
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Sequence,
)
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from enum import Enum, unique
from functools import partial
from pathlib import Path
from typing import Protocol, TypeAlias, TypeVar

from authz.v1 import authorization_service_pb2 as pb
from google.protobuf.message import Message

from sidecar.command.policy_files import read_text
from sidecar.command.policy_suite import Check, Suite, read_suite
from sidecar.command.problems import OptionError
from sidecar.edge.compiling import RoutesError
from sidecar.settings import Settings, SettingsError, load
from sidecar.store.anomalies import Anomaly
from sidecar.store.document import (
    Document,
    DocumentError,
    parse_document,
    read_document_file,
)
from sidecar.store.errors import StoreError
from sidecar.store.migrate import MigrationError
from sidecar.tools.policy_test import Directory, Refusal, Scratch, opened
from sidecar.tools.policy_yaml import FileError

_SPOKEN = (SettingsError, DocumentError, StoreError, MigrationError, RoutesError)


@unique
class Outcome(Enum):
    """What became of a check."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Result:
    """A check and what was answered; how it came about is there when it failed."""

    check: Check
    outcome: Outcome
    found: str = ""
    explained: Message | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a file. `seconds` is the time that its questions took.

    `malformed` are stored rows that failed closed on the way.
    """

    path: Path
    results: Sequence[Result] = ()
    malformed: Sequence[Anomaly] = ()
    left_out: int = 0
    seconds: float = 0.0

    def count(self, outcome: Outcome) -> int:
        """How many checks came to this."""
        return sum(result.outcome is outcome for result in self.results)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be run.

    `database`: the database of the settings is asked in place of the documents.
    `words`: only checks in whose name, with the file's, all of them stand.
    """

    files: Sequence[Path]
    config: Path | None = None
    database: bool = False
    words: Sequence[str] = field(default=())


@dataclass(frozen=True, slots=True)
class _Ready:
    """A file that was read, with all that its questions need."""

    path: Path
    suite: Suite
    settings: Settings
    document: Document | None


class Read(Protocol):
    """A file of tests that was read."""

    @property
    def path(self) -> Path:
        """The file."""
        ...

    @property
    def suite(self) -> Suite:
        """What was chosen of it."""
        ...


AnyRead = TypeVar("AnyRead", bound=Read)
# Stored rows that failed closed so far, and how a check is judged.
Asking: TypeAlias = tuple[Iterable[Anomaly], Callable[[Check], Awaitable[Result]]]
Run: TypeAlias = AbstractAsyncContextManager[Asking]


def run_files(plan: Plan) -> list[Report]:
    """Runs the files, every one of which is read before anything is asked.

    Raises:
        OptionError: a file, a document or the settings cannot be used, the
            database cannot be read, or nothing is chosen.
    """
    return run_each([_read(path, plan) for path in plan.files], plan, _run_file)


def run_each(
    ready: Sequence[AnyRead], plan: Plan, run: Callable[[AnyRead, Scratch], Run]
) -> list[Report]:
    """Runs each file in its turn, in one PostgreSQL that lasts as long.

    Raises:
        OptionError: what a file needs cannot be used, or nothing is chosen.
    """
    if not any(each.suite.checks for each in ready):
        raise OptionError(f"no check has `{' '.join(plan.words)}` in its name")
    try:
        return asyncio.run(_run(ready, run))
    except _SPOKEN as error:
        raise OptionError(str(error)) from error


async def _run(
    ready: Iterable[AnyRead], run: Callable[[AnyRead, Scratch], Run]
) -> list[Report]:
    with Scratch() as scratch:
        return [await _run_one(each, run, scratch) for each in ready]


async def _run_one(
    ready: AnyRead, run: Callable[[AnyRead, Scratch], Run], scratch: Scratch
) -> Report:
    report = Report(ready.path, left_out=ready.suite.left_out)
    if not ready.suite.checks:
        return report
    async with run(ready, scratch) as (malformed, judge):
        began = time.perf_counter()
        results = [await judge(check) for check in ready.suite.checks]
        return replace(
            report,
            results=results,
            malformed=tuple(malformed),
            seconds=time.perf_counter() - began,
        )


@asynccontextmanager
async def _run_file(ready: _Ready, scratch: Scratch) -> AsyncIterator[Asking]:
    settings = ready.settings
    url = settings.database.url.get_secret_value()
    if ready.document is not None:
        url = await scratch.store(ready.document)
    async with opened(url, settings, ready.suite.now) as directory:
        yield directory.malformed, partial(_judged, directory)


async def _judged(directory: Directory, check: Check) -> Result:
    if check.skip:
        return Result(check, Outcome.SKIPPED)
    answer = await directory.ask(check.call, check.request)
    found = check.wanted.found(answer)
    if check.wanted.holds(answer):
        return Result(check, Outcome.PASSED, found)
    return Result(check, Outcome.FAILED, found, await _explained(check, directory))


async def _explained(check: Check, directory: Directory) -> Message | None:
    """The answer with its explanation; where a call has none, the context."""
    names = check.request.DESCRIPTOR.fields_by_name
    if "caller" not in names:
        return None
    request = type(check.request)()
    request.CopyFrom(check.request)
    call = check.call
    if "explain" in names:
        setattr(request, "explain", True)  # noqa: B010  a field of some requests
    else:
        caller = getattr(request, "caller")  # noqa: B009  as above
        call, request = "ResolveContext", pb.ResolveContextRequest(caller=caller)
    answer = await directory.ask(call, request)
    return None if isinstance(answer, Refusal) else answer


def _read(path: Path, plan: Plan) -> _Ready:
    try:
        suite = read_suite(read_text(path), path.parent)
    except FileError as error:
        raise OptionError(f"{path}:{error}") from error
    settings = settings_of(suite, plan)
    document = None if plan.database else document_of(path, suite)
    return _Ready(path, chosen(path, suite, plan), settings, document)


def chosen(path: Path, suite: Suite, plan: Plan) -> Suite:
    """A suite with those checks in whose name, with the file's, all words stand."""
    words = [word.lower() for word in plan.words]
    named = [(f"{path} {check.name}".lower(), check) for check in suite.checks]
    checks = (check for name, check in named if all(word in name for word in words))
    return replace(suite, checks=tuple(checks))


def settings_of(suite: Suite, plan: Plan) -> Settings:
    """The settings that a test file names, or else the plan; raises OptionError."""
    try:
        return load(suite.settings or plan.config)
    except SettingsError as error:
        raise OptionError(str(error)) from error


def document_of(path: Path, suite: Suite) -> Document:
    """The directory document of a test file; raises OptionError."""
    if suite.directory is None:
        raise OptionError(
            f"{path}: names no directory document; add `directory:`, or ask the "
            "database of the settings with --database"
        )
    try:
        if isinstance(suite.directory, str):
            return parse_document(suite.directory, str(path))
        return read_document_file(suite.directory)
    except DocumentError as error:
        raise OptionError(str(error)) from error
    except OSError as error:
        reason = (error.strerror or "it cannot be read").lower()
        raise OptionError(f"cannot read `{suite.directory}`: {reason}") from error
