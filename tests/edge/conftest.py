"""A real Envoy in front, for each engine."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sidecar.store.embedded import EmbeddedPostgres
from tests.support.edge import Edge, stored_example
from tests.support.serving import socket_folder


@pytest.fixture(scope="session", params=["native", "grpcio"])
async def edge(
    request: pytest.FixtureRequest, postgres: EmbeddedPostgres
) -> AsyncIterator[Edge]:
    """The whole edge over the example, which no test changes."""
    engine = str(request.param)
    url = await stored_example(postgres, f"edge_{engine}")
    with socket_folder() as folder:
        running = await Edge.start(url, Path(folder), engine)
        yield running
        await running.close()
