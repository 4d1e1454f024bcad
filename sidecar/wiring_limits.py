"""Settings of limits to what turns calls away, and its metrics."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from typing import Final

from sidecar.observe.metrics import Reading, Sample
from sidecar.settings import Settings
from sidecar.transport.shedding import Load, LoadLimits
from sidecar.transport.watch import Watches

_OTHER_THREADS: Final = 8


def load_of(settings: Settings) -> Load:
    """What counts the calls of all listeners, not yet started."""
    limits = settings.limits
    return Load(LoadLimits(limits.concurrent_requests, limits.queue_seconds))


def start_load(settings: Settings, closing: AsyncExitStack) -> Load:
    """What counts the calls of all listeners, until `closing`."""
    load = load_of(settings)
    load.start()
    closing.callback(load.close)
    return load


def watch_readings(watches: Watches) -> list[Reading]:
    """The metrics of streams, read when they are scraped."""
    return [
        Reading(
            "authz_watchers",
            "Streams of `Watch` that are open.",
            (),
            lambda: [Sample((), watches.source.watching)],
        ),
        Reading(
            "authz_watch_changes_sent",
            "Changed keys sent on streams of `Watch`.",
            (),
            lambda: [Sample((), watches.changes)],
            is_total=True,
        ),
    ]


def threads_of(settings: Settings) -> ThreadPoolExecutor:
    """Threads for what would block the loop, made as they are needed.

    The native engine waits in one of them for each client that does not take what is
    written; as many as there may be are not to keep names from being resolved.
    """
    return ThreadPoolExecutor(settings.limits.watchers + _OTHER_THREADS)


def load_readings(load: Load) -> list[Reading]:
    """The metrics of calls under way, read when they are scraped."""
    return [
        Reading(
            "authz_calls_running",
            "Calls that have begun and not ended.",
            (),
            lambda: [Sample((), load.running)],
        ),
        Reading(
            "authz_calls_shed",
            "Calls turned away before anything was done for them.",
            (),
            lambda: [Sample((), load.shed)],
            is_total=True,
        ),
        Reading(
            "authz_queue_seconds",
            "How long calls waited for their turn, at the last look.",
            (),
            lambda: [Sample((), load.queue_seconds)],
        ),
    ]
