"""The page of metrics against what a sidecar that serves everything really tells."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import grpc
import pytest
from authz.v1.authorization_service_pb2 import DESCRIPTOR

from sidecar.store.anomalies import Problem
from sidecar.store.embedded import EmbeddedPostgres
from sidecar.wiring import VERSION
from tests.deploy.observing import NOT_TOLD, Exported, Scraped, exported, observed
from tests.deploy.promql import names
from tests.deploy.queries import TARGET, alert_queries, panel_queries
from tests.deploy.tables import codes, rows
from tests.support.edge import ANN, stored_example
from tests.support.serving import socket_folder

LABEL: Final = Problem.UNKNOWN_LABEL.value


@pytest.fixture(scope="module")
async def scraped(
    postgres: EmbeddedPostgres,
) -> AsyncIterator[Scraped]:
    """The metrics of a sidecar that was asked everything."""
    url = await stored_example(postgres, "observed")
    with socket_folder() as folder:
        async with observed(url, Path(folder)) as found:
            yield found


def documented() -> set[Exported]:
    """The metrics of the page."""
    return {
        Exported(name, row["type"], tuple(sorted(codes(row["labels"]))))
        for row in rows("metrics.md")
        for name in codes(row.get("metric", ""))
    }


def test_the_page_has_every_metric_and_no_other(scraped: Scraped) -> None:
    """Name, type and labels are as a parser of Prometheus' text finds them."""
    assert documented() == exported(scraped.families())


def test_both_formats_say_the_same(scraped: Scraped) -> None:
    """A strict parser of OpenMetrics takes it, and finds the same metrics."""
    assert exported(scraped.families()) == exported(scraped.open_families())


def test_every_metric_has_a_help(scraped: Scraped) -> None:
    """Whoever browses a Prometheus is told what each one is."""
    assert [] == [each.name for each in scraped.families() if not each.documentation]


def test_values_are_what_there_is(scraped: Scraped) -> None:
    """What is on and what is over, what is well and what is not, are told apart."""
    told = {
        (sample.name, frozenset(sample.labels.values())): sample.value
        for family in scraped.families()
        for sample in family.samples
    }

    def value(name: str, *labels: str) -> float:
        return told[name, frozenset(labels)]

    assert value("authz_routes_shadow_seconds", "shadow") > 0
    assert value("authz_routes_shadow_seconds", "over") < 0
    assert 1 == value("authz_health", "ready")
    assert 1 == value("authz_health", "routes")
    assert 2 == value("authz_malformed_facts_total", "principal_memberships", LABEL)
    assert [True] == [
        VERSION in labels for name, labels in told if name == "authz_info"
    ]


def test_queries_want_values_that_there_are(scraped: Scraped) -> None:
    """Each value that an alert or a panel asks for is one that a sidecar tells."""
    told = {
        (label, value)
        for family in scraped.families()
        for sample in family.samples
        for label, value in sample.labels.items()
    }
    told |= {("rpc", method.name) for method in _API.methods}
    told |= {("code", code.name) for code in grpc.StatusCode}
    # These stand for what is chosen.
    told |= {(label, ".*") for label in TARGET}
    wanted = {
        each
        for expression in [
            *alert_queries().values(),
            *(query for _, query in panel_queries()),
        ]
        for selected in names(expression).selected
        for each in selected.wanted
    }

    assert set() == wanted - told


_API: Final = DESCRIPTOR.services_by_name["AuthorizationService"]


def test_no_metric_tells_who_asked(scraped: Scraped) -> None:
    """No user, tenant, resource, path or credential is in what is scraped."""
    told = scraped.text + scraped.openmetrics

    assert "authz_edge_verdicts_total" in told
    assert not [secret for secret in (NOT_TOLD, ANN) if secret in told]
