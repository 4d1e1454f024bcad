"""One trace from a real Envoy to what the sidecar read for it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

import httpx
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from sidecar.store.embedded import EmbeddedPostgres
from tests.edge.asking import AURORA
from tests.edge.checking import checking
from tests.support.collecting import Collector, attributes_of
from tests.support.edge import ROUTES, stored_example
from tests.support.mesh import Config, Edit, Envoy, tcp
from tests.support.serving import socket_folder
from tests.support.upstream import Upstream

if TYPE_CHECKING:
    from sidecar.command.bare_json import Json

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CHECK = "envoy.service.auth.v3.Authorization/Check"


def _traced_by(collector: Collector) -> Edit:
    """Has Envoy trace every request to the same collector."""

    def edit(config: Config) -> None:
        # Nothing here is about time, and other tests run meanwhile.
        cast("dict[str, Json]", config.ext_authz["grpc_service"])["timeout"] = "10s"
        spoken = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
        clusters = cast("list[Json]", config.at("static_resources")["clusters"])
        clusters.append(
            {
                "name": "collector",
                "type": "STATIC",
                "typed_extension_protocol_options": {
                    spoken: {
                        "@type": f"type.googleapis.com/{spoken}",
                        "explicit_http_config": {"http2_protocol_options": {}},
                    }
                },
            }
        )
        config.send_to("collector", tcp(collector.port))
        # It would wait for five spans, or five seconds.
        at_once: dict[str, Json] = {"tracing.opentelemetry.min_flush_spans": 1}
        layer: dict[str, Json] = {"name": "test", "static_layer": at_once}
        config.root["layered_runtime"] = {"layers": [layer]}
        config.manager["tracing"] = {
            "provider": {
                "name": "envoy.tracers.opentelemetry",
                "typed_config": {
                    "@type": "type.googleapis.com/"
                    "envoy.config.trace.v3.OpenTelemetryConfig",
                    "service_name": "envoy",
                    "grpc_service": {"envoy_grpc": {"cluster_name": "collector"}},
                },
            }
        }

    return edit


@asynccontextmanager
async def _envoy(url: str, collector: Collector) -> AsyncIterator[str]:
    """Where an Envoy listens that asks a sidecar; both are traced."""
    async with AsyncExitStack() as ending:
        folder = Path(ending.enter_context(socket_folder()))
        tracing = {"endpoint": collector.url, "sample_ratio": 0}
        running = await ending.enter_async_context(
            checking(url, ROUTES, tracing=tracing)
        )
        socket = Path(running.sidecar.addresses[0].removeprefix("unix:"))
        application = await Upstream.start()
        ending.push_async_callback(application.close)
        envoy = await Envoy.start(
            folder, socket, application.port, _traced_by(collector)
        )
        ending.push_async_callback(envoy.close)
        yield envoy.url


async def test_sidecar_is_recorded_below_envoy(postgres: EmbeddedPostgres) -> None:
    """The client's trace goes through Envoy's span for asking to the sidecar's."""
    collector = await Collector.start()

    def is_there() -> bool:
        return {"envoy", "authz-sidecar"} <= set(_by_service(collector))

    url = await stored_example(postgres, "traced_through_envoy")
    async with (
        _envoy(url, collector) as envoy,
        httpx.AsyncClient(base_url=envoy) as http,
    ):
        header = f"00-{TRACE}-00f067aa0ba902b7-01"
        headers = {**AURORA, "traceparent": header}
        answer = await http.get("/clusters/1", headers=headers)
        await collector.until(is_there)
    await collector.close()

    found = _by_service(collector)
    above = {each.span_id for each in found["envoy"]}
    checks = [each for each in found["authz-sidecar"] if each.name == CHECK]
    assert httpx.codes.OK == answer.status_code
    assert {TRACE} == {
        each.trace_id.hex() for spans in found.values() for each in spans
    }
    assert [True] == [each.parent_span_id in above for each in checks]
    assert "allowed" == attributes_of(checks[0].attributes)["authz.decision"]


def _by_service(collector: Collector) -> dict[str, list[Span]]:
    found: dict[str, list[Span]] = {}
    for request in collector.requests():
        for resource in request.resource_spans:
            said = attributes_of(resource.resource.attributes)
            spans = found.setdefault(str(said["service.name"]), [])
            spans.extend(each for scope in resource.scope_spans for each in scope.spans)
    return found
