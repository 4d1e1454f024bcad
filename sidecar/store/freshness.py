"""How the feed is set, how it does, and whom it tells."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sidecar.store.dialing import Address


class Sink(Protocol):
    """Whoever keeps facts."""

    live_until: float

    def changed(self, group: str, key: str | None) -> None:
        """Something was changed; no key: anything of the group may be."""
        ...

    def drop_everything(self) -> None:
        """Anything may be changed."""
        ...

    def set_uncacheable(self, groups: Iterable[str]) -> None:
        """From now on nobody tells the changes of these groups."""
        ...


@dataclass(frozen=True, slots=True)
class FeedSettings:
    """Where the feed listens, and its times in seconds.

    `url` must lead to the database itself, not through a pooler; it must be the one
    that facts are read from through `facts_url`.
    """

    url: str
    facts_url: str
    schema: str = "authz"
    beat_interval: float = 1.0
    max_staleness: float = 10.0
    recheck_interval: float = 60.0
    connect_timeout: float = 5.0
    max_backoff: float = 5.0
    password_file: Path | None = None

    @property
    def address(self) -> Address:
        """Where the feed listens; only a primary passes notifications on."""
        return Address(self.url, self.password_file, "primary")

    @property
    def facts_address(self) -> Address:
        """Where facts are read."""
        return Address(self.facts_url, self.password_file, "primary")

    @property
    def patience(self) -> float:
        """How long the database may take to answer, or to send what was told."""
        return min(self.connect_timeout, self.max_staleness / 2)


@dataclass(frozen=True, slots=True)
class FeedHealth:
    """How the feed does.

    `staleness`: seconds for which a change could have been missed, infinite when
    nothing is known. `unwatched`: relations whose facts are never kept, and why.
    """

    is_connected: bool
    is_live: bool
    staleness: float
    unwatched: Mapping[str, str]
    connections: int
    changes: int
    malformed: int
