import json
from pathlib import Path

import asyncpg
import pytest
import yaml

from sidecar.core.ids import IdType
from sidecar.store.document import Document, read_document
from sidecar.store.relations import RELATIONS, Column, Form, Value
from tests.store.foreign.load import Flavour, World, create_schema, load_world
from tests.store.foreign.load import translate as translate_id

WORLDS = Path(__file__).parents[1] / "cases" / "worlds"
EVERYTHING: World = yaml.safe_load(
    (Path(__file__).parent / "foreign" / "everything.yaml").read_text("utf-8")
)

GROUPS = {
    "principals": "principal",
    "users": "user",
    "user_identities": "identity",
    "principal_memberships": "member",
    "cluster_access": "grants",
    "api_keys": "api_key",
    "resources": "resource",
    "feature_instances": "instance",
    "roles": "role",
    "access_rules": "role",
    "membership_roles": "membership_roles",
    "feature_access": "access",
    "feature_access_roles": "access_roles",
}

TYPES = {
    Flavour.GPUSTACK_LIKE: {Form.TENANCY_ID: "integer", Form.ROLE_ID: "bigint"},
    Flavour.CAMEL_CASE: {Form.TENANCY_ID: "uuid", Form.ROLE_ID: "text"},
}

MALFORMED: World = {
    "principal_memberships": [
        {"id": 1, "member_principal_id": 7, "parent_principal_id": 8, "role": "admin"},
        {"id": 2, "member_principal_id": 7, "parent_principal_id": 8, "role": "user"},
    ],
    "access_rules": [
        {"id": "r", "role_id": "x", "context": "DATA", "item": "a..b", "read": "m"},
        {"id": "s", "role_id": "x", "context": "DATA", "read": "n", "delete": "a"},
        {"id": "t", "role_id": "x", "context": "DATA", "read": "n"},
    ],
}


@pytest.fixture(params=list(Flavour), ids=[flavour.value for flavour in Flavour])
def flavour(request: pytest.FixtureRequest) -> Flavour:
    """Each of the two foreign schemas."""
    assert isinstance(request.param, Flavour)
    return request.param


@pytest.fixture
async def foreign(
    empty_connection: asyncpg.Connection, flavour: Flavour
) -> asyncpg.Connection:
    """A database of the flavour, without rows."""
    await create_schema(empty_connection, flavour)
    return empty_connection


def _storable_worlds() -> dict[str, World]:
    worlds = {
        file.stem: yaml.safe_load(file.read_text("utf-8"))
        for file in sorted(WORLDS.glob("*.yaml"))
    }
    return {name: world for name, world in worlds.items() if "stores" not in world}


def _expected(flavour: Flavour, document: Document) -> dict[str, list[str]]:
    return {
        relation: sorted(
            repr(
                [
                    _translate(flavour, column, row[column.name])
                    for column in RELATIONS[relation]
                ]
            )
            for row in rows
        )
        for relation, rows in document.relations.items()
    }


def _translate(flavour: Flavour, column: Column, value: Value) -> Value:
    if column.form is Form.TENANCY_ID and isinstance(value, str):
        return translate_id(flavour, "principals", value)
    if column.form is Form.ROLE_ID and isinstance(value, str):
        return translate_id(flavour, "roles", value)
    return value if column.form is not Form.TIME else value and str(value)


async def _stored(
    connection: asyncpg.Connection, document: Document
) -> dict[str, list[str]]:
    await connection.execute("set time zone 'Asia/Tokyo'")
    return {
        relation: sorted(
            [
                repr(
                    [_plain(column, row[column.name]) for column in RELATIONS[relation]]
                )
                for row in await connection.fetch(f"select * from authz.{relation}")  # noqa: S608 names of RELATIONS
            ]
        )
        for relation in document.relations
    }


def _plain(column: Column, value: object) -> object:
    is_text = value is None or isinstance(value, (bool, str))
    return value if is_text and column.form is not Form.TIME else value and str(value)


@pytest.mark.parametrize(
    "world", _storable_worlds().values(), ids=list(_storable_worlds())
)
async def test_a_world_reads_as_it_was_written(
    foreign: asyncpg.Connection, flavour: Flavour, world: World
) -> None:
    """Through the views a world is what it was, but for its translated ids."""
    await load_world(foreign, world, flavour)

    document = read_document(world)
    assert _expected(flavour, document) == await _stored(foreign, document)


async def test_every_value_is_kept(
    foreign: asyncpg.Connection, flavour: Flavour
) -> None:
    """Each relation's columns come through the views with their values and times."""
    await load_world(foreign, EVERYTHING, flavour)
    foreign_times = await foreign.fetch(
        "select id, extract(epoch from deleted_at)::float as deleted"
        " from authz.principals where deleted_at is not null"
    )
    key = await foreign.fetchrow("select * from authz.api_keys")
    rule = await foreign.fetchrow("select * from authz.access_rules")

    assert [row["deleted"] for row in foreign_times] == [1751284800.0]
    assert key is not None
    assert str(key["expires_at"]) == "2030-01-31 12:00:00.500000+00:00"
    assert rule is not None
    levels = [rule[name] for name in ("read", "create", "update", "delete")]
    assert levels == ["a", "g", "m", "n"]


async def test_the_views_have_the_types(
    foreign: asyncpg.Connection, flavour: Flavour
) -> None:
    """Each view has the relation's columns, ids in the type of the base table."""
    rows = await foreign.fetch(
        "select c.relname, a.attname, format_type(a.atttypid, null) as type"
        " from pg_class c join pg_attribute a on a.attrelid = c.oid"
        " where c.relnamespace = 'authz'::regnamespace and c.relkind = 'v'"
    )
    stored = {(row["relname"], row["attname"]): row["type"] for row in rows}

    types = {
        Form.FLAG: "boolean",
        Form.TIME: "timestamp with time zone",
        Form.TEXT: "text",
        **TYPES[flavour],
    }
    expected = {
        (relation, column.name): types[column.form]
        for relation, columns in RELATIONS.items()
        for column in columns
    }
    actual = {
        place: "text" if name == "character varying" else name
        for place, name in stored.items()
    }
    assert expected == actual


async def test_changes_of_the_base_tables_are_told(
    foreign: asyncpg.Connection, empty_database: str, flavour: Flavour
) -> None:
    """A row stored by the platform is told by its group and its translated key."""
    heard: list[tuple[str, str]] = []
    listener = await asyncpg.connect(empty_database)
    await listener.add_listener(
        "authz_changes",
        lambda *notice: heard.extend(
            (change["g"], key)
            for change in [json.loads(str(notice[3]))]
            for key in change["k"]
        ),
    )

    await load_world(foreign, EVERYTHING, flavour)
    await listener.execute("select")
    await listener.close()

    def name(relation: str, id_: str) -> str:
        return translate_id(flavour, relation, id_)

    assert set(heard) == {
        ("principal", name("principals", "1")),
        ("principal", name("principals", "2")),
        ("principal", name("principals", "3")),
        ("user", name("users", "20")),
        (
            "identity",
            "ca660e5cc709e156250dabe5bec95e28e737f6003c886ae3e1df7cca45dd3125",
        ),
        ("member", name("principals", "2")),
        ("grants", name("principals", "1")),
        ("api_key", "key"),
        ("resource", f"cluster/{name('resources', '50')}"),
        ("resource", f"worker/{name('resources', '51')}"),
        ("resource", f"model/{name('resources', '52')}"),
        ("resource", f"zone/{name('resources', '53')}"),
        ("instance", name("feature_instances", "shop")),
        ("role", name("roles", "seller")),
        ("role", name("roles", "member")),
        ("membership_roles", name("principal_memberships", "12")),
        (
            "access",
            f"{name('users', '20')}/{name('feature_instances', 'shop')}",
        ),
        ("access_roles", name("feature_access", "fa")),
    }


async def test_every_base_table_is_watched(foreign: asyncpg.Connection) -> None:
    """Each table behind a view has the four triggers of the relation's group."""
    rows = await foreign.fetch(
        "select v.relname as relation, d.refobjid::regclass::text as base,"
        " array(select distinct split_part(encode(t.tgargs, 'escape'), '\\000', 2)"
        " from pg_trigger t where t.tgrelid = d.refobjid and t.tgenabled = 'A'"
        " and t.tgfoid = 'authz.notify_change()'::regprocedure) as groups,"
        " (select count(*) from pg_trigger t where t.tgrelid = d.refobjid) as triggers"
        " from pg_class v join pg_rewrite r on r.ev_class = v.oid"
        " join pg_depend d on d.objid = r.oid and d.refobjid <> v.oid"
        " and d.refclassid = 'pg_class'::regclass"
        " where v.relnamespace = 'authz'::regnamespace and v.relkind = 'v'"
    )

    assert set(GROUPS) == {row["relation"] for row in rows}
    for row in rows:
        assert [GROUPS[row["relation"]]] == row["groups"]
        assert row["triggers"] == 4


async def test_what_is_malformed_can_be_stored(
    foreign: asyncpg.Connection, flavour: Flavour
) -> None:
    """The base tables take what the reference schema would refuse."""
    await load_world(foreign, MALFORMED, flavour)

    count = await foreign.fetchval(
        "select (select count(*) from authz.principal_memberships)"
        " + (select count(*) from authz.access_rules)"
    )
    assert count == 5


def test_ids_keep_their_order_as_uuids() -> None:
    """Integers become canonical uuids, which sort as the integers did."""
    numbers = [0, 9, 10, 10**12 - 1, 10**12, 2**63 - 1]
    uuids = [translate_id(Flavour.CAMEL_CASE, "users", str(n)) for n in numbers]

    assert uuids == sorted(uuids)
    assert all(IdType.UUID.names(uuid) for uuid in uuids)


@pytest.mark.parametrize("text", ["0020", "x y", "-1", "9223372036854775808"])
def test_what_is_no_id_is_not_translated(text: str) -> None:
    """Text that is no id of the document names nothing in a foreign schema either."""
    assert text == translate_id(Flavour.CAMEL_CASE, "principals", text)
