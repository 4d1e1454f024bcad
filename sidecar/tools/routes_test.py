"""An edge that can be asked as Envoy asks it, but in this process.

A request goes the server's own way: its message is read, judged and answered by the
edge's own code, over facts from one snapshot of a database. What is left out is Envoy,
the network, the cache and the feed.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from authz.v1 import caller_pb2
from typing_extensions import override

from sidecar import wiring, wiring_edge, wiring_identity
from sidecar.core.ids import PrincipalId, UserId
from sidecar.edge.admission import Admission
from sidecar.edge.callers import Peers
from sidecar.edge.reloading import Routes
from sidecar.edge.request import EdgeRequest
from sidecar.ports import CouldNotDecideError
from sidecar.service.asking import NamedSubject, NamedUser
from sidecar.service.authorization import Authorization
from sidecar.settings import Settings
from sidecar.store.anomalies import Anomaly
from sidecar.store.clock import SystemClock
from sidecar.store.errors import StoreError
from sidecar.store.snapshot import open_snapshot
from sidecar.transport.edge_answers import Told, respond
from sidecar.transport.envoy import external_auth_pb2 as envoy
from sidecar.transport.ext_authz import edge_request

# For all requests of a file together; a snapshot must not be held for ever.
_SECONDS: Final = 600.0
_TOLD: Final = Told("offline", 0.0)


@dataclass(frozen=True, slots=True)
class Vouched:
    """A caller of whom nobody shows a credential, as if Envoy had verified one."""

    caller: caller_pb2.Caller

    @property
    def principal(self) -> bytes:
        """What stands in the place of the certificate's name."""
        return self.caller.SerializeToString().hex().encode()


class Edge:
    """An edge that answers requests.

    `malformed` has the stored rows that failed closed so far, in order.
    """

    def __init__(self, admission: Admission, malformed: Iterable[Anomaly]) -> None:
        self._admission = admission
        self.malformed = malformed

    async def ask(self, request: envoy.CheckRequest) -> envoy.CheckResponse:
        """The answer to Envoy.

        When there can be none because the database fails, `opened_edge` says so.
        """
        asked = edge_request(request, believes_peers=True)
        deadline = self._admission.clock.monotonic() + _SECONDS
        return respond(await self._admission.judge(asked, deadline), asked, _TOLD)


@asynccontextmanager
async def opened_edge(
    url: str, settings: Settings, routes: Path, now: float | None = None
) -> AsyncIterator[Edge]:
    """The edge over the directory in a database, as it is at one moment.

    `now`: the time at which credentials are judged, and whether rule sets only
    watch, in seconds since 1970; that of the machine unless given. Of issuers whose
    keys are at a URL none are fetched, so that their tokens are bad ones.

    Raises:
        RoutesError: the file of routes cannot be read, or cannot hold.
        StoreError: the database cannot be read, or fails on the way.
    """
    read = Routes.read(routes, wiring.policy_of(settings).kinds)
    clock = _Clock(now)
    malformed: dict[Anomaly, None] = {}

    def tell(anomaly: Anomaly) -> None:
        malformed[anomaly] = None

    # A standby will do: what is read is one moment of it.
    pool = replace(
        wiring.store_settings(settings).pool,
        url=url,
        smallest=1,
        largest=1,
        wanted="any",
    )
    identity = await wiring_identity.start_identity(_without_urls(settings), clock)
    try:
        async with open_snapshot(pool, clock, tell, _SECONDS) as snapshot:
            policy = wiring.policy_of(settings)
            service = Authorization(snapshot, identity.verifiers, policy)
            backing = wiring_edge.edge_of(settings, service, read, clock, _Nobody())
            if backing is None:
                raise AssertionError("there are routes")
            yield Edge(replace(backing.admission, peers=_Vouching()), malformed)
    except CouldNotDecideError as error:
        raise StoreError("the database fails, or takes too long") from error
    finally:
        await identity.close()


def asked_of_envoy(
    method: str,
    target: str,
    headers: Sequence[tuple[str, str]],
    extensions: Sequence[tuple[str, str]],
    vouched: Vouched | None,
) -> envoy.CheckRequest:
    """A request as Envoy would put it: headers raw, names in lower case."""
    context = envoy.AttributeContext
    named = [
        envoy.HeaderValue(key=name.lower().encode(), raw_value=value.encode())
        for name, value in headers
    ]
    http = context.HttpRequest(
        method=method.encode(),
        path=target.encode(),
        header_map=envoy.HeaderMap(headers=named),
    )
    principal = b"" if vouched is None else vouched.principal
    return envoy.CheckRequest(
        attributes=context(
            source=context.Peer(principal=principal),
            request=context.Request(http=http),
            context_extensions=dict(extensions),
        )
    )


def _without_urls(settings: Settings) -> Settings:
    at_hand = [each for each in settings.identity.issuers if each.jwks_url is None]
    identity = settings.identity.model_copy(update={"issuers": tuple(at_hand)})
    return settings.model_copy(update={"identity": identity})


class _Vouching(Peers):
    @override
    def subject(self, request: EdgeRequest) -> NamedUser | NamedSubject | None:
        if not request.peer:
            return None
        caller = caller_pb2.Caller.FromString(bytes.fromhex(request.peer))
        pinned = (
            PrincipalId(caller.pinned_principal_id)
            if caller.HasField("pinned_principal_id")
            else None
        )
        if caller.WhichOneof("identity") == "subject":
            return NamedSubject(caller.subject.issuer, caller.subject.subject, pinned)
        return NamedUser(UserId(caller.user_id), pinned)


class _Clock(SystemClock):
    def __init__(self, now: float | None) -> None:
        self._now = now

    @override
    def wall(self) -> float:
        return super().wall() if self._now is None else self._now


class _Nobody:
    def judged(self, rule_set: str, outcome: str, reason: str) -> None:
        """Counts nothing."""
