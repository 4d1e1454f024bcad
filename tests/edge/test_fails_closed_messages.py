"""Fails closed, by what a message has in it, or lacks.

Nothing that a request's content can cause is an error: an error is what a careless
configuration of Envoy lets pass.
"""

from collections.abc import Iterator
from typing import Final

import pytest
from google.protobuf.message import Message

from sidecar.transport.envoy import external_auth_pb2 as envoy
from tests.edge.checking import Checking
from tests.edge.hearing import hear
from tests.edge.hostile import HOSTILE, ending
from tests.edge.lab import lab
from tests.edge.making import request
from tests.identity.minting import ISSUER
from tests.support.edge import ANN, ROUTES
from tests.support.serving import ENGINES

KNOWN: Final = {"x-api-key": ANN, "x-organization-id": "1"}


_GARBAGE = [
    b"\xff", b"\x0a", b"\x0a\xff", b"\x0a\x02\x0a\xff", b"\x00", b"\x07", b"\x0b",
    b"\x0a\x01\x0b", b"\x0a\x03\x22\x01\x12", b"\x0a\x03\x52\x01\x0a",
    b"GET / HTTP/1.1",
    b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", b"\xff" * 1000,
    # A text of Envoy's own configuration that is no UTF-8: not the client's doing.
    b"\x0a\x06\x52\x04\x0a\x02\xff\xff",
]  # fmt: skip


@pytest.mark.parametrize("engine", ENGINES)
async def test_undecodable_message(checked: Checking, engine: str) -> None:
    """Bytes that are no message are an error of the caller."""
    ended = [await checked.ended(engine, data) for data in _GARBAGE]

    assert ["INVALID_ARGUMENT MALFORMED_MESSAGE"] * len(_GARBAGE) == ended


@pytest.mark.parametrize("engine", ENGINES)
async def test_empty_message(checked: Checking, engine: str) -> None:
    """A message with nothing in it, or with nothing that is known, is denied."""
    unknown = b"\x0a\x00\xa2\x06\x03abc"
    for data in (b"", b"\x0a\x00", b"\x0a\x02\x22\x00", unknown):
        assert "400 PATH_NOT_CANONICAL" == await checked.ended(engine, data)


@pytest.mark.parametrize("engine", ENGINES)
async def test_too_large_a_message(checked: Checking, engine: str) -> None:
    """A message beyond the limit is refused unread."""
    data = request("/me", {**KNOWN, "x": "a" * 5_000_000})

    assert (await checked.ended(engine, data)).startswith("RESOURCE_EXHAUSTED")


_FULL = request(
    "/clusters/1?x=1",
    KNOWN,
    "GET",
    raw=[("origin", "https://console.example"), ("x-authz-user-id", "7")],
    extensions={"rule_set": "api", "cluster": "1"},
    principal="CN=envoy",
    metadata={"payload": {"iss": ISSUER, "sub": "nobody"}},
)


def _without_one(whole: Message) -> Iterator[Message]:
    """Copies of a message, each without one field or element somewhere in it."""
    for field, value in whole.ListFields():
        copy = type(whole)()
        copy.CopyFrom(whole)
        copy.ClearField(field.name)
        yield copy
        if field.message_type is None or field.message_type.GetOptions().map_entry:
            continue
        elements = list(value) if field.is_repeated else [value]
        for index, element in enumerate(elements):
            for inner in _without_one(element):
                copy = type(whole)()
                copy.CopyFrom(whole)
                target = getattr(copy, field.name)
                (target[index] if field.is_repeated else target).CopyFrom(inner)
                yield copy


@pytest.mark.parametrize("engine", ENGINES)
async def test_message_without_one_field(checked: Checking, engine: str) -> None:
    """Each field may be missing: it is a denial, or as good as if it never were."""
    reference = await lab(ROUTES.read_text())
    endings = set()
    for message in _without_one(_FULL):
        assert isinstance(message, envoy.CheckRequest)
        answer = hear(await checked.response(engine, message))
        endings.add(answer.reason or "allowed")

        assert reference.reference.judge(reference.asked(message)) == answer

    assert {
        "allowed",
        "PATH_NOT_CANONICAL",
        "NO_ROUTE",
        "INVALID_CREDENTIAL",
    } <= endings


@pytest.mark.parametrize("engine", ENGINES)
async def test_unknown_rule_set(checked: Checking, engine: str) -> None:
    """A rule set that is not there denies, also what is public elsewhere."""
    for name in ("missing", "", "API", " api", "api\0"):
        for path in ("/healthz", "/me", "/clusters/1"):
            message = request(path, KNOWN, extensions={"rule_set": name})

            assert "403 UNKNOWN_RULE_SET" == await checked.ended(engine, message)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_content(checked: Checking, engine: str, name: str) -> None:
    """Whatever a client can write into a request ends as a verdict, not as an error."""
    assert ending(name) == await checked.ended(engine, HOSTILE[name])
