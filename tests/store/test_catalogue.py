import asyncpg
import pytest

from sidecar.core.ids import IdType
from sidecar.store.catalogue import read_catalogue
from sidecar.store.errors import StoreError
from tests.store.foreign.load import Flavour, create_schema


async def test_reference_schema(connection: asyncpg.Connection) -> None:
    """Tenancy has numbers, the roles' side has texts."""
    catalogue = await read_catalogue(connection)

    assert catalogue.type_of("principals", "id") is IdType.BIGINT
    assert catalogue.type_of("roles", "organization_id") is IdType.BIGINT
    assert catalogue.type_of("roles", "id") is IdType.TEXT
    assert catalogue.has("user_identities")


async def test_views_have_the_types_of_their_columns(
    empty_connection: asyncpg.Connection,
) -> None:
    """Each relation has types of its own."""
    await create_schema(empty_connection, Flavour.CAMEL_CASE)

    catalogue = await read_catalogue(empty_connection)

    assert catalogue.type_of("principals", "id") is IdType.UUID
    assert catalogue.type_of("feature_access", "user_id") is IdType.UUID
    assert catalogue.type_of("feature_access", "id") is IdType.TEXT


async def test_identities_may_be_missing(connection: asyncpg.Connection) -> None:
    """A platform without identity providers needs no relation for them."""
    await connection.execute("drop table authz.user_identities")

    catalogue = await read_catalogue(connection)

    assert not catalogue.has("user_identities")


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("drop table authz.resources", "authz.resources"),
        ("alter table authz.users rename is_admin to root", "is_admin"),
        (
            "alter table authz.resources alter cluster_id type numeric",
            "authz.resources.cluster_id",
        ),
    ],
)
async def test_what_does_not_fit_is_named(
    connection: asyncpg.Connection, sql: str, named: str
) -> None:
    """A missing relation or column, or a strange id, is an error that names it."""
    await connection.execute(sql)

    with pytest.raises(StoreError, match=named):
        await read_catalogue(connection)


async def test_short_texts_and_numbers_are_ids(connection: asyncpg.Connection) -> None:
    """An id may be of any of the four types, and varchar is text."""
    await connection.execute("alter table authz.resources alter cluster_id type int")
    await connection.execute("alter table authz.access_rules alter id type varchar(64)")

    catalogue = await read_catalogue(connection)

    assert catalogue.type_of("resources", "cluster_id") is IdType.INTEGER
    assert catalogue.type_of("access_rules", "id") is IdType.TEXT
