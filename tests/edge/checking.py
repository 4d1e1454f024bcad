"""A whole sidecar that is asked as Envoy asks, over gRPC, with bytes of any kind."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml
from google.protobuf.message import Message
from grpc import aio

from sidecar.app import Sidecar
from sidecar.settings import Settings
from sidecar.transport.envoy import external_auth_pb2 as envoy
from tests.edge.hearing import hear
from tests.support.edge import ROOT
from tests.support.serving import ENGINES, refusal, socket_folder

CHECK: Final = "/envoy.service.auth.v3.Authorization/Check"


@dataclass
class Checking:
    """A running sidecar, and a channel for each engine."""

    sidecar: Sidecar
    channels: dict[str, aio.Channel]

    def call(
        self, engine: str, data: bytes | Message, seconds: float | None = 10
    ) -> "aio.UnaryUnaryCall[bytes, bytes]":
        """A call under way; a message is encoded."""
        method = self.channels[engine].unary_unary(
            CHECK, request_serializer=bytes, response_deserializer=bytes
        )
        encoded = data if isinstance(data, bytes) else data.SerializeToString()
        return method(encoded, timeout=seconds)

    async def response(self, engine: str, data: bytes | Message) -> envoy.CheckResponse:
        """The response; raises AioRpcError."""
        return envoy.CheckResponse.FromString(await self.call(engine, data))

    async def ended(
        self, engine: str, data: bytes | Message, seconds: float | None = 10
    ) -> str:
        """How a call ends: `allowed`, a status and a reason, or a code and a reason."""
        try:
            answered = await self.call(engine, data, seconds)
        except aio.AioRpcError as error:
            return f"{error.code().name} {refusal(error).reason}".strip()
        answer = hear(envoy.CheckResponse.FromString(answered))
        if answer.told.get("x-authz-shadow"):
            return "watched"
        return "allowed" if answer.passes else f"{answer.status} {answer.reason}"


@asynccontextmanager
async def checking(
    url: str, routes: Path, **changed: object
) -> AsyncIterator[Checking]:
    """A sidecar over a database, with a socket for each engine, until the end."""
    example = yaml.safe_load((ROOT / "examples" / "sidecar.yaml").read_text())
    with socket_folder() as name:
        sockets = {engine: f"unix:{Path(name) / engine}" for engine in ENGINES}
        settings = Settings.model_validate(
            {
                "database": {"url": url},
                "resource_kinds": example["resource_kinds"],
                "listeners": [
                    {"address": address, "engine": engine}
                    for engine, address in sockets.items()
                ],
                "edge": {"routes_file": str(routes), "budget": 5},
                # Tests beside this one may keep the machine busy.
                "limits": {"queue_seconds": 30},
                "metrics": {"address": None},
                "stop": {"linger_seconds": 0, "grace_seconds": 5},
                **changed,
            }
        )
        sidecar = await Sidecar.start(settings)
        channels = {
            engine: aio.insecure_channel(
                address, options=(("grpc.max_send_message_length", -1),)
            )
            for engine, address in sockets.items()
        }
        try:
            yield Checking(sidecar, channels)
        finally:
            for channel in channels.values():
                await channel.close(None)
            await sidecar.stop()
