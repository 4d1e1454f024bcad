"""Where a sidecar is, and how to speak with it."""

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Final, TypeAlias

import grpc

Pem: TypeAlias = bytes | str | PathLike[str]

# The library's own repetitions would not know of the budget. A proxy or a service
# configuration from the surroundings has no say in who decides. After a restart a
# sidecar is there within seconds, but the library would look for it once in two
# minutes.
OPTIONS: Final = (
    ("grpc.enable_retries", 0),
    ("grpc.enable_http_proxy", 0),
    ("grpc.service_config_disable_resolution", 1),
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 1000),
    ("grpc.max_reconnect_backoff_ms", 1000),
    # Connections are this client's alone, and end with it.
    ("grpc.use_local_subchannel_pool", 1),
)


@dataclass(frozen=True, slots=True)
class Tls:
    """How a listener proves itself, and how this client does.

    Each is PEM as bytes, or the path of a file, which is read at `connect`. Without
    `ca` the system's authorities are trusted. `certificate` and `key` go together.
    `server_name` is the name in the listener's certificate, if not that of the address.
    """

    ca: Pem | None = None
    certificate: Pem | None = None
    key: Pem | None = None
    server_name: str | None = None

    def __post_init__(self) -> None:
        if (self.certificate is None) is not (self.key is None):
            raise ValueError("`certificate` and `key` go together")

    def credentials(self) -> grpc.ChannelCredentials:
        """What the connection is made with; raises OSError for an unreadable file."""
        return grpc.ssl_channel_credentials(
            _read(self.ca), _read(self.key), _read(self.certificate)
        )

    def options(self) -> tuple[tuple[str, str], ...]:
        """The channel's options."""
        if self.server_name is None:
            return ()
        return (("grpc.ssl_target_name_override", self.server_name),)


def _read(pem: Pem | None) -> bytes | None:
    if pem is None or isinstance(pem, bytes):
        return pem
    return Path(pem).read_bytes()
