"""Values that the chart refuses, before a cluster would, or nobody."""

import re
from typing import Final

import pytest

from tests.deploy.charts import CHART, HelmError, needs_tools, template

EXAMPLE: Final = CHART / "ci" / "example.yaml"
# What is rendered once serves every test of the same worker.
pytestmark = pytest.mark.xdist_group("chart")


@pytest.fixture(autouse=True)
def _tools() -> None:
    needs_tools()


_REFUSED: Final[list[tuple[str, str]]] = [
    ("edge.enabeld=true", "additional properties 'enabeld' not allowed"),
    ("settings.databas.url=postgresql:///a", "additional properties 'databas'"),
    ("settings.database.url=postgresql://a:secret@b/c", "does not match pattern"),
    (
        "settings.database.url=postgresql://b/c?password=secret",
        "/settings/database/url",
    ),
    ("settings.database.password_file=/elsewhere", "'password_file' not allowed"),
    ("settings.listeners[0].address=0.0.0.0:1", "'listeners' not allowed"),
    ("settings.freshness.max_staleness=0", "exclusiveMinimum: got 0"),
    ("settings.log_level=loud", "/settings/log_level"),
    ("migration.url=postgresql://a:secret@b/c", "/migration/url"),
    ("image.tag=latest", "/image/tag"),
    ("image.digest=sha256:12", "/image/digest"),
    ("probes.port=80", "minimum: got 80, want 1,024"),
    ("user=0", "'/user': minimum: got 0"),
    ("bind=127.0.0.1", "/bind"),
    ("listeners.extra[0].tsl=1", "'tsl' not allowed"),
    ("edge.routes.rule_sets.api.route=1", "'route' not allowed"),
    ("podDisruptionBudget.maxUnavailable=0", "/podDisruptionBudget/maxUnavailable"),
    ("example.envoy.failOpen=true", "'failOpen' not allowed"),
]


@pytest.mark.parametrize(("value", "problem"), _REFUSED)
def test_a_wrong_value_is_refused(value: str, problem: str) -> None:
    """Before anything is rendered, and with the place."""
    with pytest.raises(HelmError) as refused:
        template("--values", str(EXAMPLE), "--set", value)

    told = str(refused.value)
    assert "values don't meet the specifications of the schema" in told
    assert problem in told


_INCOMPLETE: Final[list[tuple[str, str]]] = [
    ("edge.existingConfigMap=", "edge.routes or edge.existingConfigMap must say"),
    ("podLabels=null", "podLabels must say which pods have the sidecar"),
    ("metrics.enabled=false", "a monitor needs metrics.enabled"),
]


@pytest.mark.parametrize(("value", "problem"), _INCOMPLETE)
def test_values_that_do_not_go_together_are_refused(value: str, problem: str) -> None:
    """In words that say what is missing."""
    own = CHART / "ci" / "own-pods.yaml"

    with pytest.raises(HelmError, match=problem):
        template("--values", str(own), "--set", value)


_BROKEN: Final[list[tuple[str, str]]] = [
    (
        r"podLabels.app\.kubernetes\.io/name=shop",
        "podLabels must not have app.kubernetes.io/name",
    ),
    (
        r"podLabels.app\.kubernetes\.io/instance=example",
        "podLabels must not have app.kubernetes.io/instance",
    ),
    (
        "example.envoy.enabled=false",
        "example.application.image must name an application",
    ),
]


@pytest.mark.parametrize(("value", "problem"), _BROKEN)
def test_an_example_that_would_not_work_is_refused(value: str, problem: str) -> None:
    """A label that its selector has already, and a Service that nobody answers."""
    with pytest.raises(HelmError, match=re.escape(problem)):
        template("--values", str(EXAMPLE), "--set", value)
