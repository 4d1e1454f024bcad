"""Callers whom Envoy has verified, where a listener believes what Envoy says."""

from collections.abc import Mapping
from typing import Final

import pytest

from tests.edge.hearing import hear
from tests.edge.lab import PAYLOAD, Lab, lab
from tests.edge.making import request
from tests.edge.plain_messages import Answer
from tests.identity.minting import ISSUER
from tests.support.edge import ANN

_METER: Final = "spiffe://prod.example/meter"
_ANNS: Final = "spiffe://prod.example/ann"
_PAYLOAD: Final = {PAYLOAD: {"iss": ISSUER, "sub": "user-2"}}


async def _me(
    subject: Lab,
    *,
    principal: str = "",
    metadata: Mapping[str, object] | bytes | None = None,
    headers: Mapping[str, str | bytes] | None = None,
    path: str = "/me",
) -> Answer:
    message = request(path, headers or {}, principal=principal, metadata=metadata)
    return hear(await subject.check(message))


async def test_a_certificate_names_a_workload() -> None:
    """A SPIFFE id of a configured trust domain is looked up as it is."""
    found = await _me(await lab(), principal=_METER)

    assert "7" == found.sent["x-authz-user-id"]


async def test_a_payload_names_a_user() -> None:
    """The payload of a token that Envoy has verified is looked up by its subject."""
    found = await _me(await lab(), metadata=_PAYLOAD)

    assert "2" == found.sent["x-authz-user-id"]


async def test_a_payload_comes_before_a_certificate() -> None:
    """With both, the user calls, by way of the workload."""
    found = await _me(await lab(), principal=_METER, metadata=_PAYLOAD)

    assert "2" == found.sent["x-authz-user-id"]


async def test_a_credential_comes_before_both() -> None:
    """Who shows a credential is judged by it, and by nothing else when it is bad."""
    subject = await lab()
    good = await _me(
        subject, principal=_METER, metadata=_PAYLOAD, headers={"x-api-key": ANN}
    )
    bad = await _me(
        subject, principal=_METER, metadata=_PAYLOAD, headers={"x-api-key": "x"}
    )

    assert "1" == good.sent["x-authz-user-id"]
    assert (401, "INVALID_CREDENTIAL") == (bad.status, bad.reason)


@pytest.mark.parametrize("path", ["/me", "/about"])
@pytest.mark.parametrize(
    ("principal", "metadata"),
    [
        ("spiffe://prod.example/nobody", None),
        ("spiffe://evil.example/meter", None),
        ("spiffe://prod.example/../meter", None),
        ("spiffe://prod.example/meter?x", None),
        ("spiffe://prod.example", None),
        (_METER, {PAYLOAD: {"iss": ISSUER, "sub": "nobody"}}),
        (_METER, {PAYLOAD: {"iss": "https://evil.example", "sub": "user-2"}}),
        (_METER, {PAYLOAD: {"iss": ISSUER}}),
        (_METER, {PAYLOAD: {"iss": ISSUER, "sub": ""}}),
        (_METER, {PAYLOAD: {"iss": ISSUER, "sub": ["user-2"]}}),
        (_METER, {PAYLOAD: [ISSUER, "user-2"]}),
        (_METER, {PAYLOAD: "user-2"}),
        (_METER, {PAYLOAD: True}),
        (_METER, {PAYLOAD: None}),
        (_METER, b"\xff"),
    ],
)
async def test_a_bad_peer_is_a_bad_credential(
    principal: str, metadata: Mapping[str, object] | bytes | None, path: str
) -> None:
    """What names nobody ends the search, also where nobody need say who they are."""
    found = await _me(await lab(), principal=principal, metadata=metadata, path=path)

    assert (401, "INVALID_CREDENTIAL") == (found.status, found.reason)


@pytest.mark.parametrize(
    ("principal", "metadata"),
    [
        ("", None),
        ("CN=meter", None),
        ("meter.prod.example", None),
        ("SPIFFE://prod.example/meter", None),
        ("", {"other": {"iss": ISSUER, "sub": "user-2"}}),
        ("", {}),
    ],
)
async def test_what_is_no_peer_is_nobody(
    principal: str, metadata: Mapping[str, object] | None
) -> None:
    """Other certificates and other payloads are no credentials."""
    found = await _me(await lab(), principal=principal, metadata=metadata)

    assert (401, "CREDENTIAL_MISSING") == (found.status, found.reason)


@pytest.mark.parametrize("name", ["envoy.filters.http.other", "jwt_authn", ""])
async def test_metadata_of_other_filters_names_nobody(name: str) -> None:
    """Only the filter that verifies tokens is believed."""
    message = request("/me", metadata=_PAYLOAD)
    message.attributes.metadata_context.filter_metadata[0].key = name.encode()
    found = hear(await (await lab()).check(message))

    assert "CREDENTIAL_MISSING" == found.reason


@pytest.mark.parametrize("metadata", [_PAYLOAD, b"\xff", None])
async def test_a_listener_for_credentials_does_not_believe_envoy(
    metadata: Mapping[str, object] | bytes | None,
) -> None:
    """There, what Envoy says of callers names nobody, and what is odd harms nobody."""
    subject = await lab(believes_peers=False)
    found = await _me(subject, principal=_ANNS, metadata=metadata)
    known = await _me(
        subject, principal=_METER, metadata=metadata, headers={"x-api-key": ANN}
    )

    assert "CREDENTIAL_MISSING" == found.reason
    assert "1" == known.sent["x-authz-user-id"]


async def test_a_public_route_asks_no_peer() -> None:
    """Where everybody may come in, a bad certificate does not matter."""
    found = await _me(
        await lab(),
        principal="spiffe://evil.example/x",
        metadata=b"\xff",
        path="/healthz",
    )

    assert found.passes
    assert {} == found.sent


async def test_the_last_entry_of_metadata_counts() -> None:
    """Of a map's entries with one name the last one stands, as everywhere."""
    message = request("/me", metadata=_PAYLOAD)
    entries = message.attributes.metadata_context.filter_metadata
    first = entries.add(key=entries[0].key)
    first.value, entries[0].value = entries[0].value, b"\xff"
    found = hear(await (await lab()).check(message))

    assert "2" == found.sent["x-authz-user-id"]
