"""The files of a TLS listener: read together, and refused in words."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

_BEGIN = b"-----BEGIN CERTIFICATE-----"
_LEAST_RSA_BITS = 2048
_EVERYONE_MAY_READ = 0o004
_DAY_SECONDS = 86_400.0
_UNREADABLE = (
    ValueError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
# gRPC signs handshakes with no others.
_CURVES = (ec.SECP256R1, ec.SECP384R1)


class CertificateError(Exception):
    """A file of a TLS listener cannot be used; the message says which and why."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Where the PEM files of a TLS listener are; `client_ca` turns on mTLS."""

    certificate: Path
    key: Path
    client_ca: Path | None


@dataclass(frozen=True, slots=True)
class Contents:
    """The files as they were read, not yet looked at.

    `key_is_open` says that every user of the machine may read the key.
    """

    certificate: bytes
    key: bytes = field(repr=False)
    client_ca: bytes | None
    key_is_open: bool = field(compare=False)


@dataclass(frozen=True, slots=True)
class Material:
    """Files that go together and can be served with.

    `serial` is lower-case hex. `ends` is by the name of the setting, in seconds since
    1970: of the listener's own certificate, and of the client authority that lasts
    longest.
    """

    contents: Contents
    serial: str
    ends: Mapping[str, float]


def read_contents(files: TlsFiles) -> Contents:
    """The files' bytes; raises CertificateError when one cannot be read."""
    certificate, _ = _read("certificate", files.certificate)
    key, mode = _read("key", files.key)
    client_ca = None
    if files.client_ca is not None:
        client_ca, _ = _read("client_ca", files.client_ca)
    return Contents(certificate, key, client_ca, bool(mode & _EVERYONE_MAY_READ))


def validate(files: TlsFiles, contents: Contents, now: float) -> Material:
    """What a listener can serve with at `now`, in seconds since 1970.

    Raises:
        CertificateError: cut off, not of the form, expired, not yet valid, for
            another use, or a key that is not the certificate's.
    """
    own = _File("certificate", files.certificate)
    leaf = own.certificates(contents.certificate)[0]
    _refuse_use(own, leaf)
    _refuse_moment(own, leaf, now)
    key = _key_in(_File("key", files.key), contents.key)
    if not _are_pair(key, leaf):
        raise CertificateError(
            f"key `{files.key}` does not belong to the first {own.named}"
        )
    ends = {"certificate": leaf.not_valid_after_utc.timestamp()}
    if contents.client_ca is not None:
        trusted = _File("client_ca", files.client_ca)
        authorities = trusted.certificates(contents.client_ca)
        ends["client_ca"] = _end_of(trusted, authorities, now)
    return Material(contents, f"{leaf.serial_number:x}", ends)


def warnings_about(
    files: TlsFiles, material: Material, now: float, warn_days: float
) -> Iterator[str]:
    """What can be served with and yet should be seen to, one line each."""
    if material.contents.key_is_open:
        yield f"key `{files.key}` can be read by everyone on this machine"
    paths = {"certificate": files.certificate, "client_ca": files.client_ca}
    for setting, end in material.ends.items():
        if end - now < warn_days * _DAY_SECONDS:
            verb = "expires" if end > now else "expired"
            yield f"{setting} `{paths[setting]}` {verb} at {_written(end)}"


@dataclass(frozen=True, slots=True)
class _File:
    setting: str
    path: Path | None

    @property
    def named(self) -> str:
        return f"{self.setting} `{self.path}`"

    def refused(self, why: str) -> CertificateError:
        return CertificateError(f"{self.named} {why}")

    def certificates(self, content: bytes) -> Sequence[x509.Certificate]:
        begun = content.count(_BEGIN)
        if begun == 0:
            raise self.refused("has no certificate in PEM form")
        try:
            found = x509.load_pem_x509_certificates(content)
            # Extensions are only read when they are asked for.
            readable = [each for each in found if each.extensions is not None]
        except _UNREADABLE as error:
            raise self.refused("is damaged or cut off") from error
        if len(readable) != begun:
            raise self.refused("is damaged or cut off")
        return readable


def _read(setting: str, path: Path) -> tuple[bytes, int]:
    try:
        with path.open("rb") as file:
            return file.read(), os.fstat(file.fileno()).st_mode
    except OSError as error:
        why = (error.strerror or "unknown trouble").lower()
        raise _File(setting, path).refused(f"cannot be read: {why}") from error


def _refuse_use(own: _File, leaf: x509.Certificate) -> None:
    try:
        uses = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return
    serving = {
        ExtendedKeyUsageOID.SERVER_AUTH,
        ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    }
    if serving.isdisjoint(uses):
        raise own.refused("is not for servers: its extended key usage lacks serverAuth")


def _refuse_moment(own: _File, leaf: x509.Certificate, now: float) -> None:
    start = leaf.not_valid_before_utc.timestamp()
    end = leaf.not_valid_after_utc.timestamp()
    if now < start:
        raise own.refused(f"is valid only from {_written(start)}: look at the clock")
    if now > end:
        raise own.refused(f"expired at {_written(end)}")


def _key_in(file: _File, content: bytes) -> PrivateKeyTypes:
    try:
        key = load_pem_private_key(content, None)
    except TypeError as error:
        raise file.refused("is encrypted: store it without a passphrase") from error
    except _UNREADABLE as error:
        raise file.refused("has no private key in PEM form, or is cut off") from error
    if not _is_served(key):
        raise file.refused(
            "is of a kind that is not served: use ECDSA with P-256 or P-384, or RSA "
            f"with at least {_LEAST_RSA_BITS} bits"
        )
    return key


def _are_pair(key: PrivateKeyTypes, leaf: x509.Certificate) -> bool:
    try:
        return key.public_key() == leaf.public_key()
    except _UNREADABLE:
        return False


def _is_served(key: PrivateKeyTypes) -> bool:
    if isinstance(key, rsa.RSAPrivateKey):
        return key.key_size >= _LEAST_RSA_BITS
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return isinstance(key.curve, _CURVES)
    return False


def _end_of(file: _File, authorities: Sequence[x509.Certificate], now: float) -> float:
    for number, each in enumerate(authorities, start=1):
        if not _is_authority(each):
            raise file.refused(
                f"has a certificate, number {number}, that is no authority's"
            )
    end = max(each.not_valid_after_utc.timestamp() for each in authorities)
    if now > end:
        raise file.refused(f"expired at {_written(end)}")
    return end


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        found = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except x509.ExtensionNotFound:
        return False
    return found.value.ca


def _written(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")
