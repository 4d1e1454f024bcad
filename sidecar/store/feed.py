"""The feed: hears what changed, and knows since when it could have missed it.

A connection of its own listens. Now and then it asks the database which transactions
have ended; a later notification of one that had not, a change's or a beat's, proves
that all changes until the question were heard. Who hears none for a while sends a
beat, which serves all who listen.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from math import inf
from random import random
from typing import Final

import structlog

from sidecar.ports import Clock
from sidecar.store.beats import Beats, Question
from sidecar.store.changes import BEATS, parse_beat, parse_change
from sidecar.store.database import DRIVER_ERRORS
from sidecar.store.dependencies import RELATION_GROUPS
from sidecar.store.errors import StoreError
from sidecar.store.freshness import FeedHealth, FeedSettings, Sink
from sidecar.store.heard import Heard
from sidecar.store.listener import Listener, send_beat
from sidecar.store.revisions import read_history
from sidecar.store.telling import Follower, Telling
from sidecar.store.watching import unwatched

__all__ = ["Feed", "FeedHealth", "FeedSettings", "Sink"]

_log: Final = structlog.get_logger()

# Of each time between two questions, or before a beat, how much is left to chance.
_JITTER: Final = 0.2
_FIRST_BACKOFF: Final = 0.1


async def _nothing() -> None:
    return


class Feed:
    """Tells a sink what changed, for as long as it is started.

    `heard` is how much of the history has been heard.
    """

    def __init__(  # noqa: PLR0913  all that it tells and is told
        self,
        settings: FeedSettings,
        sink: Sink,
        clock: Clock,
        chance: Callable[[], float] = random,
        renewed: Callable[[], Awaitable[None]] = _nothing,
        *,
        followers: Sequence[Follower] = (),
    ) -> None:
        """`chance`, from 0 to 1, spreads the beats and reconnects of many sidecars.

        `renewed` is awaited after each connect, before anything is kept again.
        `followers` are told after the sink.
        """
        self.heard = Heard()
        self._settings = settings
        self._telling = Telling(self.heard, sink, followers, settings.max_staleness)
        self._clock = clock
        self._chance = chance
        self._renewed = renewed
        self._beats = Beats(clock)
        self._listener: Listener | None = None
        self._task: asyncio.Task[None] | None = None
        self._probe: asyncio.Future[float] | None = None
        # Set by a proof, and when there will be none.
        self._told = asyncio.Event()
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
        sent through `facts_url` does not arrive.
        """
        try:
            listener = await self._connect()
        except DRIVER_ERRORS as error:
            raise StoreError(
                f"the feed cannot reach the database: {type(error).__name__}"
            ) from error
        self._task = asyncio.create_task(self._run(listener))

    async def close(self) -> None:
        """Stops listening; what the sink holds is dropped."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        if self._listener is not None:
            self._listener.terminate()

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
            settings.address, settings.connect_timeout, self._hear, self._lost
        )
        try:
            history = await read_history(listener)
            snapshot = await listener.ask(settings.patience)
            self._telling.begin(snapshot, history)
            sent = await self._probed()
            await self._check(listener)
        except BaseException:
            listener.terminate()
            raise
        # From here on nothing is missed, and nothing older is held.
        await self._renewed()
        self._telling.connected()
        if listener.lost.is_set():
            raise ConnectionResetError
        self._listener = listener
        self._connections += 1
        self.heard.see(snapshot)
        self._advance(sent)
        _log.info("feed.connected", connections=self._connections)
        return listener

    async def _probed(self) -> float:
        settings = self._settings
        self._probe = asyncio.get_running_loop().create_future()
        nonce = self._beats.next()
        await send_beat(settings.facts_address, nonce, settings.connect_timeout)
        try:
            async with asyncio.timeout(settings.connect_timeout):
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
            reasons = await unwatched(listener, self._settings.schema)
        for relation in reasons.keys() - self._unwatched.keys():
            _log.warning("feed.unwatched", relation=relation, reason=reasons[relation])
        for relation in self._unwatched.keys() - reasons.keys():
            _log.info("feed.watched", relation=relation)
        self._unwatched = reasons
        self._telling.unwatched(RELATION_GROUPS[each] for each in reasons)

    def _hear(self, channel: str, payload: str) -> None:
        hear = self._hear_beat if channel == BEATS else self._hear_change
        hear(payload)

    def _hear_beat(self, payload: str) -> None:
        beat = parse_beat(payload)
        if beat is None:
            self._hear_malformed(payload)
            return
        self._prove(beat.transaction)
        if self._listener is not None:
            self.heard.see(beat.snapshot)
        sent = self._beats.came_back(beat.nonce)
        if sent is not None:
            self._came_back(sent)

    def _hear_change(self, payload: str) -> None:
        change = parse_change(payload)
        if change is None:
            self._hear_malformed(payload)
            return
        self._changes += 1
        self._telling.changed(change)
        self._prove(change.transaction)

    def _hear_malformed(self, payload: str) -> None:
        self._malformed += 1
        self._telling.missed()
        _log.warning("feed.malformed", characters=len(payload))

    def _prove(self, xid: int) -> None:
        self.heard.tell(xid)
        question = None if self._listener is None else self._beats.proven(xid)
        if question is not None:
            self.heard.see(question.snapshot)
            self._advance(question.asked)

    def _came_back(self, sent: float) -> None:
        if self._probe is not None and not self._probe.done():
            self._probe.set_result(sent)
        elif self._listener is not None:
            self._advance(sent)

    def _advance(self, since: float) -> None:
        self._fresh_at = max(self._fresh_at, since)
        self._telling.proven(self._fresh_at)
        self._told.set()

    def _lost(self) -> None:
        self._listener = None
        self._fresh_at = -inf
        self._telling.lost()
        self._told.set()

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
        """Keeps proving that nothing is missed; says in the end why it cannot."""
        settings = self._settings
        while not listener.lost.is_set():
            asked = self._clock.monotonic()
            if not await self._ask(listener, asked):
                return "a transaction was told that there cannot have been"
            if not await self._is_told(settings.beat_interval * self._spread()):
                await listener.beat(self._beats.next(), settings.patience)
                if not await self._is_told(settings.patience):
                    return "beats do not come back"
            if self._clock.monotonic() - self._checked_at >= settings.recheck_interval:
                await self._check(listener)
            pause = asked + settings.beat_interval - self._clock.monotonic()
            await _set_within(listener.lost, pause)
        return "the connection is gone"

    async def _ask(self, listener: Listener, asked: float) -> bool:
        """False: somebody told of what has not ended.

        Anybody may notify. Made-up numbers would prove what is not so.
        """
        self._told.clear()
        malformed = self._malformed
        snapshot = await listener.ask(self._settings.patience)
        self.heard.tell_whole()
        if self._malformed == malformed:
            self._telling.asked(snapshot)
        self._beats.asked(Question(asked, snapshot))
        return self.heard.agrees_with(snapshot)

    async def _is_told(self, seconds: float) -> bool:
        await _set_within(self._told, seconds)
        return self._told.is_set()

    async def _reconnect(self) -> Listener:
        backoff = _FIRST_BACKOFF
        while True:
            await asyncio.sleep(backoff * (1 - 0.5 * self._chance()))
            try:
                return await self._connect()
            except Exception as error:  # noqa: BLE001 - whatever it is, go on for ever
                backoff = min(2 * backoff, self._settings.max_backoff)
                _log.warning("feed.retry", error=str(error) or type(error).__name__)

    def _spread(self) -> float:
        return 1 + _JITTER * self._chance()


async def _set_within(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(max(seconds, 0)):
            await event.wait()
