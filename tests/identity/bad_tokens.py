"""Tokens that are bad, each for one reason: whoever presents one is nobody.

They are meant for somebody who believes `ISSUER` with the keys of `KEYS`, every
algorithm of `ALGORITHMS`, and a leeway of 30 seconds; and `OTHER_ISSUER` with its own.
Long, because it is a list.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.identity.minting import (
    AUDIENCE,
    ISSUER,
    Claims,
    Json,
    Signer,
    as_bytes,
    claims,
    ed448_signer,
    encode,
    key_set,
    signer,
    without,
)

OTHER_ISSUER = "https://other.example"
LEEWAY = 30
# RS384 is fit for the RSA key, and not on the list.
ALGORITHMS = ("RS256", "PS256", "ES256", "ES384", "EdDSA")

RSA = signer("RS256")
EC = signer("ES256")
EDWARDS = signer("EdDSA")
OTHER = signer("ES256", "other")
STRANGER = signer("RS256", "stranger")
KEYS = key_set(RSA, EC, EDWARDS)
OTHER_KEYS = key_set(OTHER)

Mint = Callable[[int], str]


def good(now: int) -> str:
    """A token that is good in all."""
    return RSA.token(claims(now))


def _claimed(**changed: Json) -> Mint:
    return lambda now: RSA.token(claims(now, **changed))


def _headed(**header: Json) -> Mint:
    return lambda now: RSA.token(claims(now), **header)


def _timed(name: str, seconds: int) -> Mint:
    return lambda now: RSA.token(claims(now, **{name: now + seconds}))


def _raw(make: Callable[[Claims], bytes]) -> Mint:
    return lambda now: RSA.token(make(claims(now)))


def _header(text: bytes) -> Mint:
    return lambda now: RSA.sign(text, as_bytes(claims(now)))


def _cut(change: Callable[[list[str]], str]) -> Mint:
    return lambda now: change(good(now).split("."))


def _with(name: str, value: bytes) -> Mint:
    """A claim as JSON that is put in as it is."""

    def make(whole: Claims) -> bytes:
        rest = as_bytes(without(whole, [name]))
        return rest[:-1] + b', "' + name.encode() + b'": ' + value + b"}"

    return _raw(make)


def _unsigned(now: int) -> str:
    header = encode(json.dumps({"alg": "none"}).encode())
    return f"{header}.{encode(as_bytes(claims(now)))}."


def _none_with_a_signature(now: int) -> str:
    return RSA.token(claims(now), alg="none")


def _public_key_as_secret(now: int) -> str:
    public = RSA.private.public_key()  # type: ignore[attr-defined]  # a private key
    secret = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    header = encode(json.dumps({"alg": "HS256", "kid": RSA.key_id}).encode())
    signed = f"{header}.{encode(as_bytes(claims(now)))}"
    digest = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{encode(digest)}"


def _der_signature(now: int) -> str:
    signed = EC.token(claims(now)).rpartition(".")[0]
    private = EC.private
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    signature = private.sign(signed.encode(), ec.ECDSA(hashes.SHA256()))
    return f"{signed}.{encode(signature)}"


def _zero_signature(now: int) -> str:
    signed = EC.token(claims(now)).rpartition(".")[0]
    return f"{signed}.{encode(bytes(64))}"


def _loose_last_character(now: int) -> str:
    # 256 bytes have two bits to spare in the last character.
    token = good(now)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + letters[letters.index(token[-1]) ^ 1]


def _swapped_claims(now: int) -> str:
    header, _, signature = good(now).split(".")
    return f"{header}.{encode(as_bytes(claims(now, sub='root')))}.{signature}"


def _swapped_header(now: int) -> str:
    _, payload, signature = good(now).split(".")
    header = encode(json.dumps({"alg": "PS256", "kid": RSA.key_id}).encode())
    return f"{header}.{payload}.{signature}"


def _encrypted(now: int) -> str:
    header = encode(b'{"alg": "RSA-OAEP", "enc": "A256GCM"}')
    return ".".join([header, *(encode(bytes(16)) for _ in range(4))]) + str(now)[:0]


def _nested(now: int) -> str:
    return RSA.token(good(now).encode(), cty="JWT")


def _as_json(now: int) -> str:
    header, payload, signature = good(now).split(".")
    return json.dumps({"payload": payload, "protected": header, "signature": signature})


def _deep(now: int) -> str:
    deep = b"[" * 5000 + b"]" * 5000
    return _with("deep", deep)(now)


def _padded(now: int) -> str:
    header, payload, signature = RSA.token(claims(now, pad="x" * 4)).split(".")
    padding = "=" * (-len(signature) % 4)
    return f"{header}.{payload}.{signature}{padding}"


def _standard_alphabet(now: int) -> str:
    # Some signature has one of the two characters that differ.
    for number in range(100):
        header, payload, signature = RSA.token(claims(now, n=number)).split(".")
        if "-" in signature or "_" in signature:
            plain = signature.translate(str.maketrans("-_", "+/"))
            return f"{header}.{payload}.{plain}"
    raise AssertionError


def _utf16(now: int) -> str:
    return RSA.token(as_bytes(claims(now)).decode().encode("utf-16"))


def _double_encoded(now: int) -> str:
    payload = base64.b64encode(as_bytes(claims(now)))
    return RSA.token(json.dumps(payload.decode()).encode())


BAD: dict[str, Mint] = {
    # How it is signed.
    "alg none, unsigned": _unsigned,
    "alg none, signed": _none_with_a_signature,
    "alg None": _headed(alg="None"),
    "alg hs256 with the public key": _public_key_as_secret,
    "alg off the list": lambda now: signer("RS384", "RS256").token(claims(now)),
    "alg off the list, right key": lambda now: Signer(
        "RS256", "RS512", RSA.private
    ).token(claims(now)),
    "alg in lower case": _headed(alg="rs256"),
    "alg of another type of key": _headed(alg="ES256"),
    "alg of another curve": lambda now: signer("ES384", "ES256").token(claims(now)),
    "alg missing": _headed(alg=None),
    "alg a number": _headed(alg=256),
    "alg a list": _headed(alg=["RS256"]),
    "ed448": lambda now: ed448_signer("EdDSA").token(claims(now)),
    "es256 signature in der": _der_signature,
    "es256 signature of zeros": _zero_signature,
    "signature empty": _cut(lambda parts: f"{parts[0]}.{parts[1]}."),
    "signature cut": _cut(lambda parts: ".".join(parts)[:-4]),
    "signature of a stranger": lambda now: Signer(
        "RS256", "RS256", STRANGER.private
    ).token(claims(now)),
    "signature of other claims": _swapped_claims,
    "signature of another header": _swapped_header,
    "signature loosely encoded": _loose_last_character,
    "payload detached": _cut(lambda parts: f"{parts[0]}..{parts[2]}"),
    # Which key.
    "kid of another issuer": lambda now: OTHER.token(claims(now)),
    "kid of this issuer, key of another": lambda now: Signer(
        "ES256", "ES256", OTHER.private
    ).token(claims(now)),
    "issuer swapped": lambda now: RSA.token(claims(now, iss=OTHER_ISSUER)),
    "issuer swapped, its kid": lambda now: Signer("other", "RS256", RSA.private).token(
        claims(now, iss=OTHER_ISSUER)
    ),
    "kid made up": _headed(kid="made up"),
    "kid empty": _headed(kid=""),
    "kid a number": _headed(kid=1),
    "kid null": _header(b'{"alg": "RS256", "kid": null}'),
    "kid a path": _headed(kid="../../dev/null"),
    # What else a header must not say.
    "jku": _headed(jku="https://evil.example/keys"),
    "x5u": _headed(x5u="https://evil.example/chain"),
    "jwk": lambda now: STRANGER.token(claims(now), jwk=STRANGER.public_jwk),
    "jwk with a right signature": _headed(jwk=RSA.public_jwk),
    "crit": _headed(crit=["exp"], exp=1),
    "crit empty": _headed(crit=[]),
    "b64": _headed(b64=False),
    "zip": _headed(zip="DEF"),
    "enc": _headed(enc="A256GCM"),
    "nested": _nested,
    "nested in word": _headed(cty="JWT"),
    "typ of a logout": _headed(typ="logout+jwt"),
    "typ a number": _headed(typ=1),
    # Claims that are missing or no such values.
    "iss missing": _claimed(iss=None),
    "iss a list": _claimed(iss=[ISSUER]),
    "iss of nobody": _claimed(iss="https://evil.example"),
    "iss with a slash": _claimed(iss=ISSUER + "/"),
    "iss in upper case": _claimed(iss=ISSUER.upper()),
    "iss with a blank": _claimed(iss=" " + ISSUER),
    "aud missing": _claimed(aud=None),
    "aud of others": _claimed(aud="others"),
    "aud in upper case": _claimed(aud=AUDIENCE.upper()),
    "aud a list of others": _claimed(aud=["others"]),
    "aud an empty list": _claimed(aud=[]),
    "aud a list with a number": _claimed(aud=[AUDIENCE, 1]),
    "aud a list of a list": _claimed(aud=[[AUDIENCE]]),
    "aud a mapping": _claimed(aud={AUDIENCE: True}),
    "aud a part of it": _claimed(aud=AUDIENCE[:3]),
    "sub missing": _claimed(sub=None),
    "sub a number": _claimed(sub=1),
    "sub a list": _claimed(sub=["ann"]),
    "sub empty": _claimed(sub=""),
    "sub unknown": _claimed(sub="nobody"),
    "sub in upper case": _claimed(sub="ANN"),
    "sub with a blank": _claimed(sub="ann "),
    "sub with a nul": _claimed(sub="ann\0"),
    "sub with a lone surrogate": _claimed(sub="ann\ud800"),
    "sub in another form of unicode": _claimed(sub="\uff41nn"),
    "sub too long": _claimed(sub="a" * 513),
    "exp missing": _claimed(exp=None),
    "exp a text": lambda now: RSA.token(claims(now, exp=str(now + 600))),
    "exp a fraction": lambda now: RSA.token(claims(now, exp=now + 600.5)),
    "exp a whole fraction": lambda now: RSA.token(claims(now, exp=now + 600.0)),
    "exp true": _claimed(exp=True),
    "exp a list": lambda now: RSA.token(claims(now, exp=[now + 600])),
    "exp NaN": _with("exp", b"NaN"),
    "exp Infinity": _with("exp", b"Infinity"),
    "exp 1e400": _with("exp", b"1e400"),
    "exp in milliseconds": lambda now: RSA.token(claims(now, exp=(now + 600) * 1000)),
    "exp of 400 digits": _with("exp", b"9" * 400),
    "exp of 5000 digits": _with("exp", b"9" * 5000),
    "exp negative": _claimed(exp=-1),
    "exp null": _with("exp", b"null"),
    "expired": _timed("exp", -LEEWAY),
    "expired for long": _timed("exp", -86_400),
    # A little more, because a clock may go on while it is judged.
    "nbf to come": _timed("nbf", LEEWAY + 20),
    "nbf a text": lambda now: RSA.token(claims(now, nbf=str(now))),
    "nbf null": _with("nbf", b"null"),
    "nbf true": _claimed(nbf=True),
    "iat true": _claimed(iat=True),
    "iat a text": lambda now: RSA.token(claims(now, iat=str(now))),
    "iat a fraction": lambda now: RSA.token(claims(now, iat=now + 0.5)),
    # What is no token.
    "empty parts": lambda _: "..",
    "one part": _cut(lambda parts: parts[0]),
    "two parts": _cut(lambda parts: ".".join(parts[:2])),
    "four parts": lambda now: good(now) + ".AAAA",
    "encrypted": _encrypted,
    "as json": _as_json,
    "blank before": lambda now: " " + good(now),
    "line break after": lambda now: good(now) + "\n",
    "blank within": _cut(". ".join),
    "padding": _padded,
    "standard base64": _standard_alphabet,
    "unicode digits": lambda now: good(now) + "\u0661",
    "unicode dots": lambda now: good(now).replace(".", "\u3002"),
    "nul": lambda now: good(now) + "\0",
    "bearer": lambda now: "Bearer " + good(now),
    # What is no JSON, or two.
    "header no json": _header(b"alg=RS256"),
    "header a list": _header(b'["RS256"]'),
    "header with alg twice": _header(b'{"alg": "none", "alg": "RS256"}'),
    "claims no json": _raw(lambda _: b"sub=ann"),
    "claims a list": _raw(lambda whole: b"[" + as_bytes(whole) + b"]"),
    "claims twice": _raw(lambda whole: as_bytes(whole) * 2),
    "claims with sub twice": _with("sub", b'"root", "sub": "ann"'),
    "claims with a name twice deep within": _with("x", b'{"y": {"z": 1, "z": 2}}'),
    "claims with NaN": _with("x", b"NaN"),
    "claims in utf-16": _utf16,
    "claims in latin-1": _with("x", '"ä"'.encode("latin-1")),
    "claims encoded twice": _double_encoded,
    "claims with a byte order mark": _raw(
        lambda whole: b"\xef\xbb\xbf" + as_bytes(whole)
    ),
    "claims cut": _raw(lambda whole: as_bytes(whole)[:-1]),
    "deep": _deep,
    "huge": lambda now: RSA.token(claims(now, pad="x" * 20_000)),
}
