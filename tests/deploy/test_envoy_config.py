"""The Envoy configuration that is shipped: Envoy takes it, and it is closed."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import yaml

from sidecar.command.bare_json import Json
from sidecar.transport.ext_authz import SERVICE
from tests.support.mesh import BINARY, SHIPPED, Config

EXAMPLES: Final = Path(__file__).parents[2] / "examples"
CLUSTERS: Final = ("static_resources", "clusters")
MANAGER: Final = (
    "static_resources", "listeners", 0, "filter_chains", 0, "filters", 0,
    "typed_config",
)  # fmt: skip


@pytest.fixture(scope="module")
def config() -> Config:
    """It, as it is shipped."""
    return Config.shipped()


async def _validated(path: Path) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        BINARY, "--mode", "validate", "-c", path, "--log-level", "error",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    told, _ = await process.communicate()
    return process.returncode or 0, told.decode()


async def test_envoy_takes_it() -> None:
    """Envoy itself finds nothing wrong with it, nor anything that is deprecated."""
    code, told = await _validated(SHIPPED)

    assert 0 == code, told
    assert "deprecated" not in told.lower()


async def test_envoy_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    """So that the test above can fail: a misspelt name is an error."""
    path = tmp_path / "envoy.yaml"
    text = SHIPPED.read_text(encoding="utf-8")
    path.write_text(text.replace("failure_mode_allow", "failure_mode_alow"))

    code, _ = await _validated(path)

    assert 0 != code


_CLOSED: Final[list[tuple[str, Json]]] = [
    ("failure_mode_allow", False),
    ("status_on_error", {"code": "ServiceUnavailable"}),
    ("validate_mutations", True),
    ("encode_raw_headers", True),
    ("transport_api_version", "V3"),
]


@pytest.mark.parametrize(("name", "value"), _CLOSED)
def test_the_filter_is_closed(config: Config, name: str, value: Json) -> None:
    """What is not decided is 503, and what the sidecar sends is looked at."""
    assert value == config.ext_authz[name]


_ONE_READING: Final[list[tuple[str, Json]]] = [
    ("normalize_path", True),
    ("merge_slashes", True),
    ("path_with_escaped_slashes_action", "REJECT_REQUEST"),
    ("use_remote_address", True),
]


@pytest.mark.parametrize(("name", "value"), _ONE_READING)
def test_requests_have_one_reading(config: Config, name: str, value: Json) -> None:
    """A path with two readings does not come as far as the sidecar."""
    assert value == config.manager[name]


def test_headers_with_underscores_are_refused(config: Config) -> None:
    """Servers that write headers as variables would take `x_authz_...` for ours."""
    options = config.manager["common_http_protocol_options"]

    assert isinstance(options, dict)
    assert "REJECT_REQUEST" == options["headers_with_underscores_action"]


def test_the_filter_has_no_way_around(config: Config) -> None:
    """Nothing turns it off, for some requests or for a route."""
    names = set(_names(config.root))

    assert {"filter_enabled", "disabled", "deny_at_disable", "skip_check"} & names == (
        set()
    )
    assert "failure_mode_allow_header_add" not in config.ext_authz
    assert "with_request_body" not in config.ext_authz


def test_the_rule_set_is_envoys_word(config: Config) -> None:
    """Every host names one, and the example has routes of that name."""
    hosts = config.manager["route_config"]
    assert isinstance(hosts, dict)
    assert isinstance(hosts["virtual_hosts"], list)
    rule_sets = yaml.safe_load((EXAMPLES / "routes.yaml").read_text())["rule_sets"]

    for place in range(len(hosts["virtual_hosts"])):
        check = config.at(
            *MANAGER, "route_config", "virtual_hosts", place, "typed_per_filter_config",
            "envoy.filters.http.ext_authz", "check_settings",
        )  # fmt: skip
        assert {"context_extensions": {"rule_set": "api"}} == check
    assert "api" in rule_sets


def test_the_sidecar_is_reached_by_a_socket(config: Config) -> None:
    """Nobody on a network can answer in its place."""
    (place,) = [
        place
        for place in range(2)
        if config.at(*CLUSTERS, place)["name"] == "authz-sidecar"
    ]
    address = config.at(
        *CLUSTERS, place, "load_assignment", "endpoints", 0, "lb_endpoints", 0,
        "endpoint", "address",
    )  # fmt: skip

    assert ["pipe"] == list(address)


def test_the_sidecar_is_asked_how_it_is(config: Config) -> None:
    """By gRPC's own health checks, about the service that Envoy calls."""
    checks = config.cluster("authz-sidecar")["health_checks"]

    assert isinstance(checks, list)
    (check,) = checks
    assert isinstance(check, dict)
    assert {"service_name": SERVICE} == check["grpc_health_check"]


def test_nothing_is_asked_twice(config: Config) -> None:
    """A retry would only ask again what cannot be decided, within the same time."""
    assert not [name for name in _names(config.root) if "retr" in name]


def test_envoy_waits_as_long_as_the_sidecar_takes(config: Config) -> None:
    """The budget of the sidecar is below Envoy's time-out."""
    service = config.ext_authz["grpc_service"]

    assert isinstance(service, dict)
    assert "0.2s" == service["timeout"]


def _names(value: Json) -> Iterator[str]:
    match value:
        case dict():
            for name, inner in value.items():
                yield name
                yield from _names(inner)
        case list():
            for inner in value:
                yield from _names(inner)
        case _:
            return
