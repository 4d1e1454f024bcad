"""The chart with each set of values in its folder `ci`, as helm renders it."""

import json
import shlex
import shutil
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Final, cast

import pytest
import yaml

from sidecar import wiring_listeners
from sidecar.settings import load
from sidecar.transport.listener import TcpAddress, UnixAddress
from tests.deploy.charts import (
    CHART,
    CUSTOM_KINDS,
    HELM,
    NEWEST,
    OLDEST,
    ROOT,
    VALUE_SETS,
    HelmError,
    Object,
    at,
    container,
    containers,
    custom_resources,
    kubeconform,
    mounts,
    needs_tools,
    objects_of,
    pods,
    render,
    run,
    settings_in,
    template,
    the,
)

EXAMPLE: Final = CHART / "ci" / "example.yaml"
CLOSED: Final = CHART / "ci" / "closed.yaml"
OWN_CHART: Final = Path(__file__).parent / "own-chart"
all_values = pytest.mark.parametrize("values", VALUE_SETS, ids=lambda path: path.stem)
# What is rendered once serves every test of the same worker.
pytestmark = pytest.mark.xdist_group("chart")


@pytest.fixture(autouse=True)
def _tools() -> None:
    needs_tools()


@all_values
def test_helm_finds_nothing_to_say(values: Path) -> None:
    """Its strict linter takes the chart with each set."""
    linted = run(
        HELM, "lint", "--strict", "--quiet", "--kube-version", NEWEST,
        "--values", str(values), str(CHART),
    )  # fmt: skip

    assert (0, "") == (linted.code, linted.told)


@all_values
@pytest.mark.parametrize("release", [OLDEST, NEWEST])
def test_kubernetes_knows_every_field(values: Path, release: str) -> None:
    """Each object fits the schema of its kind, strictly; none is without one."""
    checked = kubeconform(template("--values", str(values)), release)

    assert 0 == checked.code, checked.told
    assert "Invalid: 0, Errors: 0" in checked.told


def test_a_field_that_kubernetes_does_not_know_is_seen() -> None:
    """So that the test above can fail."""
    text = template("--values", str(EXAMPLE))

    checked = kubeconform(text.replace("fsGroup:", "fsGruop:"), NEWEST)

    assert 0 != checked.code
    assert "'fsGruop' not allowed" in checked.told


@all_values
def test_operators_know_every_field(values: Path) -> None:
    """What is for the Prometheus operator decodes into its own types."""
    text = template("--values", str(values))
    custom = [each for each in objects_of(text) if each["kind"] in CUSTOM_KINDS]

    checked = custom_resources(text)

    assert (0, f"{len(custom)}\n") == (checked.code, checked.told)


@all_values
def test_the_sidecar_takes_the_settings(values: Path, tmp_path: Path) -> None:
    """The settings load, and each listener is one that the server would open."""
    file = tmp_path / "sidecar.yaml"
    file.write_text(settings_in(render(values)), encoding="utf-8")

    settings = load(file)
    listeners = [
        wiring_listeners.listener_of(each, settings)
        for each in settings.listeners
        if each.tls is None
    ]

    assert str(settings.database.password_file) == "/etc/authz/database/password"
    assert {0o660} == {
        each.address.mode for each in listeners if isinstance(each.address, UnixAddress)
    }
    assert {"health"} == {
        service.value
        for each in listeners
        if isinstance(each.address, TcpAddress)
        for service in each.serves
    }


def test_the_alerts_are_those_that_are_shipped() -> None:
    """Their templates, which look like Helm's own, are left as they are."""
    shipped = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yaml").read_text())

    rule = the(render(CHART / "ci" / "istio.yaml"), "PrometheusRule")

    assert shipped == rule["spec"]


def test_each_listener_serves_what_is_meant(tmp_path: Path) -> None:
    """Envoy can only ask as Envoy, and the application not as Envoy; each is alone."""
    file = tmp_path / "sidecar.yaml"
    file.write_text(settings_in(render(EXAMPLE)), encoding="utf-8")

    found = {
        each.address: (set(each.services), each.explain, each.callers)
        for each in load(file).listeners
    }

    assert {
        "unix:/run/authz/api/authz.sock": ({"api", "health", "watch"}, True, "any"),
        "unix:/run/authz/edge/authz.sock": ({"edge", "health"}, False, "any"),
        "0.0.0.0:9465": ({"health"}, False, "any"),
    } == found


def test_large_numbers_stay_whole(tmp_path: Path) -> None:
    """Helm reads numbers as fractions; a weight must not become 1.5e+06."""
    file = tmp_path / "sidecar.yaml"
    file.write_text(settings_in(render(CLOSED)), encoding="utf-8")

    settings = load(file)

    assert 1_500_000 == settings.cache.standings
    assert 2.5 == settings.stop.linger_seconds


def test_the_example_takes_more_labels() -> None:
    """Those that its selector does not have are on its pods beside it."""
    text = template("--values", str(EXAMPLE), "--set", "podLabels.team=shop")
    deployment = at(the(objects_of(text), "Deployment"), "spec")

    labels = at(deployment, "template", "metadata", "labels")

    assert {**at(deployment, "selector", "matchLabels"), "team": "shop"} == labels


def test_the_command_of_the_page_leads_to_ones_own_database() -> None:
    """As written it renders, and nothing of the database of ci/example.yaml is left."""
    text = template(*_options_on_the_page())
    objects = objects_of(text)
    job = at(the(objects, "Job"), "spec", "template", "spec")
    told = json.dumps(container(job, "migrate")["env"])
    egress = at(the(objects, "NetworkPolicy"), "spec")["egress"]

    checked = kubeconform(text, OLDEST)

    assert 0 == checked.code, checked.told
    assert "authz_reader@YOUR-DATABASE:5432/authz?" in settings_in(objects)
    assert "authz_migrator@YOUR-DATABASE:5432/authz?" in told
    assert {
        "to": [{"ipBlock": {"cidr": "10.20.0.7/32"}}],
        "ports": [{"protocol": "TCP", "port": 5432}],
    } in cast("list[Object]", egress)
    assert "image: YOUR-REGISTRY/authz-sidecar:" in text
    assert "data.svc" not in text
    assert "kubernetes.io/metadata.name: data" not in text


def _options_on_the_page() -> list[str]:
    """What `helm install` is given on the chart's page, with files found from here."""
    page = (CHART / "README.md").read_text(encoding="utf-8")
    command = page.partition("helm install example ")[2].partition("```")[0]
    for folder in ("deploy/", "examples/"):
        command = command.replace(folder, f"{ROOT}/{folder}")
    chart, *options = shlex.split(command.replace("\\\n", " "))

    assert str(CHART) == chart
    return options


def test_the_default_values_need_routes_alone() -> None:
    """With routes given the chart renders; without, it says what is missing."""
    routes = ("--set-file", f"edge.routes={ROOT / 'examples' / 'routes.yaml'}")

    kinds = {str(each["kind"]) for each in objects_of(template(*routes))}

    assert {"ConfigMap"} == kinds
    with pytest.raises(HelmError, match=r"edge\.routes"):
        template()


def test_a_chart_of_ones_own_brings_it_into_its_pod(tmp_path: Path) -> None:
    """As a dependency: the templates work with the values that are below its name."""
    own = tmp_path / "own"
    shutil.copytree(OWN_CHART, own)
    shutil.copytree(CHART, own / "charts" / "authz-sidecar")

    text = template(chart=own)
    (pod,) = pods(objects_of(text))

    checked = kubeconform(text, OLDEST)
    assert 0 == checked.code, checked.told
    assert ["authz-sidecar", "shop"] == [each["name"] for each in containers(pod)]
    assert {"/run/authz/api"} == set(mounts(container(pod, "shop")))
    budget = at(the(objects_of(text), "PodDisruptionBudget"), "spec", "selector")
    assert {"app": "shop"} == budget["matchLabels"]
    assert "postgresql://authz_reader@postgres/shop" in settings_in(objects_of(text))


def test_the_chart_is_of_this_version() -> None:
    """The image that it names by default is the one of this program."""
    chart = cast("Object", yaml.safe_load((CHART / "Chart.yaml").read_text()))

    assert version("authz-sidecar") == chart["appVersion"]


def test_the_manifests_are_what_the_chart_renders() -> None:
    """What is committed in deploy/kubernetes, to the byte."""
    made = run(
        Path(sys.executable), str(ROOT / "scripts/render_manifests.py"), "--check"
    )

    assert (0, "") == (made.code, made.told)


def test_values_have_a_row_each() -> None:
    """The chart's page names every value that there is, and no other."""
    page = (CHART / "README.md").read_text(encoding="utf-8")
    values = cast("Object", yaml.safe_load((CHART / "values.yaml").read_text()))

    table = page.partition("## Values")[2].splitlines()
    named = {line.split("`")[1] for line in table if line.startswith("| `")}

    assert set(_paths(values)) == named


_TREES: Final = {"settings", "resources", "requests", "limits"}


def _paths(tree: Object, before: str = "") -> list[str]:
    found: list[str] = []
    for name, value in tree.items():
        path = f"{before}{name}"
        if isinstance(value, dict) and value and name not in _TREES:
            found += _paths(value, f"{path}.")
        else:
            found.append(path)
    return found
