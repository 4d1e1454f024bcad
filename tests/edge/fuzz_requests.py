"""Makes up requests: pieces that mean something, put together without sense."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, TypeVar

from sidecar.transport.envoy import external_auth_pb2 as envoy
from tests.edge.lab import PAYLOAD, TRUST_DOMAIN, token
from tests.edge.making import request, struct
from tests.identity.bad_tokens import BAD
from tests.identity.minting import ISSUER, NOW
from tests.support.edge import (
    ANN,
    ANN_IN_BOREALIS,
    BEN_EXPIRED,
    BEN_REVOKED,
    PIA_PINNED,
)

T = TypeVar("T")
Pair = tuple[bytes, bytes]

_PIECES: Final = [
    b"clusters", b"main", b"workers", b"models", b"templates", b"me", b"admin",
    b"items", b"features", b"ui", b"gpu", b"extended", b"healthz", b"about", b"files",
    b"secret", b"raw", b"Dataset", b"User", b"TrainingRun", b"Invoice", b"dashboard",
    b"training", b"finetune-aurora", b"finetune-borealis", b"billing-aurora",
    b"reserve", b"grpc.test.Echo", b"Say", b"%C3%A4%20%c3%b6", b"",
    *(str(number).encode() for number in (*range(8), 11, 12, 13, 14, 15, 999)),
    b"01", b"+1", b" 1", b"-1", b"%31", b"1%20", b"9" * 19, b"9" * 20, b"x" * 300,
]  # fmt: skip
_ODD: Final = [
    b"%", b"%2", b"%zz", b"%2f", b"%2F", b"%5c", b"\\", b".", b"..", b"%2e", b"%2E.",
    b";", b";x=y", b"#", b"%25", b"%252f", b"%00", b"%0a", b"%7f", b"%c2%80",
    b"%ed%a0%80", b"%f0%9f%98%80", b"%fe", b"\xff", b"\xc3\xa4", b"\x00", b"\r\n", b" ",
    b"/", b"//", b"?", b"?/..", b"~", b"%7e", b"%41", b"*", b"{id}", b"|",
]  # fmt: skip
# The routes as they are hit, so that more than denials come of it.
_HITS: Final = [
    *((b"GET", path) for path in (
        b"/", b"/me", b"/me/", b"/healthz", b"/about", b"/files/a/b", b"/files/secret",
        b"/files/a/raw", b"/clusters", b"/clusters/1", b"/clusters/4", b"/clusters/5",
        b"/clusters/6", b"/clusters/7", b"/clusters/999", b"/clusters/main",
        b"/clusters/1/workers/11", b"/clusters/4/workers/14", b"/clusters/5/workers/15",
        b"/models/1", b"/models/2", b"/models/4", b"/models/5", b"/templates/1",
        b"/admin", b"/items/Dataset", b"/items/User", b"/items", b"/ui/dashboard",
        b"/ui/training", b"/ui/%C3%A4%20%C3%B6", b"/extended", b"/extended/1",
        b"/features/finetune-aurora/TrainingRun", b"/features/billing-aurora/Invoice",
        b"/features/finetune-borealis/TrainingRun", b"/features/finetune-aurora/User",
    )),
    *((b"PUT", path) for path in (
        b"/clusters/1", b"/clusters/3", b"/clusters/4", b"/clusters/5", b"/clusters/7",
        b"/clusters/1/workers/11", b"/clusters/3/workers/13", b"/clusters/4/workers/14",
    )),
    *((b"DELETE", path) for path in (
        b"/models/1", b"/models/4", b"/templates/1", b"/items/Dataset", b"/me",
    )),
    *((b"POST", path) for path in (
        b"/clusters", b"/models", b"/gpu/finetune-aurora", b"/gpu/finetune-borealis",
        b"/grpc.test.Echo/Say", b"/me", b"/anything",
    )),
    (b"OPTIONS", b"/clusters/1"), (b"OPTIONS", b"/me"), (b"OPTIONS", b"/healthz"),
    (b"HEAD", b"/clusters/1"), (b"HEAD", b"/admin"), (b"PATCH", b"/clusters/1"),
]  # fmt: skip
_METHODS: Final = [
    b"GET", b"POST", b"PUT", b"DELETE", b"PATCH", b"HEAD", b"OPTIONS",
    b"get", b"TRACE", b"CONNECT", b"", b"GET ", b"\xff", b"PRI",
]  # fmt: skip
_ORGANIZATIONS: Final = [
    b"1", b"2", b"3", b"4", b"11", b"21", b"101", b"106", b"999", b"", b" 1 ", b"01",
    b"+1", b"-1", b"one", b"1,2", b"\xff", b"\x00", b"9" * 19, b"9" * 20, b"1" * 300,
]  # fmt: skip
_KEYS: Final = [
    ANN, ANN_IN_BOREALIS, PIA_PINNED, BEN_REVOKED, BEN_EXPIRED, f"{ANN}x", ANN.upper(),
    ANN.replace("gpk", "x"), f"_{ANN}", ANN.replace("gpk_", "_"), "gpk_annlaptop_",
    "gpk__x", "gpk_nobody_x", "", " ", "_", "__", "a.b.c", f"{ANN}.", "x" * 20_000,
]  # fmt: skip
_RULE_SETS: Final = ["api", "plain", "told", "shadow", "shadow", "today", "none", ""]
_EXTENSIONS: Final[Sequence[tuple[str, Sequence[str]]]] = [
    ("cluster", ["1", "1", "5", "6", "999", "", "x", "\0", "1" * 300]),
    ("area", ["data", "data", "", "da.ta", "d a", "x" * 600]),
    ("id", ["1"]),
]
_OTHERS: Final[Sequence[tuple[bytes, Sequence[bytes]]]] = [
    (b"origin", [b"https://console.example", b"http://a.example:81", b"null", b"",
                 b"https://console.example.evil", b" https://console.example\t"]),
    (b"access-control-request-method", [b"GET", b"PUT", b"HEAD", b"put", b"", b"\xff"]),
    (b"content-type", [b"application/grpc", b"application/grpc+proto", b"text/plain",
                       b"application/grpc-web", b"Application/grpc", b""]),
    (b"x-authz-user-id", [b"7", b""]), (b"X-Authz-Org-Role", [b"admin"]),
    (b"x_authz_user_id", [b"7"]), (b"x-authz_user-id", [b"7"]), (b"x-authz-", [b"1"]),
    (b"x-authz-\n", [b"1"]), (b"x-authz-shadow", [b"1"]), (b"x-authz", [b"1"]),
    (b"x-http-method-override", [b"DELETE"]), (b"x-forwarded-user", [b"7"]),
    (b"x-original-url", [b"/healthz"]), (b"host", [b"shadow"]), (b"", [b""]),
    (b"rule_set", [b"shadow"]), (b":path", [b"/healthz"]), (b"\xff\x00", [b"\xff"]),
]  # fmt: skip
_PRINCIPALS: Final = [
    f"spiffe://{TRUST_DOMAIN}/meter", f"spiffe://{TRUST_DOMAIN}/ann",
    f"spiffe://{TRUST_DOMAIN}/nobody", f"spiffe://{TRUST_DOMAIN}/../ann",
    f"spiffe://{TRUST_DOMAIN}", f"spiffe://{TRUST_DOMAIN}/", "spiffe://other.example/ann",
    f"spiffe://{TRUST_DOMAIN}/ann?x", f"SPIFFE://{TRUST_DOMAIN}/ann", "CN=ann",
    f"spiffe://{TRUST_DOMAIN.upper()}/ann", f"spiffe://{TRUST_DOMAIN}/" + "a" * 2100,
]  # fmt: skip


@dataclass(frozen=True)
class Maker:
    """Makes up requests with one source of chance."""

    random: Random

    def request(self) -> envoy.CheckRequest:
        """A request of pieces that mean something."""
        pairs = [*self._credentials(), *self._others()]
        pairs = [self._spoilt(pair) for pair in pairs]
        if pairs and self._once_in(12):
            pairs.append(self._one(pairs))
        self.random.shuffle(pairs)
        method, path = self._target()
        cut = len(pairs) if self._once_in(3) else self.random.randrange(len(pairs) + 1)
        return request(
            path,
            pairs[:cut],
            method,
            raw=pairs[cut:],
            extensions=self._extensions(),
            principal=self._principal(),
            metadata=self._metadata(),
        )

    def data(self) -> bytes:
        """Bytes that may be no message: random ones, or a message that was damaged."""
        if self._once_in(8):
            return self.random.randbytes(self.random.randrange(64))
        data = bytearray(self.request().SerializeToString())
        for _ in range(self.random.randrange(1, 4)):
            place = self.random.randrange(len(data) + 1)
            match self.random.randrange(8):
                case 0:
                    data[place:place] = self.random.randbytes(self.random.randrange(4))
                case 1:
                    del data[place : place + self.random.randrange(1, 9)]
                case 2:
                    end = place + self.random.randrange(1, 40)
                    data[place:place] = data[place:end]
                case _:
                    # The lengths stay as they are, so most of these are messages.
                    data[place : place + 1] = self.random.randbytes(1)
        return bytes(data)

    def _target(self) -> tuple[bytes, bytes]:
        method, path = self._one(_HITS)
        if self._once_in(5):
            pieces = self.random.choices(_PIECES, k=self.random.randrange(1, 5))
            path = b"/" + b"/".join(pieces)
        if self._once_in(10):
            method = self._one(_METHODS)
        if self._once_in(5):
            path = self._with_oddity(path)
        if self._once_in(8):
            path += b"?" + self._one(_ODD)
        return method, path

    def _with_oddity(self, path: bytes) -> bytes:
        escape = b"%%%02x" if self._once_in(2) else b"%%%02X"
        byte = self.random.randrange(256)
        odd = self._one([self._one(_ODD), escape % byte, bytes([byte])])
        place = self.random.randrange(len(path) + 1)
        return path[:place] + odd + path[place:]

    def _credentials(self) -> list[Pair]:
        pairs: list[Pair] = []
        kind = self.random.randrange(20)
        if kind <= 14:
            pairs.append((b"authorization", self._authorization()))
        if 14 <= kind <= 17:
            pairs.append((b"x-api-key", self._one(_KEYS).encode()))
        if self._once_in(2):
            known = _ORGANIZATIONS[:3] if not self._once_in(3) else _ORGANIZATIONS
            pairs.append((b"x-organization-id", self._one(known)))
        return pairs

    def _authorization(self) -> bytes:
        schemes = [b"bearer  ", b"BEARER ", b"Basic ", b"Bearer", b"Bearer\t", b""]
        scheme = self._one(schemes) if self._once_in(10) else b"Bearer "
        return scheme + self._bearer().encode()

    def _bearer(self) -> str:
        good = token(self.random.randrange(1, 15))
        match self.random.randrange(12):
            case 0 | 1:
                return self._one(_KEYS)
            case 2:
                return self._one(list(BAD.values()))(NOW)
            case 3:
                place = self.random.randrange(len(good))
                other = self._one("aZ0-_.= ,")
                return good[:place] + other + good[place + 1 :]
            case _:
                return good

    def _others(self) -> list[Pair]:
        if not self._once_in(2):
            return []
        chosen = self.random.choices(_OTHERS, k=self.random.randrange(1, 5))
        return [(name, self._one(values)) for name, values in chosen]

    def _spoilt(self, pair: Pair) -> Pair:
        name, value = pair
        if not self._once_in(8):
            return pair
        ways = [
            (name.upper(), value),
            (name, b" \t" + value + b"\t "),
            (name, value + b"," + value),
            (name, value + self.random.randbytes(2)),
            (name.replace(b"-", b"_"), value),
        ]
        return self._one(ways)

    def _extensions(self) -> dict[str, str]:
        found = {
            name: self._one(values) for name, values in _EXTENSIONS if self._once_in(2)
        }
        if self._once_in(5):
            found["rule_set"] = self._one(_RULE_SETS)
        return found

    def _principal(self) -> bytes:
        if not self._once_in(4):
            return b""
        return self._one(_PRINCIPALS).encode() + (b"\xff" if self._once_in(9) else b"")

    def _metadata(self) -> bytes | None:
        if not self._once_in(6):
            return None
        payloads: list[Callable[[], object]] = [
            lambda: {"iss": ISSUER, "sub": f"user-{self.random.randrange(16)}"},
            lambda: {"iss": ISSUER, "sub": self._one(["", "\0", " ", "x" * 600])},
            lambda: {"iss": "https://evil.example", "sub": "user-6"},
            lambda: {"iss": ISSUER},
            lambda: [ISSUER, "user-6"],
            lambda: ISSUER,
            lambda: True,
            lambda: {"iss": [ISSUER], "sub": {"user-6": 1}},
        ]
        name = PAYLOAD if not self._once_in(6) else "other"
        encoded = struct({name: self._one(payloads)()})
        return encoded + (b"\x0a\xff" if self._once_in(9) else b"")

    def _one(self, values: Sequence[T]) -> T:
        return self.random.choice(values)

    def _once_in(self, times: int) -> bool:
        return self.random.randrange(times) == 0
