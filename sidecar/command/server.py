"""The server as the command line runs it, its failures as lines for people."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import sidecar.app as app  # noqa: PLR0402
from sidecar.audit.sink import DecisionLogError
from sidecar.command.problems import OptionError
from sidecar.edge.compiling import RoutesError
from sidecar.settings import SettingsError, load
from sidecar.store.errors import StoreError
from sidecar.transport.listener import ListenerError
from sidecar.wiring_collector import CollectorError

T = TypeVar("T")

_SPOKEN = (
    SettingsError,
    StoreError,
    ListenerError,
    RoutesError,
    DecisionLogError,
    CollectorError,
)


def serve(config: Path | None, ready: Callable[[], None]) -> None:
    """Serves until SIGTERM or SIGINT; calls `ready` once it answers.

    Raises:
        OptionError: what an operator can correct; so do all functions here.
    """
    with in_words():
        run(app.serve(load(config), ready=ready))


@contextmanager
def in_words(*more: type[Exception]) -> Iterator[None]:
    """Raises OptionError for what people can correct; `more` has words of its own."""
    spoken: tuple[type[Exception], ...] = (*_SPOKEN, *more)
    try:
        yield
    except spoken as error:
        raise OptionError(str(error)) from error
    except OSError as error:
        place = "" if error.filename is None else f" `{error.filename}`"
        raise OptionError(f"{error.strerror or error}{place}".lower()) from error


def run(work: Coroutine[None, None, T]) -> T:
    """Runs to the end on the loop that servers have."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(work)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop  # noqa: PLC0415  not made for every Python
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop
