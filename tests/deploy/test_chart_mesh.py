"""The edge asked as Istio's proxy asks it, through a real Envoy."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import cast

import httpx
import pytest

from sidecar.app import Sidecar
from sidecar.command.bare_json import Json
from sidecar.store.embedded import EmbeddedPostgres
from tests.edge.asking import AURORA, FORGED, ours
from tests.support.edge import settings_of, shown, stored_example, told
from tests.support.mesh import Config, Envoy
from tests.support.serving import ENGINES, socket_folder
from tests.support.upstream import Upstream

_CLUSTER = "outbound|1||authz-sidecar.internal"


def _as_istio_asks(config: Config) -> None:
    """What an extension provider can say, and nothing of what it cannot."""
    cluster = config.cluster("authz-sidecar")
    cluster["name"] = _CLUSTER
    cast("dict[str, Json]", cluster["load_assignment"])["cluster_name"] = _CLUSTER
    del cluster["health_checks"]
    asking = config.ext_authz
    for name in (
        "allowed_headers", "encode_raw_headers", "validate_mutations",
        "metadata_context_namespaces", "include_peer_certificate",
    ):  # fmt: skip
        del asking[name]
    asking["grpc_service"] = {
        # The name of the cluster is no authority, so Istio writes it otherwise.
        "envoy_grpc": {
            "cluster_name": _CLUSTER, "authority": _CLUSTER.replace("|", "_."),
        },
        "timeout": "5s",
    }  # fmt: skip
    for host in _hosts(config):
        del host["typed_per_filter_config"]


def _hosts(config: Config) -> list[dict[str, Json]]:
    routes = cast("dict[str, Json]", config.manager["route_config"])
    return cast("list[dict[str, Json]]", routes["virtual_hosts"])


@pytest.fixture(scope="module", params=ENGINES)
async def http(
    request: pytest.FixtureRequest, postgres: EmbeddedPostgres
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an Envoy that asks like that, for each engine."""
    engine = str(request.param)
    url = await stored_example(postgres, f"mesh_{engine}")
    with socket_folder() as folder:
        async with AsyncExitStack() as ending:
            socket = Path(folder) / "authz.sock"
            sidecar = await Sidecar.start(settings_of(url, socket, engine))
            ending.push_async_callback(sidecar.stop)
            application = await Upstream.start()
            ending.push_async_callback(application.close)
            envoy = await Envoy.start(
                Path(folder), socket, application.port, _as_istio_asks
            )
            ending.push_async_callback(envoy.close)
            yield await ending.enter_async_context(
                httpx.AsyncClient(base_url=envoy.url)
            )


async def test_a_caller_is_admitted_by_the_default_rule_set(
    http: httpx.AsyncClient,
) -> None:
    """Nobody names a rule set; the caller is told, and what was forged is gone."""
    headers = shown(await http.get("/clusters/1", headers={**FORGED, **AURORA}))

    assert {
        "x-authz-user-id": "1",
        "x-authz-principal-id": "1",
        "x-authz-write-principal-id": "1",
        "x-authz-org-role": "admin",
    } == ours(headers)


async def test_what_is_not_allowed_does_not_pass(http: httpx.AsyncClient) -> None:
    """A foreign row, nobody, a path without a route, and a key that stands twice."""
    twice = [("x-api-key", AURORA["x-api-key"]), ("x-api-key", "another")]

    foreign = await http.get("/clusters/3", headers=AURORA)
    nobody = await http.get("/clusters/1")
    nowhere = await http.get("/nowhere", headers=AURORA)
    repeated = await http.get("/clusters/1", headers=twice)

    assert [
        (404, "RESOURCE_NOT_FOUND"),
        (401, "CREDENTIAL_MISSING"),
        (403, "NO_ROUTE"),
        (400, "REPEATED_HEADER"),
    ] == [told(each) for each in (foreign, nobody, nowhere, repeated)]
