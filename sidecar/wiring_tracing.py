"""Settings of tracing to what goes around calls and facts.

Without tracing nothing goes around anything, and nothing of it is imported.
"""

import re
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import urlsplit
from uuid import uuid4

from sidecar.observe.metrics import Reading, Sample
from sidecar.ports import Facts, FactSource
from sidecar.settings import Settings, TracingSettings
from sidecar.transport.ext_authz import VerdictCounter
from sidecar.transport.grpc_api import DecisionCounter
from sidecar.transport.interceptors import Around, CallObserver
from sidecar.wiring import FACT_NAMES, VERSION

if TYPE_CHECKING:
    from sidecar.observe.outbox import Outbox
    from sidecar.transport.otlp import Collector, Headers, Tls

_PORT: Final = 4317
_HEADER: Final = re.compile(r"[a-z0-9_.-]+", re.ASCII)


class TracingError(Exception):
    """Calls cannot be traced as the settings say."""


class Counts(CallObserver, DecisionCounter, Protocol):
    """Told of every call and of what the API decided."""


@dataclass(frozen=True, slots=True)
class Counting:
    """Who is told of what."""

    calls: Counts
    verdicts: VerdictCounter


@dataclass(frozen=True, slots=True)
class Seams:
    """What goes around calls and facts; as it is, nothing does."""

    around: Around | None = None
    around_loader: Callable[[Facts], Facts] | None = None
    readings: Sequence[Reading] = ()
    around_source: Callable[[FactSource], FactSource] = lambda source: source
    around_counts: Callable[[Counts, VerdictCounter], Counting] = Counting


def start_tracing(settings: Settings, closing: AsyncExitStack) -> Seams:
    """Begins to send spans until `closing`; raises TracingError."""
    tracing = settings.tracing
    if tracing.endpoint is None:
        return Seams()
    from sidecar.observe.outbox import Bounds, Outbox  # noqa: PLC0415  as said above
    from sidecar.observe.traced_facts import (  # noqa: PLC0415
        TracedLoader,
        TracedSource,
    )
    from sidecar.observe.tracing import Tracing  # noqa: PLC0415
    from sidecar.transport.otlp import OtlpSender  # noqa: PLC0415
    from sidecar.transport.traced import TracedCalls, TracedCounts  # noqa: PLC0415

    sender = OtlpSender(_collector(tracing, tracing.endpoint), VERSION, _of(tracing))
    outbox = Outbox(
        sender,
        Bounds(tracing.queue_spans, tracing.batch_spans, tracing.interval_seconds),
    )
    outbox.start()
    closing.push_async_callback(outbox.close, tracing.flush_seconds)

    def around_counts(counts: Counts, verdicts: VerdictCounter) -> Counting:
        traced = TracedCounts(counts, counts, verdicts)
        return Counting(traced, traced)

    calls = TracedCalls(
        Tracing(tracing.sample_ratio, outbox.add), follows_http=tracing.follow_http
    )
    return Seams(
        calls.around,
        lambda loader: TracedLoader(loader, FACT_NAMES),
        _readings(outbox),
        lambda source: TracedSource(source, FACT_NAMES),
        around_counts,
    )


def _of(tracing: TracingSettings) -> dict[str, str]:
    """What every span says of this process."""
    return {
        **tracing.attributes,
        "service.name": tracing.service_name,
        "service.version": VERSION,
        "service.instance.id": tracing.instance or str(uuid4()),
    }


def _collector(tracing: TracingSettings, endpoint: str) -> "Collector":
    from sidecar.transport.otlp import Collector  # noqa: PLC0415  likewise

    parts = urlsplit(endpoint)
    target = parts.netloc if parts.port else f"{parts.netloc}:{_PORT}"
    tls = _tls(tracing) if parts.scheme == "https" else None
    file = tracing.headers_file

    def headers() -> "Headers":
        return () if file is None else read_headers(file)

    return Collector(target, tls, headers, tracing.timeout_seconds)


def _tls(tracing: TracingSettings) -> "Tls":
    from sidecar.transport.otlp import Tls  # noqa: PLC0415  likewise

    return Tls(
        _content("ca_file", tracing.ca_file),
        _content("key", tracing.key),
        _content("certificate", tracing.certificate),
    )


def _content(name: str, path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = (error.strerror or "it is no file").lower()
        message = f"`tracing.{name}` cannot be read: {reason}"
        raise TracingError(message) from error
    if b"-----BEGIN " not in content:
        raise TracingError(f"`tracing.{name}` is not PEM")
    return content


def read_headers(file: Path) -> "Headers":
    """The headers of a file, names in lower case; raises OSError and ValueError."""
    found: list[tuple[str, str]] = []
    for line in file.read_text("ascii").splitlines():
        name, colon, value = line.partition(":")
        if not line.strip():
            continue
        header = name.strip().lower(), value.strip()
        if not colon or not _HEADER.fullmatch(header[0]) or not value.isprintable():
            raise ValueError("each line must be `<name>: <value>`")
        found.append(header)
    return tuple(found)


def _readings(outbox: "Outbox") -> list[Reading]:
    return [
        Reading(
            "authz_trace_spans",
            "Spans of traces by what became of them: sent, dropped, lost or refused.",
            ("outcome",),
            lambda: [
                Sample((fate.value,), count) for fate, count in outbox.fates.items()
            ],
            is_total=True,
        ),
        Reading(
            "authz_trace_spans_waiting",
            "Spans of traces that wait to be sent.",
            (),
            lambda: [Sample((), outbox.waiting)],
        ),
        Reading(
            "authz_trace_collector_up",
            "Whether the collector took what it was last sent: 1 or 0.",
            (),
            lambda: [Sample((), float(outbox.is_well))],
        ),
    ]
