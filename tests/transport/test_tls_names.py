"""Names that may call: how they are written, and how certificates carry them."""

import pytest

from sidecar.ports import Clock
from sidecar.store.clock import SystemClock
from sidecar.transport.peers import (
    AllowedPeers,
    NameKind,
    PeerName,
    PeerNameError,
    parse_name,
    read_certificate,
)
from tests.store.fakes import FakeClock
from tests.support.authority import DAY, Authority, Issued

AUTHORITY = Authority()
SPIFFE = "uri:spiffe://mesh.example/ns/shop/sa/web"


def admits(allowed: str, *presented: str) -> bool:
    """Whether a certificate with some names is let in where one is allowed."""
    return peers(allowed).admits(identity(AUTHORITY.client(*presented)))


def peers(allowed: str, clock: Clock | None = None) -> AllowedPeers:
    """Where one name is allowed, and connections last an hour."""
    return AllowedPeers(
        frozenset({parse_name(allowed)}), clock or SystemClock(), 3600.0
    )


def identity(client: Issued) -> dict[str, list[bytes]]:
    """What gRPC tells of a connection."""
    return {"x509_pem_cert": [client.pem]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dns:app.example", PeerName(NameKind.DNS, "app.example")),
        ("dns:App.Example", PeerName(NameKind.DNS, "app.example")),
        (SPIFFE, PeerName(NameKind.URI, SPIFFE.removeprefix("uri:"))),
        ("ip:10.0.0.7", PeerName(NameKind.IP, "10.0.0.7")),
        ("ip:2001:DB8:0::1", PeerName(NameKind.IP, "2001:db8::1")),
    ],
)
def test_name_is_read(text: str, expected: PeerName) -> None:
    """The kind stands before the first colon."""
    assert expected == parse_name(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "must be `dns:<name>`"),
        ("app.example", "must be `dns:<name>`"),
        ("dns:", "must be `dns:<name>`"),
        ("cn:app", "must be `dns:<name>`"),
        ("email:a@example.com", "must be `dns:<name>`"),
        ("dns:*.example.com", "has a wildcard"),
        ("uri:spiffe://mesh.example/ns/*", "has a wildcard"),
        ("dns:äpp.example", "must be printable ASCII"),
        ("dns:app example", "must be printable ASCII"),
        ("dns:app.example\0", "must be printable ASCII"),
        ("uri:mesh.example", "has no scheme"),
        ("ip:10.0.0.0/8", "is no IP address"),
        ("ip:localhost", "is no IP address"),
    ],
)
def test_name_that_could_mislead_is_refused(text: str, problem: str) -> None:
    """Patterns, common names and names without a kind are not there to be set."""
    with pytest.raises(PeerNameError, match=problem):
        parse_name(text)


@pytest.mark.parametrize(
    ("allowed", "presented"),
    [
        ("dns:app.example", "dns:app.example"),
        ("dns:app.example", "dns:APP.example"),
        (SPIFFE, SPIFFE),
        ("ip:10.0.0.7", "ip:10.0.0.7"),
        ("ip:2001:db8:0:0::1", "ip:2001:db8::1"),
    ],
)
def test_one_allowed_name_is_enough(allowed: str, presented: str) -> None:
    """Whatever other names the certificate has."""
    assert admits(allowed, "dns:other.example", presented)


@pytest.mark.parametrize(
    ("allowed", "presented"),
    [
        ("dns:app.example", "dns:*.example"),
        ("dns:app.example", "dns:*"),
        ("dns:app.example", "dns:sub.app.example"),
        ("dns:app.example", "dns:app.example.evil"),
        ("dns:app.example", "dns:app.example\0.evil.example"),
        ("dns:app.example", "dns:app.example."),
        ("dns:app.example", "uri:app.example"),
        ("dns:10.0.0.7", "ip:10.0.0.7"),
        ("ip:10.0.0.7", "dns:10.0.0.7"),
        ("dns:app.example", "email:app.example@app.example"),
        (SPIFFE, "uri:spiffe://mesh.example/ns/shop/sa/web/x"),
        (SPIFFE, "uri:spiffe://mesh.example/ns/shop/sa/WEB"),
        (SPIFFE, "uri:spiffe://mesh.example/ns/*"),
        (SPIFFE, "uri:spiffe://mesh.example/ns/shop/sa/web\0"),
    ],
)
def test_name_that_only_looks_alike_is_not_let_in(allowed: str, presented: str) -> None:
    """Neither patterns in certificates, nor parts, nor names of another kind."""
    assert not admits(allowed, presented)


@pytest.mark.parametrize(
    "told",
    [{}, {"x509_pem_cert": []}, {"x509_pem_cert": [b""]}, {"x509_pem_cert": [b"x"]}],
)
def test_what_has_no_certificate_is_not_let_in(told: dict[str, list[bytes]]) -> None:
    """Nor what cannot be read; and what gRPC says of names does not count."""
    allowed = peers("dns:app.example")

    assert not allowed.admits({**told, "peer_dns": [b"app.example"]})


def test_common_name_is_no_name() -> None:
    """A certificate without alternative names has none."""
    assert frozenset() == read_certificate(AUTHORITY.client().pem).names


def test_refusals_are_counted_by_call() -> None:
    """A certificate that was judged before is judged the same, and counted."""
    allowed = peers("dns:app.example")
    clients = [AUTHORITY.client(name) for name in ("dns:x", "dns:app.example")]

    verdicts = [allowed.admits(identity(each)) for each in [*clients, *clients]]

    assert [False, True, False, True] == verdicts
    assert 2 == allowed.refused


def test_expired_certificate_lets_in_no_longer_than_connections_last() -> None:
    """Resuming a session, a caller could else go on with it for days."""
    clock = FakeClock()
    clock.now = SystemClock().wall()
    allowed, client = (
        peers("dns:app.example", clock),
        AUTHORITY.client("dns:app.example"),
    )
    verdicts = []
    for seconds in (60 * DAY - 60, 120, 3600):
        clock.now += seconds
        verdicts.append(allowed.admits(identity(client)))

    assert [True, True, False] == verdicts
