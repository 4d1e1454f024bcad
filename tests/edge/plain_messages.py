"""A request at the edge and what it is answered, a second time, in plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.edge.plain_routes import texts
from tests.spec.tenancy import Denied
from tests.spec.world import Row, part

HTTP = {"INVALID": 400, "UNAUTHENTICATED": 401, "FORBIDDEN": 403, "NOT_FOUND": 404}
DECISION = "x-authz-decision-id"
OURS = [
    "x-authz-user-id", "x-authz-principal-id", "x-authz-write-principal-id",
    "x-authz-org-role", "x-authz-access-level", DECISION,
]  # fmt: skip
NEVER = ["x-http-method-override", "x-envoy-auth-failure-mode-allowed"]


@dataclass(frozen=True)
class Asked:
    """A request; `peer` is whom Envoy has verified: a subject, `bad`, or nobody."""

    method: bytes
    target: bytes
    headers: list[tuple[bytes, bytes]]
    extensions: Mapping[str, str]
    peer: Row | str | None = None

    def all(self, name: str) -> list[bytes]:
        """Every value of a header."""
        return [value for key, value in self.headers if key.lower() == name.encode()]

    def first(self, name: str) -> bytes | None:
        """The first value of a header, without the blanks around it."""
        values = self.all(name)
        return values[0].strip(b" \t") if values else None


@dataclass(frozen=True)
class Answer:
    """What a request is answered: it passes, or it ends with a status and a reason.

    `sent` goes to the application, `told` to the client, `facts` into the metadata.
    """

    passes: bool
    status: int = 200
    reason: str = ""
    sent: Mapping[str, str] = field(default_factory=dict)
    removed: frozenset[bytes] = frozenset()
    told: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, object] = field(default_factory=dict)


def admit(asked: Asked, rules: Row, sent: Mapping[str, str], facts: Row) -> Answer:
    """It passes, with an identity or none."""
    removed = _removed(asked, rules, sent)
    return Answer(passes=True, sent=sent, removed=removed, facts=facts)


def watch(asked: Asked, rules: Row, denied: Denied, facts: Row) -> Answer:
    """It passes as nobody, though it would be denied."""
    told = {"x-authz-shadow": f"would-deny {HTTP[denied.denial]} {denied.reason}"}
    removed = _removed(asked, rules, {})
    return Answer(passes=True, removed=removed, told=told, facts=facts)


def refuse(asked: Asked, rules: Row, denied: Denied, facts: Row) -> Answer:
    """It does not pass."""
    is_grpc = (asked.first("content-type") or b"").startswith(b"application/grpc")
    told = {"content-type": "text/plain" if is_grpc else "application/problem+json"}
    if denied.denial == "UNAUTHENTICATED":
        told["www-authenticate"] = 'Bearer realm="authz"'
        if denied.reason != "CREDENTIAL_MISSING":
            told["www-authenticate"] += ', error="invalid_token"'
    return Answer(
        passes=False,
        status=HTTP[denied.denial],
        reason=denied.reason,
        told=told | _told_to_origins(asked, part(rules, "cors")),
        facts=facts,
    )


def _told_to_origins(asked: Asked, cors: Row) -> dict[str, str]:
    origins = texts(cors.get("origins", []))
    if not origins:
        return {}
    told = {"vary": "Origin"}
    origin = (asked.first("origin") or b"").decode("latin-1")
    if origin in origins:
        told["access-control-allow-origin"] = origin
        if cors.get("credentials"):
            told["access-control-allow-credentials"] = "true"
    return told


def _removed(asked: Asked, rules: Row, sent: Mapping[str, str]) -> frozenset[bytes]:
    """All that is ours and was not set by us."""
    names = {name.encode() for name in OURS + NEVER}
    for name, _ in asked.headers:
        if name.lower().replace(b"_", b"-").startswith(b"x-authz-"):
            names.add(name.lower())
    if rules.get("strip_credentials"):
        names |= {b"authorization", b"x-api-key"}
    return frozenset(names - {name.encode() for name in [*sent, DECISION]})
