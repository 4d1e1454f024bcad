"""Without tracing there is nothing of it in a running sidecar."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, cast

import grpc
from grpc import aio

from sidecar.observe.metrics import Metrics
from sidecar.store.embedded import EmbeddedPostgres
from sidecar.transport.guards import (
    Around,
    Context,
    Guards,
    Handler,
    Raw,
)
from sidecar.transport.shedding import Load, LoadLimits
from tests.support.edge import stored_example
from tests.support.serving import socket_folder

# Once it is ready it tells what there is, and is told to stop.
_TOLD: Final = """
import asyncio, json, os, signal, sys, threading
from pathlib import Path
from grpc import aio
from sidecar.app import serve
from sidecar.settings import load
from sidecar.transport import guards, server

class Seen(guards.Guards):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        seen.append(self._around)

seen = []
server.Guards = Seen

def tell():
    print(json.dumps({
        "modules": sorted(name for name, found in sys.modules.items() if found),
        "threads": sorted(each.name for each in threading.enumerate()),
        "around": [each is not None for each in seen],
        "loader": type(started[0].store._cache._loader).__name__,
        "source": type(started[0].backing.service._source).__name__,
        "counter": type(started[0].backing.counter).__name__,
    }))
    os.kill(os.getpid(), signal.SIGTERM)

import sidecar.app
started = []
start = sidecar.app.Sidecar.start

async def noting(settings):
    started.append(await start(settings))
    return started[-1]

sidecar.app.Sidecar.start = noting
asyncio.run(serve(load(None), ready=tell))
"""
_GRPC: Final = ("Thread-1 (_poll_wrapper)",)
_METHOD: Final = ("authz.v1.AuthorizationService", "CheckVisible")
_OURS: Final = (
    "sidecar.observe.outbox",
    "sidecar.observe.traced_facts",
    "sidecar.observe.tracing",
    "sidecar.transport.otlp",
    "sidecar.transport.traced",
)

_AROUND: Final[dict[str, tuple[object, object]]] = {
    "around": ([False], [True]),
    "loader": ("PostgresFacts", "TracedLoader"),
    "source": ("Store", "TracedSource"),
    "counter": ("Metrics", "TracedCounts"),
}


def _running(url: str, folder: Path, endpoint: str | None) -> dict[str, list[str]]:
    """What is in a running sidecar."""
    listeners = [{"address": f"unix:{folder / 'authz'}", "services": ["api"]}]
    done = subprocess.run(  # noqa: S603  our own program
        [sys.executable, "-c", _TOLD],
        env={
            **os.environ,
            "AUTHZ_DATABASE__URL": url,
            "AUTHZ_LISTENERS": json.dumps(listeners),
            "AUTHZ_METRICS": json.dumps({"address": None}),
            "AUTHZ_STOP": json.dumps({"linger_seconds": 0}),
            "AUTHZ_TRACING": json.dumps({"endpoint": endpoint, "flush_seconds": 0}),
        },
        capture_output=True,
        check=False,
        text=True,
    )
    assert 0 == done.returncode, done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


async def test_off_is_as_if_it_did_not_exist(postgres: EmbeddedPostgres) -> None:
    """Nothing is imported, and nothing goes around calls and facts; on, it does."""
    url = await stored_example(postgres, "untraced")
    with socket_folder() as folder:
        off = _running(url, Path(folder), None)
        on = _running(url, Path(folder), "http://127.0.0.1:1")

    imported = set(on["modules"]) - set(off["modules"])
    assert {*_OURS, "opentelemetry"} <= imported
    assert not [each for each in off["modules"] if "opentelemetry" in each]
    for name, (without, within) in _AROUND.items():
        assert [without, within] == [off[name], on[name]]
    # gRPC's own thread is there where something is sent by it.
    assert {*_GRPC} >= {*on["threads"]} ^ {*off["threads"]}


def test_what_serves_a_call_is_the_same_function() -> None:
    """Where nothing goes around, a handler is what it would be without the feature."""
    assert "_wrap.<locals>.run" == _serving(None)
    assert "_around.<locals>.run" == _serving(_around)


def _serving(around: Around | None) -> str:
    """The name of the function that serves a call."""
    server = cast("aio.Server", None)
    guards = Guards(server, Metrics(), Load(LoadLimits(1, 1)), around)
    handler = grpc.unary_unary_rpc_method_handler(lambda request, _: request)
    made = guards.guarded(*_METHOD, cast("Handler", handler))
    return str(getattr(made.unary_unary, "__qualname__", ""))


def _around(_method: str, handler: Handler, guard: Callable[[Handler], Raw]) -> Raw:
    guarded = guard(handler)

    async def run(data: bytes, context: Context) -> bytes:
        return await guarded(data, context)

    return run
