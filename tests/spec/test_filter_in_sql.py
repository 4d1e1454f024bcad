import re
from collections.abc import AsyncIterator
from itertools import count, product
from uuid import UUID

import asyncpg
import pytest
from authz.v1 import authorization_service_pb2 as api
from authz.v1 import filter_pb2
from hypothesis import given
from hypothesis import strategies as st

from sidecar.command.bare_json import from_bare
from sidecar.core.filters import Field
from sidecar.core.ids import IdType
from sidecar.ports import FieldTypes
from sidecar.store.embedded import EmbeddedPostgres
from sidecar.transport.grpc_api import AuthorizationServicer
from sidecar.transport.status import RefusedError
from tests.spec.asking import CALL, decisions_of
from tests.spec.pools import IDS, KINDS, Ids
from tests.spec.questions import called_worlds
from tests.spec.world import Kind, Row, World, part, parts
from tests.spec.worlds import thorough
from tests.support.memory import MemoryFacts
from tests.support.pipeline import ask, servicer_of

COLUMNS = {
    "ID": 'filtered.{}."Id"',
    "OWNER_PRINCIPAL_ID": "owner",
    "CLUSTER_ID": '{}."select"',
    "CREATED_BY": "created_by",
    "ORGANIZATION_ID": '"Org"',
}
STYLES = ("DOLLAR", "FORMAT", "QUESTION", "NAMED")
HOSTILE_COLUMNS = (
    "", " ", ".", "a.", ".a", "a..b", "a.b.c.d", "a b", "1a", "a-b", "a" * 64, "\u00e4",
    "a\n", "a\0", "a;b", 'a"b', "a'b", "a)", "a/*b*/", "a--", "$1", "a[1]", "\u0430",
    'a" = "a" or true; drop table x; --',
)  # fmt: skip

ApplicationRow = tuple[str, str | None, str | None, str, str]


@pytest.fixture(scope="session")
async def application(
    postgres: EmbeddedPostgres,
) -> AsyncIterator[asyncpg.Connection]:
    """A database with an application's rows, in a table for each type of ids."""
    postgres.create_database("filters")
    connection = await asyncpg.connect(postgres.url("filters"))
    await connection.execute("create schema filtered")
    for id_type, ids in IDS.items():
        await connection.execute(
            f"create table filtered.{id_type}_rows (number int primary key,"
            f' "Id" {id_type}, owner {id_type}, "select" {id_type},'
            f' created_by {id_type}, "Org" {id_type})'
        )
        rows = _application_rows(ids)
        await connection.copy_records_to_table(
            f"{id_type}_rows",
            schema_name="filtered",
            records=[
                (number, *(_native(id_type, each) for each in row))
                for number, row in enumerate(rows)
            ],
        )
    yield connection
    await connection.close()


@given(called=called_worlds(), kind=st.sampled_from(list(KINDS)), data=st.data())
@thorough(120)
async def test_sql_selects_exactly_what_the_checks_allow(
    application: asyncpg.Connection,
    called: tuple[World, Row],
    kind: str,
    data: st.DataObject,
) -> None:
    """In PostgreSQL, a filter in any style selects the rows that may be listed."""
    world, caller = called
    question: Row = {"caller": caller, "kind": kind}
    item = data.draw(st.sampled_from([None, "a.b", "a", "b"]))
    if item is not None:
        question["permission"] = {"context": "DATA", "item": item}
    expected = await _expected(world, question)

    for style in STYLES:
        response = await _list_filter(world, question, style)
        selected = await _select(application, world.organization_id_type, response)

        assert expected == selected


@pytest.mark.parametrize("column", HOSTILE_COLUMNS)
async def test_hostile_columns_are_refused(column: str) -> None:
    """What is not one to three plain names is no column, and the field is named."""
    world = World({}, KINDS)
    columns = [
        {"field": "ID", "column": "id"},
        {"field": "CLUSTER_ID", "column": column},
    ]
    request: Row = {
        "caller": {"user_id": "1"},
        "kind": "model",
        "sql": {"columns": columns, "placeholder_style": "DOLLAR"},
    }

    with pytest.raises(RefusedError) as refused:
        await _servicer(world).GetListFilter(
            from_bare(request, api.GetListFilterRequest), CALL
        )

    assert refused.value.field == "sql.columns[1].column"


@pytest.mark.parametrize("left_out", ["OWNER_PRINCIPAL_ID", "CLUSTER_ID", "CREATED_BY"])
async def test_a_needed_field_without_a_column_is_refused(left_out: str) -> None:
    """No condition is left out because its column is not known."""
    request: Row = {
        "caller": {"user_id": "1", "organization_id": "20"},
        "kind": "worker",
        "permission": {"context": "DATA"},
        "sql": {
            "placeholder_style": "DOLLAR",
            "columns": [
                {"field": field, "column": field.lower()}
                for field in COLUMNS
                if field != left_out
            ],
        },
    }

    with pytest.raises(RefusedError) as refused:
        await _servicer(_granted_world()).GetListFilter(
            from_bare(request, api.GetListFilterRequest), CALL
        )

    assert refused.value.field == "sql.columns"
    assert left_out in refused.value.message


def _granted_world() -> World:
    """A member of 20 who reads own rows, with a cluster."""
    return World(
        {
            "principals": [{"id": "10", "kind": "user"}, {"id": "20", "kind": "org"}],
            "users": [{"id": "1", "principal_id": "10"}],
            "principal_memberships": [
                {"id": "1", "member_principal_id": "10", "parent_principal_id": "20"}
            ],
            "cluster_access": [{"cluster_id": "5", "principal_id": "20"}],
            "roles": [{"id": "r"}],
            "access_rules": [
                {
                    "id": "x",
                    "role_id": "r",
                    "context": "DATA",
                    "view": True,
                    "read": "m",
                }
            ],
            "membership_roles": [{"membership_id": "1", "role_id": "r"}],
        },
        KINDS,
    )


def _application_rows(ids: Ids) -> list[ApplicationRow]:
    owners = (None, *ids.own[:2], *ids.organizations[:2], ids.nobody)
    clusters = (None, *ids.clusters[:2])
    return list(
        product(ids.clusters, owners, clusters, ids.own[:2], ids.organizations[:2])
    )


def _native(id_type: str, value: str | None) -> int | str | UUID | None:
    """An id as asyncpg takes it."""
    if value is None:
        return None
    if id_type == "uuid":
        return UUID(value)
    return value if id_type == "text" else int(value)


def _servicer(world: World) -> AuthorizationServicer:
    """The sidecar over a world whose applications have ids of the same type."""
    id_type = IdType(world.organization_id_type)
    facts = MemoryFacts(world.document, id_type)
    facts.field_types = FieldTypes(id_type, dict.fromkeys(Field, id_type))
    return servicer_of(facts, world.kinds, world.role_precedence)


async def _expected(world: World, question: Row) -> list[int] | None:
    """The numbers of the rows that may be listed; none when nobody may ask."""
    caller, servicer = part(question, "caller"), _servicer(world)
    resolved = await ask(servicer, "ResolveContext", {"caller": caller})
    if "status" in resolved:
        return None
    context = part(resolved, "context")
    name = str(question["kind"])
    rows = _application_rows(IDS[world.organization_id_type])
    told = [_told(name, KINDS[name], row) for row in rows]
    seen = await ask(servicer, "CheckVisible", {"caller": caller, "resources": told})
    level = "ALL"
    if "permission" in question:
        asked: Row = {"caller": caller, "queries": [question["permission"]]}
        permitted = await ask(servicer, "GetPermissions", asked)
        level = str(parts(permitted, "permissions")[0]["read"])
    return [
        number
        for number, (row, decision) in enumerate(
            zip(rows, decisions_of(seen), strict=True)
        )
        if decision["allowed"]
        # The exception: a global row is visible by its id, and is not listed.
        and (decision["reason"] != "GLOBAL_VISIBLE" or not KINDS[name].owner)
        and _reaches(level, context, row)
    ]


def _reaches(level: str, context: Row, row: ApplicationRow) -> bool:
    *_, created_by, organization = row
    match level:
        case "MY":
            return created_by == context["user_id"]
        case "GROUP":
            return organization == context.get("current_principal_id")
        case _:
            return level == "ALL"


def _told(name: str, kind: Kind, row: ApplicationRow) -> Row:
    key, owner, cluster, *_ = row
    attributes: Row = {"global": True}
    if kind.owner and owner is not None:
        attributes = {"owner_principal_id": owner}
    if kind.cluster and cluster is not None:
        attributes["cluster_id"] = cluster
    return {"kind": name, "id": key, "attributes": attributes}


async def _list_filter(
    world: World, question: Row, style: str
) -> filter_pb2.SqlFilter | None:
    columns = [
        {"field": field, "column": _column(field, world.organization_id_type)}
        for field in COLUMNS
    ]
    sql = {"columns": columns, "placeholder_style": style, "first_parameter": 2}
    message = from_bare({**question, "sql": sql}, api.GetListFilterRequest)
    try:
        return (await _servicer(world).GetListFilter(message, CALL)).sql
    except RefusedError:
        return None


def _column(field: str, id_type: str) -> str:
    return COLUMNS[field].format(f"{id_type}_rows").replace('"', "")


async def _select(
    application: asyncpg.Connection, id_type: str, sql: filter_pb2.SqlFilter | None
) -> list[int] | None:
    """The numbers of the rows that a filter selects, ANDed to another condition."""
    if sql is None:
        return None
    text = _as_postgres_writes(sql.text)
    values = [_value(each) for each in sql.parameters]
    rows = await application.fetch(
        f"select number from filtered.{id_type}_rows"  # noqa: S608  a test's own name
        f" where number >= $1 and {text} order by number",
        0,
        *values,
    )
    return [row["number"] for row in rows]


def _as_postgres_writes(text: str) -> str:
    """SQL with numbered parameters: those that are not are counted from 2."""
    numbers = count(2)
    counted = re.sub(r"%s|\?", lambda _: f"${next(numbers)}", text)
    return re.sub(r":p(\d+)", r"$\1", counted)


def _value(parameter: filter_pb2.SqlParameter) -> object:
    """What asyncpg is given for a parameter."""
    name = parameter.WhichOneof("value") or ""
    value = getattr(parameter, name)
    return list(value.values) if name.endswith("_array") else value
