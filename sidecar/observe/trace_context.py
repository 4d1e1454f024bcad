"""The trace that a caller names, as W3C headers write it.

What is malformed names none. Nothing here is ever believed: it says under which name
a call is recorded, and not who calls.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_PARENT: Final = re.compile(
    r"(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})"
    r"-(?P<flags>[0-9a-f]{2})(?P<more>-.*)?",
    re.ASCII | re.DOTALL,
)
_SAMPLED: Final = 0x01
# What others put beside the trace is passed on as it is, so it is bounded.
_STATE: Final = re.compile(r"[\x20-\x7e]{1,512}", re.ASCII)

_TRACEPARENT: Final = "traceparent"
_TRACESTATE: Final = "tracestate"


@dataclass(frozen=True, slots=True)
class Remote:
    """A span of somebody else, under which a call is recorded, or is not."""

    trace_id: int
    span_id: int
    is_sampled: bool
    state: str


def read_remote(headers: Iterable[tuple[str, str | bytes]]) -> Remote | None:
    """The caller's span by lower-case headers; none without a valid one."""
    parents: list[str | bytes] = []
    states: list[str | bytes] = []
    for name, value in headers:
        if name == _TRACEPARENT:
            parents.append(value)
        elif name == _TRACESTATE:
            states.append(value)
    # Of two, neither is better than the other.
    return _remote(_text(parents[0]), states) if len(parents) == 1 else None


def _remote(parent: str, states: list[str | bytes]) -> Remote | None:
    found = _PARENT.fullmatch(parent)
    if found is None:
        return None
    # Later versions may say more; this one, and the one that can never be, may not.
    version = found["version"]
    if version == "ff" or (version == "00" and found["more"] is not None):
        return None
    trace_id, span_id = int(found["trace"], 16), int(found["span"], 16)
    if not trace_id or not span_id:
        return None
    state = ",".join(map(_text, states)) if states else ""
    return Remote(
        trace_id,
        span_id,
        bool(int(found["flags"], 16) & _SAMPLED),
        state if _STATE.fullmatch(state) else "",
    )


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
