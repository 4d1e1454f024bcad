"""A sidecar of its own, whose standard output and metrics are in the test's hands."""

import asyncio
import json
import os
import re
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import yaml
from authz.v1 import authorization_service_pb2 as api
from grpc import aio

from tests.support.edge import ROOT
from tests.support.serving import Stage, socket_folder

_READY_SECONDS: Final = 30
_EXAMPLE: Final = yaml.safe_load((ROOT / "examples" / "sidecar.yaml").read_text())


@dataclass(frozen=True)
class Running:
    """A sidecar that serves, its channel, and where its metrics are."""

    process: asyncio.subprocess.Process
    channel: aio.Channel
    metrics_url: str

    async def visible(self, user_id: str, cluster_id: str) -> api.CheckVisibleResponse:
        """Whether a user sees a cluster; it must be answered soon."""
        request = api.CheckVisibleRequest()
        request.caller.user_id = user_id
        request.caller.organization_id = "1"
        request.resources.add(kind="cluster", id=cluster_id)
        stub = Stage.stub_of(self.channel)
        return await stub.CheckVisible(request, timeout=5)

    async def figure(self, name: str) -> float:
        """The value of a metric, with its labels as they are written."""
        async with httpx.AsyncClient() as client:
            text = (await client.get(self.metrics_url)).text
        found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
        assert found is not None, name
        return float(found[1])

    async def ended(self) -> int:
        """Its exit code, once it has ended."""
        async with asyncio.timeout(20):
            await self.process.wait()
        assert self.process.returncode is not None
        return self.process.returncode


@asynccontextmanager
async def running(
    url: str, decision_log: Mapping[str, object], stdout: int | None = None
) -> AsyncIterator[Running]:
    """A sidecar over the example; it is killed if it has not ended by itself."""
    port = _free_port()
    with socket_folder() as folder:
        address = f"unix:{Path(folder) / 'authz'}"
        settings = {
            "DATABASE": {"url": url},
            "LISTENERS": [{"address": address}],
            "RESOURCE_KINDS": _EXAMPLE["resource_kinds"],
            "METRICS": {"address": f"127.0.0.1:{port}"},
            "STOP": {"linger_seconds": 0},
            "LIMITS": {"queue_seconds": 30},
            "DECISION_LOG": decision_log,
        }
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "sidecar", "serve"),
            env={
                **os.environ,
                **{
                    f"AUTHZ_{name}": json.dumps(each) for name, each in settings.items()
                },
            },
            stdout=stdout,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            await _ready(process)
            async with aio.insecure_channel(address) as channel:
                yield Running(process, channel, f"http://127.0.0.1:{port}/metrics")
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()


async def _ready(process: asyncio.subprocess.Process) -> None:
    assert process.stderr is not None
    async with asyncio.timeout(_READY_SECONDS):
        while (line := await process.stderr.readline()).strip() != b"ready":
            assert line, "it ended before it was ready"


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
