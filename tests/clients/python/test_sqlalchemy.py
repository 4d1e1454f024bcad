"""List filters as SQLAlchemy conditions, beside the sidecar's SQL and its checks."""

from collections.abc import AsyncIterator
from typing import Final
from uuid import UUID

import asyncpg
import pytest
from authz.client import (
    AllOf,
    AnyOf,
    AsyncClient,
    Caller,
    Equals,
    Everything,
    Field,
    In,
    ListFilter,
    Nothing,
    PermissionQuery,
    Placeholders,
    Resource,
    RuleContext,
    SqlOptions,
    UnmappedError,
)
from authz.client.questions import Attributes, OwnedBy, Unowned
from authz.client.sqlalchemy import Column, where
from sqlalchemy import (
    Boolean,
    ColumnElement,
    Numeric,
    column,
    false,
    insert,
    select,
    true,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from sidecar.store.embedded import EmbeddedPostgres
from tests.support.serving import Place, Schema, Stage

OWNERS: Final = (None, 20, 21, 30, 101, 102, 103, 105)
CLUSTERS: Final = (None, 501, 502, 503, 504, 505, 506, 507, 511, 516)
CALLERS: Final = [
    Caller.user("1"),
    Caller.user("1", organization="20"),
    Caller.user("2"),
    Caller.user("2", organization="20"),
    Caller.user("3", organization="20"),
    Caller.user("5"),
    Caller.user("8", organization="20"),
]
OWNED: Final = {"model", "volume"}
KINDS: Final = ("cluster", "worker", "model", "template", "zone", "probe", "volume")
A_UUID: Final = "6f9619ff-8b86-d011-b42d-00c04fc964ff"


class Base(DeclarativeBase):
    pass


class Row(Base):
    """A row of any kind; `select` and `Id` are words that must be quoted."""

    __tablename__ = "rows of all"
    id: Mapped[int] = mapped_column("Id", primary_key=True)
    owner_id: Mapped[int | None]
    cluster_id: Mapped[int | None] = mapped_column("select")
    created_by: Mapped[int]
    organization_id: Mapped[int]


COLUMNS: Final[dict[Field, Column]] = {
    Field.ID: Row.id,
    Field.OWNER_PRINCIPAL_ID: Row.owner_id,
    Field.CLUSTER_ID: Row.cluster_id,
    Field.CREATED_BY: Row.created_by,
    Field.ORGANIZATION_ID: Row.organization_id,
}
SQL: Final = SqlOptions(
    {
        Field.ID: "Id",
        Field.OWNER_PRINCIPAL_ID: "owner_id",
        Field.CLUSTER_ID: "select",
        Field.CREATED_BY: "created_by",
        Field.ORGANIZATION_ID: "organization_id",
    },
    Placeholders.DOLLAR,
)


@pytest.fixture(scope="module")
async def engine(postgres: EmbeddedPostgres) -> AsyncIterator[AsyncEngine]:
    """A database with rows of every owner in every cluster."""
    postgres.create_database("alchemy")
    url = postgres.url("alchemy").replace("postgresql:", "postgresql+asyncpg:", 1)
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
        pairs = [(owner, cluster) for owner in OWNERS for cluster in CLUSTERS]
        await connection.execute(
            insert(Row),
            [
                {
                    "id": 500 + number,
                    "owner_id": owner,
                    "cluster_id": cluster,
                    "created_by": (1, 2, 3, 10)[number % 4],
                    "organization_id": (20, 21)[number % 2],
                }
                for number, (owner, cluster) in enumerate(pairs)
            ],
        )
    yield engine
    await engine.dispose()


@pytest.fixture(scope="module")
async def clients(stage: Stage) -> AsyncIterator[dict[str, AsyncClient]]:
    """A client for each world."""
    clients = {}
    for world in ("tenancy", "permissions"):
        serving = await stage.shared(Place(Schema.REFERENCE, world))
        clients[world] = AsyncClient.connect(serving.sidecar.addresses[0], timeout=5)
    yield clients
    for client in clients.values():
        await client.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_condition_selects_what_the_checks_allow(
    engine: AsyncEngine,
    clients: dict[str, AsyncClient],
    postgres: EmbeddedPostgres,
    kind: str,
) -> None:
    """Condition, SQL of the sidecar, and checks one by one agree on every row."""
    rows = await _rows(engine)
    selected = set()
    for caller in CALLERS:
        found = await clients["tenancy"].get_list_filter(caller, kind, sql=SQL)
        by_condition = await _select(engine, where(found, COLUMNS))
        by_sql = await _select_by_text(postgres, found)
        resources = [_resource(kind, row) for row in rows]
        checks = await clients["tenancy"].check_visible(caller, *resources)
        # A global row of an OWNED kind may be seen, but is not listed.
        listed = [
            row[0]
            for row, decision in zip(rows, checks, strict=True)
            if decision.allowed
            and (decision.reason != "GLOBAL_VISIBLE" or kind not in OWNED)
        ]

        assert by_sql == by_condition
        assert by_condition == listed
        selected.add(tuple(by_condition))

    assert len(selected) > 1 or kind == "template"


@pytest.mark.parametrize("item", [None, "trustee", "trustee.contract", "data.User"])
async def test_levels_narrow_what_is_selected(
    engine: AsyncEngine,
    clients: dict[str, AsyncClient],
    postgres: EmbeddedPostgres,
    item: str | None,
) -> None:
    """With a permission, the condition has its level as the sidecar's SQL does."""
    query = PermissionQuery(RuleContext.DATA, item)
    for user in ("1", "10", "12"):
        caller = Caller.user(user, organization="20")
        found = await clients["permissions"].get_list_filter(
            caller, "model", permission=query, sql=SQL
        )

        by_text = await _select_by_text(postgres, found)
        assert by_text == await _select(engine, where(found, COLUMNS))


def test_a_needed_field_without_a_column_is_refused() -> None:
    """No condition is left out because its column is not known, however deep it is."""
    owner = Equals(Field.OWNER_PRINCIPAL_ID, "20")
    other = Equals(Field.CREATED_BY, "3")
    columns: dict[Field, Column] = {Field.OWNER_PRINCIPAL_ID: Row.owner_id}
    for selection in (
        other,
        In(Field.CREATED_BY, ("3",)),
        AllOf((owner, other)),
        AnyOf((owner, AllOf((owner, other)))),
    ):
        with pytest.raises(UnmappedError, match="needs a column for `CREATED_BY`"):
            where(selection, columns)


@pytest.mark.parametrize("empty", [AllOf(()), AnyOf(())])
def test_nothing_joined_is_refused(empty: AllOf | AnyOf) -> None:
    """All of no conditions would be every row."""
    with pytest.raises(UnmappedError, match="joins no conditions"):
        where(empty, COLUMNS)


def test_values_are_parameters_of_their_columns_type() -> None:
    """Ids are bound in the type of their column, never written into the text."""
    hostile = "x' or true --"
    texts: dict[Field, Column] = {
        Field.ID: column("id", postgresql.UUID(as_uuid=True)),
        Field.OWNER_PRINCIPAL_ID: column("owner", postgresql.TEXT()),
    }
    text = where(Equals(Field.OWNER_PRINCIPAL_ID, hostile), texts).compile()
    number = where(In(Field.ID, ("20",)), COLUMNS).compile()
    uuid = where(Equals(Field.ID, A_UUID), texts).compile()

    assert [hostile] == list(text.params.values())
    assert "true" not in str(text)
    assert [[20]] == list(number.params.values())
    assert [UUID(A_UUID)] == list(uuid.params.values())


@pytest.mark.parametrize(
    ("columns", "value"),
    [
        (COLUMNS, "twenty"),
        (COLUMNS, ""),
        ({Field.ID: column("id", postgresql.UUID(as_uuid=True))}, "20"),
        ({Field.ID: column("id", Boolean())}, "20"),
        ({Field.ID: column("id", Numeric())}, "20"),
        ({Field.ID: column("id")}, "20"),
    ],
)
def test_a_column_of_another_type_is_refused(
    columns: dict[Field, Column], value: str
) -> None:
    """A column that cannot have such an id is an error, not a guess."""
    with pytest.raises(UnmappedError, match="cannot have"):
        where(Equals(Field.ID, value), columns)


def test_the_two_ends_are_true_and_false() -> None:
    """Everything and nothing need no columns."""
    assert where(Everything(), {}).compare(true())
    assert where(ListFilter(Nothing()), {}).compare(false())


def _resource(kind: str, row: tuple[int, int | None, int | None]) -> Resource:
    row_id, owner_id, cluster_id = row
    owner = Unowned() if owner_id is None else OwnedBy(str(owner_id))
    has_owner = kind in {"cluster", "worker", "model", "volume"}
    has_cluster = kind in {"worker", "probe", "volume"}
    attributes = Attributes(
        owner if has_owner else None,
        str(cluster_id) if has_cluster and cluster_id is not None else None,
    )
    return Resource(kind, str(row_id), attributes)


async def _rows(engine: AsyncEngine) -> list[tuple[int, int | None, int | None]]:
    async with engine.connect() as connection:
        found = await connection.execute(
            select(Row.id, Row.owner_id, Row.cluster_id).order_by(Row.id)
        )
        return [(row[0], row[1], row[2]) for row in found]


async def _select(engine: AsyncEngine, condition: ColumnElement[bool]) -> list[int]:
    async with engine.connect() as connection:
        found = await connection.scalars(
            select(Row.id).where(condition).order_by(Row.id)
        )
        return list(found)


async def _select_by_text(postgres: EmbeddedPostgres, found: ListFilter) -> list[int]:
    assert found.sql is not None
    connection = await asyncpg.connect(postgres.url("alchemy"))
    try:
        query = f'select "Id" from "rows of all" where {found.sql.text} order by 1'  # noqa: S608
        rows = await connection.fetch(query, *found.sql.parameters)
    finally:
        await connection.close()
    return [row[0] for row in rows]
