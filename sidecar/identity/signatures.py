"""Public keys and signatures, by the library. Imported only where there are issuers."""

from functools import cache
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import Algorithm, get_default_algorithms
from jwt.exceptions import PyJWTError

from sidecar.identity.key_set import PublicKey
from sidecar.identity.strict_json import JsonObject

_RSA_BITS: Final = range(2048, 8192 + 1)


def verifies(
    public: PublicKey, algorithm: str, signed: bytes, signature: bytes
) -> bool:
    """Whether the signature is this key's; the algorithm must be a fitting one."""
    return _algorithms()[algorithm].verify(signed, public, signature)


def public_key(member: JsonObject, algorithm: str) -> PublicKey | None:
    """The key that a member of a JWKS document is; none when it cannot be used."""
    try:
        public: PublicKey = _algorithms()[algorithm].from_jwk(dict(member))
    except (PyJWTError, ValueError, TypeError, AttributeError, UnsupportedAlgorithm):
        return None
    if isinstance(public, RSAPublicKey) and public.key_size not in _RSA_BITS:
        return None
    return public


@cache
def _algorithms() -> dict[str, Algorithm]:
    return get_default_algorithms()
