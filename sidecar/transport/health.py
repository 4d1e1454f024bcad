"""Health of services and components, by the protocol that gRPC's probes speak."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import grpc
from grpc_health.v1 import health, health_pb2
from typing_extensions import override

from sidecar.transport.endings import Endings

if TYPE_CHECKING:
    from grpc import aio

    _Context = aio.ServicerContext[
        health_pb2.HealthCheckRequest, health_pb2.HealthCheckResponse
    ]

# The one component that goes on serving while the server drains.
LIVE: Final = "live"


class Health:
    """The health of services and components, shared by all listeners.

    Empty is the server as a whole; component names have no dot, and those of
    services do.
    """

    def __init__(self) -> None:
        self.servicer = _Servicer()
        self._known: dict[str, bool] = {}
        self._is_draining = False

    async def report(self, components: Mapping[str, bool]) -> None:
        """Tells how components are; those not named stay as they are."""
        for name, is_well in components.items():
            serving = is_well and (name == LIVE or not self._is_draining)
            if self._known.get(name) is not serving:
                self._known[name] = serving
                await self.servicer.set(name, _serving_status(serving))

    async def drain(self) -> None:
        """Says NOT_SERVING for everything, for good; but it still lives."""
        self._is_draining = True
        await self.report(self._known.copy())

    def end(self) -> None:
        """Ends the streams of those who watch, at once, and lets none begin."""
        self.servicer.endings.end()


class _Servicer(health.aio.HealthServicer):  # type: ignore[misc,name-defined]  # untyped half
    """The servicer of grpcio-health-checking, whose streams else last for ever."""

    def __init__(self) -> None:
        super().__init__()
        self.endings = Endings()

    @override
    async def Watch(
        self, request: health_pb2.HealthCheckRequest, context: "_Context"
    ) -> None:
        try:
            async with self.endings.lasting():
                await super().Watch(request, context)
        except TimeoutError:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the server is stopping")


def _serving_status(
    serving: bool,  # noqa: FBT001  the value itself, nothing to name
) -> health_pb2.HealthCheckResponse.ServingStatus.ValueType:
    response = health_pb2.HealthCheckResponse
    return response.SERVING if serving else response.NOT_SERVING
