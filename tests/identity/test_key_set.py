"""Key sets: which members are keys, and which algorithms fit them."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import RSAAlgorithm

from sidecar.identity.key_set import MalformedKeySetError, choose, parse_key_set
from tests.identity.bad_tokens import EC, EDWARDS, RSA
from tests.identity.minting import Json, Signer, ed448_signer, key_set, signer, without

RSA_FAMILY = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}


def members(*jwks: Json) -> bytes:
    """A document of members, and one good key so that it is a set."""
    return json.dumps({"keys": [*jwks, EC.public_jwk]}).encode()


def small_rsa() -> dict[str, Json]:
    """A key that is too short to be safe."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505  on purpose
    return dict(RSAAlgorithm.to_jwk(private.public_key(), as_dict=True))


def private_rsa() -> dict[str, Json]:
    """A key with its private half."""
    assert isinstance(RSA.private, rsa.RSAPrivateKey)
    jwk = RSAAlgorithm.to_jwk(RSA.private, as_dict=True)
    return without(jwk, ["key_ops"])


@pytest.mark.parametrize(
    ("key", "wanted"),
    [
        (RSA, RSA_FAMILY),
        (EC, {"ES256"}),
        (signer("ES384"), {"ES384"}),
        (signer("ES512"), {"ES512"}),
        (EDWARDS, {"EdDSA"}),
    ],
    ids=lambda value: value.algorithm if isinstance(value, Signer) else "",
)
def test_algorithms_fit_the_type_of_the_key(key: Signer, wanted: set[str]) -> None:
    """A key has the algorithms of its type and curve, and no others."""
    [parsed] = parse_key_set(key_set(key)).keys

    assert wanted == parsed.algorithms


@pytest.mark.parametrize(
    "member",
    [
        1,
        None,
        [],
        {},
        {"kty": "oct", "k": "AAAA", "alg": "HS256"},
        {"kty": "RSA"},
        {"kty": "RSA", "n": 1, "e": "AQAB"},
        {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
        {"kty": "RSA", "n": "", "e": ""},
        {"kty": ["RSA"]},
        {"kty": "EC", "crv": ["P-256"]},
        {"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA"},
        {"kty": "EC", "crv": "secp256k1", "x": "A" * 43, "y": "A" * 43},
        {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43},
        {"kty": "OKP", "crv": "Ed25519", "x": "AAAA"},
        {"kty": "OKP", "crv": "X25519", "x": "A" * 43},
        ed448_signer("ed").public_jwk,
        small_rsa(),
        private_rsa(),
        RSA.public_jwk | {"use": "enc"},
        RSA.public_jwk | {"use": 1},
        RSA.public_jwk | {"key_ops": ["sign"]},
        RSA.public_jwk | {"key_ops": "verify"},
        RSA.public_jwk | {"alg": "ES256"},
        RSA.public_jwk | {"alg": "HS256"},
        RSA.public_jwk | {"alg": "RSA-OAEP"},
        RSA.public_jwk | {"alg": 1},
        RSA.public_jwk | {"kid": 1},
    ],
)
def test_member_that_verifies_nothing_is_left_out(member: Json) -> None:
    """Keys for other purposes, unsafe and malformed ones are counted and ignored."""
    parsed = parse_key_set(members(member))

    assert [EC.key_id] == [key.key_id for key in parsed.keys]
    assert 1 == parsed.ignored


@pytest.mark.parametrize(
    "changed",
    [{}, {"alg": "RS256"}, {"key_ops": ["verify"]}, {"x5c": ["AAAA"], "x": 1}],
)
def test_member_with_more_is_a_key(changed: dict[str, Json]) -> None:
    """What says that the key verifies, or says nothing, leaves it a key."""
    parsed = parse_key_set(members(without(RSA.public_jwk, ["use"]) | changed))

    assert 0 == parsed.ignored


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b'{"keys": {}}',
        b'{"keys": []}',
        b'{"keys": [{"kty": "oct"}]}',
        b'{"keys": [], "keys": []}',
        b"[" * 100_000,
        b"-----BEGIN PUBLIC KEY-----",
    ],
)
def test_document_without_a_key_is_none(data: bytes) -> None:
    """What is no key set, or would judge everybody as nobody, is refused."""
    with pytest.raises(MalformedKeySetError):
        parse_key_set(data)


def test_key_must_be_clear() -> None:
    """Two keys of one id, or of none, that fit are no key; one that fits is."""
    twin = Signer(EC.key_id, "ES256", ec.generate_private_key(ec.SECP256R1()))
    keys = parse_key_set(key_set(EC, twin, Signer("ES256", "RS256", RSA.private)))

    assert choose(keys.named("ES256"), "ES256") is None
    assert choose(keys.named(None), "ES256") is None
    assert choose(keys.named("ES256"), "RS256") is not None
    assert choose(keys.named("RS256"), "RS256") is None
