"""Probes, asked as kubelets ask them: from outside, or by a program within."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast

from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from sidecar.command.bare_json import Json
from tests.deploy.pod.containers import Container
from tests.deploy.pod.exchange import exchange
from tests.deploy.pod.manifests import Object, mapping, number, objects, words
from tests.deploy.pod.network import Network

_FAILURES: Final = (
    TimeoutError,
    OSError,
    asyncio.IncompleteReadError,
    aio.AioRpcError,
)
_GOOD: Final = range(200, 400)
# Kubelets ask no more often than once a second, which here would only be waited for.
_EAGER_SECONDS: Final = 0.05


@dataclass
class Prober:
    """Asks the probes of one pod."""

    network: Network
    address: str
    folder: Path
    started: list[Container] = field(default_factory=list)
    _relays: dict[int, Path] = field(default_factory=dict)

    async def passes(self, container: Container, probe: Object) -> bool:
        """Asks once."""
        kinds: dict[str, Callable[[Container, Object], Awaitable[bool]]] = {
            "exec": self._exec,
            "grpc": self._grpc,
            "httpGet": self._http,
        }
        (kind,) = probe.keys() & kinds.keys()
        seconds = number(probe, "timeoutSeconds", 1)
        with suppress(*_FAILURES):
            async with asyncio.timeout(seconds):
                return await kinds[kind](container, mapping(probe, kind))
        return False

    async def until_passed(self, container: Container, probe: Object) -> None:
        """Asks more often than it says, and as long; raises AssertionError."""
        allowed = number(probe, "periodSeconds", 10) * number(
            probe, "failureThreshold", 3
        )
        try:
            async with asyncio.timeout(allowed):
                while not await self.passes(container, probe):
                    for each in self.started:
                        assert each.is_running, each.log.read_text()
                    await asyncio.sleep(_EAGER_SECONDS)
        except TimeoutError:
            raise AssertionError(container.log.read_text()) from None

    async def changes(
        self, container: Container, probe: Object, tell: Callable[[bool], None]
    ) -> None:
        """Asks at the rate that it says, and tells of changes; at first it passes."""
        allowed = number(probe, "failureThreshold", 3)
        failures = 0.0
        while True:
            await asyncio.sleep(number(probe, "periodSeconds", 10))
            if await self.passes(container, probe):
                if failures >= allowed:
                    tell(True)  # noqa: FBT003  the one thing that is told
                failures = 0
            else:
                failures += 1
                if failures == allowed:
                    tell(False)  # noqa: FBT003  likewise

    async def _exec(self, container: Container, probe: Object) -> bool:
        code, _ = await container.run(words(probe, "command"))
        return code == 0

    async def _grpc(self, container: Container, probe: Object) -> bool:
        del container
        relay = await self._relay(cast("int", probe["port"]))
        async with aio.insecure_channel(f"unix:{relay}") as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            service = str(probe.get("service") or "")
            answer = await stub.Check(health_pb2.HealthCheckRequest(service=service))
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    async def _http(self, container: Container, probe: Object) -> bool:
        port = _port(container, probe["port"])
        connection = await self.network.connected(self.address, port)
        reader, writer = await asyncio.open_connection(sock=connection)
        try:
            answer = await exchange(reader, writer, str(probe.get("path", "/")), {})
        finally:
            writer.close()
        return answer.status in _GOOD

    async def _relay(self, port: int) -> Path:
        if port not in self._relays:
            self._relays[port] = self.folder / f"{port}.sock"
            await self.network.is_reached(self._relays[port], self.address, port)
        return self._relays[port]


def _port(container: Container, port: Json) -> int:
    if isinstance(port, int):
        return port
    (named,) = [
        each for each in objects(container.spec, "ports") if each["name"] == port
    ]
    return cast("int", named["containerPort"])
