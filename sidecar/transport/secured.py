"""A listener's TLS while it serves. Imported only where a listener has TLS."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from sidecar.ports import Clock
from sidecar.transport.certificates import CertificateError
from sidecar.transport.listener import Address, ListenerError
from sidecar.transport.peers import AllowedPeers, PeerInterceptor
from sidecar.transport.tls import LiveCertificates, Tls, TlsState

# What runs longer than this on a connection that has lasted long enough is ended.
_LAST_CALLS_SECONDS = 60


@dataclass(slots=True)
class Secured:
    """Certificates that follow their files, and who is let in."""

    tls: Tls
    certificates: LiveCertificates
    allowed: AllowedPeers | None
    _following: asyncio.Task[None] | None = None

    @classmethod
    def of(cls, address: Address, tls: Tls, clock: Clock) -> "Secured":
        """Reads the files; raises ListenerError when they cannot be served with."""
        allowed = None
        if tls.allowed_names:
            # gRPC lets connections last up to a tenth longer than it is told.
            lasting = 1.1 * tls.connection_seconds + _LAST_CALLS_SECONDS
            allowed = AllowedPeers(tls.allowed_names, clock, lasting)
        try:
            return cls(tls, LiveCertificates.load(tls, clock), allowed)
        except CertificateError as error:
            raise ListenerError(
                f"cannot listen on `{address.target}`: {error}"
            ) from error

    def interceptors(self) -> list[PeerInterceptor]:
        """What must run before everything else."""
        return [] if self.allowed is None else [PeerInterceptor(self.allowed)]

    def options(self) -> Sequence[tuple[str, int]]:
        """How long the server lets a connection last."""
        return (
            ("grpc.max_connection_age_ms", int(self.tls.connection_seconds * 1000)),
            ("grpc.max_connection_age_grace_ms", _LAST_CALLS_SECONDS * 1000),
        )

    def state(self) -> TlsState:
        """How it is."""
        refused = 0 if self.allowed is None else self.allowed.refused
        return TlsState(self.certificates.state(), refused)

    def follow(self) -> None:
        """Begins to look at the files again and again."""
        self._following = asyncio.create_task(self.certificates.follow())

    async def close(self) -> None:
        """Looks no more."""
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)
