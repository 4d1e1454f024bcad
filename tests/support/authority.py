"""Certificate authorities for tests: real certificates, good and bad in every way."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sidecar.store.clock import SystemClock

DAY = 86_400.0
SERVER_ONLY = ExtendedKeyUsageOID.SERVER_AUTH
CLIENT_ONLY = ExtendedKeyUsageOID.CLIENT_AUTH
SERVER_NAMES = ("ip:127.0.0.1", "dns:localhost")

Key: TypeAlias = (
    ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
)


@dataclass(frozen=True)
class Wish:
    """What a certificate is to be like; days are from now."""

    common_name: str = "somebody"
    names: Sequence[str] = ()
    from_day: float = -1
    to_day: float = 60
    is_authority: bool = False
    use: x509.ObjectIdentifier | None = None
    key: Key | None = None


@dataclass(frozen=True)
class Issued:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: Key

    @property
    def pem(self) -> bytes:
        """The certificate."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The key without a passphrase."""
        return self._key_pem(NoEncryption())

    @property
    def locked_key_pem(self) -> bytes:
        """The key with a passphrase."""
        return self._key_pem(BestAvailableEncryption(b"passphrase"))

    @property
    def serial(self) -> str:
        """The serial number, in lower-case hex."""
        return f"{self.certificate.serial_number:x}"

    def _key_pem(self, encryption: KeySerializationEncryption) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


class Authority:
    """An authority that issues what is wished."""

    def __init__(self, common_name: str = "authority", *, to_day: float = 90) -> None:
        wish = Wish(common_name, to_day=to_day, is_authority=True, from_day=-30)
        self.own = _issue(wish, None)

    @property
    def pem(self) -> bytes:
        """Its certificate."""
        return self.own.pem

    def issue(self, wish: Wish) -> Issued:
        """A certificate that it vouches for."""
        return _issue(wish, self.own)

    def server(self) -> Issued:
        """A certificate for a listener on 127.0.0.1."""
        return self.issue(Wish("server", SERVER_NAMES))

    def client(self, *names: str) -> Issued:
        """A certificate for a caller."""
        return self.issue(Wish("client", names, use=CLIENT_ONLY))


def self_signed(wish: Wish) -> Issued:
    """A certificate that nobody else vouches for."""
    return _issue(wish, None)


def _issue(wish: Wish, issuer: Issued | None) -> Issued:
    key = wish.key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, wish.common_name)])
    now = SystemClock().wall()
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.fromtimestamp(now + wish.from_day * DAY, UTC))
        .not_valid_after(datetime.fromtimestamp(now + wish.to_day * DAY, UTC))
        .add_extension(x509.BasicConstraints(wish.is_authority, None), critical=True)
    )
    if wish.names:
        names = x509.SubjectAlternativeName([_name(each) for each in wish.names])
        builder = builder.add_extension(names, critical=False)
    if wish.use is not None:
        use = x509.ExtendedKeyUsage([wish.use])
        builder = builder.add_extension(use, critical=False)
    signer = key if issuer is None else issuer.key
    algorithm = (
        None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    )
    return Issued(builder.sign(signer, algorithm), key)


def _name(text: str) -> x509.GeneralName:
    kind, _, value = text.partition(":")
    match kind:
        case "dns":
            return x509.DNSName(value)
        case "uri":
            return x509.UniformResourceIdentifier(value)
        case "ip":
            return x509.IPAddress(ip_address(value))
        case _:
            return x509.RFC822Name(value)


@dataclass(frozen=True)
class Folder:
    """The files of a listener: replaced one by one, each by a rename."""

    path: Path

    @property
    def certificate(self) -> Path:
        """The listener's certificate."""
        return self.path / "tls.crt"

    @property
    def key(self) -> Path:
        """Its key."""
        return self.path / "tls.key"

    @property
    def client_ca(self) -> Path:
        """The authorities of callers."""
        return self.path / "ca.crt"

    def put(self, own: Issued, client_ca: bytes | None = None) -> None:
        """Renames new files into place."""
        files = {self.key: own.key_pem, self.certificate: own.pem}
        if client_ca is not None:
            files[self.client_ca] = client_ca
        for path, content in files.items():
            fresh = path.with_suffix(".new")
            fresh.write_bytes(content)
            fresh.chmod(0o600)
            fresh.rename(path)

    def swap(self, version: str, own: Issued, client_ca: bytes) -> None:
        """Does as Kubernetes does: a new folder, and one rename of a symlink to it."""
        Folder(_made(self.path / f"..{version}")).put(own, client_ca)
        self._link("..data", f"..{version}")
        for path in (self.certificate, self.key, self.client_ca):
            if not path.is_symlink():
                self._link(path.name, f"..data/{path.name}")

    def _link(self, name: str, target: str) -> None:
        link = self.path / f"{name}_tmp"
        link.symlink_to(target)
        link.rename(self.path / name)

    def settings(self, *allowed: str, **changed: object) -> dict[str, object]:
        """The setting `tls` of a listener with mTLS."""
        return {
            "certificate": str(self.certificate),
            "key": str(self.key),
            "client_ca": str(self.client_ca),
            "allowed_names": list(allowed),
            "reload_seconds": 0.02,
            **changed,
        }


def _made(path: Path) -> Path:
    path.mkdir()
    return path
