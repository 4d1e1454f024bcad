"""The public keys of an issuer: a JWKS document to what verifies signatures."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from sidecar.identity.strict_json import (
    Json,
    JsonObject,
    MalformedJsonError,
    parse_object,
)

# Which algorithms fit a key, by `kty` and `crv`. Nothing symmetric: with it, whoever
# may verify could also sign.
_FITTING: Final[Mapping[tuple[str, str | None], frozenset[str]]] = {
    ("RSA", None): frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
    ("EC", "P-256"): frozenset({"ES256"}),
    ("EC", "P-384"): frozenset({"ES384"}),
    ("EC", "P-521"): frozenset({"ES512"}),
    ("OKP", "Ed25519"): frozenset({"EdDSA"}),
}
# Whoever publishes these has given the key away.
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


class MalformedKeySetError(ValueError):
    """No key set with a key that can be used."""


class PublicKey(Protocol):
    """A key as the library has it."""


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """A public key, and the algorithms that fit it."""

    key_id: str | None
    algorithms: frozenset[str]
    public: PublicKey

    def verifies(self, algorithm: str, signed: bytes, signature: bytes) -> bool:
        """Whether the signature is this key's; `algorithm` must be a fitting one."""
        # Signatures need a tenth of the memory that a sidecar without issuers has.
        from sidecar.identity.signatures import verifies  # noqa: PLC0415

        return verifies(self.public, algorithm, signed, signature)


@dataclass(frozen=True, slots=True, eq=False)
class KeySet:
    """The keys of one document; `ignored` counts those that cannot be used."""

    keys: tuple[VerifyingKey, ...]
    ignored: int = 0

    def named(self, key_id: str | None) -> tuple[VerifyingKey, ...]:
        """The keys of an id; all of them when a token names none."""
        if key_id is None:
            return self.keys
        return tuple(key for key in self.keys if key.key_id == key_id)


def choose(keys: tuple[VerifyingKey, ...], algorithm: str) -> VerifyingKey | None:
    """The one key that fits; none when it is not clear which one is meant."""
    fitting = [key for key in keys if algorithm in key.algorithms]
    return fitting[0] if len(fitting) == 1 else None


def parse_key_set(data: bytes) -> KeySet:
    """The keys of a JWKS document; those for other purposes are left out.

    Raises:
        MalformedKeySetError: it is none, or has no key that can be used.
    """
    try:
        members = parse_object(data).get("keys")
    except MalformedJsonError as error:
        raise MalformedKeySetError("it is not json") from error
    if not isinstance(members, list):
        raise MalformedKeySetError("it has no list of keys")
    found = [_read(each) for each in members]
    keys = tuple(key for key in found if key is not None)
    if not keys:
        raise MalformedKeySetError("it has no key that can be used")
    return KeySet(keys, len(found) - len(keys))


def _read(member: Json) -> VerifyingKey | None:
    if not isinstance(member, Mapping) or not _PRIVATE.isdisjoint(member):
        return None
    fitting = _fitting(member)
    key_id = member.get("kid")
    if not fitting or not (key_id is None or isinstance(key_id, str)):
        return None
    from sidecar.identity.signatures import public_key  # noqa: PLC0415  likewise

    public = public_key(member, min(fitting))
    return None if public is None else VerifyingKey(key_id, fitting, public)


def _fitting(member: JsonObject) -> frozenset[str]:
    kind, curve, named = member.get("kty"), member.get("crv"), member.get("alg")
    if not isinstance(kind, str) or not (curve is None or isinstance(curve, str)):
        return frozenset()
    if not _is_for_signatures(member):
        return frozenset()
    fitting = _FITTING.get((kind, curve), frozenset())
    if named is None:
        return fitting
    return fitting & {named} if isinstance(named, str) else frozenset()


def _is_for_signatures(member: JsonObject) -> bool:
    operations = member.get("key_ops", ["verify"])
    is_verified_with = isinstance(operations, list) and "verify" in operations
    return member.get("use", "sig") == "sig" and is_verified_with
