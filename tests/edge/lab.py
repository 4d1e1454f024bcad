"""The real edge without a network: messages in, messages out, over the example."""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final, cast

import yaml
from google.protobuf.message import DecodeError
from google.protobuf.struct_pb2 import Struct
from typing_extensions import override

from sidecar import wiring_edge
from sidecar.core.ids import IdType
from sidecar.core.model import ResourceKind, Visibility
from sidecar.core.permissions import RolePrecedence
from sidecar.edge.reloading import Routes
from sidecar.identity.access_tokens import AccessTokens, Issuer
from sidecar.identity.api_keys import ApiKeys
from sidecar.identity.work import Work
from sidecar.ports import Verifiers
from sidecar.service.asking import Policy
from sidecar.service.authorization import Authorization
from sidecar.settings import Settings
from sidecar.transport.envoy import external_auth_pb2 as envoy
from sidecar.transport.ext_authz import Context, ExtAuthzServicer
from tests.edge.making import JWT_AUTHN
from tests.edge.plain_messages import Asked
from tests.edge.reference import Edge
from tests.identity.held import HeldKeys, rules
from tests.identity.minting import ISSUER, claims, key_set, signer
from tests.spec.world import Document, Kind, Row, World
from tests.support.memory import MemoryFacts
from tests.support.pipeline import ManualClock

ROOT: Final = Path(__file__).parents[2]
FUZZ_ROUTES: Final = ROOT / "tests" / "edge" / "fuzz_routes.yaml"
PAYLOAD: Final = "payload"
TRUST_DOMAIN: Final = "prod.example"

# Who the tokens of the lab name: every user of the example.
_USERS: Final = range(1, 10)
_HOSTILE_USERS: Final = range(10, 15)
_KINDS: Final = yaml.safe_load((ROOT / "examples" / "sidecar.yaml").read_text())[
    "resource_kinds"
]


class _Call:
    """What the servicer looks at in a call's context."""

    def time_remaining(self) -> float | None:
        """No deadline."""
        return None


CALL: Final = cast("Context", _Call())


class _SteadyFacts(MemoryFacts):
    """Facts that never change, so that what comes of them may be remembered."""

    def __init__(
        self, document: Document, id_type: IdType, revision: str | None
    ) -> None:
        super().__init__(document, id_type)
        self._revision = revision

    @property
    @override
    def revision(self) -> str | None:
        return self._revision

    @property
    @override
    def epoch(self) -> int | None:
        return 1


@dataclass
class Verdicts:
    """Remembers the verdicts that were counted."""

    counted: list[tuple[str, str, str]] = field(default_factory=list)

    def judged(self, rule_set: str, outcome: str, reason: str) -> None:
        """Counts a verdict."""
        self.counted.append((rule_set, outcome, reason))


@dataclass(frozen=True)
class Lab:
    """An edge over facts, and its reference."""

    servicer: ExtAuthzServicer
    reference: Edge
    verdicts: Verdicts
    clock: ManualClock
    work: Work
    believes_peers: bool

    async def check(self, request: envoy.CheckRequest) -> envoy.CheckResponse:
        """The response to a message."""
        return await self.servicer.Check(request, CALL)

    def asked(self, request: envoy.CheckRequest) -> Asked:
        """A message in plain values, for the reference."""
        http = request.attributes.request.http
        pairs = [(each.key, each.value) for each in http.headers]
        pairs += [
            (each.key, each.raw_value or each.value) for each in http.header_map.headers
        ]
        peer = _peer(request.attributes) if self.believes_peers else None
        extensions = dict(request.attributes.context_extensions)
        return Asked(http.method, http.path, pairs, extensions, peer)


async def lab(
    routes: str | None = None,
    *,
    more: Document | None = None,
    id_type: str = "bigint",
    believes_peers: bool = True,
    revision: str | None = None,
) -> Lab:
    """An edge over the example, with more rows, and with routes of its own.

    `revision` is the one that all facts reflect, none when the database tells none.
    """
    text = FUZZ_ROUTES.read_text() if routes is None else routes
    kinds = {
        name: Kind(each["visibility"], each["owner"], each["cluster"])
        for name, each in _KINDS.items()
    }
    world = World(example(more or {}), kinds, organization_id_type=id_type)
    clock, work, verdicts = ManualClock(), Work(), Verdicts()
    issuer = Issuer.of(rules(), HeldKeys(key_set(signer("EdDSA"))), 3600, clock)
    access_tokens = AccessTokens([issuer], clock, work, 16 * 1024)
    await access_tokens.start()
    declared = {
        name: ResourceKind(name, Visibility(kind.visibility), kind.owner, kind.cluster)
        for name, kind in kinds.items()
    }
    service = Authorization(
        _SteadyFacts(world.document, IdType(id_type), revision),
        Verifiers(ApiKeys(clock, work), access_tokens),
        Policy(declared, RolePrecedence("union")),
    )
    settings = Settings.model_validate(
        {
            "identity": {
                "spiffe_trust_domains": [TRUST_DOMAIN],
                "jwt_authn": {"payload_key": PAYLOAD, "issuers": [ISSUER]},
            }
        }
    )
    read = Routes(FUZZ_ROUTES, declared, text.encode())
    backing = wiring_edge.edge_of(settings, service, read, clock, verdicts)
    assert backing is not None
    return Lab(
        ExtAuthzServicer(backing, believes_peers=believes_peers),
        Edge(world, text, tokens(), dt.date(2026, 1, 1)),
        verdicts,
        clock,
        work,
        believes_peers,
    )


def hostile() -> Document:
    """Users whose ids no header can carry as they are, and one whose ids it can."""
    users = [
        ("20\r\nx-admin: 1", "120"),
        (" 21", "121"),
        ("22", "122\0"),
        ("23", "ä" * 9_000),
        ("ü ü", "124"),
    ]
    return {
        "users": [{"id": user, "principal_id": own} for user, own in users],
        "principals": [{"id": own, "kind": "user"} for _, own in users],
        "user_identities": [
            {"issuer": ISSUER, "subject": f"user-{10 + place}", "user_id": user}
            for place, (user, _) in enumerate(users)
        ],
    }


@cache
def tokens() -> Mapping[str, Row]:
    """Good tokens, and whom they name."""
    return {
        signer("EdDSA").token(claims(sub=f"user-{number}")): {
            "issuer": ISSUER,
            "subject": f"user-{number}",
        }
        for number in (*_USERS, *_HOSTILE_USERS)
    }


def token(number: int) -> str:
    """A good token of a user: 1 to 9 of the example, 10 to 14 hostile ones."""
    return list(tokens())[number - 1]


def example(more: Document) -> Document:
    """The example's directory with every id as text, and with more rows."""
    text = (ROOT / "examples" / "gpu-cloud.yaml").read_text(encoding="utf-8")
    document: Document = {
        relation: [
            {
                column: str(value) if type(value) is int else value
                for column, value in row.items()
            }
            for row in rows
        ]
        for relation, rows in yaml.safe_load(text).items()
    }
    named = [(ISSUER, f"user-{number}", str(number)) for number in _USERS]
    domain = f"spiffe://{TRUST_DOMAIN}"
    named += [(domain, f"{domain}/meter", "7"), (domain, f"{domain}/ann", "1")]
    document["user_identities"] += [
        {"issuer": issuer, "subject": subject, "user_id": user}
        for issuer, subject, user in named
    ]
    for relation, rows in more.items():
        document[relation] = [*document.get(relation, []), *rows]
    return document


def _peer(attributes: envoy.AttributeContext) -> Row | str | None:
    """Whom Envoy has verified: by the payload of a token, or else a certificate."""
    payload = _payload(attributes.metadata_context)
    if payload is not None:
        return payload
    return _workload(attributes.source.principal.decode("utf-8", "replace"))


def _payload(metadata: envoy.Metadata) -> Row | str | None:
    encoded = b""
    for entry in metadata.filter_metadata:
        if entry.key == JWT_AUTHN:
            encoded = entry.value
    try:
        fields = Struct.FromString(encoded).fields
    except DecodeError:
        return "bad"
    if PAYLOAD not in fields:
        return None
    inner = fields[PAYLOAD]
    found = inner.struct_value.fields
    names = [found[name].string_value for name in ("iss", "sub") if name in found]
    if inner.WhichOneof("kind") != "struct_value" or len(names) != 2:
        return "bad"
    issuer, subject = names
    is_name = subject.isprintable() and 1 <= len(subject.encode()) <= 512
    if issuer != ISSUER or not is_name:
        return "bad"
    return {"subject": {"issuer": issuer, "subject": subject}}


def _workload(principal: str) -> Row | str | None:
    if not principal.startswith("spiffe://"):
        return None
    domain, _, path = principal.removeprefix("spiffe://").partition("/")
    segments = path.split("/")
    is_path = all(re.fullmatch(r"[A-Za-z0-9._-]+", each) for each in segments)
    if domain != TRUST_DOMAIN or not is_path or {".", ".."} & set(segments):
        return "bad"
    if len(principal) > 2048:
        return "bad"
    return {"subject": {"issuer": f"spiffe://{domain}", "subject": principal}}
