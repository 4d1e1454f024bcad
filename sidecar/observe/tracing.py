"""Spans: what a call did and how long each part of it took.

Only the few calls that are recorded have spans. Everything else sees none, and goes the
way it goes without tracing. Everything runs on one event loop.
"""

import random
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar, Token
from enum import Enum, unique
from types import TracebackType
from typing import Final, Self, TypeAlias

from sidecar.observe.trace_context import Remote

Attribute: TypeAlias = str | bool | int

_SPAN_BITS: Final = 64
_TRACE_BITS: Final = 128
_LOW_BITS: Final = (1 << _SPAN_BITS) - 1


@unique
class Kind(Enum):
    """Whether a span is that of a call that came in, or within one."""

    SERVER = "server"
    INTERNAL = "internal"


class Span:
    """A part of a call. Times are nanoseconds since 1970, UTC.

    With `with` it is the current one within, and ends with it. `failure` is none or a
    word for what went wrong.
    """

    __slots__ = (
        "_ended", "_token", "attributes", "began", "ended", "failure", "kind", "name",
        "parent_id", "span_id", "state", "trace_id",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        kind: Kind,
        trace: tuple[int, int, str],
        ended: "Callable[[Span], None]",
        began: int | None = None,
    ) -> None:
        """`trace`: its id, the id of the span above or 0, and its state."""
        self.name = name
        self.kind = kind
        self.trace_id, self.parent_id, self.state = trace
        self.span_id = _new_id(_SPAN_BITS)
        self.attributes: dict[str, Attribute] = {}
        self.failure: str | None = None
        # Its own clock: what traces are laid side by side by is the time of day.
        self.began = time.time_ns() if began is None else began
        self.ended = 0
        self._ended = ended
        self._token: Token[Span | None] | None = None

    def within(self, name: str, attributes: Mapping[str, Attribute]) -> "Span":
        """A new span below this one."""
        trace = (self.trace_id, self.span_id, self.state)
        span = Span(name, Kind.INTERNAL, trace, self._ended)
        span.attributes.update(attributes)
        return span

    def __enter__(self) -> Self:
        self._token = _CURRENT.set(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._token is not None:
            _CURRENT.reset(self._token)
        # What became of a call says its status, whatever was raised to end it.
        if kind is not None and self.kind is Kind.INTERNAL:
            self.failure = kind.__name__
        self.end()

    def end(self) -> None:
        """Ends it, for good: from now on nobody changes it."""
        self.ended = time.time_ns()
        self._ended(self)


_CURRENT: ContextVar[Span | None] = ContextVar("span", default=None)


def current_span() -> Span | None:
    """The span of what runs here; none while nothing is recorded."""
    return _CURRENT.get()


class Tracing:
    """Chooses which calls are recorded, and begins their spans."""

    def __init__(self, ratio: float, ended: Callable[[Span], None]) -> None:
        """`ratio`: the share recorded of calls whose caller names no trace."""
        self._bound = round(ratio * (1 << _SPAN_BITS))
        self._ended = ended

    def begin(self, name: str, remote: Remote | None, began: int) -> Span | None:
        """The span of a call that began at a time; none when it is not recorded.

        A caller that names a trace has chosen for all who take part in it.
        """
        if remote is None:
            trace_id = _new_id(_TRACE_BITS)
            # All who choose by this rule choose alike.
            if trace_id & _LOW_BITS >= self._bound:
                return None
            return self._server_span(name, (trace_id, 0, ""), began)
        if not remote.is_sampled:
            return None
        trace = (remote.trace_id, remote.span_id, remote.state)
        return self._server_span(name, trace, began)

    def _server_span(self, name: str, trace: tuple[int, int, str], began: int) -> Span:
        return Span(name, Kind.SERVER, trace, self._ended, began)


def _new_id(bits: int) -> int:
    # Names, no secrets: they need to differ, and zero means none.
    return random.getrandbits(bits) or 1
