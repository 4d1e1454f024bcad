"""Connections of the feed: one that listens, one through which beats are sent."""

import asyncio
from collections.abc import Callable
from typing import Final

import asyncpg

from sidecar.store.changes import BEATS, CHANGES
from sidecar.store.queries import Queryable

Heard = Callable[[str, str], None]

_SEND: Final = f"select pg_catalog.pg_notify('{BEATS}', $1)"


class Listener:
    """One connection that hears both channels, until it is lost or closed.

    `lost` is set, and `on_lost` called once, as soon as the connection is known to
    be gone, however that came about.
    """

    def __init__(
        self, connection: asyncpg.Connection, on_lost: Callable[[], None]
    ) -> None:
        self.lost = asyncio.Event()
        self._connection = connection
        self._on_lost = on_lost
        connection.add_termination_listener(self._terminated)

    @classmethod
    async def open(
        cls, url: str, seconds: float, heard: Heard, on_lost: Callable[[], None]
    ) -> "Listener":
        """Connects and listens; `heard` gets each channel and payload.

        `seconds` is the time to connect. Raises what the driver raises.
        """
        async with asyncio.timeout(seconds):
            connection = await asyncpg.connect(
                url, statement_cache_size=0, command_timeout=seconds
            )
            listener = cls(connection, on_lost)
            try:
                for channel in (CHANGES, BEATS):
                    await connection.add_listener(channel, _callback(heard))
            except BaseException:
                connection.terminate()
                raise
        return listener

    @property
    def connection(self) -> Queryable:
        """For statements about the database that it listens to."""
        return self._connection

    def terminate(self) -> None:
        """Ends the connection without a word."""
        self._connection.terminate()
        self._terminated()

    def _terminated(self, *_: object) -> None:
        if not self.lost.is_set():
            self.lost.set()
            self._on_lost()


class BeatSender:
    """Sends beats through the database that facts are read from.

    Its connection is its own, so that beats go out while all others are busy.
    """

    def __init__(self, url: str, seconds: float) -> None:
        """`seconds`: the time to connect and send."""
        self._url = url
        self._seconds = seconds
        self._connection: asyncpg.Connection | None = None

    async def send(self, beat: str) -> None:
        """Sends one; raises what the driver raises."""
        try:
            async with asyncio.timeout(self._seconds):
                if self._connection is None or self._connection.is_closed():
                    self._connection = await asyncpg.connect(
                        self._url, statement_cache_size=0
                    )
                await self._connection.execute(_SEND, beat)
        except BaseException:
            self.terminate()
            raise

    def terminate(self) -> None:
        """Ends the connection without a word."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None


def _callback(heard: Heard) -> Callable[[object, int, str, object], None]:
    def callback(_connection: object, _pid: int, channel: str, payload: object) -> None:
        heard(channel, str(payload))

    return callback
