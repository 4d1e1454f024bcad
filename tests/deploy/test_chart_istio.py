"""Istio's way to the sidecar: known to Istio, and closed."""

import json
from pathlib import Path
from typing import cast

import pytest
import yaml

from tests.deploy.charts import (
    CHART,
    ISTIO,
    Object,
    at,
    custom_resources,
    needs_tools,
    objects_of,
    render,
    settings_in,
    the,
)
from tests.support.mesh import Config

# What is rendered once serves every test of the same worker.

pytestmark = pytest.mark.xdist_group("chart")


@pytest.fixture(autouse=True)
def _tools() -> None:
    needs_tools()


@pytest.mark.parametrize("file", sorted(ISTIO.glob("*.yaml")), ids=lambda f: f.stem)
def test_istio_knows_every_field(file: Path) -> None:
    """Each object decodes into Istio's own types, the mesh configuration too."""
    text = file.read_text(encoding="utf-8")

    checked = custom_resources(text)

    assert (0, f"{len(objects_of(text))}\n") == (checked.code, checked.told)


@pytest.mark.parametrize(
    ("file", "word", "misspelt"),
    [
        ("mesh-config.yaml", "failOpen", "failureModeAllow"),
        ("service-entry.yaml", "exportTo", "exportsTo"),
        ("authorization-policy.yaml", "CUSTOM", "CUSTOMS"),
        ("envoy-filter.yaml", "INSERT_BEFORE", "INSERT_AHEAD"),
    ],
)
def test_what_istio_does_not_know_is_seen(file: str, word: str, misspelt: str) -> None:
    """So that the test above can fail."""
    text = (ISTIO / file).read_text(encoding="utf-8")

    assert 1 == custom_resources(text.replace(word, misspelt)).code


def test_istio_lets_nothing_pass_undecided() -> None:
    """What is not decided is 503, in little more time than the sidecar takes."""
    (provider,) = cast("list[Object]", _mesh()["extensionProviders"])
    asked = at(provider, "envoyExtAuthzGrpc")

    assert asked["failOpen"] is False
    assert "503" == asked["statusOnError"]
    assert "0.2s" == asked["timeout"]
    assert "includeRequestBodyInCheck" not in asked


def test_istio_finds_the_socket_that_the_chart_makes() -> None:
    """From the policy to the provider, to the entry, to the file in the pod."""
    entry = _object("service-entry.yaml", "ServiceEntry")
    policy = _object("authorization-policy.yaml", "AuthorizationPolicy")
    (provider,) = cast("list[Object]", _mesh()["extensionProviders"])
    asked = at(provider, "envoyExtAuthzGrpc")
    (host,) = cast("list[str]", at(entry, "spec")["hosts"])
    (port,) = cast("list[Object]", at(entry, "spec")["ports"])
    settings = yaml.safe_load(settings_in(render(CHART / "ci" / "istio.yaml")))

    assert provider["name"] == at(policy, "spec", "provider")["name"]
    assert f"{at(entry, 'metadata')['namespace']}/{host}" == asked["service"]
    assert port["number"] == asked["port"]
    (endpoint,) = cast("list[Object]", at(entry, "spec")["endpoints"])
    socket = str(endpoint["address"]).replace("unix://", "unix:")
    assert [["edge", "health"]] == [
        each["services"] for each in settings["listeners"] if each["address"] == socket
    ]


def test_istio_asks_about_everything() -> None:
    """One rule without a condition, for the example's pods."""
    policy = at(_object("authorization-policy.yaml", "AuthorizationPolicy"), "spec")
    selected = at(policy, "selector", "matchLabels")
    objects = render(CHART / "ci" / "istio.yaml")
    labels = at(the(objects, "Deployment"), "spec", "template", "metadata", "labels")

    assert "CUSTOM" == policy["action"]
    assert [{}] == policy["rules"]
    assert selected.items() <= labels.items()


def test_the_filter_is_the_one_that_is_shipped_for_envoy() -> None:
    """Whoever takes the EnvoyFilter has the very filter of deploy/envoy."""
    patches = at(_object("envoy-filter.yaml", "EnvoyFilter"), "spec")["configPatches"]
    values = [at(each, "patch")["value"] for each in cast("list[Object]", patches)]
    cluster, filtering, host = cast("list[Object]", values)
    shipped = Config.shipped()

    assert shipped.ext_authz == filtering["typed_config"]
    assert at(host, "typed_per_filter_config") == at(
        shipped.at(
            *("static_resources", "listeners", 0, "filter_chains", 0, "filters", 0),
            *("typed_config", "route_config", "virtual_hosts", 0),
        ),
        "typed_per_filter_config",
    )
    assert "/run/authz/edge/authz.sock" in str(cluster)


def test_what_istio_has_no_way_to_is_excluded_from_it() -> None:
    """Probes and scrapers reach their ports, and the proxy has the edge's socket."""
    objects = render(CHART / "ci" / "istio.yaml")
    notes = at(
        the(objects, "Deployment"), "spec", "template", "metadata", "annotations"
    )
    (mount,) = json.loads(str(notes["sidecar.istio.io/userVolumeMount"]))

    assert "9464,9465" == notes["traffic.sidecar.istio.io/excludeInboundPorts"]
    assert {
        "name": "authz-edge", "mountPath": "/run/authz/edge", "readOnly": True,
    } == mount  # fmt: skip


def _object(file: str, kind: str) -> Object:
    return the(objects_of((ISTIO / file).read_text(encoding="utf-8")), kind)


def _mesh() -> Object:
    found = _object("mesh-config.yaml", "ConfigMap")
    return cast("Object", yaml.safe_load(str(at(found, "data")["mesh"])))
