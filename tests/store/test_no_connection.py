"""Why there is no connection, in words, and without what is secret."""

import socket
import ssl

import asyncpg
import pytest

from sidecar.store.database import Database, PoolSettings
from sidecar.store.dialing import told
from sidecar.store.errors import StoreError
from tests.store.databases import PostgresServer

NOBODY = "postgresql://ann:hunter2@127.0.0.1:1/app"
NOWHERE = "postgresql://ann:hunter2@/app?host=/nowhere"


async def refusal(url: str) -> str:
    """How a pool for this URL is refused."""
    with pytest.raises(StoreError) as caught:
        await Database.connect(PoolSettings(url, connect_timeout=5.0))
    return str(caught.value)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        (NOBODY, "nothing listens there"),
        (NOWHERE, "there is no such file or socket"),
    ],
)
async def test_server_that_is_not_there_is_told_in_words(url: str, why: str) -> None:
    """Whoever reads it knows what to look at, and neither user nor password."""
    assert f"the database cannot be reached: {why}" == await refusal(url)


async def test_database_that_is_not_there_is_told_in_words(
    store_server: PostgresServer,
) -> None:
    """It is another mistake than a wrong host."""
    url = store_server.get_uri("no_such_thing")

    expected = "the database cannot be reached: there is no such database"
    assert expected == await refusal(url)


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (asyncpg.InvalidPasswordError("for `ann`"), "by this user and password"),
        (asyncpg.TooManyConnectionsError("for `ann`"), "too many connections"),
        (asyncpg.CannotConnectNowError("wait"), "starting or stopping"),
        (socket.gaierror(-2, "db.example"), "name of a host is not known"),
        (ssl.SSLCertVerificationError("db.example"), "not to be trusted"),
        (ConnectionResetError("ann"), "it ends the connection, or has no TLS"),
        (TimeoutError("ann"), "does not answer in time"),
        (asyncpg.UndefinedTableError("ann"), "UndefinedTableError"),
    ],
)
def test_words_have_nothing_of_the_error_in_them(error: Exception, why: str) -> None:
    """What a driver says may name users and hosts; its kind is enough."""
    words = told(error)

    assert words.endswith(why)
    assert str(error) not in words
