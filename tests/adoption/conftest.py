"""Sidecars over the platforms' tables and the shipped SQL, served by the reader."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import asyncpg
import pytest

from sidecar.store.embedded import EmbeddedPostgres
from tests.adoption.worlds import narrow, store
from tests.spec.cases import Case
from tests.spec.world import World
from tests.store.foreign.shipped import Platform, apply_shipped
from tests.support.serving import Serving, Stage, as_reader

_NUMBERS = itertools.count(1)


@dataclass
class Adopted:
    """Makes databases of platforms, and sidecars over them."""

    postgres: EmbeddedPostgres
    stage: Stage
    _serving: dict[tuple[Platform, str, str], Serving] = field(default_factory=dict)
    _templates: dict[tuple[Platform, object], str] = field(default_factory=dict)

    async def empty(
        self, platform: Platform, id_type: tuple[str, str] = ("", "")
    ) -> str:
        """A new database of the platform without rows: its address."""
        template = self._templates.get((platform, id_type))
        if template is not None:
            return await self._new(f"template {template}")
        url = await self._new()
        await self._fill(url, platform, id_type)
        return await self._keep((platform, id_type), url)

    async def stored(self, platform: Platform, name: str, world: World) -> str:
        """A new database with a world of that name, narrowed: its address."""
        template = self._templates.get((platform, name))
        if template is not None:
            return await self._new(f"template {template}")
        url = await self.empty(platform)
        connection = await asyncpg.connect(url)
        await store(connection, platform, narrow(platform, world).document)
        await connection.close()
        return await self._keep((platform, name), url)

    async def shared(self, platform: Platform, case: Case) -> Serving:
        """A sidecar over the case's world, which no test changes."""
        place = (platform, case.world_name, case.world.role_precedence)
        if place not in self._serving:
            url = await self.stored(platform, case.world_name, case.world)
            precedence = case.world.role_precedence
            self._serving[place] = await self.stage.start(as_reader(url), precedence)
        return self._serving[place]

    @asynccontextmanager
    async def serving(self, url: str) -> AsyncIterator[Serving]:
        """A sidecar over a database, as the reader, for one test."""
        serving = await self.stage.start(as_reader(url))
        try:
            yield serving
        finally:
            await serving.sidecar.stop()

    async def _keep(self, key: tuple[Platform, object], url: str) -> str:
        # Nobody is to use a template, so whoever made it gets a copy too.
        name = url.partition("?")[0].rpartition("/")[2]
        self._templates[key] = name
        return await self._new(f"template {name}")

    async def _new(self, template: str = "") -> str:
        name = f"adopted_{next(_NUMBERS)}"
        connection = await asyncpg.connect(self.postgres.url())
        await connection.execute(f"create database {name} {template}")
        await connection.close()
        return self.postgres.url(name)

    @staticmethod
    async def _fill(url: str, platform: Platform, id_type: tuple[str, str]) -> None:
        connection = await asyncpg.connect(url)
        await apply_shipped(connection, platform, id_type)
        await connection.close()


@pytest.fixture(scope="session")
async def adopted(postgres: EmbeddedPostgres, stage: Stage) -> Adopted:
    """Platforms that adopted the sidecar."""
    return Adopted(postgres, stage)
