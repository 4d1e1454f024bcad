"""Passwords out of a file, for a real server that asks for them."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from sidecar.store.database import Database, PoolSettings
from sidecar.store.dialing import PasswordFileError, read_password, with_password
from sidecar.store.errors import StoreError
from tests.support.cluster import Node, cluster

OLD, NEW = "o'ld p@ss/word?&%", "neü"


@pytest.fixture(scope="module")
def strict() -> Iterator[Node]:
    """A server at which `reader` needs a password."""
    with cluster() as made:
        made.primary.allow("host all reader 127.0.0.1/32 scram-sha-256")
        made.primary.reload()
        asyncio.run(execute(made.primary, "create role reader login"))
        yield made.primary


async def execute(node: Node, statement: str) -> None:
    """Runs a statement as the owner."""
    connection = await asyncpg.connect(node.url())
    await connection.execute(statement)
    await connection.close()


async def change(node: Node, password: str) -> None:
    """Gives the reader another password."""
    quoted = password.replace("'", "''")
    await execute(node, f"alter role reader password '{quoted}'")


def pool_of(node: Node, file: Path) -> PoolSettings:
    """A pool of one connection."""
    url = node.url(user="reader")
    return PoolSettings(
        url, smallest=1, largest=1, connect_timeout=5.0, password_file=file
    )


async def test_rotated_password_is_read_at_the_next_connection(
    strict: Node, tmp_path: Path
) -> None:
    """Connections that are open stay, new ones take the new password."""
    file = tmp_path / "password"
    file.write_text(f"{OLD}\n")
    await change(strict, OLD)
    database = await Database.connect(pool_of(strict, file))
    await change(strict, NEW)
    with_open = await database.is_reachable(5)
    await database.renew()
    before = await database.is_reachable(5)
    file.write_text(NEW)
    after = await database.is_reachable(5)
    await database.close()

    assert (with_open, before, after) == (True, False, True)


async def test_file_that_cannot_be_read_is_named(strict: Node, tmp_path: Path) -> None:
    """The start says which."""
    with pytest.raises(StoreError, match=r"`.*/none` cannot be read"):
        await Database.connect(pool_of(strict, tmp_path / "none"))


async def test_file_that_goes_away_fails_closed(strict: Node, tmp_path: Path) -> None:
    """While it is away there are no new connections, and no other error."""
    file = tmp_path / "password"
    file.write_text(OLD)
    await change(strict, OLD)
    database = await Database.connect(pool_of(strict, file))
    file.unlink()
    await database.renew()
    without = await database.is_reachable(5)
    file.write_text(OLD)
    with_it = await database.is_reachable(5)
    await database.close()

    assert (without, with_it) == (False, True)


async def test_tools_take_the_password_of_now(strict: Node, tmp_path: Path) -> None:
    """Whatever characters are in it, a URL can hold it."""
    file = tmp_path / "password"
    file.write_text(OLD)
    await change(strict, OLD)
    connection = await asyncpg.connect(with_password(strict.url(user="reader"), file))
    user = await connection.fetchval("select current_user")
    await connection.close()

    assert user == "reader"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql:///db", "postgresql:///db?password=p"),
        ("postgresql:///db?host=/a", "postgresql:///db?host=/a&password=p"),
        ("postgresql://u@h/db", "postgresql://u@h/db?password=p"),
    ],
)
def test_password_joins_the_query(url: str, expected: str, tmp_path: Path) -> None:
    """The rest of the URL stays as it is."""
    file = tmp_path / "password"
    file.write_text("p\r\n")

    assert expected == with_password(url, file)


def test_url_without_a_file_stays(tmp_path: Path) -> None:
    """Nothing is added; and an empty file is no password."""
    (tmp_path / "empty").write_text("\n")

    assert with_password("postgresql:///db", None) == "postgresql:///db"
    with pytest.raises(PasswordFileError, match="is empty"):
        read_password(tmp_path / "empty")
