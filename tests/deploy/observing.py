"""A sidecar that serves everything it can, was asked everything, and is scraped."""

import asyncio
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import asyncpg
import grpc
from authz.v1 import authorization_service_pb2 as api
from authz.v1.caller_pb2 import Caller
from authz.v1.resource_pb2 import Resource
from grpc import aio
from prometheus_client import Metric
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from sidecar.app import Sidecar
from sidecar.store.clock import SystemClock
from tests.edge.checking import CHECK
from tests.edge.making import request
from tests.identity.bad_tokens import KEYS, good
from tests.identity.minting import AUDIENCE, ISSUER
from tests.support.authority import Authority, Folder
from tests.support.edge import ANN, settings_of
from tests.support.serving import Stage

OPENMETRICS: Final = "application/openmetrics-text; version=1.0.0"
# An id of a user and of a resource, and a part of a path.
NOT_TOLD: Final = "918273645"
_SECONDS: Final = 10

Parse = Callable[[str], Iterable[Metric]]

# Nobody is a `boss`; the schema would refuse it, so its checks go first.
_MALFORMED: Final = """
do $$ declare name text; begin
    for name in select conname from pg_constraint
        where conrelid = 'authz.principal_memberships'::regclass and contype = 'c'
    loop
        execute format('alter table authz.principal_memberships drop constraint %I',
            name);
    end loop;
end $$;
update authz.principal_memberships set role = 'boss'
where member_principal_id = (select principal_id from authz.users where id = 2)
"""


@dataclass(frozen=True)
class Exported:
    """A metric as it is told: its name as queries have it, its type, its labels."""

    name: str
    type: str
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Scraped:
    """The metrics in both formats."""

    text: str
    openmetrics: str

    def families(self) -> list[Metric]:
        """What a parser of the old format finds."""
        parse = cast("Parse", text_string_to_metric_families)
        return list(parse(self.text))

    def open_families(self) -> list[Metric]:
        """What a strict parser of OpenMetrics finds."""
        parse = cast("Parse", openmetrics.text_string_to_metric_families)
        return list(parse(self.openmetrics))


def exported(families: Iterable[Metric]) -> set[Exported]:
    """The metrics of what was parsed; those without a sample have no labels."""
    return {
        Exported(
            f"{each.name}_total" if each.type == "counter" else each.name,
            each.type,
            tuple(sorted({name for one in each.samples for name in one.labels} - _OWN)),
        )
        for each in families
    }


# Of histograms, and in no table.
_OWN: Final = frozenset({"le"})


@asynccontextmanager
async def observed(url: str, folder: Path) -> AsyncIterator[Scraped]:
    """Scrapes a sidecar over the example after everything was asked of it."""
    authority, files = Authority(), Folder(folder)
    files.put(authority.server(), authority.pem)
    keys = folder / "keys.json"
    keys.write_bytes(KEYS)
    issuer = {"issuer": ISSUER, "audiences": [AUDIENCE], "jwks_file": str(keys)}
    local = f"unix:{folder / 'authz.sock'}"
    settings = settings_of(
        url,
        folder / "unused",
        "native",
        # Away, which the start does not mind; it is told of all the same.
        database={"url": url, "read_url": "postgresql://authz@127.0.0.1:1/authz"},
        listeners=[
            {"address": local, "engine": "native"},
            {
                "address": "127.0.0.1:0",
                "tls": files.settings("dns:app.example"),
            },
        ],
        identity={"issuers": [issuer]},
        metrics={"address": "127.0.0.1:0"},
        decision_log={"to": "file", "file": str(folder / "decisions.log")},
        tracing={"endpoint": "http://127.0.0.1:1"},
    )
    await _break(url)
    sidecar = await Sidecar.start(settings)
    try:
        async with aio.insecure_channel(local) as channel:
            await _ask(channel)
        client = authority.client("dns:app.example")
        credentials = grpc.ssl_channel_credentials(
            authority.pem, client.key_pem, client.pem
        )
        async with aio.secure_channel(sidecar.addresses[1], credentials) as channel:
            await _resolve(channel, Caller(user_id="1"))
        yield await _scrape(sidecar)
    finally:
        await sidecar.stop()


async def _break(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(_MALFORMED)
    finally:
        await connection.close()


async def _ask(channel: aio.Channel) -> None:
    now = int(SystemClock().wall())
    async with AsyncExitStack() as ending:
        stream = Stage.stub_of(channel).Watch(api.WatchRequest(), timeout=_SECONDS)
        ending.callback(stream.cancel)
        await anext(aiter(stream))
        for caller in (
            Caller(user_id="1", organization_id="1"),
            Caller(api_key=ANN, organization_id="1"),
            Caller(access_token=good(now)),
            Caller(user_id=NOT_TOLD, organization_id=NOT_TOLD),
            Caller(user_id="2", organization_id="1"),
        ):
            await _resolve(channel, caller)
        await Stage.stub_of(channel).CheckVisible(
            api.CheckVisibleRequest(
                caller=Caller(user_id="1", organization_id="1"),
                resources=[
                    Resource(kind="cluster", id=each) for each in ("1", NOT_TOLD)
                ],
            ),
            timeout=_SECONDS,
        )
        check = channel.unary_unary(
            CHECK, request_serializer=bytes, response_deserializer=bytes
        )
        for path in ("/me", f"/clusters/{NOT_TOLD}"):
            asked = request(path, {"x-api-key": ANN, "x-organization-id": "1"})
            await check(asked.SerializeToString(), timeout=_SECONDS)
        # Ann is no admin of the platform, and is let in because it only watches.
        watched = request("/admin", {"x-api-key": ANN}, extensions=_SHADOW)
        await check(watched.SerializeToString(), timeout=_SECONDS)


async def _resolve(channel: aio.Channel, caller: Caller) -> None:
    try:
        await Stage.stub_of(channel).ResolveContext(
            api.ResolveContextRequest(caller=caller), timeout=_SECONDS
        )
    except aio.AioRpcError as error:
        # Whom the rules turn away has been counted as well.
        if error.code() not in _TURNED_AWAY:
            raise


_SHADOW: Final = {"rule_set": "shadow"}
_TURNED_AWAY: Final = (
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.UNAUTHENTICATED,
)


async def _scrape(sidecar: Sidecar) -> Scraped:
    plain, strict = [
        await asyncio.to_thread(_get, sidecar, accept)
        for accept in ("text/plain", OPENMETRICS)
    ]
    return Scraped(plain, strict)


def _get(sidecar: Sidecar, accept: str) -> str:
    asked = urllib.request.Request(
        f"http://127.0.0.1:{sidecar.metrics_port}/metrics", headers={"Accept": accept}
    )
    with urllib.request.urlopen(asked, timeout=_SECONDS) as response:  # noqa: S310
        assert accept.partition(";")[0] in response.headers["content-type"]
        return str(response.read(), "utf-8")
