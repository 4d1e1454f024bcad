"""A real Envoy with the configuration that is shipped, at addresses of the test."""

import asyncio
import json
import sys
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self, cast

import httpx
import yaml

from sidecar.command.bare_json import Json

SHIPPED: Final = Path(__file__).parents[2] / "deploy" / "envoy" / "envoy.yaml"
BINARY: Final = Path(sys.executable).parent / "envoy"
_STARTS_WITHIN_SECONDS: Final = 30.0

Edit = Callable[["Config"], None]


@dataclass
class Config:
    """Envoy's configuration; the properties are the parts that tests change."""

    root: dict[str, Json]

    @classmethod
    def shipped(cls) -> Self:
        """The one that is shipped."""
        return cls(deepcopy(yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))))

    def at(self, *path: int | str) -> dict[str, Json]:
        """The mapping at a path."""
        found: Json = self.root
        for step in path:
            if isinstance(found, list) and isinstance(step, int):
                found = found[step]
            elif isinstance(found, dict):
                found = found[str(step)]
        return cast("dict[str, Json]", found)

    @property
    def listener(self) -> dict[str, Json]:
        """The listener."""
        return self.at("static_resources", "listeners", 0)

    @property
    def manager(self) -> dict[str, Json]:
        """The HTTP connection manager."""
        where = ("static_resources", "listeners", 0, "filter_chains", 0, "filters", 0)
        return self.at(*where, "typed_config")

    @property
    def ext_authz(self) -> dict[str, Json]:
        """The filter that asks the sidecar."""
        filters = cast("list[dict[str, Json]]", self.manager["http_filters"])
        return cast("dict[str, Json]", filters[0]["typed_config"])

    def cluster(self, name: str) -> dict[str, Json]:
        """A cluster by its name."""
        clusters = cast(
            "list[dict[str, Json]]", self.at("static_resources")["clusters"]
        )
        return next(each for each in clusters if each["name"] == name)

    def send_to(self, name: str, address: Mapping[str, Json]) -> None:
        """Has a cluster be at an address."""
        cluster = self.cluster(name)
        cluster["load_assignment"] = {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": dict(address)}}]}],
        }


def tcp(port: int) -> dict[str, Json]:
    """An address of loopback."""
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


class Envoy:
    """A running Envoy."""

    def __init__(self, process: asyncio.subprocess.Process, admin: str) -> None:
        self._process = process
        self._admin = admin
        self.port = 0

    @classmethod
    async def start(
        cls, folder: Path, socket: Path, upstream: int, edit: Edit = lambda _: None
    ) -> Self:
        """Starts it between a sidecar's socket and an application's port."""
        config = Config.shipped()
        config.at("admin")["address"] = tcp(0)
        config.listener["address"] = tcp(0)
        config.send_to("application", tcp(upstream))
        config.send_to("authz-sidecar", {"pipe": {"path": str(socket)}})
        edit(config)
        file = folder / "envoy.yaml"
        file.write_text(yaml.safe_dump(config.root), encoding="utf-8")
        admin = folder / "admin.txt"
        admin.unlink(missing_ok=True)
        log = (folder / "envoy.log").open("wb")
        process = await asyncio.create_subprocess_exec(
            BINARY, "-c", file, "--admin-address-path", admin, "--concurrency", "1",
            "--disable-hot-restart", "--log-level", "warning",
            stdout=log, stderr=log,
        )  # fmt: skip
        log.close()
        try:
            async with asyncio.timeout(_STARTS_WITHIN_SECONDS):
                address = await _written(admin, process)
                envoy = cls(process, f"http://{address}")
                await envoy._find_port()
        except BaseException:
            process.kill()
            await process.wait()
            raise
        return envoy

    async def close(self) -> None:
        """Ends it."""
        self._process.terminate()
        await self._process.wait()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    async def stat(self, name: str) -> int:
        """One of its counters or gauges."""
        async with httpx.AsyncClient(base_url=self._admin) as admin:
            answer = await admin.get("/stats", params={"format": "json"})
        for each in answer.json()["stats"]:
            if each.get("name") == name:
                return int(each["value"])
        return 0

    async def _find_port(self) -> None:
        async with httpx.AsyncClient(base_url=self._admin) as admin:
            while True:
                answer = await admin.get("/listeners", params={"format": "json"})
                found = json.loads(answer.text).get("listener_statuses", [])
                ready = await admin.get("/ready")
                if found and ready.status_code == httpx.codes.OK:
                    break
                await asyncio.sleep(0.02)
        self.port = found[0]["local_address"]["socket_address"]["port_value"]


async def _written(path: Path, process: asyncio.subprocess.Process) -> str:
    while True:
        if process.returncode is not None:
            raise RuntimeError("Envoy ended; see envoy.log in its folder")
        if text := await asyncio.to_thread(_read, path):
            return text
        await asyncio.sleep(0.02)


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""
