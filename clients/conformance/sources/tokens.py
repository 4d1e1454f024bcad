"""Callers by credential: access tokens that do not expire in our time, and keys.

Their key is made of a seed that is written here. It is worth nothing: only the worlds
of the vectors believe it.
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from clients.conformance.sources.vectors import Row, Vector, answered, refused

ISSUER: Final = "https://login.example"
AUDIENCE: Final = "conformance"
_KEY: Final = Ed25519PrivateKey.from_private_bytes(b"worthless: only for conformance!")
_OTHER: Final = Ed25519PrivateKey.from_private_bytes(
    b"worthless: that nobody believes."
)
_KEY_ID: Final = "conformance"
# The first of January of 2999 and of 2000.
_NEVER: Final = 32_472_144_000
_LONG_AGO: Final = 946_684_800
_CLUSTER: Final = {"kind": "cluster", "id": "501"}
_NOBODY: Final = refused("UNAUTHENTICATED", "INVALID_CREDENTIAL")
_DENIED: Final = {
    "allowed": False,
    "denial": "UNAUTHENTICATED",
    "reason": "INVALID_CREDENTIAL",
}
_OWNED: Final = {"allowed": True, "reason": "OWNED"}
_FOREIGN: Final = {
    "allowed": False,
    "denial": "NOT_FOUND",
    "reason": "RESOURCE_NOT_FOUND",
}


def key_set() -> Row:
    """The public key as issuers publish theirs."""
    public = _encoded(_KEY.public_key().public_bytes_raw())
    return {
        "keys": [
            {"kty": "OKP", "crv": "Ed25519", "x": public, "kid": _KEY_ID, "use": "sig"}
        ]
    }


def tokens() -> Iterator[Vector]:
    """All of them, in the world `tenancy`: ann is user 2, an admin of Acme, 20."""
    good = _token()
    caller = {"access_token": good, "organization_id": "20"}
    yield _check("a token names its user by issuer and subject", caller, _OWNED)
    yield _check("a token acts in personal scope", {"access_token": good}, _FOREIGN)
    yield _check(
        "a token of whoever is no member is forbidden",
        {**caller, "organization_id": "21"},
        {"allowed": False, "denial": "FORBIDDEN", "reason": "NOT_A_MEMBER"},
    )
    context: Row = {
        "user_id": "2",
        "is_platform_admin": False,
        "is_system": False,
        "current_principal_id": "20",
        "org_role": "ADMIN",
        "accessible_cluster_ids": ["502", "513", "517"],
        "current_is_personal_scope": False,
        "bypass": False,
        "has_org_context": True,
        "write_principal_id": "20",
    }
    yield Vector(
        "a token resolves to its tenant",
        "ResolveContext",
        {"caller": caller},
        answered(context=context),
        "callers",
    )
    for name, token in _bad():
        bad = {"access_token": token, "organization_id": "20"}
        yield _check(f"{name} is nobody's", bad, _DENIED)
        yield Vector(
            f"{name} resolves to nobody",
            "ResolveContext",
            {"caller": bad},
            _NOBODY,
            "callers",
        )


def _bad() -> Iterator[tuple[str, str]]:
    yield "a token that has expired", _token(exp=_LONG_AGO)
    yield "a token that is not valid yet", _token(nbf=_NEVER - 1)
    yield "a token of another issuer", _token(iss="https://stranger.example")
    yield "a token for somebody else", _token(aud="another")
    yield "a token of a stranger", _token(sub="stranger")
    yield "a token of who was switched off", _token(sub="eve")
    yield "a token that another key signed", _token(_OTHER)
    header, claims, signature = _token().split(".")
    yield "a token without its signature", f"{header}.{claims}."
    yield "a token of two parts", f"{header}.{claims}"
    yield "text that is no token", "nonsense"
    unsigned = _encoded(json.dumps({"alg": "none", "typ": "JWT"}).encode())
    yield "a token that says it needs no signature", f"{unsigned}.{claims}."
    yield "a token with other claims", f"{header}.{_claims(sub='dan')}.{signature}"


def _check(sentence: str, caller: Row, decision: Row) -> Vector:
    request = {"caller": caller, "resources": [_CLUSTER]}
    want = answered(decisions=[decision])
    return Vector(sentence, "CheckVisible", request, want, "callers")


def _token(key: Ed25519PrivateKey = _KEY, **changed: object) -> str:
    header = {"alg": "EdDSA", "kid": _KEY_ID, "typ": "JWT"}
    signed = f"{_encoded(json.dumps(header).encode())}.{_claims(**changed)}"
    return f"{signed}.{_encoded(key.sign(signed.encode()))}"


def _claims(**changed: object) -> str:
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "exp": _NEVER, **changed}
    return _encoded(json.dumps(claims).encode())


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
