"""The connection of the feed, and what is said through it."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import asyncpg
from asyncpg.prepared_stmt import PreparedStatement
from typing_extensions import override

from sidecar.store.changes import BEATS, CHANGES
from sidecar.store.dialing import Address, dial
from sidecar.store.errors import StoreError
from sidecar.store.heard import Snapshot, parse_snapshot
from sidecar.store.queries import Queryable, Row

Hear = Callable[[str, str], None]

_ASK: Final = "select pg_catalog.pg_current_snapshot()::text"
# One statement without parameters: it is also sent through poolers. It writes nothing
# but a number, so its commit waits for no disk.
_BEAT: Final = (
    f"select pg_catalog.pg_notify('{BEATS}', pg_catalog.json_build_object("
    "'g', 'beat', 'n', '%s', 's', pg_catalog.pg_current_snapshot()::text,"
    " 'x', pg_catalog.pg_current_xact_id()::text)::text)"
)


class Listener(Queryable):
    """One connection that hears both channels, until it is lost or closed.

    `lost` is set, and `on_lost` called once, as soon as the connection is known to
    be gone, however that came about.
    """

    def __init__(
        self,
        connection: asyncpg.Connection,
        on_lost: Callable[[], None],
        question: PreparedStatement,
    ) -> None:
        self.lost = asyncio.Event()
        self._connection = connection
        self._on_lost = on_lost
        self._question = question
        # A connection runs one statement at a time.
        self._turn = asyncio.Lock()
        connection.add_termination_listener(self._terminated)

    @classmethod
    async def open(
        cls, address: Address, seconds: float, hear: Hear, on_lost: Callable[[], None]
    ) -> "Listener":
        """Connects and listens; `hear` gets each channel and payload.

        `seconds` is the time to connect, and for each statement later. Raises what
        the driver raises.
        """
        async with asyncio.timeout(seconds):
            connection = await dial(address, seconds, command_timeout=seconds)
            try:
                listener = cls(connection, on_lost, await connection.prepare(_ASK))
                for channel in (CHANGES, BEATS):
                    await connection.add_listener(channel, listener.callback(hear))
            except BaseException:
                connection.terminate()
                raise
        return listener

    @override
    async def fetch(self, query: str, *args: object) -> Sequence[Row]:
        async with self._turn:
            return await self._connection.fetch(query, *args)

    async def ask(self, seconds: float) -> Snapshot:
        """What has ended by now; raises what the driver raises, or TimeoutError.

        All that had been told before the answer was sent has been heard then.
        """
        async with self._turn, asyncio.timeout(seconds):
            text = await self._question.fetchval()
        snapshot = parse_snapshot(text)
        if snapshot is None:
            raise StoreError(f"the database answers with `{text}` for a snapshot")
        return snapshot

    async def beat(self, nonce: str, seconds: float) -> None:
        """Sends a beat to all who listen; raises as `ask` does."""
        async with self._turn, asyncio.timeout(seconds):
            await self._connection.execute(_BEAT % nonce)

    def terminate(self) -> None:
        """Ends the connection without a word."""
        self._connection.terminate()
        self._terminated()

    def callback(self, hear: Hear) -> Callable[[object, int, str, object], None]:
        """Passes on what is heard, while the connection is not lost."""

        def callback(_conn: object, _pid: int, channel: str, payload: object) -> None:
            if not self.lost.is_set():
                hear(channel, str(payload))

        return callback

    def _terminated(self, *_: object) -> None:
        if not self.lost.is_set():
            self.lost.set()
            self._on_lost()


async def send_beat(address: Address, nonce: str, seconds: float) -> None:
    """Sends one beat through a connection for it alone.

    `seconds` is the time for all of it. Raises what the driver raises.
    """
    async with asyncio.timeout(seconds):
        connection = await dial(address, seconds)
        try:
            await connection.execute(_BEAT % nonce)
        finally:
            connection.terminate()
