"""Whom Envoy has verified: named where that is configured, and refused otherwise."""

import pytest

from sidecar.identity.peers import (
    Peer,
    PeerOrNot,
    Unusable,
    is_trust_domain,
    read_jwt_payload,
    read_spiffe_id,
)

DOMAINS = frozenset({"prod.example"})
ISSUERS = frozenset({"https://login.example"})


@pytest.mark.parametrize(
    "principal",
    [
        "spiffe://prod.example/worker",
        "spiffe://prod.example/ns/gpu/sa/worker-1_a.b",
        "spiffe://prod.example/A/..a/...",
        "spiffe://prod.example/" + "a" * 2000,
    ],
)
def test_workload_is_named_by_its_whole_id(principal: str) -> None:
    """A workload of a configured trust domain is looked up by domain and id."""
    wanted = Peer("spiffe://prod.example", principal)

    assert wanted == read_spiffe_id(principal, DOMAINS)


@pytest.mark.parametrize(
    "principal",
    [
        "spiffe://",
        "spiffe:///worker",
        "spiffe://prod.example",
        "spiffe://prod.example/",
        "spiffe://prod.example/worker/",
        "spiffe://prod.example//worker",
        "spiffe://prod.example/./worker",
        "spiffe://prod.example/a/../worker",
        "spiffe://prod.example/worker?x",
        "spiffe://prod.example/worker#x",
        "spiffe://prod.example/w%6frker",
        "spiffe://prod.example/w orker",
        "spiffe://prod.example/worker\n",
        "spiffe://prod.example/w\u00f6rker",
        "spiffe://prod.example/worker,spiffe://prod.example/root",
        "spiffe://prod.example:443/worker",
        "spiffe://user@prod.example/worker",
        "spiffe://PROD.example/worker",
        "spiffe://prod.example./worker",
        "spiffe://evil.example/worker",
        "spiffe://prod.example.evil/worker",
        "spiffe://prod.example/" + "a" * 2048,
    ],
)
def test_malformed_or_foreign_workload_is_a_bad_credential(principal: str) -> None:
    """What is no SPIFFE id of a configured domain, and claims to be, is refused."""
    assert Unusable.PEER is read_spiffe_id(principal, DOMAINS)


@pytest.mark.parametrize(
    "principal",
    ["", "CN=ann", "ann.example", "SPIFFE://prod.example/worker", "spiffe:/"],
)
def test_other_certificate_names_nobody(principal: str) -> None:
    """Without a SPIFFE id there is no credential."""
    assert read_spiffe_id(principal, DOMAINS) is None


@pytest.mark.parametrize("principal", ["spiffe://prod.example/worker", "spiffe://"])
def test_without_trust_domains_certificates_name_nobody(principal: str) -> None:
    """Where none is configured, certificates mean nothing."""
    assert read_spiffe_id(principal, frozenset()) is None


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("prod.example", True),
        ("a_b-c.1", True),
        ("a" * 255, True),
        ("a" * 256, False),
        ("", False),
        ("Prod", False),
        ("spiffe://prod", False),
        ("prod/x", False),
        ("prod\n", False),
    ],
)
def test_trust_domain_is_plain(text: str, *, wanted: bool) -> None:
    """A trust domain is lower-case letters, digits, dots, dashes, underscores."""
    assert wanted is is_trust_domain(text)


@pytest.mark.parametrize(
    ("payload", "wanted"),
    [
        (None, None),
        (
            {"iss": "https://login.example", "sub": "ann", "exp": 1.0},
            Peer("https://login.example", "ann"),
        ),
        ({}, Unusable.PEER),
        ({"sub": "ann"}, Unusable.PEER),
        ({"iss": "https://evil.example", "sub": "ann"}, Unusable.PEER),
        ({"iss": ["https://login.example"], "sub": "ann"}, Unusable.PEER),
        ({"iss": "https://login.example"}, Unusable.PEER),
        ({"iss": "https://login.example", "sub": ""}, Unusable.PEER),
        ({"iss": "https://login.example", "sub": 7.0}, Unusable.PEER),
        ({"iss": "https://login.example", "sub": ["ann"]}, Unusable.PEER),
        ({"iss": "https://login.example", "sub": "ann\n"}, Unusable.PEER),
        ({"iss": "https://login.example", "sub": "a" * 513}, Unusable.PEER),
    ],
)
def test_payload_names_a_subject_of_a_configured_issuer(
    payload: dict[str, object] | None, wanted: PeerOrNot
) -> None:
    """A payload without an issuer and a subject that are believed is refused."""
    assert wanted == read_jwt_payload(payload, ISSUERS)


def test_without_issuers_payloads_name_nobody() -> None:
    """Where none is configured, payloads mean nothing."""
    payload = {"iss": "https://login.example", "sub": "ann"}

    assert read_jwt_payload(payload, frozenset()) is None
