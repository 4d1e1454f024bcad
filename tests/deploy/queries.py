"""Every query of the alerts and the dashboard, and what it may name."""

import json
from pathlib import Path
from typing import Final, cast

import yaml

from tests.deploy.promql import names
from tests.deploy.tables import codes, rows

DEPLOY: Final = Path(__file__).parents[2] / "deploy"
ALERTS: Final = DEPLOY / "prometheus" / "alerts.yaml"
DASHBOARD: Final = DEPLOY / "grafana" / "authz-sidecar.json"

# Prometheus itself makes the metric, and gives every series these labels.
_OF_PROMETHEUS: Final = frozenset({"up"})
TARGET: Final = frozenset({"job", "instance"})
_HISTOGRAM_PARTS: Final = {"_bucket": {"le"}, "_sum": set(), "_count": set()}

Rule = dict[str, object]


def alerts() -> list[Rule]:
    """The alerts, in their order."""
    groups = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def alert_queries() -> dict[str, str]:
    """The expression of each alert by its name."""
    return {str(rule["alert"]): str(rule["expr"]) for rule in alerts()}


def dashboard() -> dict[str, object]:
    """The dashboard."""
    found = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    return cast("dict[str, object]", found)


def panels() -> list[dict[str, object]]:
    """Its panels."""
    return cast("list[dict[str, object]]", dashboard()["panels"])


def panel_queries() -> list[tuple[str, str]]:
    """The title of each panel with each of its queries, as Prometheus gets it."""
    return [
        (str(panel["title"]), filled(target["expr"]))
        for panel in panels()
        for target in cast("list[dict[str, str]]", panel.get("targets", []))
    ]


def filled(expression: str) -> str:
    """An expression of the dashboard with something in place of its variables."""
    values = {"$job": ".*", "$instance": ".*", "$__rate_interval": "5m"}
    for variable, value in values.items():
        expression = expression.replace(variable, value)
    return expression


def known_metrics() -> dict[str, frozenset[str]]:
    """The labels of each metric that a query may name, by the page of metrics."""
    known = dict.fromkeys(_OF_PROMETHEUS, frozenset[str]())
    for row in rows("metrics.md"):
        for name in codes(row.get("metric", "")):
            labels = frozenset(codes(row["labels"]))
            if row["type"] == "histogram":
                for part, more in _HISTOGRAM_PARTS.items():
                    known[name + part] = labels | more
            else:
                known[name] = labels
    return known


def unknown(expression: str) -> list[str]:
    """What an expression names that no sidecar tells; raises ValueError as `names`."""
    known = known_metrics()
    named = names(expression)
    problems = [each.metric for each in named.selected if each.metric not in known]
    told = [known.get(each.metric, frozenset()) | TARGET for each in named.selected]
    for each, labels in zip(named.selected, told, strict=True):
        problems += [
            f"{each.metric}{{{label}}}"
            for label, _ in sorted(each.wanted)
            if label not in labels
        ]
    problems += sorted(named.labels - frozenset().union(*told))
    return problems
