"""The Envoy of the example: the configuration that is shipped, at a pod's places."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Final, cast

import pytest
import yaml

from tests.deploy.charts import CHART, Object, at, needs_tools, render, run, the
from tests.support.mesh import BINARY, Config

EXAMPLE: Final = CHART / "ci" / "example.yaml"
CLOSED: Final = CHART / "ci" / "closed.yaml"
# What is rendered once serves every test of the same worker.
pytestmark = pytest.mark.xdist_group("chart")


@pytest.fixture(autouse=True)
def _tools() -> None:
    needs_tools()


def _config(values: Path, *options: str) -> Config:
    found = the(render(values, *options), "ConfigMap", "-envoy")
    return Config(cast("Object", yaml.safe_load(str(at(found, "data")["envoy.yaml"]))))


@pytest.mark.parametrize("values", [EXAMPLE, CLOSED], ids=lambda path: path.stem)
def test_envoy_takes_it(values: Path, tmp_path: Path) -> None:
    """Envoy itself finds nothing wrong with it, nor anything that is deprecated."""
    path = tmp_path / "envoy.yaml"
    path.write_text(yaml.safe_dump(_config(values).root), encoding="utf-8")

    checked = run(BINARY, "--mode", "validate", "-c", str(path), "--log-level", "error")

    assert 0 == checked.code, checked.told
    assert "deprecated" not in checked.told.lower()


def test_it_differs_from_the_shipped_one_in_places_alone() -> None:
    """With the shipped addresses, and without what is for the kubelet, it is equal."""
    rendered = _config(EXAMPLE)
    shipped = Config.shipped()
    listed = cast("list[Object]", rendered.at("static_resources")["listeners"])
    rendered.at("static_resources")["listeners"] = [listed[0]]
    del rendered.cluster("application")["health_checks"]
    rendered.send_to("authz-sidecar", {"pipe": {"path": "/run/authz/authz.sock"}})

    assert shipped.root == rendered.root


def test_its_places_are_the_values() -> None:
    """Ports, the rule set and the addresses of IPv6 come from the values."""
    options = (
        "--set", "example.envoy.ruleSet=shop", "--set", "example.envoy.port=9000",
        "--set", "example.application.port=9001",
    )  # fmt: skip
    config = _config(CLOSED, *options)
    text = json.dumps(config.root)

    assert '"rule_set": "shop"' in text
    assert {"address": "::", "port_value": 9000} == at(
        config.listener, "address", "socket_address"
    )
    assert '"port_value": 9001' in json.dumps(config.cluster("application"))
    assert '"path": "/run/authz/edge/authz.sock"' in text


def test_the_kubelet_is_answered_apart_from_clients() -> None:
    """At a port of its own, by whether the application listens; it leads nowhere."""
    config = _config(EXAMPLE)
    listed = cast("list[Object]", config.at("static_resources")["listeners"])
    ingress, ready = deepcopy(listed)

    assert "health_check" not in json.dumps(ingress)
    assert "cluster_min_healthy_percentages" in json.dumps(ready)
    assert '"cluster":' not in json.dumps(ready)
