"""The feed: hears what changed, and knows how long ago it could have missed it.

A connection of its own listens. It is live while beats, sent through the database
that facts are read from, arrive here: PostgreSQL delivers in the order of commits,
so a beat that arrived says that everything committed before it was sent has too.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from math import inf
from random import Random
from types import MappingProxyType
from typing import Final, Protocol

import structlog

from sidecar.ports import Clock
from sidecar.store.catalogue import Catalogue
from sidecar.store.changes import parse_change
from sidecar.store.database import DRIVER_ERRORS
from sidecar.store.dependencies import RELATION_GROUPS
from sidecar.store.errors import StoreError
from sidecar.store.listener import Listener
from sidecar.store.watching import unwatched

_log: Final = structlog.get_logger()


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
