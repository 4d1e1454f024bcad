"""Settings to the decision log, and its metrics.

Imported only where there is a log, so that others need not hold its parts.
"""

import hashlib
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, TextIO, TypeAlias, cast

from sidecar.audit.decision_log import DecisionLog, LogLimits, LogStats
from sidecar.audit.files import RotatingFile
from sidecar.audit.masking import Maskable, Masks
from sidecar.audit.sink import DecisionLogError, Sink, Stream
from sidecar.observe.metrics import Metrics, Reading, Sample
from sidecar.settings import DecisionLogSettings
from sidecar.store.clock import SystemClock
from sidecar.transport.notes import Note, Recorder
from sidecar.transport.records import Records
from sidecar.wiring import VERSION
from sidecar.wiring_collector import collector_of, resource_of

_LEAST_KEY_BYTES: Final = 16
_Read: TypeAlias = Callable[[LogStats], float]


def start_log(settings: DecisionLogSettings) -> DecisionLog[Note]:
    """A log that is written; raises DecisionLogError and CollectorError."""
    masks = Masks(map(Maskable, settings.mask), _key(settings.mask_key_file))
    limits = LogLimits(
        settings.sample_allowed, settings.queue_bytes, settings.record_bytes
    )
    log = DecisionLog(_sink(settings), Records().of, masks, limits)
    log.start()
    return log


def recorder_of(log: DecisionLog[Note], metrics: Metrics) -> Recorder:
    """Who notes the calls for a log."""
    return Recorder(log, metrics, metrics, SystemClock())


def _sink(settings: DecisionLogSettings) -> Sink:
    if settings.file is not None:
        return RotatingFile(settings.file, settings.file_bytes, settings.files)
    collector = settings.collector
    if collector.endpoint is None:
        return _stdout()
    from sidecar.transport.otlp_logs import OtlpLogs  # noqa: PLC0415  most have a file

    found = collector_of(collector, collector.endpoint, "decision_log.collector")
    return OtlpLogs(found, VERSION, resource_of(collector), SystemClock())


def _stdout() -> Sink:
    # The type says that it is always there. Where it was closed from the start, its
    # number belongs to something else by now.
    output = cast("TextIO | None", sys.stdout)
    if output is None:
        raise DecisionLogError("decision log: standard output is closed")
    return Stream(output.fileno())


def _key(path: Path | None) -> bytes:
    if path is None:
        return secrets.token_bytes()
    try:
        key = path.read_bytes().strip()
    except OSError as error:
        reason = (error.strerror or "it is no file").lower()
        raise DecisionLogError(
            f"key of the decision log `{path}` cannot be read: {reason}"
        ) from error
    if len(key) < _LEAST_KEY_BYTES:
        raise DecisionLogError(
            f"key of the decision log `{path}` has less than {_LEAST_KEY_BYTES} bytes"
        )
    return hashlib.blake2b(key, digest_size=32).digest()


def log_readings(log: DecisionLog[Note]) -> list[Reading]:
    """The metrics of the log, read when they are scraped."""

    def dropped() -> list[Sample]:
        counts = log.stats().dropped
        return [Sample((each.value,), float(n)) for each, n in counts.items()]

    def total(name: str, text: str, read: _Read, *, is_total: bool) -> Reading:
        return Reading(
            f"authz_decision_log_{name}",
            text,
            (),
            lambda: [Sample((), float(read(log.stats())))],
            is_total=is_total,
        )

    return [
        total("written", "Records written.", lambda it: it.written, is_total=True),
        Reading(
            "authz_decision_log_dropped",
            "Records that were lost, by outcome (allowed, denied or error).",
            ("outcome",),
            dropped,
            is_total=True,
        ),
        total(
            "unsampled",
            "Allowed calls left out because only a share of them is logged.",
            lambda it: it.unsampled,
            is_total=True,
        ),
        total("queue", "Records that wait.", lambda it: it.waiting, is_total=False),
        total(
            "good",
            "Whether the last attempt to write succeeded: 1 or 0.",
            lambda it: it.is_good,
            is_total=False,
        ),
    ]
