"""Settings to a collector of OpenTelemetry: where it is, and what it is told."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit
from uuid import uuid4

from sidecar.settings import CollectorSettings
from sidecar.wiring import VERSION

if TYPE_CHECKING:
    from sidecar.transport.otlp import Collector, Headers, Tls

_PORT: Final = 4317
_HEADER: Final = re.compile(r"[a-z0-9_.-]+", re.ASCII)


class CollectorError(Exception):
    """A collector cannot be told anything as the settings say."""


def resource_of(settings: CollectorSettings) -> dict[str, str]:
    """What everything that a collector is told says of this process."""
    return {
        **settings.attributes,
        "service.name": settings.service_name,
        "service.version": VERSION,
        "service.instance.id": settings.instance or str(uuid4()),
    }


def collector_of(settings: CollectorSettings, endpoint: str, path: str) -> "Collector":
    """The collector at `endpoint`; `path` is where settings name it.

    Raises CollectorError.
    """
    from sidecar.transport.otlp import Collector  # noqa: PLC0415  most have none

    parts = urlsplit(endpoint)
    target = parts.netloc if parts.port else f"{parts.netloc}:{_PORT}"
    tls = _tls(settings, path) if parts.scheme == "https" else None
    file = settings.headers_file

    def headers() -> "Headers":
        return () if file is None else read_headers(file)

    return Collector(target, tls, headers, settings.timeout_seconds)


def _tls(settings: CollectorSettings, path: str) -> "Tls":
    from sidecar.transport.otlp import Tls  # noqa: PLC0415  likewise

    return Tls(
        _content(f"{path}.ca_file", settings.ca_file),
        _content(f"{path}.key", settings.key),
        _content(f"{path}.certificate", settings.certificate),
    )


def _content(name: str, path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = (error.strerror or "it is no file").lower()
        message = f"`{name}` cannot be read: {reason}"
        raise CollectorError(message) from error
    if b"-----BEGIN " not in content:
        raise CollectorError(f"`{name}` is not PEM")
    return content


def read_headers(file: Path) -> "Headers":
    """The headers of a file, names in lower case; raises OSError and ValueError."""
    found: list[tuple[str, str]] = []
    for line in file.read_text("ascii").splitlines():
        name, colon, value = line.partition(":")
        if not line.strip():
            continue
        header = name.strip().lower(), value.strip()
        if not colon or not _HEADER.fullmatch(header[0]) or not value.isprintable():
            raise ValueError("each line must be `<name>: <value>`")
        found.append(header)
    return tuple(found)
