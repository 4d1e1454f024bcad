"""The pods that the chart makes: who may what in them, and how they start and end."""

import json
from pathlib import Path
from typing import Final, cast

import pytest
import yaml

from sidecar.settings import SettingsError, load
from tests.deploy.charts import (
    CHART,
    ROOT,
    VALUE_SETS,
    Object,
    at,
    container,
    containers,
    mounts,
    needs_tools,
    objects_of,
    pods,
    render,
    settings_in,
    template,
    the,
)

EXAMPLE: Final = CHART / "ci" / "example.yaml"
API_ONLY: Final = CHART / "ci" / "api-only.yaml"
CLOSED: Final = CHART / "ci" / "closed.yaml"
all_values = pytest.mark.parametrize("values", VALUE_SETS, ids=lambda path: path.stem)
# What is rendered once serves every test of the same worker.
pytestmark = pytest.mark.xdist_group("chart")


@pytest.fixture(autouse=True)
def _tools() -> None:
    needs_tools()


@all_values
def test_every_container_is_restricted(values: Path) -> None:
    """As the standard `restricted` of Kubernetes wants it, and read-only."""
    found = [each for pod in pods(render(values)) for each in containers(pod)]

    for each in found:
        security = at(each, "securityContext")
        assert security["runAsNonRoot"] is True
        assert security["readOnlyRootFilesystem"] is True
        assert security["allowPrivilegeEscalation"] is False
        assert security["privileged"] is False
        assert {"drop": ["ALL"]} == security["capabilities"]
        assert {"type": "RuntimeDefault"} == security["seccompProfile"]
        assert {"requests", "limits"} == set(at(each, "resources"))
        assert "cpu" not in at(each, "resources", "limits")


@all_values
def test_every_pod_is_closed(values: Path) -> None:
    """No token of the API server, and no variables of services, which are settings."""
    for pod in pods(render(values)):
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False
        assert not {"hostNetwork", "hostPID", "hostIPC", "hostUsers"} & set(pod)


def test_a_service_could_stop_the_sidecar(monkeypatch: pytest.MonkeyPatch) -> None:
    """So pods have no variables of services: one named so would be a setting."""
    monkeypatch.setenv("AUTHZ_SIDECAR_SERVICE_HOST", "10.0.0.1")

    with pytest.raises(SettingsError, match="names no setting"):
        load(None)


@all_values
def test_no_secret_is_in_a_variable_or_an_argument(values: Path) -> None:
    """Passwords are files: nothing refers to a Secret but a volume."""
    objects = render(values)
    listed = [each for pod in pods(objects) for each in containers(pod)]

    variables = {
        str(variable["name"])
        for each in listed
        for variable in cast("list[Object]", each.get("env", []))
        if set(variable) == {"name", "value"}
    }

    assert {
        "AUTHZ_ADDRESS", "AUTHZ_DATABASE__URL", "AUTHZ_DATABASE__PASSWORD_FILE",
        "PORT", "TMPDIR",
    } >= variables  # fmt: skip
    assert not [each for each in listed if "envFrom" in each]
    assert "secretKeyRef" not in json.dumps(listed)
    assert not [each for each in objects if each["kind"] == "Secret"]


def test_the_sidecar_is_a_native_sidecar() -> None:
    """An init container that stays: the others start when it answers, and end first."""
    (pod,) = [each for each in pods(render(EXAMPLE)) if "initContainers" in each]

    (first,) = cast("list[Object]", pod["initContainers"])

    assert ("authz-sidecar", "Always") == (first["name"], first["restartPolicy"])
    assert ["serve", "--config", "/etc/authz/settings/sidecar.yaml"] == first["args"]
    assert "command" not in first


def test_probes_ask_the_sidecar_itself() -> None:
    """By gRPC; being alive has nothing to do with the database, being ready has."""
    (pod,) = [each for each in pods(render(EXAMPLE)) if "initContainers" in each]
    sidecar = container(pod, "authz-sidecar")

    asked = {name: at(sidecar, f"{name}Probe")["grpc"] for name in _PROBES}

    assert {
        "startup": {"port": 9465, "service": "live"},
        "liveness": {"port": 9465, "service": "live"},
        "readiness": {"port": 9465},
    } == asked


_PROBES: Final = ("startup", "liveness", "readiness")


def test_readiness_can_be_left_out() -> None:
    """Where a pod is to go on with what needs no decision; the other probes stay."""
    text = template("--values", str(EXAMPLE), "--set", "probes.readiness=false")
    (pod,) = [each for each in pods(objects_of(text)) if "initContainers" in each]

    assert "readinessProbe" not in container(pod, "authz-sidecar")
    assert "livenessProbe" in container(pod, "authz-sidecar")


def test_each_has_the_socket_that_is_meant_for_it() -> None:
    """The application the API's, Envoy the edge's, both read-only and in memory."""
    (pod,) = [each for each in pods(render(EXAMPLE)) if "initContainers" in each]
    listed = cast("list[Object]", pod["volumes"])
    volumes = {str(each["name"]): each for each in listed}

    sockets = {
        name: {
            path: mount.get("readOnly", False)
            for path, mount in mounts(container(pod, name)).items()
            if path.startswith("/run/")
        }
        for name in ("authz-sidecar", "application", "envoy")
    }

    assert {
        "authz-sidecar": {"/run/authz/api": False, "/run/authz/edge": False},
        "application": {"/run/authz/api": True},
        "envoy": {"/run/authz/edge": True},
    } == sockets
    for name in ("authz-api", "authz-edge"):
        assert {"medium": "Memory", "sizeLimit": "1Mi"} == volumes[name]["emptyDir"]


def test_users_differ_and_share_the_group_of_the_sockets() -> None:
    """Each container has a user of its own; the pod's group is the sidecar's."""
    (pod,) = [each for each in pods(render(CLOSED)) if "initContainers" in each]
    users = [at(each, "securityContext")["runAsUser"] for each in containers(pod)]

    assert 20_001 == at(pod, "securityContext")["fsGroup"]
    assert (
        20_001 == at(container(pod, "authz-sidecar"), "securityContext")["runAsGroup"]
    )
    assert [20_000, 10_001, 10_002] == users


def test_what_changes_is_mounted_whole() -> None:
    """A file that is mounted by subPath would never change again."""
    for values in VALUE_SETS:
        for pod in pods(render(values)):
            for each in containers(pod):
                assert not [m for m in mounts(each).values() if "subPath" in m]


def test_secrets_are_for_the_group_alone() -> None:
    """Mode 0440: the pod's group reads them, others do not, and nobody writes."""
    for pod in pods(render(EXAMPLE)):
        listed = cast("list[Object]", pod["volumes"])
        (secret,) = [at(each, "secret") for each in listed if "secret" in each]
        assert 0o440 == secret["defaultMode"]
        assert [{"key": "password", "path": "password"}] == secret["items"]


def test_routes_change_without_a_restart() -> None:
    """New routes leave the pods as they are: a running sidecar takes them over."""
    before = render(EXAMPLE)
    after = render(
        EXAMPLE, "--set-file", f"edge.routes={ROOT / 'examples/routes.yaml'}"
    )

    assert the(before, "Deployment") == the(after, "Deployment")
    assert the(before, "ConfigMap", "-routes") != the(after, "ConfigMap", "-routes")


def test_settings_change_with_a_restart() -> None:
    """A new setting changes the pods, since settings are read once."""
    before = render(EXAMPLE)
    after = render(EXAMPLE, "--set", "settings.log_level=debug")

    assert the(before, "Deployment") != the(after, "Deployment")


def test_a_pod_has_time_to_end() -> None:
    """Draining and the sidecar's own end, one after the other, fit into the grace."""
    (pod,) = [each for each in pods(render(CLOSED)) if "initContainers" in each]
    stop = _settings(CLOSED)["stop"]
    assert isinstance(stop, dict)
    needed = 20 + 2 + cast("float", stop["linger_seconds"]) + 30 + 4

    assert cast("int", pod["terminationGracePeriodSeconds"]) > needed


def _settings(values: Path) -> Object:
    """The settings that a set of values gives."""
    return cast("Object", yaml.safe_load(settings_in(render(values))))


def test_the_application_outlasts_envoys_draining() -> None:
    """Otherwise requests that Envoy still takes would find nobody."""
    (pod,) = [each for each in pods(render(EXAMPLE)) if "initContainers" in each]
    stop = at(container(pod, "application"), "lifecycle", "preStop", "sleep")
    drained = json.dumps(at(container(pod, "envoy"), "lifecycle", "preStop", "exec"))

    assert 12 == stop["seconds"]
    assert "/healthcheck/fail" in drained
    assert "sleep 10" in drained


def test_the_migration_comes_before_everything() -> None:
    """A hook with a role, a password and settings of its own, that is done once."""
    job = the(render(EXAMPLE), "Job")
    (migrate,) = containers(at(job, "spec", "template", "spec"))

    assert (
        "pre-install,pre-upgrade" == at(job, "metadata", "annotations")["helm.sh/hook"]
    )
    assert ["migrate"] == migrate["args"]
    assert "authz-sidecar-migrator" in json.dumps(job)
    assert "authz-sidecar-reader" not in json.dumps(job)
    assert "configMap" not in json.dumps(job)


def test_views_are_migrated_by_functions_alone() -> None:
    """A platform with tables of its own gets no table."""
    job = the(render(CHART / "ci" / "views.yaml"), "Job")
    (migrate,) = containers(at(job, "spec", "template", "spec"))

    assert ["migrate", "--functions-only"] == migrate["args"]


def test_the_network_is_closed_but_for_what_is_named() -> None:
    """In come the rules given, out go names, the database and the rules given."""
    spec = at(the(render(CLOSED), "NetworkPolicy"), "spec")
    values = cast("Object", yaml.safe_load(CLOSED.read_text()))
    given = at(values, "networkPolicy")

    ingress, egress = (cast("list[Object]", spec[way]) for way in ("ingress", "egress"))

    assert ["Ingress", "Egress"] == spec["policyTypes"]
    assert given["ingress"] == ingress
    assert given["extraEgress"] == egress[2:]
    assert {"to": [{"ipBlock": {"cidr": "10.20.0.0/24"}}],
            "ports": [{"protocol": "TCP", "port": 5432}]} == egress[1]  # fmt: skip
    assert "9465" not in json.dumps(spec)


def test_without_an_edge_there_is_none() -> None:
    """One socket, no routes, no metrics: what is not wanted is not there."""
    settings = _settings(API_ONLY)
    listed = cast("list[Object]", settings["listeners"])

    assert ["unix:/run/authz/api/authz.sock", "0.0.0.0:9465"] == [
        each["address"] for each in listed
    ]
    assert "edge" not in settings
    assert "None" == str(at(settings, "metrics")["address"])


def test_monitors_find_the_pods() -> None:
    """The Service selects the example's pods, and the monitor that Service."""
    objects = render(CHART / "ci" / "istio.yaml")
    labels = at(the(objects, "Deployment"), "spec", "template", "metadata", "labels")
    service = the(objects, "Service", "-metrics")
    monitor = the(objects, "ServiceMonitor")
    pods_of = at(the(objects, "PodMonitor"), "spec", "selector", "matchLabels")

    assert at(service, "spec", "selector").items() <= labels.items()
    assert pods_of.items() <= labels.items()
    assert (
        at(monitor, "spec", "selector", "matchLabels").items()
        <= at(service, "metadata", "labels").items()
    )
