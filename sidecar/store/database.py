"""A bounded pool of connections: lends one, or refuses while there is time."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg
import structlog
from asyncpg.pool import PoolConnectionProxy

from sidecar.ports import FactsUnavailableError, OverloadedError
from sidecar.store.dialing import Address, Wanted, dial, told
from sidecar.store.errors import StoreError

# After the answer, or its time, is over: to end what still runs and to hand back.
_RELEASE_SECONDS: Final = 1.0
# Between attempts to have as many connections as there should be at least.
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 2.0

_log: Final = structlog.get_logger()

DRIVER_ERRORS: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,  # a time-out is one
)


@dataclass(frozen=True, slots=True)
class PoolSettings:
    """A pool's address and bounds. Times are in seconds.

    `statement_cache` is how many statements a connection keeps prepared; through a
    pooler that hands out another connection for each transaction it must be zero.
    `waiting` is how many may wait for a connection before more are turned away.
    Without a `smallest`, the database need not be there yet.
    """

    url: str
    smallest: int = 2
    largest: int = 10
    waiting: int = 200
    connect_timeout: float = 5.0
    statement_cache: int = 100
    password_file: Path | None = None
    wanted: Wanted = "any"

    @property
    def address(self) -> Address:
        """Where each connection goes."""
        return Address(self.url, self.password_file, self.wanted)


@dataclass(frozen=True, slots=True)
class PoolStats:
    """Connections open and idle, who was lent one or waits, and who was refused."""

    open: int
    idle: int
    asking: int
    refused: int


class Database:
    """Connections to one database, for reading."""

    def __init__(
        self, pool: asyncpg.Pool, dialer: "_Dialer", settings: PoolSettings
    ) -> None:
        self._pool = pool
        self._dialer = dialer
        self._settings = settings
        self._asking = 0
        self._refused = 0

    @classmethod
    async def connect(cls, settings: PoolSettings) -> "Database":
        """Opens the pool; raises StoreError when the database cannot be reached."""
        dialer = _Dialer(settings)
        pool = asyncpg.create_pool(
            min_size=settings.smallest,
            max_size=settings.largest,
            connect=dialer,
            reset=_reset,
        )
        try:
            async with asyncio.timeout(settings.connect_timeout):
                await pool
        except (*DRIVER_ERRORS, ValueError) as error:
            pool.terminate()
            reason = told(error)
            raise StoreError(f"the database cannot be reached: {reason}") from error
        dialer.is_started = True
        return cls(pool, dialer, settings)

    @asynccontextmanager
    async def lend(self, seconds: float) -> AsyncIterator[PoolConnectionProxy]:
        """Lends a connection, and gives `seconds` in all to get it and to use it.

        Raises OverloadedError when too many wait, FactsUnavailableError when the
        database fails or the time is over.
        """
        if self._asking >= self._settings.largest + self._settings.waiting:
            self._refused += 1
            raise OverloadedError("too many questions wait for the database")
        self._asking += 1
        try:
            with _told_apart():
                async with asyncio.timeout(seconds), self._acquired() as connection:
                    yield connection
        finally:
            self._asking -= 1

    async def is_reachable(self, seconds: float) -> bool:
        """Whether it answers in time."""
        try:
            async with self.lend(seconds) as connection:
                await connection.execute("select 1")
        except (FactsUnavailableError, OverloadedError):
            return False
        return True

    async def renew(self) -> None:
        """From now on lends only connections that are opened after this."""
        await self._pool.expire_connections()

    def stats(self) -> PoolStats:
        """How the pool is used."""
        return PoolStats(
            self._pool.get_size(),
            self._pool.get_idle_size(),
            self._asking,
            self._refused,
        )

    async def close(self) -> None:
        """Closes the connections, by force those that do not end in time."""
        try:
            async with asyncio.timeout(_RELEASE_SECONDS):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    @asynccontextmanager
    async def _acquired(self) -> AsyncIterator[PoolConnectionProxy]:
        with self._dialer.waited_for():
            connection = await self._pool.acquire()
        try:
            yield connection
        finally:
            await self._hand_back(connection)

    async def _hand_back(self, connection: PoolConnectionProxy) -> None:
        # The pool goes on with this when whoever waits for it is cancelled, and then
        # nobody would hear of its error but the loop's log, with a traceback.
        handing = asyncio.ensure_future(
            self._pool.release(connection, timeout=_RELEASE_SECONDS)
        )
        handing.add_done_callback(_heard)
        await asyncio.shield(handing)


class _Dialer:
    # Besides for those who wait for one, and are told when there is none, the pool
    # opens connections of its own accord, so that there are enough. Nobody is told of
    # that but its log, with a traceback for each attempt: so here it goes on until it
    # succeeds, with words of ours.

    def __init__(self, settings: PoolSettings) -> None:
        self._settings = settings
        self._waiting: set[asyncio.Task[object] | None] = set()
        self.is_started = False

    # What the pool would hand to the driver is in the settings already.
    async def __call__(self, *_: object, **__: object) -> asyncpg.Connection:
        if not self.is_started or asyncio.current_task() in self._waiting:
            return await self._dial()
        pause = _FIRST_PAUSE
        while True:
            try:
                return await self._dial()
            except (*DRIVER_ERRORS, ValueError) as error:
                _log.warning("pool.retry", error=told(error))
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    @contextmanager
    def waited_for(self) -> Iterator[None]:
        """What is opened within, by the same task, is for somebody who waits."""
        task = asyncio.current_task()
        self._waiting.add(task)
        try:
            yield
        finally:
            self._waiting.discard(task)

    async def _dial(self) -> asyncpg.Connection:
        settings = self._settings
        return await dial(
            settings.address,
            settings.connect_timeout,
            statement_cache=settings.statement_cache,
        )


async def _reset(_: asyncpg.Connection) -> None:
    # Nothing that is done on these connections outlives a transaction, so they are as
    # new without a round trip.
    return


def _heard(handing: asyncio.Future[None]) -> None:
    if not handing.cancelled():
        handing.exception()


@contextmanager
def _told_apart() -> Iterator[None]:
    try:
        yield
    except DRIVER_ERRORS as error:
        raise FactsUnavailableError("the database cannot be read") from error
