"""What tests of the whole sidecar share: a PostgreSQL, and sidecars over worlds."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from sidecar.store.embedded import EmbeddedPostgres
from tests.support.serving import Stage, socket_folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL of the session; not durable, so quick."""
    with (
        socket_folder() as folder,
        EmbeddedPostgres(Path(folder) / "data", durable=False) as server,
    ):
        yield server


@pytest.fixture(scope="session")
async def stage(postgres: EmbeddedPostgres) -> AsyncIterator[Stage]:
    """Starts sidecars over worlds."""
    with socket_folder() as folder:
        stage = Stage(postgres, Path(folder))
        yield stage
        await stage.close()
