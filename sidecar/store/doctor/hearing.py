"""Whether the feed would hear: what is sent by one way must arrive by the other."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from secrets import token_hex
from typing import Final

import asyncpg

from sidecar.store.database import DRIVER_ERRORS
from sidecar.store.doctor.findings import Finding, Mend
from sidecar.store.doctor.look import Patient, connect, said
from sidecar.store.errors import StoreError

_CHANNEL: Final = "authz_doctor"
_PIDS_LOOKED_AT: Final = 3

_WHERE: Final = """
select current_database()::text as database,
    (select oid::bigint from pg_catalog.pg_database
     where datname = current_database()) as oid,
    pg_catalog.pg_postmaster_start_time()::text as started
"""
_IDLE: Final = """
select setting::bigint as milliseconds, quote_ident(current_user) as role,
    quote_ident(current_database()) as database
from pg_catalog.pg_settings
where name = 'idle_session_timeout' and setting::bigint > 0
"""


async def check_hearing(patient: Patient) -> list[Finding]:
    """Sends a message through `url`, and waits for it at `feed_url`.

    Raises StoreError when `url` cannot be reached.
    """
    async with _closing(await connect(patient.url, patient.connect_timeout)) as sender:
        try:
            feed = await connect(patient.feed_url, patient.connect_timeout)
        except StoreError as error:
            words = "point `database.feed_url` at the database, directly"
            return [_of_feed("feed-unreachable", str(error), words)]
        async with _closing(feed):
            try:
                return await _check(patient, sender, feed)
            except DRIVER_ERRORS as error:
                return [_of_feed("feed-unreachable", f"the feed fails: {said(error)}")]


async def _check(
    patient: Patient, sender: asyncpg.Connection, feed: asyncpg.Connection
) -> list[Finding]:
    if await feed.fetchval("select pg_catalog.pg_is_in_recovery()"):
        words = "point `database.feed_url` at the primary"
        return [_of_feed("feed-is-standby", "the feed's database is a standby", words)]
    if await _where(sender) != await _where(feed):
        words = "point `database.feed_url` at the database of `database.url`"
        what = "`database.feed_url` and `database.url` lead to two databases"
        return [_of_feed("feed-elsewhere", what, words)]
    findings = [
        _of_feed(
            "idle-session-timeout",
            f"idle_session_timeout is {row['milliseconds']} ms",
            sql=f"alter role {row['role']} in database {row['database']} "
            "set idle_session_timeout = 0;",
        )
        for row in await feed.fetch(_IDLE)
    ]
    pids = {feed.get_server_pid()}
    for _ in range(_PIDS_LOOKED_AT):
        pids.add(await feed.fetchval("select pg_catalog.pg_backend_pid()"))
    arrives = await _arrives(patient, sender, feed)
    return [*findings, *_judge(is_pooled=len(pids) > 1, arrives=arrives)]


def _judge(*, is_pooled: bool, arrives: bool) -> list[Finding]:
    words = "let `database.feed_url` lead to the database itself, past the pooler"
    if is_pooled and arrives:
        what = "`database.feed_url` goes through a pooler"
        words += ", unless the pooler keeps a connection for a session"
        return [_of_feed("feed-perhaps-pooled", what, words)]
    if is_pooled:
        what = "a pooler before `database.feed_url` keeps notifications back"
        return [_of_feed("feed-pooled", what, words)]
    if arrives:
        return []
    what = "what is sent through `database.url` does not arrive at the feed"
    return [_of_feed("notification-lost", what, words)]


async def _arrives(
    patient: Patient, sender: asyncpg.Connection, feed: asyncpg.Connection
) -> bool:
    nonce = token_hex(16)
    arrived = asyncio.Event()

    def heard(_connection: object, _pid: int, _channel: str, payload: object) -> None:
        if payload == nonce:
            arrived.set()

    await feed.add_listener(_CHANNEL, heard)
    try:
        await sender.execute("select pg_catalog.pg_notify($1, $2)", _CHANNEL, nonce)
        with suppress(TimeoutError):
            async with asyncio.timeout(min(patient.connect_timeout, patient.seconds)):
                await arrived.wait()
    finally:
        await feed.remove_listener(_CHANNEL, heard)
    return arrived.is_set()


async def _where(connection: asyncpg.Connection) -> tuple[object, ...]:
    row = await connection.fetchrow(_WHERE)
    return () if row is None else tuple(row.values())


@asynccontextmanager
async def _closing(connection: asyncpg.Connection) -> AsyncIterator[asyncpg.Connection]:
    try:
        yield connection
    finally:
        with suppress(*DRIVER_ERRORS):
            await connection.close(timeout=1.0)


def _of_feed(code: str, what: str, words: str = "", sql: str = "") -> Finding:
    mend = Mend((sql,) if sql else (), words=words)
    return Finding(code, "database.feed_url", what, mend)
