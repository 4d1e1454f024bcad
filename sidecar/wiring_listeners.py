"""Settings to listeners, and the metrics of those with TLS."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from sidecar.observe.metrics import Reading, Sample
from sidecar.settings import ListenerSettings, Settings, TlsSettings
from sidecar.store.clock import SystemClock
from sidecar.transport.listener import (
    Bounds,
    Engine,
    Listener,
    ListenerError,
    Serves,
    parse_address,
)
from sidecar.transport.parse import Callers, Limits, ListenerPolicy

if TYPE_CHECKING:
    from sidecar.transport.tls import Tls, TlsState


def listener_of(listener: ListenerSettings, settings: Settings) -> Listener:
    """A listener; raises ListenerError for one that cannot be."""
    _refuse_absent_edge(listener, settings)
    limits = settings.limits
    return Listener(
        parse_address(listener.address, int(listener.mode, 8)),
        _services_of(listener),
        Engine(listener.engine),
        ListenerPolicy(
            Callers(listener.callers),
            listener.explain,
            Limits(
                id_bytes=limits.id_bytes,
                item_bytes=limits.item_bytes,
                item_segments=limits.item_segments,
                credential_bytes=limits.credential_bytes,
                message_bytes=limits.message_bytes,
            ),
        ),
        None if listener.tls is None else _tls_of(listener.tls, listener.address),
        Bounds(limits.connections, limits.streams),
        listener.takes_over,
    )


def _refuse_absent_edge(listener: ListenerSettings, settings: Settings) -> None:
    # By default the edge is among the services, whether there is one or not.
    named = "services" in listener.model_fields_set and "edge" in listener.services
    if named and settings.edge.routes_file is None:
        raise ListenerError(
            f"listener `{listener.address}` has `edge` in its `services`, which needs "
            "`edge.routes_file`"
        )


def _services_of(listener: ListenerSettings) -> frozenset[Serves]:
    services = frozenset(Serves(each) for each in listener.services)
    if (
        listener.callers == "credentials"
        and "services" not in listener.model_fields_set
    ):
        # Nobody asked for it by name, and strangers are not to see it.
        return services - {Serves.WATCH}
    return services


def _tls_of(tls: TlsSettings, address: str) -> "Tls":
    # Certificates need a tenth of the memory that a sidecar without TLS has.
    from sidecar.transport.certificates import (  # noqa: PLC0415
        CertificateError,
        TlsFiles,
    )
    from sidecar.transport.peers import PeerNameError, parse_name  # noqa: PLC0415
    from sidecar.transport.tls import Tls  # noqa: PLC0415

    try:
        return Tls(
            TlsFiles(tls.certificate, tls.key, tls.client_ca),
            frozenset(map(parse_name, tls.allowed_names)),
            reload_seconds=tls.reload_seconds,
            warn_days=tls.warn_days,
            connection_seconds=tls.connection_seconds,
        )
    except (CertificateError, PeerNameError) as error:
        raise ListenerError(f"listener `{address}`: {error}") from error


def tls_readings(states: Callable[[], "Mapping[str, TlsState]"]) -> list[Reading]:
    """The metrics of listeners with TLS, read when they are scraped."""

    def expiry() -> list[Sample]:
        now = SystemClock().wall()
        return [
            Sample((listener, file), end - now)
            for listener, each in states().items()
            for file, end in each.certificates.ends.items()
        ]

    def total(read: Callable[["TlsState"], int]) -> Callable[[], list[Sample]]:
        return lambda: [
            Sample((listener,), float(read(each)))
            for listener, each in states().items()
        ]

    by_listener: tuple[tuple[str, str, Callable[[TlsState], int]], ...] = (
        (
            "authz_certificate_reloads",
            "New certificates that were taken over from their files.",
            lambda each: each.certificates.reloads,
        ),
        (
            "authz_certificate_reload_failures",
            "Readings of certificates that cannot be served with.",
            lambda each: each.certificates.failures,
        ),
        (
            "authz_peers_refused",
            "Calls of peers whose certificate has no allowed name.",
            lambda each: each.refused,
        ),
    )
    return [
        Reading(
            "authz_certificate_expires_seconds",
            "Seconds until a certificate in use expires.",
            ("listener", "file"),
            expiry,
        ),
        *(
            Reading(name, text, ("listener",), total(read), is_total=True)
            for name, text, read in by_listener
        ),
    ]
