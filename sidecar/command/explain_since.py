"""Which facts changed since a revision, as far as a server remembers."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from authz.v1 import authorization_service_pb2 as pb

from sidecar.command.client import Client
from sidecar.command.failures import CallFailedError

_MOST_SHOWN: Final = 20
_PAUSE_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True)
class Since:
    """The facts that changed, each once; none when that is not known."""

    changes: tuple[tuple[str, str | None], ...] | None

    @property
    def words(self) -> str:
        """The same for people."""
        if self.changes is None:
            return (
                "which facts changed since is not known here: the server has "
                "forgotten, or this listener serves no `Watch`"
            )
        if not self.changes:
            return "no fact changed since, of any tenant"
        shown = [
            f"any {group}" if key is None else f"{group} {key}"
            for group, key in self.changes[:_MOST_SHOWN]
        ]
        more = len(self.changes) - len(shown)
        return (
            f"changed since, of any tenant: {', '.join(shown)}"
            f"{f', and {more} more' if more else ''}"
        )


UNKNOWN: Final = Since(None)


def since(client: Client, revision: str | None, timeout: float) -> Since:
    """What changed from a revision on until now, of any tenant.

    Not known where the listener serves no `Watch`, or the server has forgotten.
    """
    if revision is None:
        return UNKNOWN
    ends = time.monotonic() + timeout
    try:
        position = _position(client, ends)
        if position is None:
            return UNKNOWN
        left = max(_PAUSE_SECONDS, ends - time.monotonic())
        request = pb.WatchRequest(after_revision=revision)
        events = client.follow("Watch", request, pb.WatchResponse, left)
        return Since(_told(events, position))
    except CallFailedError:
        return UNKNOWN


def _position(client: Client, ends: float) -> pb.WatchPosition | None:
    """Where a stream has told all that had changed when this was called.

    A server hears of a change a little after the change, and knows how far behind it
    may be.
    """
    began = time.monotonic()
    while True:
        asked = time.monotonic()
        info = client.ask("GetServerInfo", pb.GetServerInfoRequest(), _Info)
        if not info.HasField("position"):
            return None
        behind = info.staleness.ToTimedelta().total_seconds()
        if info.HasField("staleness") and asked - behind >= began:
            return info.position
        if time.monotonic() >= ends:
            return None
        time.sleep(_PAUSE_SECONDS)


_Info = pb.GetServerInfoResponse


def _told(
    events: Iterator[pb.WatchResponse], until: pb.WatchPosition
) -> tuple[tuple[str, str | None], ...] | None:
    found: dict[tuple[str, str | None], None] = {}
    for event in events:
        match event.WhichOneof("event"):
            case "changes":
                for each in event.changes.changes:
                    key = each.key if each.HasField("key") else None
                    found[each.group, key] = None
            case "beat":
                position = event.beat.position
                if position.server != until.server:
                    return None
                if position.number >= until.number:
                    return tuple(found)
            case _:
                return None
    return None
