"""What Envoy answers while there is no database, for longer than memory may."""

from pathlib import Path

import asyncpg
import pytest

from sidecar.store import administration
from sidecar.store.document import read_document_file
from tests.store.faults.lab import CLOCK
from tests.support.cluster import Node, cluster
from tests.support.edge import ANN, ROOT, Edge, shown
from tests.support.serving import ENGINES, socket_folder

MAX_STALENESS = 0.5
ANN_IN_AURORA = {"x-api-key": ANN, "x-organization-id": "1"}

pytestmark = pytest.mark.xdist_group("faults")


@pytest.mark.parametrize("engine", ENGINES)
async def test_without_a_database_the_edge_answers_503(engine: str) -> None:
    """Neither 200 nor 403 for what needs facts, and nothing reaches the application."""
    with cluster() as made, socket_folder() as folder:
        url = await stored(made.primary)
        edge = await Edge.start(
            url,
            Path(folder),
            engine,
            freshness={"max_staleness": MAX_STALENESS, "beat_interval": 0.05},
        )
        shown(await edge.http.get("/me", headers=ANN_IN_AURORA))
        made.primary.stop("immediate")
        stopped = CLOCK.monotonic()
        while edge.sidecar.store.feed_health().is_live:
            await edge.http.get("/healthz")
        reached = len(edge.application.seen)
        statuses = set()
        while CLOCK.monotonic() < stopped + 2 * MAX_STALENESS:
            for headers in (ANN_IN_AURORA, {"x-api-key": "gpk_none_none"}):
                answer = await edge.http.get("/me", headers=headers)
                statuses.add(answer.status_code)
        seen = len(edge.application.seen)
        public = await edge.http.get("/healthz")
        await edge.close()

    assert {503} == statuses
    assert reached == seen
    assert 200 == public.status_code


async def stored(node: Node) -> str:
    """The address of a new database with the example's directory in it."""
    connection = await asyncpg.connect(node.url())
    await connection.execute("create database edge")
    await connection.close()
    url = node.url("edge")
    await administration.migrate_database(url)
    document = read_document_file(ROOT / "examples" / "gpu-cloud.yaml")
    await administration.import_into(url, document)
    return url
