"""Metrics: Prometheus on an HTTP port of its own, labels from closed sets."""

from bisect import bisect_left
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from http.server import HTTPServer
from itertools import accumulate
from threading import Thread

from prometheus_client import (
    CollectorRegistry,
    ProcessCollector,
    start_http_server,
)
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString
from typing_extensions import override

from sidecar.core.decision import Allowed, Decision

_OK = "OK"
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


class Metrics:
    """Counts calls and decisions, and reads the rest when scraped.

    What happens on every call is a plain number here, made into the library's
    metrics when they are scraped: its own counters take a lock for each.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._calls: dict[tuple[str, str, str], int] = {}
        self._durations: dict[str, _Durations] = {}
        self._decisions: dict[tuple[str, Decision], int] = {}
        self._verdicts: dict[tuple[str, str, str], int] = {}
        self._malformed: dict[tuple[str, str], int] = {}
        self.registry.register(_Collected(self._collect))

    def called(self, rpc: str, code: str, reason: str, seconds: float) -> None:
        """Counts a call; `reason` is empty when it was answered."""
        durations = self._durations.get(rpc)
        if durations is None:
            durations = self._durations[rpc] = _Durations()
        durations.observe(seconds)
        if code == _OK:
            # Nearly all: these need no key.
            durations.answered += 1
            return
        key = (rpc, code, reason)
        self._calls[key] = self._calls.get(key, 0) + 1

    def ended(self, rpc: str, code: str, reason: str) -> None:
        """Counts a stream; how long it lasted says nothing."""
        key = (rpc, code, reason)
        self._calls[key] = self._calls.get(key, 0) + 1

    def decided(self, rpc: str, decisions: Sequence[Decision]) -> None:
        """Counts decisions of a call."""
        counts = self._decisions
        if len(decisions) == 1:
            key = (rpc, decisions[0])
            counts[key] = counts.get(key, 0) + 1
            return
        # A thousand decisions are few different objects: hash only those.
        numbers = list(map(id, decisions))
        different = dict(zip(numbers, decisions, strict=True))
        for number, count in Tally(numbers).items():
            key = (rpc, different[number])
            counts[key] = counts.get(key, 0) + count

    def decided_often(
        self, rpc: str, decisions: Sequence[Decision], places: Sequence[int]
    ) -> None:
        """Counts each decision as often as `places` has its place."""
        counts = self._decisions
        often = {0: len(places)} if len(decisions) == 1 else Tally(places)
        for place, count in often.items():
            key = (rpc, decisions[place])
            counts[key] = counts.get(key, 0) + count

    def judged(self, rule_set: str, outcome: str, reason: str) -> None:
        """Counts a verdict at the edge; `reason` is empty when it allowed."""
        key = (rule_set, outcome, reason)
        self._verdicts[key] = self._verdicts.get(key, 0) + 1

    def malformed_fact(self, relation: str, problem: str) -> None:
        """Counts a stored fact that fails closed."""
        key = (relation, problem)
        self._malformed[key] = self._malformed.get(key, 0) + 1

    def add(self, readings: Iterable[Reading]) -> None:
        """Adds metrics that are read when scraped."""
        known = tuple(readings)
        self.registry.register(_Collected(lambda: map(_family, known)))

    def _collect(self) -> Iterable[Metric]:
        # The server's thread counts on meanwhile, so these are copies.
        calls = CounterMetricFamily(
            "authz_calls",
            "Calls of the API by rpc, gRPC code, and reason of an error.",
            labels=("rpc", "code", "reason"),
        )
        answered = {
            (rpc, _OK, ""): each.answered
            for rpc, each in self._durations.copy().items()
            if each.answered
        }
        for labels, count in (self._calls | answered).items():
            calls.add_metric(labels, count)
        seconds = HistogramMetricFamily(
            "authz_call_seconds",
            "Time from a request's arrival in Python to its answer, in seconds.",
            labels=("rpc",),
        )
        for rpc, durations in self._durations.copy().items():
            seconds.add_metric((rpc,), durations.cumulated(), durations.total)
        decisions = CounterMetricFamily(
            "authz_decisions",
            "Decisions by rpc, whether they allowed, and reason.",
            labels=("rpc", "decision", "reason"),
        )
        for (rpc, decision), count in self._decisions.copy().items():
            outcome = "allowed" if isinstance(decision, Allowed) else "denied"
            decisions.add_metric((rpc, outcome, decision.reason.name), count)
        verdicts = CounterMetricFamily(
            "authz_edge_verdicts",
            "Verdicts at the edge by rule set, outcome (allowed, denied, or shadowed: "
            "would be denied) and reason.",
            labels=("rule_set", "outcome", "reason"),
        )
        for labels, count in self._verdicts.copy().items():
            verdicts.add_metric(labels, count)
        malformed = CounterMetricFamily(
            "authz_malformed_facts",
            "Stored facts that the reference schema would refuse, as they were read.",
            labels=("relation", "problem"),
        )
        for pair, count in self._malformed.copy().items():
            malformed.add_metric(pair, count)
        return calls, seconds, decisions, verdicts, malformed


class _Durations:
    """How many calls took how long, and how many of them were answered."""

    __slots__ = ("_counts", "answered", "total")

    def __init__(self) -> None:
        self._counts = [0] * (len(_BUCKETS) + 1)
        self.total = 0.0
        self.answered = 0

    def observe(self, seconds: float) -> None:
        self._counts[bisect_left(_BUCKETS, seconds)] += 1
        self.total += seconds

    def cumulated(self) -> list[tuple[str, float]]:
        bounds = (*map(floatToGoString, _BUCKETS), "+Inf")
        return list(zip(bounds, accumulate(self._counts), strict=True))


@dataclass(frozen=True, slots=True)
class _Collected(Collector):
    read: Callable[[], Iterable[Metric]]

    @override
    def collect(self) -> Iterable[Metric]:
        return self.read()


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
