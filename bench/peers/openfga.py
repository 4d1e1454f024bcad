"""OpenFGA, in memory: tuples, and a model that says what follows."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

from bench.parts.cores import Started, accepts, free_port, started
from bench.parts.loads import Target
from bench.parts.wire import prefixed
from bench.parts.world import ROOT
from bench.peers import shared
from bench.peers.fields import field, many, one
from bench.peers.shared import Asked, Call

NAME: Final = "OpenFGA"
VERSION: Final = "1.22.1"
BINARY: Final = ROOT / "build/peers/bin/openfga"
_API: Final = "/openfga.v1.OpenFGAService/"
_AT_ONCE: Final = 100


def _this(*types: Mapping[str, str]) -> dict[str, object]:
    return {"directly_related_user_types": list(types)}


_MODEL: Final = {
    "schema_version": "1.1",
    "type_definitions": [
        {"type": "user"},
        {
            "type": "org",
            "relations": {"member": {"this": {}}},
            "metadata": {"relations": {"member": _this({"type": "user"})}},
        },
        {
            "type": "cluster",
            "relations": {"granted": {"this": {}}},
            "metadata": {
                "relations": {"granted": _this({"type": "org", "relation": "member"})}
            },
        },
        {
            "type": "worker",
            "relations": {
                "owner": {"this": {}},
                "cluster": {"this": {}},
                "see": {
                    "union": {
                        "child": [
                            {"computedUserset": {"relation": "owner"}},
                            {
                                "tupleToUserset": {
                                    "tupleset": {"relation": "cluster"},
                                    "computedUserset": {"relation": "granted"},
                                }
                            },
                        ]
                    }
                },
            },
            "metadata": {
                "relations": {
                    "owner": _this({"type": "org", "relation": "member"}),
                    "cluster": _this({"type": "cluster"}),
                }
            },
        },
    ],
}


@dataclass(frozen=True, slots=True)
class OpenFga:
    """An OpenFGA that answers."""

    started: Started
    address: str
    store: str
    model: str

    def call(self, asked: Asked) -> Call:
        """Check for one worker, BatchCheck for more."""
        keys = [
            field(1, f"user:{asked.user}")
            + field(2, "see")
            + field(3, f"worker:{each}")
            for each in asked.workers
        ]
        if len(keys) == 1:
            body = field(1, self.store) + field(2, keys[0]) + field(4, self.model)
            return Call(Target(self.address, f"{_API}Check"), prefixed(body))
        checks = [
            field(2, field(1, key) + field(4, str(worker)))
            for key, worker in zip(keys, asked.workers, strict=True)
        ]
        body = field(1, self.store) + b"".join(checks) + field(3, self.model)
        return Call(Target(self.address, f"{_API}BatchCheck"), prefixed(body))

    @staticmethod
    def answers(asked: Asked, message: bytes) -> Sequence[bool]:
        """By the number that each was asked under."""
        if len(asked.workers) == 1:
            return [one(message, 1) == 1]
        found = {}
        for entry in many(message, 1):
            result = one(entry, 2)
            is_allowed = isinstance(result, bytes) and one(result, 1) == 1
            found[one(entry, 1)] = is_allowed
        return [found[str(each).encode()] for each in asked.workers]


def _tuples() -> Iterator[dict[str, str]]:
    for each in shared.ORGANIZATIONS:
        user, organization = f"user:{Asked(each, ()).user}", f"org:{each}"
        yield {"user": user, "relation": "member", "object": organization}
        for cluster in shared.granted(each):
            yield {
                "user": f"{organization}#member",
                "relation": "granted",
                "object": f"cluster:{cluster}",
            }
    for each in shared.WORKERS:
        worker, on = f"worker:{each}", f"cluster:{shared.cluster(each)}"
        owner = f"org:{shared.owner(each)}#member"
        yield {"user": owner, "relation": "owner", "object": worker}
        yield {"user": on, "relation": "cluster", "object": worker}


@contextmanager
def openfga(folder: Path) -> Iterator[OpenFga]:
    """An OpenFGA on the measured core; it listens on TCP only."""
    address, http = (f"127.0.0.1:{free_port()}" for _ in range(2))
    command = (
        *(str(BINARY), "run", "--datastore-engine=memory", "--log-level=error"),
        *(f"--grpc-addr={address}", f"--http-addr={http}"),
        *("--playground-enabled=false", "--metrics-enabled=false"),
    )
    log = folder / "openfga.log"

    def is_ready() -> bool:
        return accepts(address) and accepts(http)

    with started(command, log, is_ready) as running:
        store = _post(http, "/stores", {"name": "bench"})["id"]
        at_store = f"/stores/{store}"
        model = _post(http, f"{at_store}/authorization-models", _MODEL)
        facts = list(_tuples())
        for at in range(0, len(facts), _AT_ONCE):
            writes = {"writes": {"tuple_keys": facts[at : at + _AT_ONCE]}}
            _post(http, f"{at_store}/write", writes)
        found = model["authorization_model_id"]
        yield OpenFga(running, address, str(store), str(found))


def _post(http: str, path: str, content: Mapping[str, object]) -> dict[str, object]:
    host, _, port = http.rpartition(":")
    connection = HTTPConnection(host, int(port), timeout=30)
    try:
        connection.request("POST", path, json.dumps(content))
        found: dict[str, object] = json.load(connection.getresponse())
    finally:
        connection.close()
    return found
