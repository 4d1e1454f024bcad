"""A fake of the API behind a real gRPC server on a Unix socket."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command.fake import FakeServer, serving


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
