"""Connections by URL: the right one of several hosts, with the password of today."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeVar
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import asyncpg

T = TypeVar("T")

Wanted = Literal["any", "primary", "standby"]

# How long a host may keep silent before the next is asked as well. The order of the
# hosts decides as long as they answer, so that feed and pool choose the same one.
_HEAD_START: Final = 0.5
_TARGET: Final = "target_session_attrs"

# The messages of the driver have names and addresses in them: these words have none.
_WHY: Final[Sequence[tuple[type[Exception], str]]] = (
    (
        asyncpg.TargetServerAttributeNotMatched,
        "no host is as wanted, such as the primary",
    ),
    (
        asyncpg.InvalidAuthorizationSpecificationError,
        "it lets nobody in by this user and password",
    ),
    (asyncpg.InvalidCatalogNameError, "there is no such database"),
    (asyncpg.TooManyConnectionsError, "it has too many connections"),
    (asyncpg.CannotConnectNowError, "it is starting or stopping"),
    (ConnectionRefusedError, "nothing listens there"),
    (ConnectionError, "it ends the connection, or has no TLS"),
    (FileNotFoundError, "there is no such file or socket"),
    (socket.gaierror, "the name of a host is not known"),
    (ssl.SSLCertVerificationError, "its certificate is not to be trusted"),
    (TimeoutError, "it does not answer in time"),
)


class PasswordFileError(OSError):
    """The file has no password to give; the message says why."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database is and how to get in.

    `url` may name several hosts. Its `target_session_attrs` wins over `wanted`. The
    content of `password_file` is read for each connection anew.
    """

    url: str
    password_file: Path | None = None
    wanted: Wanted = "any"


async def dial(
    address: Address,
    seconds: float,
    *,
    statement_cache: int = 0,
    command_timeout: float | None = None,
) -> asyncpg.Connection:
    """Connects to the first host that is as wanted, all within `seconds`.

    A host that fails or is another than wanted is passed over; one that keeps silent
    is not waited for while there are others. Raises what the driver raises, and
    PasswordFileError.
    """
    password = read_password(address.password_file)

    async def connect(url: str) -> asyncpg.Connection:
        return await asyncpg.connect(
            url,
            password=password,
            statement_cache_size=statement_cache,
            command_timeout=command_timeout,
        )

    async with asyncio.timeout(seconds):
        return await _first(connect, _each_host(address), asyncpg.Connection.terminate)


def read_password(path: Path | None) -> str | None:
    """The password in a file, without the end of its line; raises PasswordFileError."""
    if path is None:
        return None
    try:
        password = path.read_text().rstrip("\r\n")
    except (OSError, ValueError) as error:
        raise PasswordFileError(f"`{path}` cannot be read") from error
    if not password:
        raise PasswordFileError(f"`{path}` is empty")
    return password


def with_password(url: str, path: Path | None) -> str:
    """A URL that holds the password of now; raises PasswordFileError."""
    password = read_password(path)
    if password is None:
        return url
    return _with_query(url, "password", quote(password, safe=""))


def told(error: Exception) -> str:
    """Why there is no connection, without anything that is secret."""
    if isinstance(error, PasswordFileError):
        return str(error)
    words = (why for kind, why in _WHY if isinstance(error, kind))
    return next(words, type(error).__name__)


def _each_host(address: Address) -> list[str]:
    url = address.url
    if address.wanted != "any" and f"{_TARGET}=" not in urlsplit(url).query:
        url = _with_query(url, _TARGET, address.wanted)
    parts = urlsplit(url)
    user, at, hosts = parts.netloc.rpartition("@")
    if hosts:
        return [
            urlunsplit(parts._replace(netloc=f"{user}{at}{host}"))
            for host in hosts.split(",")
        ]
    query = dict(parse_qsl(parts.query))
    names = query.get("host", "").split(",")
    ports = query.get("port", "").split(",")
    if len(names) == 1:
        return [url]
    if len(ports) == 1:
        ports *= len(names)
    return [
        urlunsplit(
            parts._replace(query=urlencode({**query, "host": name, "port": port}))
        )
        for name, port in zip(names, ports, strict=True)
    ]


def _with_query(url: str, name: str, value: str) -> str:
    parts = urlsplit(url)
    query = f"{parts.query}&" if parts.query else ""
    # Without a host in it, the two slashes of a URL are lost unless put back.
    whole = urlunsplit(parts._replace(query=f"{query}{name}={value}"))
    return whole if parts.netloc else whole.replace(":/", ":///", 1)


async def _first(
    connect: Callable[[str], Awaitable[T]],
    urls: Sequence[str],
    give_back: Callable[[T], None],
) -> T:
    """What the first URL that works gives; raises the most telling of the errors."""
    waiting, running = list(urls), set[asyncio.Task[T]]()
    errors: list[BaseException] = []
    try:
        while waiting or running:
            if waiting:
                running.add(asyncio.ensure_future(connect(waiting.pop(0))))
            done, _ = await asyncio.wait(
                running,
                timeout=_HEAD_START if waiting else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
            for task in done:
                running.discard(task)
                error = task.exception()
                if error is None:
                    return task.result()
                errors.append(error)
    finally:
        await _call_off(running, give_back)
    raise next((each for each in errors if not isinstance(each, OSError)), errors[0])


async def _call_off(
    tasks: set[asyncio.Task[T]], give_back: Callable[[T], None]
) -> None:
    for task in tasks:
        task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if not isinstance(result, BaseException):
            give_back(result)
