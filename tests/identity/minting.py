"""Makes tokens as an issuer does, and as somebody who only pretends to be one."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import cast

from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from jwt.algorithms import (
    Algorithm,
    ECAlgorithm,
    OKPAlgorithm,
    RSAAlgorithm,
    get_default_algorithms,
)

Json = object
Claims = dict[str, Json]

ISSUER = "https://login.example"
AUDIENCE = "gpu-cloud"
NOW = 1_767_225_600


@dataclass(frozen=True)
class Signer:
    """A private key under an id; `algorithm` is how it signs."""

    key_id: str
    algorithm: str
    private: object

    @property
    def public_jwk(self) -> Claims:
        """The public half as a member of a key set."""
        public = self.private.public_key()  # type: ignore[attr-defined]  # all kinds have it
        maker = _MAKERS[self.algorithm[:2]]
        return {**maker(public), "kid": self.key_id, "use": "sig"}

    def token(self, claims: Mapping[str, Json] | bytes, **header: Json) -> str:
        """A signed token; a header of none is left out."""
        named = {"alg": self.algorithm, "kid": self.key_id, "typ": "JWT"} | header
        present = {name: value for name, value in named.items() if value is not None}
        return self.sign(json.dumps(present).encode(), as_bytes(claims))

    def sign(self, header: bytes, claims: bytes) -> str:
        """A token of a header and claims as they are."""
        signed = f"{encode(header)}.{encode(claims)}"
        return f"{signed}.{encode(self.signature(signed.encode()))}"

    def signature(self, signed: bytes) -> bytes:
        """A signature of bytes."""
        return algorithm(self.algorithm).sign(signed, self.private)


def as_bytes(claims: Mapping[str, Json] | bytes) -> bytes:
    """Claims as they are signed."""
    return claims if isinstance(claims, bytes) else json.dumps(claims).encode()


def encode(data: bytes) -> str:
    """Base64 as tokens have it."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


@cache
def algorithm(name: str) -> Algorithm:
    """How the library signs."""
    return get_default_algorithms()[name]


def key_set(*signers: Signer, **more: Json) -> bytes:
    """The document of the public keys of signers."""
    return json.dumps({"keys": [each.public_jwk for each in signers], **more}).encode()


def claims(now: int = NOW, **changed: Json) -> Claims:
    """What a good token claims; what is changed to none is left out."""
    whole: Claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "ann",
        "iat": now,
        "exp": now + 600,
        **changed,
    }
    return {name: value for name, value in whole.items() if value is not None}


def without(whole: Mapping[str, Json], names: Sequence[str]) -> Claims:
    """Claims without some."""
    return {name: value for name, value in whole.items() if name not in names}


@cache
def signer(algorithm: str, key_id: str | None = None) -> Signer:
    """The signer of an algorithm, the same one each time."""
    return Signer(key_id or algorithm, algorithm, _PRIVATE[algorithm]())


def _rsa() -> object:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


_PRIVATE = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), _rsa),
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ES384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ES512": lambda: ec.generate_private_key(ec.SECP521R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}


def ed448_signer(key_id: str) -> Signer:
    """A signer of the curve that is not served."""
    return Signer(key_id, "EdDSA", ed448.Ed448PrivateKey.generate())


def _jwk_of_rsa(public: object) -> Claims:
    key = cast("rsa.RSAPublicKey", public)
    return cast("Claims", RSAAlgorithm.to_jwk(key, as_dict=True))


def _jwk_of_ec(public: object) -> Claims:
    key = cast("ec.EllipticCurvePublicKey", public)
    return cast("Claims", ECAlgorithm.to_jwk(key, as_dict=True))


def _jwk_of_okp(public: object) -> Claims:
    key = cast("ed25519.Ed25519PublicKey", public)
    return cast("Claims", OKPAlgorithm.to_jwk(key, as_dict=True))


_MAKERS = {"RS": _jwk_of_rsa, "PS": _jwk_of_rsa, "ES": _jwk_of_ec, "Ed": _jwk_of_okp}
