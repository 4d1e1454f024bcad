"""The rendered pod, run on this machine: its users, sockets, probes and requests."""

import json
import os
import signal
from collections.abc import AsyncIterator, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Final

import pytest
import yaml

from sidecar.store.embedded import EmbeddedPostgres
from tests.deploy.pod.changes import have_time, hurry
from tests.deploy.pod.cluster import Cluster
from tests.deploy.pod.containers import Container
from tests.deploy.pod.load import Load, Request
from tests.deploy.pod.manifests import Manifests, mapping
from tests.deploy.pod.network import Network
from tests.deploy.pod.pods import Pod
from tests.support.edge import ANN_IN_BOREALIS
from tests.support.serving import socket_folder

RENDERED: Final = Path(__file__).parents[2] / "deploy" / "kubernetes"
API: Final = "/run/authz/api/authz.sock"
EDGE: Final = "/run/authz/edge/authz.sock"
STRANGER: Final = 4242
# Successors answer their probes at ports of their own.
PORTS: Final = {"grpcio": 9475, "native": 9485}
KEY: Final = {"x-api-key": ANN_IN_BOREALIS}
# What is right for each request, whatever happens meanwhile.
REQUESTS: Final = (
    Request("/healthz", {}, 200),
    Request("/v2/clusters/3", KEY, 200),
    Request("/v2/clusters/2", KEY, 404),
    Request("/v2/me", KEY, 200),
    Request("/v2/me", {"x-api-key": "gpk_nobody_nothing"}, 401),
    Request("/nowhere", KEY, 403),
)
USERS: Final = (("authz-sidecar", 65532), ("application", 10001), ("envoy", 10002))
_CONNECT: Final = """
import socket, sys
code = socket.socket(socket.AF_UNIX).connect_ex(sys.argv[1])
print(code and __import__("errno").errorcode[code])
"""


def _may_make_namespaces() -> bool:
    if os.geteuid() != 0:
        return False
    try:
        made = Network.made()
    except OSError:
        return False
    os.close(made.namespace)
    return True


pytestmark = [
    pytest.mark.xdist_group("a pod"),
    pytest.mark.skipif(
        os.environ.get("CI") != "true" and not _may_make_namespaces(),
        reason="pods take namespaces and several users, which only root may make",
    ),
]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that every user may enter, with a path short enough for sockets."""
    with socket_folder() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(scope="module")
async def cluster(folder: Path, postgres: EmbeddedPostgres) -> AsyncIterator[Cluster]:
    """What is rendered, with a database that the rendered Job has migrated."""
    manifests = Manifests.of(RENDERED / "example.yaml", RENDERED / "migration.yaml")
    for name in ("authz-sidecar-reader", "authz-sidecar-migrator"):
        manifests.secrets[name] = {"password": "not asked for"}
    have_time(manifests)
    hurry(manifests.pod("Deployment"))
    cluster = await Cluster.started(folder, manifests, postgres)
    job = await cluster.pod("Job")
    codes = await job.completed()
    assert {"migrate": 0} == codes, job.containers[0].log.read_text()
    await cluster.fill()
    yield cluster
    await cluster.close()


@pytest.fixture
async def pod(cluster: Cluster) -> Pod:
    """A pod of the Deployment that its clients know; the one that is there, if so."""
    if not cluster.service.pods:
        pod = await cluster.pod("Deployment")
        await pod.start()
        await cluster.service.knows(pod)
    return cluster.service.pods[-1]


def test_the_sidecar_is_there_first(pod: Pod) -> None:
    """Application and Envoy start when the sidecar answers its startup probe."""
    assert [
        "started authz-sidecar",
        "startupProbe authz-sidecar",
        "started application",
        "started envoy",
    ] == pod.happened[:4]


@pytest.mark.parametrize(("name", "user"), USERS)
async def test_each_container_has_its_own_user(pod: Pod, name: str, user: int) -> None:
    """Nobody is root, has capabilities, may gain any, or may write to the root."""
    container = pod.container(name)
    told = container.status()
    code, said = await container.run(["touch", "/usr/written", "/written"])

    assert [str(user)] * 4 == told["Uid"].split()
    assert ("0" * 16, "1") == (told["CapBnd"], told["NoNewPrivs"])
    assert (1, 2) == (code, said.count("Read-only file system"))


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda each: each.path)
async def test_requests_are_decided(
    cluster: Cluster, pod: Pod, request_: Request
) -> None:
    """Through Envoy, each route lets in whom it should, and nobody else."""
    del pod
    answer = await cluster.service.ask(request_)

    assert request_.expected == answer.status, answer.body


async def test_the_application_asks_for_itself(cluster: Cluster, pod: Pod) -> None:
    """It knows the caller from Envoy, and the caller's contexts from its socket."""
    del pod
    answer = await cluster.service.ask(Request("/v2/me", KEY, 200))

    shown = json.loads(answer.body)
    assert "1" == shown["headers"]["x-authz-user-id"]
    assert ["Ann", "Aurora Labs", "Borealis Robotics"] == shown["contexts"]


@pytest.mark.parametrize(
    ("name", "path", "user", "expected"),
    [
        ("application", API, None, "0"),
        ("envoy", EDGE, None, "0"),
        ("authz-sidecar", API, STRANGER, "EACCES"),
        ("authz-sidecar", EDGE, STRANGER, "EACCES"),
        ("application", EDGE, None, "ENOENT"),
        ("envoy", API, None, "ENOENT"),
    ],
)
async def test_sockets_are_for_whom_they_are_meant(
    pod: Pod, name: str, path: str, user: int | None, expected: str
) -> None:
    """Each container has its own socket; strangers are turned away by its mode."""
    command = ["/opt/authz/bin/python", "-c", _CONNECT, path]
    _, said = await pod.container(name).run(command, user)

    assert expected == said.strip()


async def test_who_connects_cannot_put_another_socket_there(pod: Pod) -> None:
    """The application can neither answer in the sidecar's place nor take it away."""
    code, said = await pod.container("application").run(["rm", API])

    assert 0 != code
    assert "Read-only file system" in said


async def test_changed_routes_hold_without_a_restart(
    cluster: Cluster, pod: Pod
) -> None:
    """A ConfigMap that changes is in force soon, and no request notices."""
    files = cluster.manifests.config_map("example-authz-sidecar-routes")
    routes = yaml.safe_load(files["routes.yaml"])
    route = {"path": "/new", "methods": ["GET"], "public": True}
    routes["rule_sets"]["api"]["routes"].append(route)
    new = Request("/new", {}, 200)
    before = await cluster.service.ask(new)
    load = Load(cluster.service, REQUESTS)

    async with load.running():
        files["routes.yaml"] = yaml.safe_dump(routes)
        pod.volumes.update("authz-routes")
        after = await cluster.service.until_right(new)

    assert (403, 200) == (before.status, after.status)
    assert {} == load.wrong


async def test_a_rollout_loses_no_request(cluster: Cluster, pod: Pod) -> None:
    """The next pod is ready before this one goes, and this one goes in order."""
    load = Load(cluster.service, REQUESTS)

    async with load.running():
        following = await cluster.pod("Deployment")
        await following.start()
        await cluster.service.knows(following)
        codes = await pod.stop()

    assert {} == load.wrong
    assert {"envoy": 0, "application": 0, "authz-sidecar": 0} == codes
    assert ["ended envoy", "ended application", "ended authz-sidecar"] == (
        pod.happened[-3:]
    )


@pytest.mark.parametrize("engine", ["grpcio", "native"])
async def test_a_successor_in_the_pod_loses_no_request(
    cluster: Cluster, pod: Pod, engine: str
) -> None:
    """Started on the same sockets, it has all requests before the other one ends."""
    load = Load(cluster.service, REQUESTS)

    async with load.running():
        code = await pod.replace(pod.sidecars[0], _successor(pod, engine))

    assert {} == load.wrong
    assert 0 == code


async def test_restarted_alone_the_sidecar_leaves_nothing_open(
    cluster: Cluster, pod: Pod
) -> None:
    """While there is none, Envoy answers 503; nothing that is denied comes through."""
    sidecar = pod.sidecars[0]
    await pod.unwatch()
    load = Load(cluster.service, REQUESTS)

    async with load.running():
        sidecar.send(signal.SIGTERM)
        code = await sidecar.ended()
        await sidecar.start()
        await pod.prober.until_passed(sidecar, mapping(sidecar.spec, "startupProbe"))
        await cluster.service.until_right(REQUESTS[0])

    assert 0 == code
    assert {"503 "} == {what for _, what in load.wrong}


def _successor(pod: Pod, engine: str) -> Container:
    """The pod's sidecar once more, on the same sockets and another port."""
    spec = deepcopy(pod.sidecars[0].spec)
    port = PORTS[engine]
    listeners = [
        {"address": f"unix:{path}", "engine": engine, "takes_over": True}
        for path in (API, EDGE)
    ]
    health = {"address": f"0.0.0.0:{port}", "services": ["health"]}
    spec["name"] = f"successor-{engine}"
    spec["env"] = [
        {"name": "AUTHZ_LISTENERS", "value": json.dumps([*listeners, health])},
        {"name": "AUTHZ_METRICS", "value": json.dumps({"address": None})},
    ]
    mapping(spec, "startupProbe", "grpc")["port"] = port
    return Container.of(spec, pod.sidecars[0].surroundings)
