import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
import pytest
from hypothesis import given, note

from sidecar.core.filters import Field
from sidecar.core.ids import IdType
from sidecar.ports import Facts, FieldTypes, Freshness, Moment
from sidecar.store.catalogue import read_catalogue
from sidecar.store.clock import SystemClock
from sidecar.store.database import Database, PoolSettings
from sidecar.store.embedded import EmbeddedPostgres
from sidecar.store.lookups import write_lookups
from sidecar.store.postgres import PostgresFacts, Reader
from tests.spec.interviews import PARTS, queries, stored_rows
from tests.spec.pools import IDS
from tests.spec.questions import Question, met_worlds
from tests.spec.reference import answer
from tests.spec.shrinking import smallest
from tests.spec.world import Row, World
from tests.spec.worlds import thorough
from tests.support.pipeline import ask, servicer_of

# Tables without a constraint: whatever a view may let through.
TABLES = {
    "principals": "id ID, kind text, name text, parent_principal_id ID,"
    " deleted_at timestamptz",
    "users": "id ID, principal_id ID, name text, is_admin bool, is_system bool,"
    " is_active bool",
    "user_identities": "issuer text, subject text, user_id ID",
    "principal_memberships": "id ID, member_principal_id ID, parent_principal_id ID,"
    " role text, enabled bool, deleted_at timestamptz",
    "cluster_access": "cluster_id ID, principal_id ID",
    "api_keys": "id ID, user_id ID, lookup_id text, secret_hash text,"
    " owner_principal_id ID, expires_at timestamptz, revoked_at timestamptz",
    "resources": "kind text, id ID, owner_principal_id ID, cluster_id ID,"
    " deleted_at timestamptz",
    "feature_instances": "id ID, organization_id ID, enabled bool",
    "roles": "id ID, label text, organization_id ID, feature_instance_id ID",
    "access_rules": 'id text, role_id ID, context text, item text, "view" bool,'
    ' "read" text, "create" text, "update" text, "delete" text',
    "membership_roles": "membership_id ID, role_id ID",
    "feature_access": "id ID, user_id ID, feature_instance_id ID, enabled bool",
    "feature_access_roles": "feature_access_id ID, role_id ID",
}
DEFAULTS: dict[str, Row] = {
    "users": {"is_admin": False, "is_system": False, "is_active": True},
    "principal_memberships": {"enabled": True},
    "feature_instances": {"enabled": True},
    "feature_access": {"enabled": True},
    "access_rules": {"view": False},
}


@dataclass
class Bare:
    """A database of bare tables, for worlds of one id type after another."""

    connection: asyncpg.Connection
    facts: PostgresFacts
    field_types: FieldTypes

    def at_hand(self, consistency: Freshness) -> Moment | None:
        """None: facts are opened for each question."""
        del consistency
        return None

    @asynccontextmanager
    async def open(
        self, consistency: Freshness, deadline: float
    ) -> AsyncIterator[Facts]:
        """Facts as they are stored now."""
        del consistency, deadline
        yield self.facts

    async def store(self, world: World) -> None:
        """Puts a world in the place of the one before."""
        async with self.connection.transaction():
            for relation in TABLES:
                rows = [
                    {**DEFAULTS.get(relation, {}), **row}
                    for row in world.document.get(relation, [])
                ]
                table = f"authz.{relation}"
                await self.connection.execute(f"delete from {table}")  # noqa: S608
                await self.connection.execute(
                    f"insert into {table} select * from"  # noqa: S608
                    f" jsonb_populate_recordset(null::{table}, $1::jsonb)",
                    json.dumps(rows),
                )


@pytest.fixture(scope="session")
async def bare_tables(postgres: EmbeddedPostgres) -> AsyncIterator[dict[str, Bare]]:
    """Bare tables for each id type."""
    found = {}
    for id_type in IDS:
        name = f"bare_{id_type}"
        postgres.create_database(name)
        connection = await asyncpg.connect(postgres.url(name))
        await connection.execute("create schema authz")
        for relation, columns in TABLES.items():
            typed = columns.replace(" ID", f" {id_type}")
            await connection.execute(f"create table authz.{relation} ({typed})")
        lookups = write_lookups(await read_catalogue(connection))
        database = await Database.connect(PoolSettings(postgres.url(name), smallest=1))
        reader = Reader(database, lookups, lambda _: None, SystemClock())
        kind = IdType(id_type)
        types = FieldTypes(kind, dict.fromkeys(Field, kind))
        found[id_type] = Bare(connection, PostgresFacts(reader), types)
    yield found
    for each in found.values():
        await each.connection.close()
        await each.facts._reader.database.close()


@given(met=met_worlds(PARTS))
@thorough(60)
async def test_stored_worlds_are_judged_as_the_reference(
    bare_tables: dict[str, Bare], met: tuple[World, list[Row]]
) -> None:
    """Whatever tables let through, the answers are those of the specification."""
    world, callers = met
    bare = bare_tables[world.organization_id_type]
    await bare.store(world)

    for caller in callers:
        for call, request in _questions(world, caller):
            await _assert_agreed(bare, world, call, request)


def _questions(world: World, caller: Row) -> list[Question]:
    ids = IDS[world.organization_id_type]
    organizations: list[Question] = [
        ("ResolveContext", {"caller": {**caller, "organization_id": each}})
        for each in ids.organizations
    ]
    rows: Row = {"caller": caller, "resources": list(stored_rows(ids))}
    asked: Row = {"caller": caller, "queries": list(queries(ids, caller))}
    return [
        *organizations,
        ("ListContexts", {"caller": caller}),
        ("CheckVisible", rows),
        ("GetPermissions", asked),
    ]


async def _assert_agreed(bare: Bare, world: World, call: str, request: Row) -> None:
    async def differ(world: World, request: Row) -> bool:
        await bare.store(world)
        return answer(world, call, request) != await _ask(bare, world, call, request)

    if answer(world, call, request) != await _ask(bare, world, call, request):
        world, request = await smallest(world, request, differ)
        told = {name: rows for name, rows in world.document.items() if rows}
        note(f"{call} {request}\nin {world.role_precedence} {told}")
        await bare.store(world)

    assert answer(world, call, request) == await _ask(bare, world, call, request)


async def _ask(bare: Bare, world: World, call: str, request: Row) -> Row:
    servicer = servicer_of(bare, world.kinds, world.role_precedence)
    return await ask(servicer, call, request)
