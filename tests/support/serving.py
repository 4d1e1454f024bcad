"""Running sidecars over worlds in a real PostgreSQL, shared where nothing changes."""

import asyncio
import itertools
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, unique
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import asyncpg
import grpc
from authz.v1.authorization_service_pb2_grpc import AuthorizationServiceStub
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc import aio

from sidecar.app import Sidecar
from sidecar.command.bare_json import from_bare, to_bare
from sidecar.settings import Settings
from sidecar.store.document import parse_document
from sidecar.store.embedded import EmbeddedPostgres
from sidecar.store.importer import import_document
from tests.spec.cases import load_kinds, load_world
from tests.store.foreign.load import Flavour, create_schema
from tests.store.foreign.load import load_world as load_foreign
from tests.store.foreign.shipped import READER, migrate_as_migrator
from tests.support.pipeline import request_type, told

if TYPE_CHECKING:
    # One class serves both kinds of channel; only its type stubs tell them apart.
    from authz.v1.authorization_service_pb2_grpc import AuthorizationServiceAsyncStub

ENGINES = ("native", "grpcio")


@unique
class Schema(Enum):
    """Where a world is stored."""

    REFERENCE = "reference"
    GPUSTACK_LIKE = "gpustack_like"
    CAMEL_CASE = "camel_case"

    @property
    def flavour(self) -> Flavour | None:
        """The foreign schema; none is the reference schema."""
        return None if self is Schema.REFERENCE else Flavour(self.value)

    @property
    def id_type(self) -> str:
        """The type of the tenancy's ids."""
        return "uuid" if self is Schema.CAMEL_CASE else "bigint"


@dataclass(frozen=True)
class Place:
    """What is stored where, and how roles combine there."""

    schema: Schema
    world: str
    role_precedence: str = "union"


@dataclass(frozen=True)
class Refusal:
    """The status with which a call ended, with its details."""

    code: str
    message: str
    reason: str
    field: str | None
    retries: bool


class Serving:
    """A running sidecar with a listener for each engine."""

    def __init__(
        self, sidecar: Sidecar, stubs: "Mapping[str, AuthorizationServiceAsyncStub]"
    ) -> None:
        self.sidecar = sidecar
        self._stubs = stubs

    def stub(self, engine: str) -> "AuthorizationServiceAsyncStub":
        """The API through one engine."""
        return self._stubs[engine]

    async def ask(
        self, engine: str, call: str, request: Mapping[str, object]
    ) -> dict[str, object]:
        """The answer in bare JSON, or the status with which the call ends."""
        message = from_bare(request, request_type(call))
        try:
            response = await self.send(engine, call, message)
        except aio.AioRpcError as error:
            refused = refusal(error)
            return {"status": refused.code, "reason": refused.reason}
        return told(to_bare(response))

    async def send(self, engine: str, call: str, message: Message) -> Message:
        """The response; raises AioRpcError."""
        method = getattr(self._stubs[engine], call)
        return cast("Message", await method(message, timeout=10))


def refusal(error: aio.AioRpcError) -> Refusal:
    """What a failed call tells people and programs."""
    metadata = cast("Sequence[tuple[str, bytes]]", error.trailing_metadata() or ())
    details = dict(metadata).get("grpc-status-details-bin", b"")
    status = status_pb2.Status.FromString(details)
    info = error_details_pb2.ErrorInfo()
    bad = error_details_pb2.BadRequest()
    retry = error_details_pb2.RetryInfo()
    for detail in status.details:
        detail.Unpack(info) or detail.Unpack(bad) or detail.Unpack(retry)
    fields = [each.field for each in bad.field_violations]
    return Refusal(
        error.code().name,
        error.details() or "",
        info.reason,
        fields[0] if fields else None,
        retry.HasField("retry_delay"),
    )


class Stage:
    """Starts sidecars on demand, and ends them all."""

    def __init__(self, postgres: EmbeddedPostgres, folder: Path) -> None:
        self._postgres = postgres
        self.folder = folder
        self._numbers = itertools.count(1)
        self._serving: dict[Place, Serving] = {}
        self._templates: set[str] = set()
        self._channels: list[aio.Channel] = []
        self._sidecars: list[Sidecar] = []

    async def close(self) -> None:
        """Ends what was started, all at once: one by one it takes half a minute."""
        await asyncio.gather(*(each.close(None) for each in self._channels))
        await asyncio.gather(*(each.stop() for each in self._sidecars))

    async def shared(self, place: Place) -> Serving:
        """A sidecar that many tests ask and none changes; its role can only read."""
        if place not in self._serving:
            url = as_reader(await self.stored(place))
            # Where two workers share two cores, a turn may take its time; what is
            # turned away then is for other tests to say.
            self._serving[place] = await self.start(
                url, place.role_precedence, limits={"queue_seconds": 30}
            )
        return self._serving[place]

    async def stored(self, place: Place) -> str:
        """A new database with a world in it, copied from one that nobody uses."""
        template = f"template_{place.schema.value}_{place.world}"
        if template not in self._templates:
            self._postgres.create_database(template)
            await self._store(place, self._postgres.url(template))
            self._templates.add(template)
        name = f"stage_{next(self._numbers)}"
        connection = await asyncpg.connect(self._postgres.url())
        await connection.execute(f"create database {name} template {template}")
        await connection.close()
        return self._postgres.url(name)

    async def _store(self, place: Place, url: str) -> None:
        document, _ = load_world(place.world)
        connection = await asyncpg.connect(url)
        try:
            if place.schema.flavour is None:
                await migrate_as_migrator(connection, functions_only=False)
                text = json.dumps(document)
                await import_document(connection, parse_document(text))
            else:
                await create_schema(connection, place.schema.flavour)
                # Ids of the foreign tables are what load_world makes of text.
                await load_foreign(connection, document, place.schema.flavour)
        finally:
            await connection.close()

    async def start(
        self, url: str, role_precedence: str = "union", **changed: object
    ) -> Serving:
        """A sidecar over a database, with one listener for each engine."""
        addresses = {
            engine: f"unix:{self.folder / f'{next(self._numbers)}-{engine}'}"
            for engine in ENGINES
        }
        settings = Settings.model_validate(
            {
                "database": {"url": url},
                "listeners": [
                    {
                        "address": address,
                        "engine": engine,
                        "services": ["api", "health", "reflection"],
                    }
                    for engine, address in addresses.items()
                ],
                "resource_kinds": _kinds(),
                "role_precedence": role_precedence,
                "metrics": {"address": "127.0.0.1:0"},
                "stop": {"linger_seconds": 0, "grace_seconds": 5},
                **changed,
            }
        )
        sidecar = await Sidecar.start(settings)
        self._sidecars.append(sidecar)
        return Serving(sidecar, self._stubs(addresses))

    @staticmethod
    def stub_of(channel: aio.Channel) -> "AuthorizationServiceAsyncStub":
        """The API over a channel."""
        stub = AuthorizationServiceStub(cast("grpc.Channel", channel))
        return cast("AuthorizationServiceAsyncStub", stub)

    def _stubs(
        self, addresses: Mapping[str, str]
    ) -> "dict[str, AuthorizationServiceAsyncStub]":
        stubs = {}
        for engine, address in addresses.items():
            channel = aio.insecure_channel(address)
            self._channels.append(channel)
            stubs[engine] = self.stub_of(channel)
        return stubs


def socket_folder() -> tempfile.TemporaryDirectory[str]:
    """A folder whose path is short enough for sockets."""
    return tempfile.TemporaryDirectory(prefix="authz-")


def as_reader(url: str) -> str:
    """The address of a database, for the role that can serve and nothing else."""
    return urlsplit(url)._replace(netloc=f"{READER}@").geturl()


def _kinds() -> dict[str, dict[str, object]]:
    return {
        name: {
            "visibility": kind.visibility,
            "owner": kind.owner,
            "cluster": kind.cluster,
        }
        for name, kind in load_kinds().items()
    }
