"""The composition root: starts everything, drains, stops.

Everything comes together here, which is what makes it long.
"""

import asyncio
import gc
import os
import signal
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Self

import structlog

from sidecar import (
    wiring,
    wiring_database,
    wiring_edge,
    wiring_health,
    wiring_identity,
    wiring_limits,
    wiring_listeners,
    wiring_tracing,
)
from sidecar.edge.reloading import Routes
from sidecar.identity.identity import Identity
from sidecar.observe.log import configure_logging
from sidecar.observe.metrics import Metrics, MetricsServer
from sidecar.ports import FactSource, Verifiers
from sidecar.service.asking import Policy
from sidecar.service.authorization import Authorization
from sidecar.settings import Settings
from sidecar.store.anomalies import Anomaly
from sidecar.store.clock import SystemClock
from sidecar.store.connected import read_schema_version
from sidecar.store.dependencies import RELATION_GROUPS
from sidecar.store.errors import StoreError
from sidecar.store.source import Store
from sidecar.transport.grpc_api import Backing
from sidecar.transport.health import Health
from sidecar.transport.listener import Listener
from sidecar.transport.server import About, Servers
from sidecar.transport.watch import Watches

if TYPE_CHECKING:
    from sidecar.transport.notes import Recorder

_HEALTH_INTERVAL_SECONDS = 1.0
_DATABASE_SECONDS = 1.0

_log = structlog.stdlib.get_logger("sidecar.app")


class Sidecar:
    """A running sidecar, between `start` and `stop`."""

    def __init__(  # noqa: PLR0913  all its parts
        self,
        settings: Settings,
        *,
        store: Store,
        identity: Identity,
        routes: Routes | None,
        metrics: Metrics,
        servers: Servers,
    ) -> None:
        self._settings = settings
        self._health = servers.health
        self._servers = servers
        self._identity = identity
        self.load = servers.load
        self.backing = servers.backing
        self.routes = routes
        self.store = store
        self.metrics = metrics
        self.metrics_port: int | None = None
        self.addresses: list[str] = []
        self._vitals = wiring_health.Vitals(
            wiring_health.Parts(
                store.feed_health,
                lambda: identity.tokens.are_usable,
                servers.certificates_are_well,
                routes,
            ),
            servers.backing.clock,
            settings.freshness.max_staleness,
        )
        self._closing = AsyncExitStack()
        self._is_draining = False

    @classmethod
    async def start(cls, settings: Settings) -> Self:
        """Starts everything, or closes what it opened and raises.

        Raises RoutesError, StoreError, ListenerError, CollectorError and
        DecisionLogError.
        """
        listeners = [
            wiring_listeners.listener_of(each, settings) for each in settings.listeners
        ]
        routes = wiring_edge.routes_of(settings)
        clock, metrics = SystemClock(), Metrics()
        async with AsyncExitStack() as closing:
            tracing = wiring_tracing.start_tracing(settings, closing)
            store = await Store.start(
                wiring.store_settings(settings),
                clock,
                _teller(metrics),
                tracing.around_loader,
            )
            closing.push_async_callback(store.close)
            identity = await wiring_identity.start_identity(settings, clock)
            closing.push_async_callback(identity.close)
            policy = wiring.policy_of(settings)
            recorder = _recorder(settings, metrics, closing)
            service = _service(
                tracing.around_source(store), identity.verifiers, policy, recorder
            )
            counts = tracing.around_counts(recorder or metrics, metrics)
            load = wiring_limits.start_load(settings, closing)
            watches = Watches(store.watchers, clock, settings.freshness.max_staleness)
            servers = Servers(
                Backing(service, policy.kinds, clock, counts.calls),
                about := await _about(settings),
                Health(),
                counts.calls,
                load,
                wiring_edge.edge_of(settings, service, routes, clock, counts.verdicts),
                watches,
                recorder=recorder,
                around=tracing.around,
                is_seen=tracing.is_seen,
            )
            sidecar = cls(
                settings,
                store=store,
                identity=identity,
                routes=routes,
                metrics=metrics,
                servers=servers,
            )
            metrics.add(
                [
                    *wiring.store_readings(store, RELATION_GROUPS),
                    *wiring_listeners.tls_readings(servers.tls),
                    *wiring_identity.identity_readings(identity),
                    *wiring_limits.load_readings(load),
                    *wiring_limits.watch_readings(watches),
                    *wiring_database.replica_readings(store.replica_stats),
                    *tracing.readings,
                    *wiring_health.health_readings(about, sidecar._vitals.components),
                ]
            )
            sidecar._follow_routes(closing)
            sidecar._serve_metrics(closing)
            closing.push_async_callback(servers.close, settings.stop.grace_seconds)
            await sidecar._open(listeners, closing)
            sidecar._closing = closing.pop_all()
        _log.info("server.started", addresses=sidecar.addresses)
        return sidecar

    async def stop(self) -> None:
        """Says NOT_SERVING, lingers, lets running calls finish, closes.

        Asked again, as by a second signal, it lingers no longer.
        """
        if not self._is_draining:
            self._is_draining = True
            _log.info("server.draining")
            await self._health.drain()
            await asyncio.sleep(self._settings.stop.linger_seconds)
        await self._closing.aclose()
        _log.info("server.stopped")

    async def _open(
        self, listeners: Sequence[Listener], closing: AsyncExitStack
    ) -> None:
        await self._ask_database()
        await self.report_health()
        self.addresses = [await self._servers.open(each) for each in listeners]
        await self.report_health()
        for watch in (self._watch(), self._watch_database()):
            closing.push_async_callback(_end, asyncio.create_task(watch))

    async def report_health(self) -> None:
        """Tells how the components are now."""
        await self._health.report(self._vitals.components())

    async def _watch(self) -> None:
        connections = self.store.feed_health().connections
        while True:
            await asyncio.sleep(_HEALTH_INTERVAL_SECONDS)
            self._identity.tokens.tend()
            await self.report_health()
            if connections != self.store.feed_health().connections:
                connections = self.store.feed_health().connections
                # Connections and errors that were lost are circles, many of them old.
                # Now memory is nearly empty, so to look through all of it is quick.
                gc.collect()

    async def _watch_database(self) -> None:
        # Apart from the rest, which must not wait for a database that is silent.
        while True:
            await asyncio.sleep(_HEALTH_INTERVAL_SECONDS)
            if self._vitals.wants_database():
                await self._ask_database()

    async def _ask_database(self) -> None:
        found = await self.store.health(_DATABASE_SECONDS)
        self._vitals.database(is_reachable=found.is_reachable)

    def _follow_routes(self, closing: AsyncExitStack) -> None:
        if self.routes is None:
            return
        clock = self.backing.clock
        self.metrics.add(wiring_edge.routes_readings(self.routes, clock))
        interval = self._settings.edge.reload_interval
        following = asyncio.create_task(self.routes.watch(interval))
        closing.push_async_callback(_end, following)

    def _serve_metrics(self, closing: AsyncExitStack) -> None:
        address = self._settings.metrics.address
        if address is None:
            return
        host, _, port = address.rpartition(":")
        try:
            server = MetricsServer.start(host.strip("[]"), int(port), self.metrics)
        except OSError as error:
            reason = (error.strerror or "no such address").lower()
            message = f"metrics cannot be served at `{address}`: {reason}"
            raise StoreError(message) from error
        # It waits for the server's thread, which looks up every half second.
        closing.push_async_callback(asyncio.to_thread, server.close)
        self.metrics_port = server.port


async def serve(settings: Settings, *, ready: Callable[[], None] | None = None) -> None:
    """Serves until SIGTERM or SIGINT; calls `ready` once it answers.

    Raises what `Sidecar.start` raises when it cannot start.
    """
    configure_logging(settings.log_level.value)
    _take_turns_rarely()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.set_default_executor(wiring_limits.threads_of(settings))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    sidecar = await Sidecar.start(settings)
    _collect_rarely()
    try:
        if ready is not None:
            ready()
        await stop.wait()
    finally:
        await _stop_unless_hurried(sidecar, stop)


async def _stop_unless_hurried(sidecar: Sidecar, stop: asyncio.Event) -> None:
    # A second signal sets the event again, and ends the lingering.
    stop.clear()
    stopping = asyncio.create_task(sidecar.stop())
    hurried = asyncio.create_task(stop.wait())
    await asyncio.wait({stopping, hurried}, return_when=asyncio.FIRST_COMPLETED)
    hurried.cancel()
    if stopping.done():
        stopping.result()
        return
    stopping.cancel()
    await asyncio.gather(stopping, return_exceptions=True)
    await sidecar.stop()


def _take_turns_rarely() -> None:
    # Where all threads share one core, each answer would wake the thread of the wire
    # and be interrupted by it. As a batch they wait until Python is done; threads
    # inherit this, so it comes before any is started.
    if hasattr(os, "SCHED_BATCH"):
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def _collect_rarely() -> None:
    # Calls that are answered leave no cycles behind, and the collector's default finds
    # none every few of them: that was a third of a small call. Those that fail do, some
    # hundred objects each, which must not pile up. What started stays for good.
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


async def _about(settings: Settings) -> About:
    version = await read_schema_version(wiring_database.url_of(settings))
    return About(wiring.VERSION, settings.digest(), version)


def _recorder(
    settings: Settings, metrics: Metrics, closing: AsyncExitStack
) -> "Recorder | None":
    if settings.decision_log.to is None:
        return None
    from sidecar import wiring_decision_log  # noqa: PLC0415  most have none

    log = wiring_decision_log.start_log(settings.decision_log)
    flush_seconds = settings.decision_log.flush_seconds
    closing.push_async_callback(asyncio.to_thread, log.close, flush_seconds)
    metrics.add(wiring_decision_log.log_readings(log))
    return wiring_decision_log.recorder_of(log, metrics)


def _service(
    source: FactSource,
    verifiers: Verifiers,
    policy: Policy,
    recorder: "Recorder | None",
) -> Authorization:
    if recorder is None:
        return Authorization(source, verifiers, policy)
    return recorder.service(source, verifiers, policy)


def _teller(metrics: Metrics) -> Callable[[Anomaly], None]:
    def tell(anomaly: Anomaly) -> None:
        problem = anomaly.problem.value
        metrics.malformed_fact(anomaly.relation, problem)
        _log.warning(
            "fact.malformed",
            relation=anomaly.relation,
            problem=problem,
            key=anomaly.key,
        )

    return tell


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
