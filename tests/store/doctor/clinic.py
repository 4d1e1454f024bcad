"""Databases to be examined: healthy ones, each served by a role that may only read."""

import itertools
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import yaml

from sidecar.store.clock import SystemClock
from sidecar.store.doctor.examine import examine
from sidecar.store.doctor.findings import Finding, Report
from sidecar.store.doctor.look import Patient
from sidecar.store.document import read_document
from sidecar.store.importer import import_document
from sidecar.store.migrate import migrate
from tests.store.databases import PostgresServer
from tests.store.foreign.load import Flavour, World, create_schema, load_world
from tests.store.foreign.shipped import Platform, apply_shipped

SCHEMAS: Final = (
    "reference",
    "gpustack_like",
    "camel_case",
    "shipped_gpustack",
    "shipped_camel_case",
)
KINDS: Final = frozenset({"cluster", "worker", "model"})

_NUMBERS: Final = itertools.count(1)


def read_world() -> World:
    """The world of the healthy databases."""
    text = Path(__file__).with_name("world.yaml").read_text("utf-8")
    world: World = yaml.safe_load(text)
    return world


@dataclass(frozen=True)
class Bed:
    """A database, who owns it, and the role that serves from it."""

    owner: asyncpg.Connection
    owner_url: str
    role: str
    patient: Patient

    async def run(self, *statements: str) -> None:
        """Runs statements as the owner, one by one, as they are."""
        for statement in statements:
            await self.owner.execute(statement)

    async def examine(self, **changed: object) -> Report:
        """What is found; `changed` of the patient."""
        # The patient's own check of types stands behind this.
        patient = replace(self.patient, **changed)  # type: ignore[arg-type]
        return await examine(patient, SystemClock())

    async def mend(self, finding: Finding) -> None:
        """Does what a finding says, as it says it."""
        await self.run(*finding.mend.sql)
        if finding.mend.command:
            functions_only = "--functions-only" in finding.mend.command
            await migrate(self.owner, functions_only=functions_only)
            # As default privileges do, where the shipped roles are in place.
            await self.run(*reading(self.role))


class Clinic:
    """Makes healthy databases on a server."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._templates: set[str] = set()

    @asynccontextmanager
    async def bed(self, schema: str) -> AsyncIterator[Bed]:
        """A new database of a schema, with a world in it; dropped afterwards."""
        template = await self._template(schema)
        name = f"patient_{next(_NUMBERS)}"
        admin = await asyncpg.connect(self._server.get_uri())
        await admin.execute(f"create database {name} template {template}")
        await admin.execute(f"create role {name} login")
        url = self._server.get_uri(name)
        owner = await asyncpg.connect(url)
        for statement in reading(name):
            await owner.execute(statement)
        served = as_role(url, name)
        patient = Patient(served, served, kinds=KINDS, clusters=frozenset({"cluster"}))
        try:
            yield Bed(owner, url, name, patient)
        finally:
            await owner.close()
            await admin.execute(f"drop database {name} with (force)")
            await admin.execute(f"drop role {name}")
            await admin.close()

    async def _template(self, schema: str) -> str:
        name = f"healthy_{schema}"
        if name not in self._templates:
            admin = await asyncpg.connect(self._server.get_uri())
            await admin.execute(f"create database {name}")
            await admin.close()
            connection = await asyncpg.connect(self._server.get_uri(name))
            await _furnish(connection, schema)
            await connection.close()
            self._templates.add(name)
        return name


def reading(role: str) -> tuple[str, str]:
    """Statements that let a role read, and nothing else."""
    return (
        f"grant usage on schema authz to {role}",
        f"grant select on all tables in schema authz to {role}",
    )


def as_role(url: str, role: str) -> str:
    """An address with another role in it."""
    parts = urlsplit(url)
    _, at, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{role}{at or '@'}{host}"))


async def _furnish(connection: asyncpg.Connection, schema: str) -> None:
    platforms: Mapping[str, Platform] = {
        "shipped_gpustack": Platform.GPUSTACK,
        "shipped_camel_case": Platform.CAMEL_CASE,
    }
    if schema == "reference":
        await migrate(connection)
        await import_document(connection, read_document(read_world()))
    elif schema in platforms:
        await apply_shipped(connection, platforms[schema])
    else:
        await create_schema(connection, Flavour(schema))
        await load_world(connection, read_world(), Flavour(schema))
