"""A fake of the API behind a real gRPC server, and databases to administer."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from sidecar.store.embedded import EmbeddedPostgres
from tests.command.explaining import Explained, Scene, logging
from tests.command.fake import FakeServer, serving
from tests.store.stewarding import Worlds


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The surrounding shell has no part in a test."""
    for name in ("AUTHZ_ADDRESS", "AUTHZ_API_KEY", "AUTHZ_CONFIG"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    """A fake server, at the address that the command line takes by default."""
    # Not pytest's own folder: the path of a socket is bounded.
    with tempfile.TemporaryDirectory(prefix="authz-") as folder:
        address = f"unix:{Path(folder) / 'authz.sock'}"
        monkeypatch.setenv("AUTHZ_ADDRESS", address)
        with serving(address) as fake:
            yield fake


@pytest.fixture(scope="session")
def worlds(postgres: EmbeddedPostgres) -> Worlds:
    """Databases with the world of tests/store/steward.sql."""
    return Worlds(postgres, "printed")


@pytest.fixture(scope="session")
async def explained(
    postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Explained]:
    """A sidecar that logs its decisions, over such a database."""
    url = await Worlds(postgres, "explained").new()
    async with logging(url, tmp_path_factory.mktemp("explained")) as running:
        yield running


@pytest.fixture
def scene(explained: Explained, capsys: pytest.CaptureFixture[str]) -> Scene:
    """That sidecar, and `explain` beside it."""
    return Scene(*explained, capsys)


@pytest.fixture
def url(worlds: Worlds) -> str:
    """Such a database."""
    return asyncio.run(worlds.new())


@pytest.fixture
def config(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings for that database, at the place where commands look for them."""
    path = tmp_path / "sidecar.yaml"
    path.write_text(
        f"database: {{url: '{url}'}}\n"
        "resource_kinds: {cluster: {visibility: CLUSTER}, model: {visibility: OWNED}}\n"
    )
    monkeypatch.setenv("AUTHZ_CONFIG", str(path))
    return path
