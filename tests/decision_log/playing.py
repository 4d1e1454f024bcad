"""Hundreds of questions of all kinds, and what was answered to each."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from authz.v1 import authorization_service_pb2 as api
from google.protobuf.message import Message
from grpc import aio

from sidecar.command.bare_json import from_bare, to_bare
from sidecar.store.clock import SystemClock
from sidecar.transport.envoy import external_auth_pb2 as envoy
from tests.edge import making
from tests.edge.checking import Checking
from tests.identity.minting import AUDIENCE, ISSUER, claims, key_set, signer
from tests.support.edge import (
    ANN,
    ANN_IN_BOREALIS,
    BEN_EXPIRED,
    BEN_REVOKED,
    PIA_PINNED,
)
from tests.support.pipeline import request_type
from tests.support.serving import Refusal, refusal

Row = dict[str, object]

KEYS: Final = (ANN, ANN_IN_BOREALIS, BEN_REVOKED, BEN_EXPIRED, PIA_PINNED, "gpk_no")
SUBJECT: Final = {
    "issuer": "https://login.example.com",
    "subject": "ben@aurora.example",
}
# Hidden in what a request at the edge brings and nobody asked for.
QUERY_SECRET: Final = "query-secret-7f3a"  # noqa: S105  that is what it is for
HEADER_SECRET: Final = "header-secret-9c1e"  # noqa: S105  likewise
_METHOD: Final = "/authz.v1.AuthorizationService/"
_IDENTITY: Final = {"trust": "spiffe://prod.example/ann"}


def token(user_id: str, **changed: object) -> str:
    """An access token of the issuer that `identity` believes."""
    now = int(SystemClock().wall())
    return signer("ES256").token(claims(now, uid=user_id, **changed))


def identity(folder: Path) -> Row:
    """Settings that believe tokens, and what Envoy says of peers."""
    file = folder / "keys.json"
    file.write_bytes(key_set(signer("ES256")))
    return {
        "issuers": [
            {
                "issuer": ISSUER,
                "audiences": [AUDIENCE],
                "jwks_file": str(file),
                "user_id_claim": "uid",
            }
        ],
        "spiffe_trust_domains": ["prod.example"],
    }


@dataclass(frozen=True)
class Played:
    """A question, and its answer or how it ended."""

    engine: str
    call: str
    request: Message
    response: Message | None
    refused: Refusal | None

    @property
    def answer(self) -> Row:
        """The response in bare JSON."""
        assert self.response is not None
        return cast("Row", to_bare(self.response))


@dataclass(frozen=True)
class Player:
    """Asks a sidecar that serves everything on both engines."""

    checking: Checking

    async def ask(
        self, engine: str, call: str, request: Mapping[str, object]
    ) -> Played:
        """A question of the API in bare JSON."""
        message = from_bare(request, request_type(call))
        method = self.checking.channels[engine].unary_unary(
            _METHOD + call,
            request_serializer=lambda each: each.SerializeToString(),
            response_deserializer=getattr(api, f"{call}Response").FromString,
        )
        try:
            return Played(
                engine, call, message, await method(message, timeout=10), None
            )
        except aio.AioRpcError as error:
            return Played(engine, call, message, None, refusal(error))

    async def check(self, engine: str, message: envoy.CheckRequest) -> Played:
        """A question of Envoy's."""
        response = await self.checking.response(engine, message)
        return Played(engine, "Check", message, response, None)


def api_questions(tokens: Sequence[str], seed: int) -> Iterator[tuple[str, Row]]:
    """Calls and requests, some of which are refused."""
    chance = random.Random(seed)  # noqa: S311  a test
    for number in range(270):
        call = _CALLS[number % len(_CALLS)]
        yield call, {"caller": _caller(chance, tokens), **_content(chance, call)}


_CALLS: Final = (
    "CheckVisible", "CheckWritable", "CheckCreatable", "CheckRole", "GetPermissions",
    "Authorize", "ResolveContext", "ListContexts", "GetListFilter",
)  # fmt: skip


def _caller(chance: random.Random, tokens: Sequence[str]) -> Row:
    organization = chance.choice(["1", "1", "1", "2", "3", "99", None])
    wish: Row = {} if organization is None else {"organization_id": organization}
    named: list[Row] = [
        {"user_id": chance.choice("1112345666789")},
        {"user_id": "1", "pinned_principal_id": chance.choice(["1", "101"])},
        {"subject": SUBJECT},
        {"api_key": chance.choice(KEYS)},
        {"access_token": chance.choice(tokens)},
        # Refused for their shape, and told in the log nonetheless.
        {"access_token": tokens[0], "pinned_principal_id": "1"},
    ]
    (caller,) = chance.choices(named, weights=[4, 1, 2, 4, 4, 1])
    return {**caller, **wish}


def _resource(chance: random.Random) -> Row:
    if chance.random() < 0.7:
        return {"kind": "cluster", "id": "1"}
    kind = chance.choice(["cluster", "worker", "model", "gizmo"])
    return {"kind": kind, "id": str(chance.randint(1, 15))}


def _query(chance: random.Random) -> Row:
    return {"context": chance.choice(["DATA", "UI"]), "item": "data.datasets"}


def _content(  # noqa: PLR0911  one for each call
    chance: random.Random, call: str
) -> Row:
    several = range(chance.choice([1, 1, 1, 3, 40]))
    gate = chance.choice(
        [{"platform_admin": True}, {"any_of_org_roles": {"roles": ["ADMIN", "USER"]}}]
    )
    match call:
        case "CheckVisible" | "CheckWritable":
            return {"resources": [_resource(chance) for _ in several]}
        case "CheckCreatable":
            owner = chance.choice(["1", "2", "101"])
            return {"resources": [{"kind": "cluster", "owner_principal_id": owner}]}
        case "CheckRole":
            return {"gate": gate, "explain": chance.random() < 0.5}
        case "GetPermissions":
            return {"queries": [_query(chance) for _ in several]}
        case "Authorize":
            wanted: list[Row] = [
                {"visible": _resource(chance)},
                {"role": gate},
                {"writable": {"resource": _resource(chance)}},
                {
                    "permission": {
                        "query": _query(chance),
                        "operation": "READ",
                        "least_level": "MY",
                    }
                },
            ]
            return {"requirements": chance.sample(wanted, chance.randint(1, 4))}
        case "GetListFilter":
            column = {"field": "OWNER_PRINCIPAL_ID", "column": "owner"}
            return chance.choice(
                [
                    {"kind": chance.choice(["cluster", "model", "gizmo"])},
                    {"kind": "model", "sql": {"columns": [column]}},
                ]
            )
        case _:
            fresh: Row = {"consistency": {"fully_consistent": True}}
            return fresh if chance.random() < 0.2 else {}


def edge_questions(tokens: Sequence[str], seed: int) -> Iterator[envoy.CheckRequest]:
    """What Envoy asks, of all routes and some that there are not."""
    chance = random.Random(seed)  # noqa: S311  a test
    shown: list[dict[str, str]] = [
        {},
        *({"x-api-key": key} for key in KEYS),
        *({"authorization": f"Bearer {each}"} for each in tokens),
        {"authorization": f"Bearer {tokens[0]}", "x-api-key": ANN},
    ]
    for _ in range(60):
        headers = {**chance.choice(shown), "cookie": HEADER_SECRET}
        if chance.random() < 0.8:
            headers["x-organization-id"] = chance.choice(["1", "2"])
        method, path = chance.choice(_PATHS)
        rule_set = chance.choice([None, None, None, "shadow", "nobody's"])
        yield making.request(
            f"{path}?token={QUERY_SECRET}",
            headers,
            method,
            extensions={} if rule_set is None else {"rule_set": rule_set},
            principal=chance.choice(["", "", _IDENTITY["trust"]]),
        )


_PATHS: Final = (
    ("GET", "/healthz"), ("GET", "/me"), ("GET", "/clusters/1"), ("PUT", "/clusters/3"),
    ("POST", "/clusters"), ("GET", "/workers/11"), ("GET", "/admin"), ("GET", "/about"),
    ("GET", "/items/datasets"), ("GET", "/nowhere"), ("GET", "/a/../b"),
)  # fmt: skip
