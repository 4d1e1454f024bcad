"""Files of a TLS listener: what is refused at the start, and in which words."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from sidecar.store.clock import SystemClock
from sidecar.transport.certificates import CertificateError, TlsFiles
from sidecar.transport.peers import parse_name
from sidecar.transport.tls import Tls, look_at
from tests.support.authority import (
    CLIENT_ONLY,
    SERVER_NAMES,
    SERVER_ONLY,
    Authority,
    Folder,
    Issued,
    Key,
    Wish,
    self_signed,
)

AUTHORITY = Authority()
GOOD = AUTHORITY.server()
NOW = SystemClock().wall()


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Files that can be served with."""
    folder = Folder(tmp_path)
    folder.put(GOOD, AUTHORITY.pem)
    return folder


def look(folder: Folder, now: float = NOW) -> list[str]:
    """The warnings about a folder; its path is cut out of them and of errors."""
    files = TlsFiles(folder.certificate, folder.key, folder.client_ca)
    try:
        warnings = look_at(Tls(files), now)
    except CertificateError as error:
        raise CertificateError(str(error).replace(f"{folder.path}/", "")) from error
    return [each.replace(f"{folder.path}/", "") for each in warnings]


def issued(**wish: object) -> Issued:
    """A certificate for the listener that is somehow unusual."""
    return AUTHORITY.issue(Wish(names=SERVER_NAMES, **wish))  # type: ignore[arg-type]


def test_good_files_are_served_with(folder: Folder) -> None:
    """There is nothing to say of files that are as they should be."""
    assert [] == look(folder)


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP384R1()),
        rsa.generate_private_key(65537, 2048),
    ],
)
def test_keys_that_grpc_signs_with_are_served(folder: Folder, key: Key) -> None:
    """ECDSA on both curves, and RSA from 2,048 bits."""
    folder.put(issued(key=key))

    assert [] == look(folder)


def test_certificate_may_be_its_own_authority(folder: Folder) -> None:
    """What one makes by hand to try it out will do for a listener."""
    own = self_signed(Wish(names=SERVER_NAMES, is_authority=True))
    folder.put(own, own.pem)

    assert [] == look(folder)


def test_intermediates_may_follow(folder: Folder) -> None:
    """The first certificate is the listener's; the rest is its chain."""
    folder.certificate.write_bytes(GOOD.pem + AUTHORITY.pem)

    assert [] == look(folder)


Spoil = Callable[[Folder], object]
SPOILT: dict[str, Spoil] = {
    "certificate `tls.crt` cannot be read: no such file or directory": (
        lambda folder: folder.certificate.unlink()
    ),
    "key `tls.key` cannot be read: no such file or directory": (
        lambda folder: folder.key.unlink()
    ),
    "client_ca `ca.crt` cannot be read: no such file or directory": (
        lambda folder: folder.client_ca.unlink()
    ),
    "certificate `tls.crt` has no certificate in PEM form": (
        lambda folder: folder.certificate.write_bytes(GOOD.key_pem)
    ),
    "certificate `tls.crt` is damaged or cut off": (
        lambda folder: folder.certificate.write_bytes(GOOD.pem[:-40])
    ),
    "client_ca `ca.crt` is damaged or cut off": (
        lambda folder: folder.client_ca.write_bytes(AUTHORITY.pem + GOOD.pem[:200])
    ),
    "client_ca `ca.crt` has no certificate in PEM form": (
        lambda folder: folder.client_ca.write_bytes(b"")
    ),
    "key `tls.key` has no private key in PEM form, or is cut off": (
        lambda folder: folder.key.write_bytes(GOOD.key_pem[:60])
    ),
    "key `tls.key` is encrypted: store it without a passphrase": (
        lambda folder: folder.key.write_bytes(GOOD.locked_key_pem)
    ),
    "key `tls.key` does not belong to the first certificate `tls.crt`": (
        lambda folder: folder.key.write_bytes(AUTHORITY.own.key_pem)
    ),
    "certificate `tls.crt` is not for servers: its extended key usage lacks "
    "serverAuth": (lambda folder: folder.put(issued(use=CLIENT_ONLY))),
    "client_ca `ca.crt` has a certificate, number 2, that is no authority's": (
        lambda folder: folder.client_ca.write_bytes(AUTHORITY.pem + GOOD.pem)
    ),
}


@pytest.mark.parametrize("message", SPOILT)
def test_bad_file_is_refused_in_words(folder: Folder, message: str) -> None:
    """Which file it is, and what is wrong with it."""
    SPOILT[message](folder)

    with pytest.raises(CertificateError, match=f"^{re.escape(message)}$"):
        look(folder)


@pytest.mark.parametrize(
    "key",
    [
        ed25519.Ed25519PrivateKey.generate(),
        ec.generate_private_key(ec.SECP521R1()),
        ec.generate_private_key(ec.SECP256K1()),
        rsa.generate_private_key(65537, 1024),  # noqa: S505  what is tested
    ],
)
def test_keys_that_grpc_does_not_sign_with_are_refused(
    folder: Folder, key: Key
) -> None:
    """Otherwise the start would succeed, and every handshake fail."""
    folder.put(issued(key=key))

    with pytest.raises(CertificateError, match="of a kind that is not served: use"):
        look(folder)


@pytest.mark.parametrize(
    ("days", "message"),
    [
        ((-9, -2), r"certificate `tls\.crt` expired at \d{4}-\d\d-\d\dT"),
        ((2, 9), r"certificate `tls\.crt` is valid only from .*Z: look at the clock"),
    ],
)
def test_certificate_out_of_its_time_is_refused(
    folder: Folder, days: tuple[float, float], message: str
) -> None:
    """Before and after, no client would accept it."""
    folder.put(issued(from_day=days[0], to_day=days[1]))

    with pytest.raises(CertificateError, match=message):
        look(folder)


def test_authorities_are_refused_when_the_last_has_expired(folder: Folder) -> None:
    """One that has expired may stand beside one that has not."""
    gone = Authority(to_day=-2).pem
    folder.put(GOOD, gone + AUTHORITY.pem)
    both = look(folder)
    folder.put(GOOD, gone)

    assert [] == both
    with pytest.raises(CertificateError, match=r"^client_ca `ca\.crt` expired at"):
        look(folder)


def test_what_is_served_with_and_yet_not_well_is_told(folder: Folder) -> None:
    """A key that everyone can read, and what expires within the days of warning."""
    own = issued(use=SERVER_ONLY, to_day=10)
    folder.put(own, Authority(to_day=5).pem)
    folder.key.chmod(0o644)

    warnings = [re.sub(r" at \d.*", " at", each) for each in look(folder)]

    expected = [
        "key `tls.key` can be read by everyone on this machine",
        "certificate `tls.crt` expires at",
        "client_ca `ca.crt` expires at",
    ]
    assert expected == warnings


def test_names_need_an_authority() -> None:
    """Without one, anybody could put any name into a certificate."""
    files = TlsFiles(Path("tls.crt"), Path("tls.key"), None)

    with pytest.raises(CertificateError, match="`allowed_names` needs `client_ca`"):
        Tls(files, frozenset({parse_name("dns:app.example")}))
