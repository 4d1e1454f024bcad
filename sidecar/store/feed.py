"""The feed: hears what changed, and knows since when it could have missed it.

A connection of its own listens. It is live while beats, sent through the database
that facts are read from, arrive here: PostgreSQL delivers in the order of commits,
so a beat that arrived says that everything committed before it was sent has too.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from random import random
from typing import Final, Protocol

import structlog

from sidecar.ports import Clock
from sidecar.store.beats import Beats
from sidecar.store.changes import BEATS, parse_change
from sidecar.store.database import DRIVER_ERRORS
from sidecar.store.dependencies import RELATION_GROUPS
from sidecar.store.errors import StoreError
from sidecar.store.listener import BeatSender, Listener
from sidecar.store.watching import unwatched

_log: Final = structlog.get_logger()

# Of each time between two beats, how much is left to chance.
_JITTER: Final = 0.2
_FIRST_BACKOFF: Final = 0.1


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

    `url` must lead to the database itself, not through a pooler; beats are sent
    through `beat_url`.
    """

    url: str
    beat_url: str
    schema: str = "authz"
    beat_interval: float = 1.0
    max_staleness: float = 10.0
    recheck_interval: float = 60.0
    connect_timeout: float = 5.0
    max_backoff: float = 5.0


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


class Feed:
    """Tells a sink what changed, for as long as it is started."""

    def __init__(
        self,
        settings: FeedSettings,
        sink: Sink,
        clock: Clock,
        chance: Callable[[], float] = random,
    ) -> None:
        """`chance`, from 0 to 1, spreads the beats and reconnects of many sidecars."""
        self._settings = settings
        self._sink = sink
        self._clock = clock
        self._chance = chance
        self._beats = Beats(clock)
        self._sender = BeatSender(settings.beat_url, settings.connect_timeout)
        self._listener: Listener | None = None
        self._task: asyncio.Task[None] | None = None
        self._probe: asyncio.Future[float] | None = None
        self._checking = asyncio.Lock()
        self._checked_at = -inf
        self._fresh_at = -inf
        self._unwatched: dict[str, str] = {}
        self._connections = 0
        self._changes = 0
        self._malformed = 0

    async def start(self) -> None:
        """Connects, and from then on stays connected as well as it can.

        Raises StoreError when the first connection cannot be had, or when what is
        sent through `beat_url` does not arrive.
        """
        try:
            listener = await self._connect()
        except DRIVER_ERRORS as error:
            self._sender.terminate()
            raise StoreError(
                f"the feed cannot reach the database: {type(error).__name__}"
            ) from error
        except BaseException:
            self._sender.terminate()
            raise
        self._task = asyncio.create_task(self._run(listener))

    async def close(self) -> None:
        """Stops listening; what the sink holds is dropped."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        if self._listener is not None:
            self._listener.terminate()
        self._sender.terminate()

    def staleness(self) -> float:
        """Seconds for which a change could have been missed; infinite: unknown."""
        return self._clock.monotonic() - self._fresh_at

    def health(self) -> FeedHealth:
        """How the feed does."""
        staleness = self.staleness()
        return FeedHealth(
            is_connected=self._listener is not None,
            is_live=staleness <= self._settings.max_staleness,
            staleness=staleness,
            unwatched=dict(self._unwatched),
            connections=self._connections,
            changes=self._changes,
            malformed=self._malformed,
        )

    async def recheck(self) -> None:
        """Looks at once whether the triggers are there; else it does so by itself."""
        if self._listener is not None:
            await self._check(self._listener)

    async def _connect(self) -> Listener:
        self._beats.forget()
        settings = self._settings
        listener = await Listener.open(
            settings.url, settings.connect_timeout, self._heard, self._lost
        )
        try:
            sent = await self._probed()
            await self._check(listener)
        except BaseException:
            listener.terminate()
            raise
        # From here on nothing is missed, and nothing older is held.
        self._sink.drop_everything()
        if listener.lost.is_set():
            raise ConnectionResetError
        self._listener = listener
        self._connections += 1
        self._advance(sent)
        _log.info("feed.connected", connections=self._connections)
        return listener

    async def _probed(self) -> float:
        self._probe = asyncio.get_running_loop().create_future()
        await self._sender.send(self._beats.next())
        try:
            async with asyncio.timeout(self._settings.connect_timeout):
                return await self._probe
        except TimeoutError as error:
            raise StoreError(
                "nothing arrives at the feed; point `feed_url` at the same database "
                "as `url`, directly and not through a transaction pooler"
            ) from error
        finally:
            self._probe = None

    async def _check(self, listener: Listener) -> None:
        async with self._checking:
            self._checked_at = self._clock.monotonic()
            reasons = await unwatched(listener.connection, self._settings.schema)
        for relation in reasons.keys() - self._unwatched.keys():
            _log.warning("feed.unwatched", relation=relation, reason=reasons[relation])
        for relation in self._unwatched.keys() - reasons.keys():
            _log.info("feed.watched", relation=relation)
        self._unwatched = reasons
        self._sink.set_uncacheable({RELATION_GROUPS[each] for each in reasons})

    def _heard(self, channel: str, payload: str) -> None:
        if channel == BEATS:
            sent = self._beats.heard(payload)
            if sent is not None:
                self._advance(sent)
        else:
            self._tell(payload)

    def _advance(self, sent: float) -> None:
        if self._probe is not None and not self._probe.done():
            self._probe.set_result(sent)
        elif self._listener is not None:
            self._fresh_at = max(self._fresh_at, sent)
            self._sink.live_until = self._fresh_at + self._settings.max_staleness

    def _tell(self, payload: str) -> None:
        change = parse_change(payload)
        if change is None:
            self._malformed += 1
            self._sink.drop_everything()
            _log.warning("feed.malformed", characters=len(payload))
            return
        self._changes += 1
        for key in (None,) if change.keys is None else change.keys:
            self._sink.changed(change.group, key)

    def _lost(self) -> None:
        self._listener = None
        self._fresh_at = -inf
        self._sink.live_until = -inf
        self._sink.drop_everything()

    async def _run(self, listener: Listener) -> None:
        while True:
            try:
                reason = await self._follow(listener)
            except Exception as error:  # noqa: BLE001 - whatever it is, go on for ever
                reason = type(error).__name__
            listener.terminate()
            _log.warning("feed.lost", reason=reason)
            listener = await self._reconnect()

    async def _follow(self, listener: Listener) -> str:
        """Keeps the beats going; says in the end why it cannot go on."""
        while not await self._is_lost(listener):
            await self._beat()
            if self._beats.oldest_age() > self._settings.max_staleness:
                return "beats do not come back"
            checked = self._clock.monotonic() - self._checked_at
            if checked >= self._settings.recheck_interval:
                await self._check(listener)
        return "the connection is gone"

    async def _is_lost(self, listener: Listener) -> bool:
        interval = self._settings.beat_interval * self._jitter(_JITTER)
        with suppress(TimeoutError):
            async with asyncio.timeout(interval):
                await listener.lost.wait()
        return listener.lost.is_set()

    async def _beat(self) -> None:
        beat = self._beats.next()
        try:
            await self._sender.send(beat)
        except DRIVER_ERRORS as error:
            self._beats.withdraw(beat)
            _log.warning("feed.beat_failed", error=type(error).__name__)

    async def _reconnect(self) -> Listener:
        backoff = _FIRST_BACKOFF
        while True:
            await asyncio.sleep(backoff * self._jitter(0.5))
            try:
                return await self._connect()
            except Exception as error:  # noqa: BLE001 - whatever it is, go on for ever
                backoff = min(2 * backoff, self._settings.max_backoff)
                _log.warning("feed.retry", error=str(error) or type(error).__name__)

    def _jitter(self, share: float) -> float:
        return 1 - share * self._chance()
