"""A directory that can be asked as a server would be, but in this process.

A question goes the server's own way: its message is parsed, judged and answered by
the servicer, over facts read by the store's own statements from one snapshot. What is
left out is the network, the cache and the feed.
"""

import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Final, Self, cast

from google.protobuf.message import Message
from typing_extensions import override

from sidecar import wiring, wiring_listeners
from sidecar.core.decision import Decision
from sidecar.identity.identity import Identity
from sidecar.ports import CouldNotDecideError
from sidecar.service.authorization import Authorization
from sidecar.settings import ListenerSettings, Settings
from sidecar.store import administration
from sidecar.store.anomalies import Anomaly
from sidecar.store.clock import SystemClock
from sidecar.store.document import Document
from sidecar.store.embedded import EmbeddedPostgres
from sidecar.store.errors import StoreError
from sidecar.store.snapshot import open_snapshot
from sidecar.transport.grpc_api import (
    AuthorizationServicer,
    Backing,
    Context,
    DecisionCounter,
    ServerInfo,
)
from sidecar.transport.status import DeniedError, RefusedError, code_of

# For all questions of a file together; a snapshot must not be held for ever.
_SECONDS: Final = 600.0


@dataclass(frozen=True, slots=True)
class Refusal:
    """How a call ended that has no answer.

    `denial` is set when the caller was denied, and empty when the request is refused.
    """

    code: str
    reason: str
    message: str
    denial: str = ""


class Directory:
    """A directory that answers questions.

    `malformed` has the stored rows that failed closed so far, in order.
    """

    def __init__(
        self, servicer: AuthorizationServicer, malformed: Mapping[Anomaly, None]
    ) -> None:
        self._servicer = servicer
        self.malformed = malformed

    async def ask(self, call: str, request: Message) -> Message | Refusal:
        """The answer to a call of the API.

        When there can be none because the database fails, `opened` says so.
        """
        handler = getattr(self._servicer, call)
        try:
            answer = await handler(request, cast("Context", _Call()))
        except DeniedError as denied:
            return replace(_refusal(denied), denial=denied.denied.denial.name)
        except RefusedError as refused:
            return _refusal(refused)
        return cast("Message", answer)


class Scratch:
    """Databases for directory documents, on a PostgreSQL of their own.

    It starts with the first document; leaving stops it and forgets every row.
    """

    def __init__(self) -> None:
        self._ending = ExitStack()
        self._postgres: EmbeddedPostgres | None = None
        self._stored = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ending.close()

    async def store(self, document: Document) -> str:
        """The URL of a new database that holds a document.

        Raises:
            DocumentError: the database refuses a row.
            StoreError: the PostgreSQL cannot run.
        """
        postgres = self._started()
        self._stored += 1
        name = f"directory_{self._stored}"
        postgres.create_database(name)
        url = postgres.url(name)
        await administration.migrate_database(url)
        await administration.import_into(url, document)
        return url

    def _started(self) -> EmbeddedPostgres:
        if self._postgres is None:
            # A short path: a socket's is bounded.
            named = tempfile.TemporaryDirectory(prefix="authz-")
            folder = self._ending.enter_context(named)
            server = EmbeddedPostgres(Path(folder) / "data", durable=False)
            self._postgres = self._ending.enter_context(server)
        return self._postgres


@asynccontextmanager
async def opened(
    url: str, settings: Settings, now: float | None = None
) -> AsyncIterator[Directory]:
    """The directory in a database, as it is at one moment; nothing is written.

    `now`: the time at which API keys are judged, in seconds since 1970; that of the
    machine unless given.

    Raises:
        StoreError: the database cannot be read, or fails on the way.
    """
    clock = _Clock(now)
    # Nobody's keys are fetched for a test, so no access token is good here.
    identity = await Identity.start(
        (), settings.identity.api_key_prefixes, settings.limits.credential_bytes, clock
    )
    # A standby will do: what is read is one moment of it.
    pool = replace(
        wiring.store_settings(settings).pool,
        url=url,
        smallest=1,
        largest=1,
        wanted="any",
    )
    policy = wiring.policy_of(settings)
    listener = wiring_listeners.listener_of(ListenerSettings(), settings)
    info = ServerInfo(
        wiring.VERSION, "none", settings.digest(), None, serves_reflection=False
    )
    malformed: dict[Anomaly, None] = {}

    def tell(anomaly: Anomaly) -> None:
        malformed[anomaly] = None

    try:
        async with open_snapshot(pool, clock, tell, _SECONDS) as snapshot:
            service = Authorization(snapshot, identity.verifiers, policy)
            backing = Backing(service, policy.kinds, clock, _NobodyCounts())
            servicer = AuthorizationServicer(backing, listener.policy, info)
            yield Directory(servicer, malformed)
    except CouldNotDecideError as error:
        raise StoreError("the database fails, or takes too long") from error
    finally:
        await identity.close()


class _Clock(SystemClock):
    def __init__(self, now: float | None) -> None:
        self._now = now

    @override
    def wall(self) -> float:
        return super().wall() if self._now is None else self._now


class _Call:
    # What a servicer looks at in a call's context.
    def time_remaining(self) -> float:
        return _SECONDS


class _NobodyCounts(DecisionCounter):
    @override
    def decided(self, rpc: str, decisions: Sequence[Decision]) -> None:
        """Counts nothing."""


def _refusal(refused: RefusedError) -> Refusal:
    return Refusal(code_of(refused).name, refused.reason.name, refused.message)
