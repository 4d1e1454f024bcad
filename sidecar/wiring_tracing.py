"""Settings of tracing to what goes around calls and facts.

Without tracing nothing goes around anything, and nothing of it is imported.
"""

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from sidecar.observe.metrics import Reading, Sample
from sidecar.ports import Facts, FactSource
from sidecar.settings import Settings
from sidecar.transport.ext_authz import VerdictCounter
from sidecar.transport.grpc_api import DecisionCounter
from sidecar.transport.guards import Around, CallObserver
from sidecar.wiring import FACT_NAMES, VERSION
from sidecar.wiring_collector import collector_of, resource_of

if TYPE_CHECKING:
    from sidecar.observe.outbox import Outbox


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
    # Whether somebody looks at the answer to the call that is under way.
    is_seen: Callable[[], object] | None = None
    around_loader: Callable[[Facts], Facts] | None = None
    readings: Sequence[Reading] = ()
    around_source: Callable[[FactSource], FactSource] = lambda source: source
    around_counts: Callable[[Counts, VerdictCounter], Counting] = Counting


def start_tracing(settings: Settings, closing: AsyncExitStack) -> Seams:
    """Begins to send spans until `closing`; raises CollectorError."""
    tracing = settings.tracing
    if tracing.endpoint is None:
        return Seams()
    from sidecar.observe.outbox import Bounds, Outbox  # noqa: PLC0415  as said above
    from sidecar.observe.traced_facts import (  # noqa: PLC0415
        TracedLoader,
        TracedSource,
    )
    from sidecar.observe.tracing import Tracing, current_span  # noqa: PLC0415
    from sidecar.transport.otlp import OtlpSender  # noqa: PLC0415
    from sidecar.transport.traced import TracedCalls, TracedCounts  # noqa: PLC0415

    collector = collector_of(tracing, tracing.endpoint, "tracing")
    sender = OtlpSender(collector, VERSION, resource_of(tracing))
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
        current_span,
        lambda loader: TracedLoader(loader, FACT_NAMES),
        _readings(outbox),
        lambda source: TracedSource(source, FACT_NAMES),
        around_counts,
    )


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
