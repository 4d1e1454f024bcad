"""A real Envoy in front, for each engine."""

import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest

from sidecar.store.embedded import EmbeddedPostgres
from tests.edge.checking import Checking, checking
from tests.identity.minting import ISSUER
from tests.support.edge import ROUTES, Edge, stored_example
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


@pytest.fixture(scope="session")
async def checked(postgres: EmbeddedPostgres) -> AsyncIterator[Checking]:
    """A sidecar over the example without an Envoy, which no test changes for others.

    It believes what Envoy says of callers, of one trust domain and one issuer.
    """
    url = await stored_example(postgres, "edge_checked")
    identity = {
        "spiffe_trust_domains": ["prod.example"],
        "jwt_authn": {"payload_key": "payload", "issuers": [ISSUER]},
    }
    async with checking(url, ROUTES, identity=identity) as running:
        yield running


@pytest.fixture
async def own_url(postgres: EmbeddedPostgres) -> str:
    """A database with the example that the test may break."""
    return await stored_example(postgres, f"edge_own_{next(_NUMBERS)}")


_NUMBERS: Final = itertools.count(1)
