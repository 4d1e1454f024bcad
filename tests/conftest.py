"""What tests of the whole sidecar share: a PostgreSQL, and sidecars over worlds."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

# Before anybody imports grpc; see `sidecar.__main__.main`.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")

from sidecar.store.embedded import EmbeddedPostgres
from tests.support.serving import Stage, socket_folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL of the session; not durable, so quick, and with room for many."""
    with socket_folder() as folder:
        data = Path(folder) / "data"
        # Every sidecar that stays up for the session has connections of its own, and
        # how many there may be is read when the server starts.
        with (
            EmbeddedPostgres(data, durable=False),
            (data / "postgresql.auto.conf").open("a") as settings,
        ):
            settings.write("max_connections = 500\n")
        with EmbeddedPostgres(data, durable=False) as server:
            yield server


@pytest.fixture(scope="session")
async def stage(postgres: EmbeddedPostgres) -> AsyncIterator[Stage]:
    """Starts sidecars over worlds."""
    with socket_folder() as folder:
        stage = Stage(postgres, Path(folder))
        yield stage
        await stage.close()
