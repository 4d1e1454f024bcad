"""One clinic for the session."""

import pytest

from tests.store.databases import PostgresServer
from tests.store.doctor.clinic import Clinic


@pytest.fixture(scope="session")
def clinic(store_server: PostgresServer) -> Clinic:
    """Makes databases to be examined."""
    return Clinic(store_server)
