"""One world, stored in the reference schema or in a foreign one, and read back."""

from dataclasses import dataclass, field

import asyncpg

from sidecar.store.anomalies import Anomaly
from sidecar.store.catalogue import read_catalogue
from sidecar.store.clock import SystemClock
from sidecar.store.database import Database, PoolSettings
from sidecar.store.document import read_document
from sidecar.store.importer import import_document
from sidecar.store.lookups import write_lookups
from sidecar.store.postgres import PostgresFacts, Reader
from tests.store.foreign.load import Flavour, World, create_schema, load_world
from tests.store.foreign.load import translate as translate_id

SECRET = f"sha256:{'0' * 64}"
WORLD: World = {
    "principals": [
        {"id": 1, "kind": "org", "name": "Acme"},
        {"id": 2, "kind": "org", "deleted_at": "2025-06-30T14:00:00Z"},
        {"id": 3, "kind": "user", "name": "Ann"},
        {"id": 4, "kind": "user", "name": "Bob"},
        {"id": 5, "kind": "group", "parent_principal_id": 1},
        {"id": 6, "kind": "group", "parent_principal_id": 2},
        {
            "id": 7,
            "kind": "group",
            "parent_principal_id": 1,
            "deleted_at": "2025-06-30T14:00:00Z",
        },
        {"id": 8, "kind": "group", "parent_principal_id": 1},
    ],
    "users": [
        {"id": 30, "principal_id": 3, "is_admin": True},
        {"id": 40, "principal_id": 4, "is_system": True, "is_active": False},
    ],
    "user_identities": [{"issuer": "i", "subject": "s", "user_id": 30}],
    "principal_memberships": [
        {"id": 31, "member_principal_id": 3, "parent_principal_id": 1, "role": "admin"},
        {"id": 32, "member_principal_id": 3, "parent_principal_id": 2},
        {"id": 35, "member_principal_id": 3, "parent_principal_id": 5},
        {"id": 36, "member_principal_id": 3, "parent_principal_id": 6},
        {"id": 37, "member_principal_id": 3, "parent_principal_id": 7},
        {
            "id": 38,
            "member_principal_id": 3,
            "parent_principal_id": 8,
            "enabled": False,
        },
        {
            "id": 41,
            "member_principal_id": 4,
            "parent_principal_id": 1,
            "role": "user",
            "deleted_at": "2025-06-30T14:00:00Z",
        },
    ],
    "cluster_access": [
        {"cluster_id": 51, "principal_id": 1},
        {"cluster_id": 53, "principal_id": 3},
        {"cluster_id": 55, "principal_id": 5},
        {"cluster_id": 56, "principal_id": 6},
        {"cluster_id": 57, "principal_id": 7},
        {"cluster_id": 58, "principal_id": 8},
    ],
    "api_keys": [
        {
            "id": 60,
            "user_id": 30,
            "lookup_id": "key",
            "secret_hash": SECRET,
            "owner_principal_id": 1,
            "expires_at": "2030-01-31T12:00:00.5Z",
        },
        {
            "id": 61,
            "user_id": 30,
            "lookup_id": "old",
            "secret_hash": SECRET,
            "revoked_at": "2025-06-30T14:00:00Z",
        },
    ],
    "resources": [
        {"kind": "cluster", "id": 51, "owner_principal_id": 1},
        {"kind": "worker", "id": 51, "cluster_id": 51},
        {
            "kind": "model",
            "id": 70,
            "owner_principal_id": 1,
            "deleted_at": "2025-06-30T14:00:00Z",
        },
        {"kind": "zone", "id": 71},
    ],
    "feature_instances": [
        {"id": "shop", "organization_id": 1},
        {"id": "off", "organization_id": 2, "enabled": False},
    ],
    "roles": [
        {"id": "seller", "label": "Seller", "feature_instance_id": "shop"},
        {"id": "member", "label": "Member", "organization_id": 1},
        {"id": "guest"},
    ],
    "access_rules": [
        {
            "id": "rule",
            "role_id": "seller",
            "context": "DATA",
            "item": "a.b",
            "view": True,
            "read": "a",
            "create": "g",
            "update": "m",
            "delete": "n",
        },
        {"id": "ui", "role_id": "seller", "context": "UI", "view": True},
    ],
    "membership_roles": [
        {"membership_id": 31, "role_id": "member"},
        {"membership_id": 31, "role_id": "guest"},
        {"membership_id": 41, "role_id": "guest"},
    ],
    "feature_access": [
        {"id": "access", "user_id": 30, "feature_instance_id": "shop"},
        {
            "id": "closed",
            "user_id": 40,
            "feature_instance_id": "shop",
            "enabled": False,
        },
    ],
    "feature_access_roles": [{"feature_access_id": "access", "role_id": "seller"}],
}


@dataclass
class Place:
    """A database, what ids are called there, and what was odd in it."""

    flavour: Flavour | None
    connection: asyncpg.Connection
    facts: PostgresFacts
    anomalies: list[Anomaly] = field(default_factory=list)

    def id(self, number: int) -> str:
        """What a number of the tenancy is called."""
        return self._id("principals", str(number))

    def role(self, name: str) -> str:
        """What a name of the roles' side is called."""
        return self._id("roles", name)

    def _id(self, relation: str, name: str) -> str:
        if self.flavour is None:
            return name
        return translate_id(self.flavour, relation, name)


async def make_place(address: str, flavour: Flavour | None, world: World) -> Place:
    """Stores a world in an empty database, or one of the reference schema."""
    connection = await asyncpg.connect(address)
    if flavour is None:
        await import_document(connection, read_document(world))
    else:
        await create_schema(connection, flavour)
        await load_world(connection, world, flavour)
    lookups = write_lookups(await read_catalogue(connection))
    database = await Database.connect(PoolSettings(address, smallest=1))
    anomalies: list[Anomaly] = []
    reader = Reader(database, lookups, anomalies.append, SystemClock())
    return Place(flavour, connection, PostgresFacts(reader), anomalies)


async def close_place(place: Place) -> None:
    """Closes its connections."""
    await place.connection.close()
    await place.facts._reader.database.close()
