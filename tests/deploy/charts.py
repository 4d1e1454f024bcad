"""The chart as helm renders it, and the tools that look at what comes out.

The tools are what `make deploy-tools` puts into build/deploy-tools.
"""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, TypeAlias, cast

import pytest
import yaml

from sidecar.command.bare_json import Json

Object: TypeAlias = dict[str, Json]

ROOT: Final = Path(__file__).parents[2]
CHART: Final = ROOT / "deploy" / "helm" / "authz-sidecar"
ISTIO: Final = ROOT / "deploy" / "istio"
VALUE_SETS: Final = sorted((CHART / "ci").glob("*.yaml"))
TOOLS: Final = ROOT / "build" / "deploy-tools"
HELM: Final = TOOLS / "bin" / "helm"
KUBECONFORM: Final = TOOLS / "bin" / "kubeconform"
CUSTOM_RESOURCES: Final = TOOLS / "bin" / "custom-resources"
SCHEMAS: Final = TOOLS / "schemas"
# The oldest Kubernetes that the chart is for, and the newest there are schemas of.
OLDEST: Final = "1.30.0"
NEWEST: Final = "1.37.0"
# Of other projects: kubeconform has no schemas of these, custom-resources does.
CUSTOM_KINDS: Final = (
    "ServiceMonitor", "PodMonitor", "PrometheusRule", "AuthorizationPolicy",
    "ServiceEntry", "DestinationRule", "EnvoyFilter",
)  # fmt: skip


class HelmError(Exception):
    """Helm refused; the message is what it said."""


@dataclass(frozen=True, slots=True)
class Checked:
    """How a tool ended, and what it said."""

    code: int
    told: str


def needs_tools() -> None:
    """Skips a test without the tools; where CI is `true`, their absence fails it."""
    missing = [
        path.name
        for path in (HELM, KUBECONFORM, CUSTOM_RESOURCES, SCHEMAS)
        if not path.exists()
    ]
    if not missing:
        return
    reason = f"{', '.join(missing)} not there: run `make deploy-tools`"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def run(tool: Path, *arguments: str, given: str = "") -> Checked:
    """Runs a tool to its end, away from the settings of whoever runs the tests."""
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(  # noqa: S603  our own tools
            [tool, *arguments],
            input=given,
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": os.environ["PATH"], "HOME": home},
        )
    return Checked(done.returncode, done.stdout + done.stderr)


@cache
def template(*options: str, chart: Path = CHART) -> str:
    """What `helm template` prints; raises HelmError with what it says otherwise."""
    version = ("--kube-version", NEWEST)
    done = run(HELM, "template", "example", str(chart), *version, *options)
    if done.code:
        raise HelmError(done.told)
    return done.told


def render(values: Path, *options: str) -> list[Object]:
    """The objects that the chart makes of a file of values."""
    return objects_of(template("--values", str(values), *options))


def objects_of(text: str) -> list[Object]:
    """The objects in a text of YAML documents."""
    found = cast("Iterator[Object | None]", yaml.safe_load_all(text))
    return [each for each in found if each is not None]


def the(objects: list[Object], kind: str, name: str = "") -> Object:
    """The one object of a kind, of those whose names end so."""
    (found,) = [
        each
        for each in objects
        if each["kind"] == kind and str(at(each, "metadata")["name"]).endswith(name)
    ]
    return found


def at(parent: Mapping[str, Json], *path: str) -> Object:
    """The mapping at a path of names."""
    found: Json = dict(parent)
    for name in path:
        found = cast("Object", found)[name]
    return cast("Object", found)


def pods(objects: list[Object]) -> list[Object]:
    """The specs of all pods that these objects make."""
    return [
        at(each, "spec", "template", "spec")
        for each in objects
        if each["kind"] in {"Deployment", "Job"}
    ]


def containers(pod: Mapping[str, Json]) -> list[Object]:
    """All containers of a pod, those that come first among them."""
    found = [*cast("list[Json]", pod.get("initContainers", []))]
    found += cast("list[Json]", pod["containers"])
    return cast("list[Object]", found)


def container(pod: Mapping[str, Json], name: str) -> Object:
    """A container of a pod by its name."""
    (found,) = [each for each in containers(pod) if each["name"] == name]
    return found


def mounts(of: Mapping[str, Json]) -> dict[str, Object]:
    """A container's mounts by their paths."""
    listed = cast("list[Object]", of["volumeMounts"])
    return {str(each["mountPath"]): each for each in listed}


def settings_in(objects: list[Object]) -> str:
    """The file of settings."""
    return str(at(the(objects, "ConfigMap", "-settings"), "data")["sidecar.yaml"])


def kubeconform(text: str, version: str) -> Checked:
    """Whether these objects fit the schemas of a version of Kubernetes, strictly."""
    location = f"{SCHEMAS}/{version}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json"
    return run(
        KUBECONFORM, "-strict", "-summary", "-kubernetes-version", version,
        "-schema-location", location, "-skip", ",".join(CUSTOM_KINDS), "-",
        given=text,
    )  # fmt: skip


def custom_resources(text: str) -> Checked:
    """Whether custom resources fit the types that define them."""
    return run(CUSTOM_RESOURCES, given=text)
