"""Worlds stored in bare tables of a real PostgreSQL, explored as of one moment."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from sidecar.core.ids import PrincipalId
from sidecar.core.permissions import RolePrecedence
from sidecar.service.asking import Policy
from sidecar.service.exploring import Explorer, Question
from sidecar.service.ways import Tally
from sidecar.service.ways import World as Explored
from sidecar.store.clock import SystemClock
from sidecar.store.database import PoolSettings
from sidecar.store.embedded import EmbeddedPostgres
from sidecar.store.enumeration import Moment, open_moment
from tests.spec.pools import IDS, SECRET, Ids
from tests.spec.tenancy import Caller, Context, Denied, identify, resolve
from tests.spec.test_properties_stored import DEFAULTS, TABLES
from tests.spec.world import Row, World, rows, text
from tests.support.pipeline import resource_kinds

Way = tuple[str, str]
"""The organization requested and the API key used; empty for none."""


Found = tuple[str, str, str, str]
"""A user, the organization requested, the key used, and the reason."""

UNLIMITED = 10**9


@dataclass(frozen=True)
class Tables:
    """A database of tables without constraints, for worlds of one id type."""

    url: str

    @classmethod
    async def create(
        cls, postgres: EmbeddedPostgres, id_type: str, purpose: str
    ) -> "Tables":
        """Empty tables."""
        name = f"{purpose}_{id_type}"
        postgres.create_database(name)
        connection = await asyncpg.connect(postgres.url(name))
        await connection.execute("create schema authz")
        for relation, columns in TABLES.items():
            typed = columns.replace(" ID", f" {id_type}")
            await connection.execute(f"create table authz.{relation} ({typed})")
        await connection.close()
        return cls(postgres.url(name))

    async def store(self, world: World) -> None:
        """Puts a world in the place of the one before."""
        connection = await asyncpg.connect(self.url)
        async with connection.transaction():
            for relation in TABLES:
                found = [
                    {**DEFAULTS.get(relation, {}), **row}
                    for row in world.document.get(relation, [])
                ]
                table = f"authz.{relation}"
                await connection.execute(f"delete from {table}")  # noqa: S608
                await connection.execute(
                    f"insert into {table} select * from"  # noqa: S608
                    f" jsonb_populate_recordset(null::{table}, $1::jsonb)",
                    json.dumps(found),
                )
        await connection.close()

    @asynccontextmanager
    async def explore(self, world: World) -> AsyncIterator[Explored]:
        """What is stored, under the policy of a world."""
        pool = PoolSettings(self.url, smallest=1, largest=1)
        async with open_moment(pool, SystemClock(), lambda _: None) as moment:
            yield explored(moment, world)


def explored(moment: Moment, world: World) -> Explored:
    """A moment under the policy and at the time of a world."""
    policy = Policy(resource_kinds(world.kinds), RolePrecedence(world.role_precedence))
    now = datetime.fromisoformat(world.now).timestamp()
    return Explored(moment.facts, moment.directory, moment.field_types, policy, now)


def callers(world: World) -> Iterator[tuple[Way, Caller]]:
    """Everybody who is somebody, on every way to act: any id, any key."""
    ids = IDS[world.organization_id_type]
    user_ids = {text(row, "id") for row in world.document["users"]}
    for user_id in sorted(filter(None, user_ids)):
        for requested in ("", *ids.all):
            request: Row = {"user_id": user_id, "organization_id": requested}
            caller = identify(world, request)
            if isinstance(caller, Caller) and _is_own_way(caller, requested):
                yield (requested, ""), caller
        yield from _pinned(world, user_id)


def contexts(world: World) -> Iterator[tuple[Way, Context]]:
    """Every context that there is."""
    for way, caller in callers(world):
        context = resolve(world, caller)
        if not isinstance(context, Denied):
            yield way, context


def _is_own_way(caller: Caller, requested: str) -> bool:
    # To name the own principal is the same as to name none, but for a platform admin.
    return requested != caller.own_principal_id or caller.is_platform_admin


def _pinned(world: World, user_id: str) -> Iterator[tuple[Way, Caller]]:
    for lookup_id in sorted({str(row["lookup_id"]) for row in _keys(world, user_id)}):
        caller = identify(world, {"api_key": f"gpk_{lookup_id}_{SECRET}"})
        if isinstance(caller, Caller) and caller.pinned_principal_id is not None:
            yield ("", lookup_id), caller


def _keys(world: World, user_id: str) -> list[Row]:
    return rows(world, "api_keys", user_id=user_id)


def ids_of(world: World) -> Ids:
    """The ids of a world."""
    return IDS[world.organization_id_type]


async def who(
    explored: Explored, question: Question, within: str | None = None
) -> set[Found]:
    """What is found without limits, nothing of it twice."""
    tally = Tally(UNLIMITED, UNLIMITED)
    organization = None if within is None else PrincipalId(within)
    found = [
        (
            each.user.id,
            each.way.organization_id,
            each.way.api_key,
            each.decision.reason.name,
        )
        async for each in Explorer(explored).who_can(question, organization, tally)
    ]

    assert len(found) == len(set(found)) == tally.found
    return set(found)
