"""TLS on a listener: what is set, and certificates that follow their files."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self, cast

import grpc
import structlog

from sidecar.ports import Clock
from sidecar.transport.certificates import (
    CertificateError,
    Contents,
    Material,
    TlsFiles,
    read_contents,
    validate,
    warnings_about,
)
from sidecar.transport.peers import PeerName

_DAY_SECONDS = 86_400.0

_log = structlog.stdlib.get_logger("sidecar.transport")


@dataclass(frozen=True, slots=True)
class Tls:
    """TLS of one listener; with `files.client_ca` callers need a certificate.

    With `allowed_names` it must also have one of them. `connection_seconds` is how
    long a connection may last, so that callers show their certificate anew.
    """

    files: TlsFiles
    allowed_names: frozenset[PeerName] = frozenset()
    reload_seconds: float = 5.0
    warn_days: float = 14.0
    connection_seconds: float = 3600.0

    def __post_init__(self) -> None:
        if self.allowed_names and self.files.client_ca is None:
            raise CertificateError(
                "`allowed_names` needs `client_ca`: without it nobody vouches for names"
            )


@dataclass(frozen=True, slots=True)
class CertificateState:
    """How a listener's certificates are.

    `ends` is when they expire, in seconds since 1970, by the name of their setting.
    `problem` says why the files are not what is served, and is none if they are.
    """

    ends: Mapping[str, float]
    problem: str | None
    reloads: int
    failures: int


@dataclass(frozen=True, slots=True)
class TlsState:
    """How TLS is on one listener; `refused` counts calls of peers not allowed."""

    certificates: CertificateState
    refused: int


def look_at(tls: Tls, now: float) -> list[str]:
    """Reads a listener's files as its start would; gives warnings, one line each.

    `now` is in seconds since 1970. Raises CertificateError for what the start refuses.
    """
    material = validate(tls.files, read_contents(tls.files), now)
    return list(warnings_about(tls.files, material, now, tls.warn_days))


class LiveCertificates:
    """The certificates of one listener, which follow their files.

    gRPC asks for them at each handshake; the files are read between times. New ones
    are taken over when two readings in a row are the same and go together, because
    a file that is being written can be well-formed and yet lack its end.
    """

    def __init__(self, tls: Tls, clock: Clock, material: Material) -> None:
        self._tls = tls
        self._clock = clock
        self._material = material
        self._handed = material
        self._seen = material.contents
        self._problem: str | None = None
        self._reloads = 0
        self._failures = 0
        self._warned_at: float | None = None

    @classmethod
    def load(cls, tls: Tls, clock: Clock) -> Self:
        """The certificates as the files are now; raises CertificateError."""
        material = validate(tls.files, read_contents(tls.files), clock.wall())
        live = cls(tls, clock, material)
        live._warn()
        return live

    def credentials(self) -> grpc.ServerCredentials:
        """What gRPC needs to serve with them, now and later."""
        return grpc.dynamic_ssl_server_credentials(
            _configuration(self._material.contents),
            # Its type leaves out that none says nothing has changed.
            cast("Callable[[], grpc.ServerCertificateConfiguration]", self._fetch),
            require_client_authentication=self._tls.files.client_ca is not None,
        )

    @property
    def serial(self) -> str:
        """The serial number of what is served, in lower-case hex."""
        return self._material.serial

    def state(self) -> CertificateState:
        """How they are now."""
        return CertificateState(
            self._material.ends,
            self._problem,
            self._reloads,
            self._failures,
        )

    def is_well(self) -> bool:
        """Whether the files are what is served, and none has expired."""
        end = min(self._material.ends.values())
        return self._problem is None and self._clock.wall() <= end

    async def follow(self) -> None:
        """Reads the files again and again, until it is cancelled."""
        while True:
            await asyncio.sleep(self._tls.reload_seconds)
            try:
                await self.refresh()
            except Exception as error:  # noqa: BLE001  what is served stays served
                _log.error("certificates.defect", exc_info=error)

    async def refresh(self) -> None:
        """Reads the files once; what has changed is taken over at the second time."""
        try:
            contents = await asyncio.to_thread(read_contents, self._tls.files)
            self._consider(contents)
        except CertificateError as error:
            self._failures += 1
            if self._problem != str(error):
                self._problem = str(error)
                _log.warning("certificates.kept", problem=self._problem)
        self._warn()

    def _consider(self, contents: Contents) -> None:
        is_settled, self._seen = contents == self._seen, contents
        if contents == self._material.contents:
            self._problem = None
            return
        if not is_settled:
            return
        material = validate(self._tls.files, contents, self._clock.wall())
        self._material, self._problem, self._warned_at = material, None, None
        self._reloads += 1
        _log.info("certificates.reloaded", serial=material.serial)

    def _warn(self) -> None:
        now = self._clock.monotonic()
        if self._warned_at is not None and now - self._warned_at < _DAY_SECONDS:
            return
        wall = self._clock.wall()
        for warning in warnings_about(
            self._tls.files, self._material, wall, self._tls.warn_days
        ):
            self._warned_at = now
            _log.warning("certificates.warning", warning=warning)

    def _fetch(self) -> grpc.ServerCertificateConfiguration | None:
        # Called by gRPC's threads, one at a time, before each handshake.
        material = self._material
        if material is self._handed:
            return None
        self._handed = material
        return _configuration(material.contents)


def _configuration(contents: Contents) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration(
        [(contents.key, contents.certificate)], contents.client_ca
    )
