"""Metrics: Prometheus on an HTTP port of its own, labels from closed sets."""

from collections import Counter as Tally
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import HTTPServer
from threading import Thread

from prometheus_client import CollectorRegistry, Counter, Histogram, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from sidecar.core.decision import Allowed, Decision

_BUCKETS = (
    0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025,
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of a metric that is read when it is scraped."""

    labels: tuple[str, ...]
    value: float


@dataclass(frozen=True, slots=True)
class Reading:
    """A metric that is read when it is scraped.

    `is_total` says that it only ever grows.
    """

    name: str
    help: str
    labels: tuple[str, ...]
    read: Callable[[], Iterable[Sample]]
    is_total: bool = False


@dataclass(slots=True)
class Metrics:
    """Counts calls and decisions, and reads the rest when scraped."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    _calls: Counter = field(init=False)
    _seconds: Histogram = field(init=False)
    _decisions: Counter = field(init=False)
    _malformed: Counter = field(init=False)
    _call_counts: dict[tuple[str, str, str], Counter] = field(default_factory=dict)
    _call_seconds: dict[str, Histogram] = field(default_factory=dict)
    _decision_counts: dict[tuple[str, Decision], Counter] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._calls = Counter(
            "authz_calls",
            "Calls of the API by rpc, gRPC code, and reason of an error.",
            ("rpc", "code", "reason"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "authz_call_seconds",
            "Time from a request's arrival in Python to its answer, in seconds.",
            ("rpc",),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._decisions = Counter(
            "authz_decisions",
            "Decisions by rpc, whether they allowed, and reason.",
            ("rpc", "decision", "reason"),
            registry=self.registry,
        )
        self._malformed = Counter(
            "authz_malformed_facts",
            "Stored facts that the reference schema would refuse, as they were read.",
            ("relation", "problem"),
            registry=self.registry,
        )

    def called(self, rpc: str, code: str, reason: str, seconds: float) -> None:
        """Counts a call; `reason` is empty when it was answered."""
        key = (rpc, code, reason)
        count = self._call_counts.get(key)
        if count is None:
            count = self._call_counts[key] = self._calls.labels(*key)
        count.inc()
        histogram = self._call_seconds.get(rpc)
        if histogram is None:
            histogram = self._call_seconds[rpc] = self._seconds.labels(rpc)
        histogram.observe(seconds)

    def decided(self, rpc: str, decisions: Sequence[Decision]) -> None:
        """Counts decisions of a call."""
        if len(decisions) == 1:
            self._decision_count(rpc, decisions[0]).inc()
            return
        for decision, times in Tally(decisions).items():
            self._decision_count(rpc, decision).inc(times)

    def malformed_fact(self, relation: str, problem: str) -> None:
        """Counts a stored fact that fails closed."""
        self._malformed.labels(relation, problem).inc()

    def add(self, readings: Iterable[Reading]) -> None:
        """Adds metrics that are read when scraped."""
        self.registry.register(_Readings(tuple(readings)))

    def _decision_count(self, rpc: str, decision: Decision) -> Counter:
        key = (rpc, decision)
        count = self._decision_counts.get(key)
        if count is None:
            outcome = "allowed" if isinstance(decision, Allowed) else "denied"
            count = self._decisions.labels(rpc, outcome, decision.reason.name)
            self._decision_counts[key] = count
        return count


@dataclass(frozen=True, slots=True)
class _Readings(Collector):
    readings: tuple[Reading, ...]

    @override
    def collect(self) -> Iterable[Metric]:
        return map(_family, self.readings)


def _family(reading: Reading) -> Metric:
    kind = CounterMetricFamily if reading.is_total else GaugeMetricFamily
    family = kind(reading.name, reading.help, labels=reading.labels)
    for sample in reading.read():
        family.add_metric(sample.labels, sample.value)
    return family


@dataclass(frozen=True, slots=True)
class MetricsServer:
    """Serves the metrics over HTTP until it is closed."""

    server: HTTPServer
    thread: Thread

    @classmethod
    def start(cls, host: str, port: int, metrics: Metrics) -> "MetricsServer":
        """Binds and serves; raises OSError when the address cannot be had."""
        return cls(*start_http_server(port, host, metrics.registry))

    @property
    def port(self) -> int:
        """The port that was bound."""
        return int(self.server.server_address[1])

    def close(self) -> None:
        """Stops serving and waits for the thread."""
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def flag_samples(flags: Mapping[str, bool]) -> list[Sample]:
    """Samples of 1 and 0 by name."""
    return [Sample((name,), float(value)) for name, value in flags.items()]
