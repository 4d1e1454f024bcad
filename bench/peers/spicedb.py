"""SpiceDB, in memory: relationships, and a schema that says what follows."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.parts.cores import Started, accepts, started
from bench.parts.loads import Target
from bench.parts.wire import ask, prefixed
from bench.parts.world import ROOT
from bench.peers import shared
from bench.peers.fields import field, many, one
from bench.peers.shared import Asked, Call

NAME: Final = "SpiceDB"
VERSION: Final = "1.56.0"
BINARY: Final = ROOT / "build/peers/bin/spicedb"
_API: Final = "/authzed.api.v1."
_KEY: Final = (("authorization", "Bearer bench"),)
_HAS: Final = 2
_AT_ONCE: Final = 500
_SCHEMA: Final = """
definition user {}
definition org {
  relation member: user
}
definition cluster {
  relation granted: org#member
}
definition worker {
  relation owner: org
  relation cluster: cluster
  permission see = owner->member + cluster->granted
}
"""


@dataclass(frozen=True, slots=True)
class SpiceDb:
    """A SpiceDB that answers."""

    started: Started
    address: str

    def call(self, asked: Asked) -> Call:
        """CheckPermission for one worker, CheckBulkPermissions for more."""
        subject = field(1, _object("user", asked.user))
        if len(asked.workers) == 1:
            parts = field(2, _object("worker", asked.workers[0]))
            body = parts + field(3, "see") + field(4, subject)
            return self._call("PermissionsService/CheckPermission", body)
        items = [
            field(1, _object("worker", each)) + field(2, "see") + field(3, subject)
            for each in asked.workers
        ]
        body = b"".join(field(2, each) for each in items)
        return self._call("PermissionsService/CheckBulkPermissions", body)

    @staticmethod
    def answers(asked: Asked, message: bytes) -> Sequence[bool]:
        """In the order of the question."""
        if len(asked.workers) == 1:
            return [one(message, 2) == _HAS]
        items = [one(pair, 2) for pair in many(message, 2)]
        return [isinstance(each, bytes) and one(each, 1) == _HAS for each in items]

    def tell(self) -> None:
        """Writes schema and relationships."""
        self._ask("SchemaService/WriteSchema", field(1, _SCHEMA))
        facts = list(_relationships())
        for at in range(0, len(facts), _AT_ONCE):
            updates = [
                field(1, 2) + field(2, each) for each in facts[at : at + _AT_ONCE]
            ]
            body = b"".join(field(1, each) for each in updates)
            self._ask("PermissionsService/WriteRelationships", body)

    def _call(self, method: str, body: bytes) -> Call:
        target = Target(self.address, f"{_API}{method}", _KEY)
        return Call(target, prefixed(body))

    def _ask(self, method: str, body: bytes) -> None:
        call = self._call(method, body)
        ask(call.target.address, call.target.method, call.body, _KEY)


def _object(kind: str, number: int) -> bytes:
    return field(1, kind) + field(2, str(number))


def _relationships() -> Iterator[bytes]:
    def related(what: bytes, relation: str, to: bytes, as_: str = "") -> bytes:
        subject = field(1, to) + (field(2, as_) if as_ else b"")
        return field(1, what) + field(2, relation) + field(3, subject)

    for each in shared.ORGANIZATIONS:
        user = _object("user", Asked(each, ()).user)
        organization = _object("org", each)
        yield related(organization, "member", user)
        for cluster in shared.granted(each):
            grant = _object("cluster", cluster)
            yield related(grant, "granted", organization, "member")
    for each in shared.WORKERS:
        worker = _object("worker", each)
        yield related(worker, "owner", _object("org", shared.owner(each)))
        yield related(worker, "cluster", _object("cluster", shared.cluster(each)))


@contextmanager
def spicedb(folder: Path) -> Iterator[SpiceDb]:
    """A SpiceDB on the measured core."""
    socket = folder / "spicedb.sock"
    address = f"unix:{socket}"
    command = (
        *(str(BINARY), "serve", "--datastore-engine=memory", "--log-level=error"),
        *("--grpc-network=unix", f"--grpc-addr={socket}", "--grpc-preshared-key=bench"),
        *("--metrics-enabled=false", "--telemetry-endpoint=", "--skip-release-check"),
    )
    log = folder / "spicedb.log"
    with started(command, log, lambda: accepts(address)) as running:
        peer = SpiceDb(running, address)
        peer.tell()
        yield peer
