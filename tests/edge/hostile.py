"""Requests whose content is hostile: each must end as a verdict, never as an error."""

from collections.abc import Mapping
from typing import Final

from sidecar.transport.envoy import external_auth_pb2 as envoy
from tests.edge.making import Pairs, request, struct
from tests.support.edge import ANN

_MEBIBYTE: Final = 1024 * 1024
_KNOWN: Final = {"x-api-key": ANN, "x-organization-id": "1"}


def _with(**headers: bytes) -> dict[str, str | bytes]:
    """A good caller's headers, and some in their place."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return {**_KNOWN, **named}


def _nested(depth: int) -> bytes:
    """The bytes of a Struct that is as deep as this."""
    found: object = "deep"
    for _ in range(min(depth, 40)):
        found = {"payload": found}
    encoded = struct({"payload": found})
    for _ in range(depth - 40):
        # A value that is a struct with one field, by hand: deeper than libraries go.
        value = _field(5, encoded)
        encoded = _field(1, _field(1, b"payload") + _field(2, value))
    return encoded


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    found = b""
    while number > 0x7F:
        found += bytes([number & 0x7F | 0x80])
        number >>= 7
    return found + bytes([number])


def _many(name: str, count: int = 10_000) -> Pairs:
    return [(f"{name}{number}", "1") for number in range(count)]


_LARGE: Final = b"a" * _MEBIBYTE

HOSTILE: Final[Mapping[str, envoy.CheckRequest]] = {
    "a method that is no UTF-8": request(method=b"\xff\xfe", headers=_KNOWN),
    "a method with NUL": request(method=b"GET\0", headers=_KNOWN),
    "a method of 1 MiB": request(method=_LARGE, headers=_KNOWN),
    "a path that is no UTF-8": request(b"/me\xff", _KNOWN),
    "a path with NUL": request(b"/me\0", _KNOWN),
    "a path of 1 MiB": request(b"/" + _LARGE, _KNOWN),
    "a path of 1 MiB of slashes": request(b"/" * _MEBIBYTE, _KNOWN),
    "a path of 1 MiB of escapes": request(b"/" + b"%c3%a4" * 170_000, _KNOWN),
    "a path of many segments": request(b"/a" * 500_000, _KNOWN),
    "a parameter of 1 MiB": request(b"/clusters/" + _LARGE, _KNOWN),
    "an item of 1 MiB": request(b"/items/" + _LARGE, _KNOWN),
    "a parameter with escaped NUL": request("/clusters/%00", _KNOWN),
    "a parameter that is no number": request("/clusters/%F0%9F%98%80", _KNOWN),
    "a parameter beyond all numbers": request(f"/clusters/{'9' * 200}", _KNOWN),
    "a query that is no UTF-8": request(b"/me?\xff\0\r\n", _KNOWN),
    "a query of 1 MiB": request(b"/me?" + _LARGE, _KNOWN),
    "a header's name that is no UTF-8": request(
        headers=[*_KNOWN.items(), (b"\xff", "")]
    ),
    "a header's name with NUL": request(headers=[*_KNOWN.items(), (b"\0", b"\0")]),
    "an empty name": request(headers=[*_KNOWN.items(), ("", "")]),
    "a header's name of 1 MiB": request(headers=[*_KNOWN.items(), (_LARGE, "")]),
    "a header that is no UTF-8": request(headers=_with(x_other=b"\xff\0\r\n")),
    "a header of 1 MiB": request(headers=_with(x_other=_LARGE)),
    "10,000 headers": request(headers=[*_KNOWN.items(), *_many("x-")]),
    "10,000 raw headers": request(headers=_KNOWN, raw=_many("x-")),
    "10,000 headers of ours": request(headers=[*_KNOWN.items(), *_many("x-authz-")]),
    "10,000 times one header": request(headers=_KNOWN, raw=[("a", "b")] * 10_000),
    "10,000 keys": request(headers=[("x-api-key", ANN)] * 10_000),
    "a key that is no UTF-8": request(headers=_with(x_api_key=b"\xff")),
    "a key with NUL": request(headers=_with(x_api_key=b"gpk_a\0b_c")),
    "a key with letters of others": request(
        headers=_with(x_api_key="gpk_ä_b".encode())
    ),
    "a key of 1 MiB": request(headers=_with(x_api_key=b"gpk_a_" + _LARGE)),
    "a name of a key of 15 KiB": request(
        headers=_with(x_api_key=b"gpk_" + b"a" * 15_000 + b"_b")
    ),
    "a bearer that is no UTF-8": request(headers={"authorization": b"Bearer \xff"}),
    "a bearer of 1 MiB": request(headers={"authorization": b"Bearer " + _LARGE}),
    "a token of 1 MiB": request(headers={"authorization": b"Bearer a.b." + _LARGE}),
    "a token of nothing": request(headers={"authorization": b"Bearer .."}),
    "1 MiB of blanks": request(headers={"authorization": b"Bearer" + b" " * _MEBIBYTE}),
    "an organization that is no UTF-8": request(
        headers=_with(x_organization_id=b"\xff")
    ),
    "an organization with NUL": request(headers=_with(x_organization_id=b"1\0")),
    "an organization of 1 MiB": request(headers=_with(x_organization_id=_LARGE)),
    "an organization of many digits": request(
        headers=_with(x_organization_id=b"1" * 100_000)
    ),
    "an origin that is no UTF-8": request(
        method="OPTIONS",
        headers=_with(origin=b"\xff", access_control_request_method=b"\xff"),
    ),
    "a kind of content that is no UTF-8": request(
        "/admin", _with(content_type=b"application/grpc\xff\0")
    ),
    "a principal that is no UTF-8": request(principal=b"spiffe://prod.example/\xff"),
    "a principal of 1 MiB": request(principal=b"spiffe://prod.example/" + _LARGE),
    "metadata that is no UTF-8": request(metadata=b"\x0a\x03\x0a\x01\xff"),
    "metadata that cannot be decoded": request(metadata=b"\xff"),
    "metadata of 90 floors": request(metadata=_nested(90)),
    "metadata of 1,000 floors": request(metadata=_nested(1_000)),
    "metadata of 20,000 floors": request(metadata=_nested(20_000)),
    "metadata of 1 MiB": request(metadata=struct({"payload": _LARGE.decode()})),
    "metadata with a number for a name": request(
        metadata=struct({"payload": {"iss": 1, "sub": 1e308}})
    ),
    "an extension of 1 MiB": request(
        "/extended", _KNOWN, extensions={"cluster": _LARGE.decode()}
    ),
    "an extension with NUL": request("/extended", _KNOWN, extensions={"cluster": "\0"}),
    "a rule set of 1 MiB": request(extensions={"rule_set": _LARGE.decode()}),
}

# How each of them ends; what is not listed is as good as without what is odd in it.
_ENDINGS: Final[Mapping[str, list[str]]] = {
    "403 NO_ROUTE": [
        "a method that is no UTF-8",
        "a method with NUL",
        "a method of 1 MiB",
        "a path of 1 MiB",
        "a path of 1 MiB of escapes",
        "a path of many segments",
        "an origin that is no UTF-8",
    ],
    "400 PATH_NOT_CANONICAL": [
        "a path that is no UTF-8",
        "a path with NUL",
        "a path of 1 MiB of slashes",
        "a parameter with escaped NUL",
    ],
    "403 VALUE_NOT_USABLE": [
        "a parameter of 1 MiB",
        "an item of 1 MiB",
        "an extension of 1 MiB",
    ],
    "404 RESOURCE_NOT_FOUND": [
        "a parameter that is no number",
        "a parameter beyond all numbers",
        "an extension with NUL",
    ],
    "400 REPEATED_HEADER": [
        "10,000 keys",
    ],
    "401 INVALID_CREDENTIAL": [
        "a key that is no UTF-8",
        "a key with NUL",
        "a key with letters of others",
        "a key of 1 MiB",
        "a name of a key of 15 KiB",
        "a bearer that is no UTF-8",
        "a bearer of 1 MiB",
        "a token of 1 MiB",
        "a token of nothing",
        "1 MiB of blanks",
        "a principal that is no UTF-8",
        "a principal of 1 MiB",
        "metadata that is no UTF-8",
        "metadata that cannot be decoded",
        "metadata of 90 floors",
        "metadata of 1,000 floors",
        "metadata of 20,000 floors",
        "metadata of 1 MiB",
        "metadata with a number for a name",
    ],
    "400 INVALID_ORGANIZATION_ID": [
        "an organization that is no UTF-8",
        "an organization with NUL",
        "an organization of 1 MiB",
        "an organization of many digits",
    ],
    "403 PLATFORM_ADMIN_REQUIRED": [
        "a kind of content that is no UTF-8",
    ],
    "403 UNKNOWN_RULE_SET": [
        "a rule set of 1 MiB",
    ],
}


def ending(name: str) -> str:
    """How a hostile request ends, as `Checking.ended` says it."""
    for outcome, names in _ENDINGS.items():
        if name in names:
            return outcome
    return "allowed"
