"""The dashboard: every panel shows what a sidecar tells, on any Prometheus."""

import re
from typing import Final, cast

import pytest

from tests.deploy.promql import names
from tests.deploy.queries import (
    TARGET,
    dashboard,
    known_metrics,
    panel_queries,
    panels,
    unknown,
)

DATASOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
_WIDTH: Final = 24


@pytest.mark.parametrize(("title", "expression"), panel_queries())
def test_panel_names_only_what_a_sidecar_tells(title: str, expression: str) -> None:
    """A real parser takes it, and each metric and label is on the page of metrics."""
    assert (title, []) == (title, unknown(expression))


@pytest.mark.parametrize(("title", "expression"), panel_queries())
def test_panel_shows_the_chosen_sidecars(title: str, expression: str) -> None:
    """Each metric is narrowed to the job and the sidecar that are chosen."""
    wanted = [
        {label for label, _ in each.wanted} for each in names(expression).selected
    ]

    assert (title, []) == (title, [each for each in wanted if not each >= TARGET])


def test_every_metric_is_on_a_panel_or_says_too_little() -> None:
    """What is on the page of metrics is to be seen, but for what others tell better."""
    shown = {
        each.metric
        for _, expression in panel_queries()
        for each in names(expression).selected
    }
    parts = {"authz_call_seconds_sum", "authz_call_seconds_count"}

    assert shown | parts | _UNSHOWN == set(known_metrics())
    assert not shown & _UNSHOWN


_UNSHOWN: Final = {
    "up",
    # Their state is shown, or their age.
    "authz_feed_connected",
    "authz_replica_up",
    "authz_decision_log_good",
    "authz_trace_collector_up",
    "authz_routes_reloads_total",
    "authz_routes_failures_total",
    "authz_certificate_reloads_total",
    "authz_certificate_reload_failures_total",
    "authz_issuer_keys_usable",
    "authz_issuer_keys_readings_total",
    "authz_issuer_keys_failures_total",
    # Seldom anything, and alerts or the log tell it.
    "authz_feed_malformed_total",
    "authz_peers_refused_total",
    # Weight and hits say more.
    "authz_cache_entries",
    "authz_cache_joined_total",
    "process_virtual_memory_bytes",
}


def test_every_panel_takes_the_chosen_prometheus() -> None:
    """No panel and no query is tied to somebody's own."""
    sources = [
        source
        for panel in panels()
        if panel["type"] != "row"
        for source in (
            panel["datasource"],
            *(
                each["datasource"]
                for each in cast("list[dict[str, object]]", panel["targets"])
            ),
        )
    ]

    assert sources
    assert [] == [source for source in sources if source != DATASOURCE]


def test_every_variable_in_a_query_is_there() -> None:
    """What the queries want filled in is a variable of the dashboard, or Grafana's."""
    templating = cast("dict[str, list[dict[str, str]]]", dashboard()["templating"])
    defined = {each["name"] for each in templating["list"]}
    text = "".join(
        each["expr"]
        for panel in panels()
        for each in cast("list[dict[str, str]]", panel.get("targets", []))
    )

    assert {"datasource", "job", "instance"} == defined
    assert {"job", "instance", "__rate_interval"} == set(re.findall(r"\$(\w+)", text))


def test_panels_are_told_apart_and_do_not_overlap() -> None:
    """Ids are different, each has a question and an answer to what it is, in rows."""
    places: set[tuple[int, int]] = set()
    for panel in panels():
        at = cast("dict[str, int]", panel["gridPos"])
        assert at["x"] + at["w"] <= _WIDTH
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not places & cells, panel["title"]
        places |= cells
        assert panel["type"] == "row" or panel["description"]

    ids = [panel["id"] for panel in panels()]
    assert len(ids) == len(set(map(str, ids)))
    assert cast("int", dashboard()["schemaVersion"]) >= 41
