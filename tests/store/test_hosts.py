"""Connections to the right one of several real servers, also by TLS."""

import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from sidecar.store.clock import SystemClock
from sidecar.store.database import Database, PoolSettings
from sidecar.store.dialing import Address, dial
from sidecar.store.errors import StoreError
from tests.support.authority import Authority, Wish
from tests.support.cluster import Node, cluster, free_port
from tests.support.tls_front import Front, tls_front

CLOCK = SystemClock()


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[Node, Node]]:
    """A primary and its replica; nobody stops them."""
    with cluster() as made:
        yield made.primary, made.replica()


@pytest.fixture
async def mute() -> AsyncIterator[str]:
    """A host that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def both(*hosts: str, rest: str = "") -> str:
    """An address with several hosts."""
    return f"postgresql://postgres@{','.join(hosts)}/postgres{rest}"


async def port_of(address: Address, seconds: float = 5.0) -> int:
    """The port of the server that a connection leads to."""
    connection = await dial(address, seconds)
    port = await connection.fetchval("show port")
    await connection.close()
    return int(port)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_primary_is_found_among_hosts(
    pair: tuple[Node, Node], order: tuple[int, int]
) -> None:
    """Wherever it stands in the list."""
    primary, _ = pair
    hosts = [pair[place].host for place in order]

    found = await port_of(Address(both(*hosts), wanted="primary"))

    assert primary.port == found


@pytest.mark.parametrize(
    "template",
    ["postgresql://{r},{p}/{d}?user=postgres", "postgresql:///{d}?host={hs}&port={ps}"],
)
async def test_hosts_are_named_as_libpq_has_them(
    pair: tuple[Node, Node], template: str
) -> None:
    """Before the path or in the query, each with its port."""
    primary, replica = pair
    url = template.format(
        p=primary.host,
        r=replica.host,
        d="postgres",
        hs="127.0.0.1,127.0.0.1",
        ps=f"{replica.port},{primary.port}",
    )
    url += "&user=postgres" if "user=" not in url else ""

    found = await port_of(Address(url, wanted="primary"))

    assert primary.port == found


async def test_url_says_more_than_the_default(pair: tuple[Node, Node]) -> None:
    """Who asks for a standby gets one."""
    primary, replica = pair
    url = both(primary.host, replica.host, rest="?target_session_attrs=standby")

    found = await port_of(Address(url, wanted="primary"))

    assert replica.port == found


async def test_dead_and_silent_hosts_are_passed_over(
    pair: tuple[Node, Node], mute: str
) -> None:
    """A host that says nothing costs a moment, not the whole time there is."""
    url = both(f"127.0.0.1:{free_port()}", mute, pair[0].host)
    started = CLOCK.monotonic()

    found = await port_of(Address(url, wanted="primary"), seconds=20)

    assert pair[0].port == found
    assert CLOCK.monotonic() - started < 5


async def test_silent_hosts_alone_cost_the_time_and_no_more(mute: str) -> None:
    """Whoever waits hears of it."""
    with pytest.raises(TimeoutError):
        await dial(Address(both(mute, mute)), 0.1)


async def test_order_of_the_hosts_decides(pair: tuple[Node, Node]) -> None:
    """Of several that would do, everybody chooses the same one."""
    primary, replica = pair

    found = {await port_of(Address(both(replica.host, primary.host))) for _ in range(5)}

    assert {replica.port} == found


async def test_standby_alone_is_refused_in_words(pair: tuple[Node, Node]) -> None:
    """Facts of a standby would be older than anybody knows."""
    settings = PoolSettings(pair[1].url(), wanted="primary", connect_timeout=5.0)

    with pytest.raises(StoreError, match="no host is as wanted, such as the primary"):
        await Database.connect(settings)


async def test_refused_login_is_told_rather_than_the_dead_host(
    pair: tuple[Node, Node],
) -> None:
    """The error that helps is raised."""
    url = f"postgresql://nobody@127.0.0.1:{free_port()},{pair[0].host}/postgres"

    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
        await dial(Address(url), 5)


async def test_renewed_pool_lends_new_connections(pair: tuple[Node, Node]) -> None:
    """After a failover nobody reads where the primary was."""
    settings = PoolSettings(pair[0].url(), smallest=1, largest=1)
    database = await Database.connect(settings)
    query = "select pg_backend_pid()"
    async with database.lend(5) as connection:
        before = await connection.fetchval(query)
    async with database.lend(5) as connection:
        again = await connection.fetchval(query)
    await database.renew()
    async with database.lend(5) as connection:
        after = await connection.fetchval(query)
    await database.close()

    assert before == again
    assert before != after


@pytest.fixture(scope="module")
def authority() -> Authority:
    """Who vouches for the server."""
    return Authority()


@pytest.fixture
async def secure(
    pair: tuple[Node, Node], authority: Authority, tmp_path: Path
) -> AsyncIterator[Front]:
    """A database that is reached by TLS alone, as `localhost`."""
    issued = authority.issue(Wish("db", ("dns:localhost",)))
    async with tls_front(issued, tmp_path, pair[0].port) as front:
        yield front


def secured(front: Front, root: Path, host: str = "localhost") -> PoolSettings:
    """A pool that wants to know whom it talks to."""
    url = f"postgresql://postgres@{host}:{front.port}/postgres"
    query = f"?sslmode=verify-full&sslrootcert={root}"
    return PoolSettings(f"{url}{query}", smallest=1, connect_timeout=5.0)


async def test_verified_tls_reaches_the_database(
    secure: Front, authority: Authority, tmp_path: Path
) -> None:
    """The certificate and the name in it are right."""
    root = tmp_path / "root.crt"
    root.write_bytes(authority.pem)
    database = await Database.connect(secured(secure, root))
    is_reachable = await database.is_reachable(5)
    await database.close()

    assert is_reachable
    assert secure.secured == 1


async def test_unknown_authority_is_refused(secure: Front, tmp_path: Path) -> None:
    """Somebody between with a certificate of their own learns nothing."""
    root = tmp_path / "root.crt"
    root.write_bytes(Authority("another").pem)

    with pytest.raises(StoreError, match="certificate is not to be trusted"):
        await Database.connect(secured(secure, root))
    assert secure.secured == 0


async def test_certificate_of_another_name_is_refused(
    secure: Front, authority: Authority, tmp_path: Path
) -> None:
    """A host of the same authority is not the database."""
    root = tmp_path / "root.crt"
    root.write_bytes(authority.pem)

    with pytest.raises(StoreError, match="certificate is not to be trusted"):
        await Database.connect(secured(secure, root, "127.0.0.1"))


async def test_server_without_tls_is_refused(
    pair: tuple[Node, Node], authority: Authority, tmp_path: Path
) -> None:
    """Whoever wants a verified server does not talk in the open."""
    root = tmp_path / "root.crt"
    root.write_bytes(authority.pem)

    with pytest.raises(StoreError, match="or has no TLS"):
        await Database.connect(secured(Front(pair[0].port), root))


async def test_renewed_authority_is_taken_at_the_next_connection(
    secure: Front, authority: Authority, tmp_path: Path
) -> None:
    """A file that is replaced needs no restart."""
    root = tmp_path / "root.crt"
    root.write_bytes(Authority("another").pem)
    settings = replace(secured(secure, root), smallest=0)
    database = await Database.connect(settings)
    before = await database.is_reachable(5)
    root.write_bytes(authority.pem)
    after = await database.is_reachable(5)
    await database.close()

    assert (before, after) == (False, True)
