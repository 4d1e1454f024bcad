"""A sidecar that logs its decisions, and `explain` beside it."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias, cast

import asyncpg
import pytest
from grpc import aio

from sidecar.command.bare_json import from_bare
from sidecar.command.program import main
from sidecar.store.clock import SystemClock
from sidecar.tools.routes_test import asked_of_envoy
from tests.edge.checking import Checking, checking
from tests.support.pipeline import request_type
from tests.support.serving import Stage

if TYPE_CHECKING:
    from google.protobuf.message import Message

ANNS_KEY: Final = "any_annkey_ann-secret"
SETTINGS: Final = """\
database: {url: 'postgresql://nobody@nowhere/none'}
resource_kinds:
  cluster: {visibility: CLUSTER}
  model: {visibility: OWNED}
"""
ROUTES: Final = """\
default: api
rule_sets:
  api:
    routes:
      - {path: /healthz, methods: [GET], public: true}
      - {path: /me, methods: [GET], require: []}
      - path: /clusters/{id}
        methods: [GET]
        require: [{visible: {kind: cluster, id: "{path.id}"}}]
      - path: /clusters
        methods: [POST]
        require: [{role: {any_of: [admin, user]}}, {creatable: {kind: cluster}}]
      - path: /pages/{item}
        methods: [GET]
        require:
          - permission: {context: UI, item: "{path.item}", operation: view}
      - path: /of-envoy
        methods: [GET]
        require: [{visible: {kind: cluster, id: "{ext.cluster}"}}]
  shadow:
    shadow: {until: 2999-01-01}
    routes:
      - {path: /me, methods: [GET], require: [{role: {platform_admin: true}}]}
"""
# A database, the sidecar over it, and where it logs.
Explained: TypeAlias = tuple[str, Checking, Path]
_ENGINE: Final = "native"


@dataclass(frozen=True)
class Scene:
    """The sidecar, its database and its log, and the command line."""

    url: str
    checking: Checking
    folder: Path
    capsys: pytest.CaptureFixture[str]

    @property
    def address(self) -> str:
        """Where the sidecar listens."""
        return self.checking.sidecar.addresses[0]

    @property
    def log(self) -> Path:
        """The decision log."""
        return self.folder / "decisions.log"

    @property
    def routes(self) -> Path:
        """The file of routes that the sidecar has."""
        return self.folder / "routes.yaml"

    async def explain(self, decision_id: str, *more: str) -> tuple[int, str, str]:
        """How the command ends, and what it prints to each stream."""
        self.capsys.readouterr()
        logs = () if "--log" in more else ("--log", str(self.log))
        where = ("--address", self.address, "--config", str(self.folder / "settings"))
        code = await asyncio.to_thread(
            main, ["explain", decision_id, *logs, *where, *more]
        )
        return code, *self.capsys.readouterr()

    async def compared(self, decision_id: str, *more: str) -> dict[str, object]:
        """The document of the command, with its exit code."""
        code, out, err = await self.explain(decision_id, "--json", *more)
        assert "" == err
        return {**json.loads(out), "code": code}

    @asynccontextmanager
    async def changed(self, change: str, undo: str) -> AsyncIterator[None]:
        """While facts are other ones."""
        connection = await asyncpg.connect(self.url)
        try:
            await connection.execute(change)
            yield
        finally:
            await connection.execute(undo)
            await connection.close()

    async def ask(self, call: str, request: Mapping[str, object]) -> str:
        """Asks the API; gives the id that the log has for it."""
        # What another test changed has been undone by now.
        fresh = {**request, "consistency": {"fully_consistent": True}}
        began = _now()
        stub = Stage.stub_of(self.checking.channels[_ENGINE])
        with suppress(aio.AioRpcError):
            await getattr(stub, call)(from_bare(fresh, request_type(call)), timeout=10)
        return await self._logged(call, began)

    async def send(
        self,
        request: str,
        headers: Sequence[tuple[str, str]] = (),
        rule_set: str = "",
    ) -> str:
        """Asks the edge, as Envoy does; gives the id that the log has for it."""
        method, _, target = request.partition(" ")
        extensions = [("rule_set", rule_set)] if rule_set else []
        message = asked_of_envoy(method, target, headers, extensions, None)
        began = _now()
        await self.checking.response(_ENGINE, cast("Message", message))
        return await self._logged("Check", began)

    async def _logged(self, rpc: str, began: str) -> str:
        async with asyncio.timeout(10):
            while True:
                # The last may not be whole yet.
                read = self.log.read_bytes() if self.log.exists() else b""
                lines = read.split(b"\n")[:-1]
                for record in map(json.loads, reversed(lines)):
                    if record["rpc"] == rpc and record["time"] >= began:
                        return str(record["decision_id"])
                await asyncio.sleep(0)


@asynccontextmanager
async def logging(
    url: str, folder: Path, **decision_log: object
) -> AsyncIterator[Explained]:
    """A sidecar over a database that logs to a file in a folder."""
    (folder / "routes.yaml").write_text(ROUTES)
    (folder / "settings").write_text(SETTINGS)
    settings = {"to": "file", "file": str(folder / "decisions.log"), **decision_log}
    async with checking(url, folder / "routes.yaml", decision_log=settings) as running:
        yield url, running, folder


def _now() -> str:
    now = datetime.fromtimestamp(SystemClock().wall(), UTC)
    return f"{now:%Y-%m-%dT%H:%M:%S.%f}"
