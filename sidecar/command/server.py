"""The server as the command line runs it, its failures as lines for people."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import sidecar.app as app  # noqa: PLR0402
from sidecar.command.options import OptionError
from sidecar.edge.compiling import RoutesError
from sidecar.settings import SettingsError, load
from sidecar.store.document import DocumentError
from sidecar.store.errors import StoreError
from sidecar.store.migrate import MigrationError
from sidecar.transport.listener import ListenerError

T = TypeVar("T")

_SPOKEN = (
    SettingsError, DocumentError, StoreError, MigrationError, ListenerError,
    RoutesError,
)  # fmt: skip


def serve(config: Path | None, ready: Callable[[], None]) -> None:
    """Serves until SIGTERM or SIGINT; calls `ready` once it answers.

    Raises:
        OptionError: what an operator can correct; so do all functions here.
    """
    with _in_words():
        _run(app.serve(load(config), ready=ready))


def dev(config: Path | None, data_dir: Path, document: Path) -> None:
    """Serves a document from an embedded database until SIGTERM or SIGINT."""
    with _in_words():
        _run(app.dev(load(config), data_dir, document))


def migrate(config: Path | None, *, functions_only: bool) -> list[str]:
    """Applies missing migrations, or of those the functions; gives their names."""
    with _in_words():
        work = app.migrate_database(load(config), functions_only=functions_only)
        return _run(work)


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except _SPOKEN as error:
        raise OptionError(str(error)) from error
    except OSError as error:
        place = "" if error.filename is None else f" `{error.filename}`"
        raise OptionError(f"{error.strerror or error}{place}".lower()) from error


def _run(work: Coroutine[None, None, T]) -> T:
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(work)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop  # noqa: PLC0415  not made for every Python
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop
