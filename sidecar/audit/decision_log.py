"""The decision log: takes what was decided, and never keeps anybody waiting."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog

from sidecar.audit.backlog import Backlog
from sidecar.audit.fitting import fitted, trimmed
from sidecar.audit.masking import Masks
from sidecar.audit.record import Entry, Outcome, Record, encoded
from sidecar.audit.sink import Sink
from sidecar.audit.writer import Writer

E = TypeVar("E", bound=Entry)

_log = structlog.stdlib.get_logger("sidecar.audit")


@dataclass(frozen=True, slots=True)
class LogLimits:
    """How much is logged.

    `sample_allowed`: the share of what was allowed, from 0 to 1. `queue_bytes`: what
    waits to be written. `record_bytes`: one line, of 4,096 at least.
    """

    sample_allowed: float
    queue_bytes: int
    record_bytes: int


@dataclass(frozen=True, slots=True)
class LogStats:
    """What has become of what was handed over."""

    written: int
    dropped: dict[Outcome, int]
    unsampled: int
    waiting: int
    is_good: bool


class DecisionLog(Generic[E]):
    """Between `start` and `close`; `add` is called on one thread only."""

    def __init__(
        self,
        sink: Sink,
        record: Callable[[E], Record],
        masks: Masks,
        limits: LogLimits,
    ) -> None:
        """`record` makes the record of an entry, on a thread of its own."""
        self._record = record
        self._masks = masks
        self._limits = limits
        self._backlog = Backlog[E](limits.queue_bytes)
        self._writer = Writer(self._backlog, self._line, sink)
        self._unsampled = 0

    def start(self) -> None:
        """Begins to write."""
        self._writer.start()

    def close(self, seconds: float) -> None:
        """Writes what waits, for so long at most."""
        lost = self._writer.close(seconds)
        if lost:
            _log.error("decision_log.unwritten", records=lost)

    def add(self, entry: E) -> None:
        """Takes what was decided; never waits."""
        if entry.outcome is Outcome.ALLOWED and not self._is_sampled():
            self._unsampled += 1
            return
        self._backlog.put(entry)

    def stats(self) -> LogStats:
        """What has become of it all so far."""
        backlog, writer = self._backlog, self._writer
        return LogStats(
            writer.written,
            {each: backlog.dropped[each] + writer.failed[each] for each in Outcome},
            self._unsampled,
            len(backlog),
            writer.problem is None,
        )

    def _is_sampled(self) -> bool:
        share = self._limits.sample_allowed
        return share >= 1 or random.random() < share  # noqa: S311  no secret

    def _line(self, entry: E) -> bytes:
        record, most = self._record(entry), self._limits.record_bytes
        if entry.weight > most:
            # Before anything walks through it all.
            record = trimmed(record)
        self._masks.apply(record)
        line = encoded(record)
        if len(line) >= most:
            line = encoded(fitted(record, most - 1))
        return f"{line}\n".encode("ascii")
