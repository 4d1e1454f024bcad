"""Whether the server suits: version, encoding, clock, time-outs, connections."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sidecar.ports import Clock
from sidecar.store.doctor.findings import Finding, Mend
from sidecar.store.doctor.look import Look
from sidecar.store.queries import Row

_OLDEST: Final = 150_000
_SKEW_SECONDS: Final = 1.0
# Beside the pool: one to listen, one for signs of life.
_OTHER_CONNECTIONS: Final = 2
_UNLIMITED: Final = -1

_SERVER: Final = """
select current_setting('server_version_num')::int as version,
    current_setting('server_version') as version_text,
    current_setting('server_encoding') as encoding,
    pg_is_in_recovery() as is_standby, pg_backend_pid() as pid,
    quote_ident(current_user) as role, quote_ident(d.datname) as database,
    r.rolconnlimit as role_limit, d.datconnlimit as database_limit,
    current_setting('max_connections')::int
        - current_setting('superuser_reserved_connections')::int
        - coalesce(current_setting('reserved_connections', true)::int, 0)
        as server_limit
from pg_roles as r, pg_database as d
where r.rolname = current_user and d.datname = current_database()
"""
# In milliseconds. What this look has set for itself is not the role's setting.
_TIMEOUTS: Final = """
select name, reset_val::bigint as milliseconds from pg_settings
where name in ('statement_timeout', 'idle_in_transaction_session_timeout',
    'transaction_timeout') and reset_val::bigint > 0
order by name
"""


@dataclass(frozen=True, slots=True)
class Server:
    """What a server says of itself. A limit of -1 is none."""

    version: int
    version_text: str
    encoding: str
    is_standby: bool
    is_pooled: bool
    role: str
    database: str
    role_limit: int
    database_limit: int
    server_limit: int


async def check_server(look: Look, clock: Clock) -> list[Finding]:
    """What of the server does not suit."""
    (row,) = await look.fetch(_SERVER)
    server = _server(row, look.connection.get_server_pid())
    findings = list(judge_server(server, look.patient.pool_max))
    if server.is_pooled and look.patient.keeps_statements:
        findings.append(_pooled())
    findings += await _check_clock(look, clock)
    for timeout in await look.fetch(_TIMEOUTS):
        finding = _judge_timeout(look, timeout, server)
        findings += [] if finding is None else [finding]
    return findings


def judge_server(server: Server, pool_max: int) -> Iterator[Finding]:
    """What of a server does not suit a sidecar with a pool of that size."""
    if server.version < _OLDEST:
        what = f"the server is PostgreSQL {server.version_text}"
        words = "upgrade it to version 15 or newer"
        yield Finding("server-too-old", "server", what, Mend(words=words))
    if server.encoding != "UTF8":
        what = f"the database is encoded in {server.encoding}"
        words = "dump it and restore it into a database with encoding UTF8"
        yield Finding("encoding-not-utf8", server.database, what, Mend(words=words))
    if server.is_standby:
        words = "point `database.url` at the primary"
        yield Finding(
            "url-is-standby",
            "database.url",
            "`database.url` leads to a standby",
            Mend(words=words),
        )
    yield from _judge_limits(server, pool_max + _OTHER_CONNECTIONS)


def _judge_limits(server: Server, needed: int) -> Iterator[Finding]:
    limits = (
        (server.role_limit, f"role `{server.role}`", f"alter role {server.role}"),
        (
            server.database_limit,
            f"database `{server.database}`",
            f"alter database {server.database}",
        ),
    )
    for limit, whose, alter in limits:
        if _UNLIMITED < limit < needed:
            sql = f"{alter} connection limit {needed};"
            words = "more for each further sidecar"
            yield _too_few(whose, limit, needed, Mend((sql,), words=words))
    if server.server_limit < needed:
        words = "raise max_connections and restart the server, or lower "
        mend = Mend(words=words + "`database.pool_max`")
        yield _too_few("the server", server.server_limit, needed, mend)


def _too_few(whose: str, limit: int, needed: int, mend: Mend) -> Finding:
    what = f"{whose} may have {limit} connections, a sidecar opens up to {needed}"
    return Finding("connections-too-few", whose, what, mend)


def _pooled() -> Finding:
    return Finding(
        "url-pooled",
        "database.url",
        "`database.url` goes through a pooler",
        Mend(
            words="set `database.prepared_statements` to false, unless the pooler "
            "keeps a connection for a session or prepared statements for all"
        ),
    )


async def _check_clock(look: Look, clock: Clock) -> list[Finding]:
    before = clock.wall()
    now = await look.value("select extract(epoch from clock_timestamp())::float8")
    after = clock.wall()
    ahead = float(str(now)) - (before + after) / 2
    if abs(ahead) <= _SKEW_SECONDS + (after - before) / 2:
        return []
    direction = "ahead of" if ahead > 0 else "behind"
    what = f"the database's clock is {abs(ahead):.1f} s {direction} this machine's"
    words = "let both machines keep the time by the same source"
    return [Finding("clock-skewed", "clock", what, Mend(words=words))]


def _judge_timeout(look: Look, row: Row, server: Server) -> Finding | None:
    name, milliseconds = str(row["name"]), int(str(row["milliseconds"]))
    needed = int(look.patient.load_timeout * 1000)
    if milliseconds >= needed:
        return None
    sql = f"alter role {server.role} in database {server.database} set {name} = 0;"
    return Finding(
        "timeout-short",
        name,
        f"{name} is {milliseconds} ms; a reading may take {needed} ms",
        Mend((sql,)),
    )


def _server(row: Row, pid_at_start: int) -> Server:
    return Server(
        version=int(str(row["version"])),
        version_text=str(row["version_text"]),
        encoding=str(row["encoding"]),
        is_standby=row["is_standby"] is True,
        is_pooled=row["pid"] != pid_at_start,
        role=str(row["role"]),
        database=str(row["database"]),
        role_limit=int(str(row["role_limit"])),
        database_limit=int(str(row["database_limit"])),
        server_limit=int(str(row["server_limit"])),
    )
