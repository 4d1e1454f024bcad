"""The worlds of the decision cases, as far as a platform's own tables can say them.

A world is narrowed to what the shipped SQL can express, in the words of the relations.
The rules are asked about the narrowed world; the same rows are stored in the tables.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

import asyncpg

from sidecar.store.relations import RELATIONS, Column, Form
from tests.spec.world import Document, Row, World
from tests.store.foreign.load import (
    Cell,
    Flavour,
    cell_of,
    insert_row,
    place_row,
    translate,
)
from tests.store.foreign.shipped import Platform
from tests.support.serving import Schema
from tests.support.translate import translated

Json = object

# The shipped views take the role of a membership from a role that has this label.
ADMIN_ROLE: Final = "mandate-admin"

_KINDS_OF_GPUSTACK: Final = frozenset({"cluster", "worker", "model"})
_BASE_OF_GPUSTACK: Final = frozenset(
    {
        "principals",
        "users",
        "principal_memberships",
        "cluster_access",
        "api_keys",
        "resources",
    }
)

_BASE_OF_CAMEL_CASE: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = (
    MappingProxyType(
        {
            "principals": (
                "Mandate",
                {"id": "id", "name": "mandateName", "deleted_at": "deletedAt"},
            ),
            "users": (
                "UserInDB",
                {
                    "id": "id",
                    "name": "username",
                    "is_admin": "isPlatformAdmin",
                    "is_active": "enabled",
                },
            ),
            "principal_memberships": (
                "UserMandate",
                {
                    "id": "id",
                    "member_principal_id": "userId",
                    "parent_principal_id": "mandateId",
                    "enabled": "enabled",
                },
            ),
        }
    )
)
_OWN_OF_CAMEL_CASE: Final = frozenset({"cluster_access", "api_keys", "resources"})

_PRINCIPALS: Final = frozenset(
    {
        "pinned_principal_id",
        "organization_id",
        "owner_principal_id",
        "current_principal_id",
        "write_principal_id",
        "principal_id",
        "value",
    }
)


def narrow(platform: Platform, world: World) -> World:
    """The world without what the platform cannot express."""
    if platform is Platform.GPUSTACK:
        return replace(world, document=_narrow_to_gpustack(world.document))
    return replace(world, document=_narrow_to_camel_case(world.document))


def renamed(platform: Platform, world: World, value: Json) -> Json:
    """A request or answer of a case, its principals called as in the narrowed world."""
    if platform is Platform.GPUSTACK:
        return value
    return _rename(_own_principals(world.document), value)


def in_ids_of(platform: Platform, value: Json) -> Json:
    """A request or answer of the narrowed world in the ids of the platform."""
    is_gpustack = platform is Platform.GPUSTACK
    return translated(value, Schema.REFERENCE if is_gpustack else Schema.CAMEL_CASE)


async def store(
    connection: asyncpg.Connection, platform: Platform, document: Document
) -> None:
    """Stores a narrowed world in the platform's tables."""
    async with connection.transaction():
        for relation in RELATIONS:
            for row in document.get(relation, []):
                if platform is Platform.GPUSTACK:
                    await _store_in_gpustack(connection, document, relation, row)
                else:
                    await _store_in_camel_case(connection, relation, row)


def _narrow_to_gpustack(document: Document) -> Document:
    resources = [
        {**row, "cluster_id": None} if row["kind"] == "cluster" else row
        for row in document.get("resources", [])
        if row["kind"] in _KINDS_OF_GPUSTACK
    ]
    return {
        relation: rows
        for relation, rows in document.items()
        if relation != "user_identities"
    } | {"resources": resources}


def _narrow_to_camel_case(document: Document) -> Document:
    own = _own_principals(document)
    organizations = [
        row for row in document.get("principals", []) if row["kind"] == "org"
    ]
    names = {row["id"]: row.get("name") for row in document.get("principals", [])}
    users = [
        {
            **row,
            "principal_id": row["id"],
            "name": names[row["principal_id"]],
            "is_system": False,
        }
        for row in document.get("users", [])
    ]
    clash = {row["id"] for row in organizations} & {row["id"] for row in users}
    if clash:
        raise ValueError(f"users and organizations share `{clash}`")
    memberships = _narrow_memberships(document, {row["id"] for row in organizations})
    kept = {row["id"] for row in memberships}
    narrowed = {
        relation: [_rename_row(own, row) for row in rows]
        for relation, rows in document.items()
        if relation != "user_identities"
    }
    return narrowed | {
        "principals": [
            *organizations,
            *({"id": row["id"], "kind": "user", "name": row["name"]} for row in users),
        ],
        "users": users,
        "principal_memberships": [
            {**row, "member_principal_id": own[str(row["member_principal_id"])]}
            for row in memberships
        ],
        "roles": [*document.get("roles", []), {"id": ADMIN_ROLE, "label": "Admin"}],
        "membership_roles": [
            *(
                row
                for row in document.get("membership_roles", [])
                if row["membership_id"] in kept
            ),
            *(
                {"membership_id": row["id"], "role_id": ADMIN_ROLE}
                for row in memberships
                if row["role"] == "admin"
            ),
        ],
    }


def _narrow_memberships(document: Document, organizations: set[object]) -> list[Row]:
    return [
        {**row, "role": "admin" if row.get("role") == "admin" else "user"}
        for row in document.get("principal_memberships", [])
        if row["parent_principal_id"] in organizations and not row.get("deleted_at")
    ]


def _own_principals(document: Document) -> dict[str, str]:
    return {
        str(row["principal_id"]): str(row["id"]) for row in document.get("users", [])
    }


def _rename_row(own: Mapping[str, str], row: Row) -> Row:
    return {
        column: own.get(value, value)
        if column in {"principal_id", "owner_principal_id"} and isinstance(value, str)
        else value
        for column, value in row.items()
    }


def _rename(own: Mapping[str, str], value: Json, name: str = "") -> Json:
    if isinstance(value, dict):
        return {key: _rename(own, each, key) for key, each in value.items()}
    if isinstance(value, list):
        return [_rename(own, each, name) for each in value]
    if isinstance(value, str) and name in _PRINCIPALS:
        return own.get(value, value)
    return value


async def _store_in_gpustack(
    connection: asyncpg.Connection, document: Document, relation: str, row: Row
) -> None:
    if relation in _BASE_OF_GPUSTACK:
        table, cells = place_row(Flavour.GPUSTACK_LIKE, document, relation, row)
        await insert_row(connection, f'public."{table.name}"', cells)
    else:
        columns = RELATIONS[relation]
        own = {column.name: _plain(row, column) for column in columns}
        await insert_row(connection, f"authz.{relation}", own)


async def _store_in_camel_case(
    connection: asyncpg.Connection, relation: str, row: Row
) -> None:
    if relation in _OWN_OF_CAMEL_CASE:
        own = {
            column.name: _uuid(_plain(row, column), column)
            for column in RELATIONS[relation]
        }
        await insert_row(connection, f"authz.{relation}", own)
        return
    if relation == "principals" and row["kind"] != "org":
        return
    if relation in _BASE_OF_CAMEL_CASE:
        name, names = _BASE_OF_CAMEL_CASE[relation]
    else:
        table, _ = place_row(Flavour.CAMEL_CASE, {}, relation, row)
        name, names = table.name, table.columns
    cells = {
        names[column.name]: cell_of(
            Flavour.CAMEL_CASE, relation, column, row.get(column.name, column.default)
        )
        for column in RELATIONS[relation]
        if column.name in names
    }
    await insert_row(connection, f'public."{name}"', cells)


def _plain(row: Row, column: Column) -> Cell:
    value = row.get(column.name, column.default)
    return value if value is None or isinstance(value, bool) else str(value)


def _uuid(value: Cell, column: Column) -> Cell:
    if column.form is Form.TENANCY_ID and isinstance(value, str):
        return translate(Flavour.CAMEL_CASE, "principals", value)
    return value
