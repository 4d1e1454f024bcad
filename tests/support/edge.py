"""The whole edge for tests: PostgreSQL, sidecar, Envoy, and an application."""

from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self, cast

import httpx
import yaml

from sidecar.app import Sidecar
from sidecar.command.bare_json import Json
from sidecar.settings import Settings
from sidecar.store import administration
from sidecar.store.document import parse_document
from sidecar.store.embedded import EmbeddedPostgres
from tests.support.mesh import Config, Edit, Envoy, tcp
from tests.support.upstream import GrpcUpstream, Upstream

ROOT: Final = Path(__file__).parents[2]
ROUTES: Final = ROOT / "tests" / "edge" / "routes.yaml"
ANN: Final = "gpk_annlaptop_EXAMPLE-ann-laptop-0001"
ANN_IN_BOREALIS: Final = "gpk_annborealis_EXAMPLE-ann-borealis-0002"
BEN_REVOKED: Final = "gpk_benlost_EXAMPLE-ben-lost-0003"
BEN_EXPIRED: Final = "gpk_bentrial_EXAMPLE-ben-trial-0004"
PIA_PINNED: Final = "gpk_piahome_EXAMPLE-pia-home-0005"

_EXT_AUTHZ: Final = "envoy.filters.http.ext_authz"


async def stored_example(postgres: EmbeddedPostgres, name: str) -> str:
    """The URL of a new database with the example's directory in it."""
    postgres.create_database(name)
    url = postgres.url(name)
    await administration.migrate_database(url)
    text = (ROOT / "examples" / "gpu-cloud.yaml").read_text(encoding="utf-8")
    await administration.import_into(url, parse_document(text))
    return url


def settings_of(url: str, socket: Path, engine: str, **changed: object) -> Settings:
    """Settings of a sidecar that serves everything on one socket."""
    example = yaml.safe_load((ROOT / "examples" / "sidecar.yaml").read_text())
    return Settings.model_validate(
        {
            "database": {"url": url},
            "resource_kinds": example["resource_kinds"],
            "listeners": [{"address": f"unix:{socket}", "engine": engine}],
            "edge": {
                "routes_file": str(ROUTES),
                "reload_interval": 0.05,
                # Nothing here is about time, and other tests run meanwhile.
                "budget": 5,
            },
            "metrics": {"address": None},
            "stop": {"linger_seconds": 0, "grace_seconds": 5},
            **changed,
        }
    )


def rule_sets_by_host(names: Iterable[str], grpc_port: int) -> Edit:
    """Has Envoy choose the rule set by the host `<name>.test`.

    Paths of gRPC go to `grpc_port`, and `/extended` names cluster 1 by its route.
    """

    def edit(config: Config) -> None:
        service = cast("dict[str, Json]", config.ext_authz["grpc_service"])
        service["timeout"] = "10s"
        hosts = cast(
            "list[dict[str, Json]]",
            cast("dict[str, Json]", config.manager["route_config"])["virtual_hosts"],
        )
        shipped = hosts[0]
        routes = cast("list[dict[str, Json]]", shipped["routes"])
        routes.insert(0, _extended(routes[0]))
        routes.insert(0, _to_grpc())
        for name in names:
            host = deepcopy(shipped)
            host["name"] = name
            host["domains"] = [f"{name}.test"]
            host["typed_per_filter_config"] = {
                _EXT_AUTHZ: _per_route({"rule_set": name} if name != "none" else {})
            }
            hosts.append(host)
        clusters = cast(
            "list[dict[str, Json]]", config.at("static_resources")["clusters"]
        )
        grpc = deepcopy(config.cluster("authz-sidecar"))
        grpc["name"] = "grpc"
        del grpc["health_checks"]
        clusters.append(grpc)
        config.send_to("grpc", tcp(grpc_port))

    return edit


def _to_grpc() -> dict[str, Json]:
    return {
        "match": {"prefix": "/grpc.test.Echo/"},
        "route": {"cluster": "grpc", "timeout": "0s"},
    }


def _extended(route: Mapping[str, Json]) -> dict[str, Json]:
    return {
        **deepcopy(dict(route)),
        "match": {"path": "/extended"},
        "typed_per_filter_config": {
            _EXT_AUTHZ: _per_route({"rule_set": "api", "cluster": "1"})
        },
    }


def _per_route(extensions: Mapping[str, str]) -> dict[str, Json]:
    return {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3"
        ".ExtAuthzPerRoute",
        "check_settings": {"context_extensions": dict(extensions)},
    }


@dataclass
class Edge:
    """All parts, running."""

    sidecar: Sidecar
    envoy: Envoy
    application: Upstream
    http: httpx.AsyncClient
    http2: httpx.AsyncClient
    _ending: AsyncExitStack

    @classmethod
    async def start(
        cls, url: str, folder: Path, engine: str, **changed: object
    ) -> Self:
        """Starts them over a database; ends them all if one does not start."""
        async with AsyncExitStack() as ending:
            socket = folder / "authz.sock"
            sidecar = await Sidecar.start(settings_of(url, socket, engine, **changed))
            ending.push_async_callback(sidecar.stop)
            application = await Upstream.start()
            ending.push_async_callback(application.close)
            grpc = await GrpcUpstream.start()
            ending.push_async_callback(grpc.close)
            names = ("keeping", "shadow", "over", "missing", "none")
            envoy = await Envoy.start(
                folder, socket, application.port, rule_sets_by_host(names, grpc.port)
            )
            ending.push_async_callback(envoy.close)
            http, http2 = [
                await ending.enter_async_context(
                    httpx.AsyncClient(base_url=envoy.url, http1=not is_2, http2=is_2)
                )
                for is_2 in (False, True)
            ]
            return cls(sidecar, envoy, application, http, http2, ending.pop_all())

    async def close(self) -> None:
        """Ends all parts."""
        await self._ending.aclose()


def shown(response: httpx.Response) -> dict[str, str]:
    """The headers that reached the application; it must have been reached."""
    assert httpx.codes.OK == response.status_code, response.text
    return dict(cast("list[tuple[str, str]]", response.json()["headers"]))


def told(response: httpx.Response) -> tuple[int, str]:
    """Status and reason of a refusal, which must be a problem document."""
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == response.status_code
    return response.status_code, problem["reason"]
