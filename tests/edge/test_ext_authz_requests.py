"""What is read of Envoy's messages, and what is not."""

from typing import Final

import pytest

from sidecar.edge.request import EdgeRequest
from sidecar.transport.envoy import external_auth_pb2 as envoy
from sidecar.transport.ext_authz import edge_request
from tests.edge.hearing import hear
from tests.edge.lab import Lab, lab, token
from tests.edge.making import request
from tests.edge.plain_messages import Answer
from tests.support.edge import ANN, ANN_IN_BOREALIS

AURORA: Final = {"x-api-key": ANN, "x-organization-id": "1"}


async def answer(subject: Lab, message: envoy.CheckRequest) -> Answer:
    """What a message is answered, in plain values."""
    return hear(await subject.check(message))


@pytest.mark.parametrize("value_in", ["headers", "value", "raw_value", "both"])
async def test_headers_are_read_alike_wherever_they_are(value_in: str) -> None:
    """Envoy sends headers as a map or raw; both count, and together they are two."""
    message = request("/me", AURORA if value_in in {"headers", "both"} else {})
    http = message.attributes.request.http
    for name, value in AURORA.items() if value_in != "headers" else ():
        field = "value" if value_in == "value" else "raw_value"
        header = http.header_map.headers.add(key=name.upper().encode())
        setattr(header, field, value.encode())
    found = await answer(await lab(), message)

    assert (found.reason == "REPEATED_HEADER") is (value_in == "both")
    assert found.passes is (value_in != "both")


def test_what_is_missing_is_empty() -> None:
    """A message without anything is a request without anything."""
    read = edge_request(envoy.CheckRequest(), believes_peers=True)

    assert isinstance(read, EdgeRequest)
    assert ("", b"", {}, "", {}) == (
        read.method, read.target, read.extensions, read.peer, read.jwt_payloads
    )  # fmt: skip
    assert [] == list(read.headers.names())


@pytest.mark.parametrize(
    "name", ["x-authz-rule-set", "rule_set", "rule-set", "x-rule-set"]
)
async def test_a_client_chooses_no_rule_set(name: str) -> None:
    """Neither a header nor the query nor the path names the rules."""
    headers = {**AURORA, name: "shadow"}
    found = await answer(await lab(), request("/admin?rule_set=shadow", headers))

    assert (403, "PLATFORM_ADMIN_REQUIRED") == (found.status, found.reason)


@pytest.mark.parametrize(
    "headers",
    [
        {"x-forwarded-user": "6",
         "x-forwarded-client-cert": "URI=spiffe://prod.example/meter"},
        {"host": "shadow", ":authority": "shadow", "x-forwarded-host": "shadow"},
        {"x-original-url": "/healthz", "x-rewrite-url": "/me", ":path": "/healthz"},
        {"x-http-method": "POST", "x-http-method-override": "POST", ":method": "POST"},
        {"x-envoy-original-path": "/healthz", "forwarded": "for=127.0.0.1"},
    ],
)  # fmt: skip
async def test_other_headers_mean_nothing(headers: dict[str, str | bytes]) -> None:
    """Who calls and what is asked stand where they stand, and nowhere else."""
    bare = await answer(await lab(), request("/admin", AURORA))
    found = await answer(await lab(), request("/admin", {**AURORA, **headers}))

    assert bare == found
    assert not found.passes


async def test_a_pinned_key_ignores_the_organization() -> None:
    """The wish of a pinned key is not even read, however odd it is."""
    for wish in ("1", b"\xff", b"x" * 5_000, "3"):
        headers = {"x-api-key": ANN_IN_BOREALIS, "x-organization-id": wish}
        found = await answer(await lab(), request("/me", headers))

        assert "2" == found.sent["x-authz-principal-id"]


async def test_the_least_of_several_levels_is_sent() -> None:
    """Who may read the group's and delete their own is told of as far as both reach."""
    ben = {"authorization": f"Bearer {token(2)}", "x-organization-id": "1"}
    read, delete = [
        await answer(await lab(), request("/items/Dataset", ben, method))
        for method in ("GET", "DELETE")
    ]

    assert ("group", "my") == (
        read.sent["x-authz-access-level"], delete.sent["x-authz-access-level"]
    )  # fmt: skip


async def test_path_and_extensions_do_not_stand_in_for_each_other() -> None:
    """A value that is missing on one side is not taken from the other."""
    subject = await lab()
    known = {"id": "1", "cluster": "1"}
    foreign = await answer(subject, request("/clusters/6", AURORA, extensions=known))
    missing = await answer(subject, request("/extended/1", AURORA))
    given = await answer(
        subject,
        request("/extended/6", AURORA, extensions={"cluster": "1", "area": "data"}),
    )

    assert (404, "RESOURCE_NOT_FOUND") == (foreign.status, foreign.reason)
    assert (403, "VALUE_NOT_USABLE") == (missing.status, missing.reason)
    assert given.passes


async def test_who_envoy_only_supposes_to_call_is_nobody() -> None:
    """`source.service` and the rest of the peer are not read, just its principal."""
    text = b"spiffe://prod.example/ann"
    for number in (1, 2, 5):
        message = request("/me")
        field = bytes([number << 3 | 2, len(text)]) + text
        message.attributes.source.MergeFromString(field)
        found = await answer(await lab(), message)

        assert (401, "CREDENTIAL_MISSING") == (found.status, found.reason)


@pytest.mark.parametrize("number", [1, 2])
async def test_a_thousand_requests_cost_one_check_of_their_credential(
    number: int,
) -> None:
    """A key is hashed once and a token's signature checked once, counted."""
    subject = await lab()
    text = {1: ANN, 2: token(1)}[number]
    message = request("/clusters/1", {"authorization": f"Bearer {text}"})
    for _ in range(1_000):
        await subject.check(message)

    assert (2 - number, number - 1) == (subject.work.hashes, subject.work.signatures)
    assert 0 == subject.work.slow_hashes
