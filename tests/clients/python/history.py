"""A checker of histories for the client's cache: no answer older than the bound.

A register is changed without end; a process of its own asks for it through a
CachedClient; a sidecar, also a process of its own, stands between them, behind a
network that fails on demand. Each answer names the version that it shows, so how stale
it was when it was asked for is the time since the next version's commit.

`python -m tests.clients.python.history --rounds 20` prints what it found.
"""

import argparse
import asyncio
import json
import signal
import socket
import sys
import tempfile
import time
from asyncio import subprocess
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

import asyncpg

from sidecar.store.embedded import EmbeddedPostgres
from tests.clients.python.asker import clusters
from tests.store.faults.proxy import Proxy
from tests.support.process import Process
from tests.support.serving import Place, Schema, Stage

BOUND: Final = 2.0
_FRESHNESS: Final = {"beat_interval": 0.1, "max_staleness": BOUND}
_PRINCIPAL: Final = 20
_END_FEED: Final = """
select pg_terminate_backend(pid) from pg_stat_activity
where query like '%pg_current_snapshot%' and datname = current_database()
    and pid <> pg_backend_pid() and state = 'idle'
"""


@dataclass
class Found:
    """What the answers came to."""

    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    stalest: float = 0.0


@dataclass
class Register:
    """When each version began to be committed, and when it was."""

    begun: list[float] = field(default_factory=list)
    committed: list[float] = field(default_factory=list)

    async def write(self, connection: asyncpg.Connection) -> None:
        """Commits the next version."""
        version = len(self.begun)
        self.begun.append(time.monotonic())
        async with connection.transaction():
            await connection.execute(
                "delete from authz.cluster_access where principal_id = $1", _PRINCIPAL
            )
            await connection.execute(
                "insert into authz.cluster_access (principal_id, cluster_id)"
                " select $1, unnest($2::bigint[])",
                _PRINCIPAL,
                clusters(version),
            )
        self.committed.append(time.monotonic())

    def judge(self, found: Found, line: str) -> None:
        """Takes one answer into account."""
        before, after, what, again = line.split()
        if not what.lstrip("-").isdigit():
            found.counts[what] += 1
            return
        found.counts["from memory" if again == "1" else "asked"] += 1
        version = int(what)
        if not 0 <= version < len(self.begun) or float(after) < self.begun[version]:
            found.wrong.append(f"version {version} was never there")
            return
        if version + 1 < len(self.committed):
            stale = float(before) - self.committed[version + 1]
            found.stalest = max(found.stalest, stale)
            if stale > BOUND:
                found.wrong.append(f"version {version} after {stale:.3f} s")


@dataclass
class Lab:
    """The processes, the network between them, and what was written."""

    sidecar: Process
    proxy: Proxy
    asker: subprocess.Process
    connection: asyncpg.Connection
    register: Register
    random: Random

    @classmethod
    async def start(cls, url: str, seed: int) -> "Lab":
        """Starts all, and waits until the cache is live."""
        connection = await asyncpg.connect(url)
        register = Register()
        await register.write(connection)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        extra = {
            "AUTHZ_FRESHNESS": json.dumps(_FRESHNESS),
            "AUTHZ_RESOURCE_KINDS": json.dumps(
                {"worker": {"visibility": "CLUSTER_RESOURCE", "cluster": True}}
            ),
        }
        sidecar = await Process.start(url, f"127.0.0.1:{port}", "grpcio", 0, extra)
        proxy = Proxy(port)
        asker = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.clients.python.asker"),
            f"127.0.0.1:{await proxy.start()}",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            limit=2**30,
        )
        random = Random(seed)  # noqa: S311  nothing secret depends on it
        lab = cls(sidecar, proxy, asker, connection, register, random)
        assert asker.stdout is not None
        async with asyncio.timeout(60):
            assert b"live\n" == await asker.stdout.readline()
        return lab

    async def write_after_beats(self, seconds: float) -> None:
        """Lets beats pass alone first: who trusts their arrival is found out."""
        await asyncio.sleep(5 * _FRESHNESS["beat_interval"])
        await self.write_for(seconds)

    async def write_for(self, seconds: float) -> None:
        """Writes at random moments; now and then it leaves all as it is for long."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            await self.register.write(self.connection)
            long = self.random.random() < 0.05
            await asyncio.sleep(self.random.random() * (0.5 if long else 0.03))

    async def quiet(self) -> None:
        """Nothing fails."""
        await self.write_for(1)

    async def silence(self) -> None:
        """The network swallows everything for longer than the bound."""
        self.proxy.swallow()
        await self.write_after_beats(BOUND * 1.5)
        self.proxy.mend()
        self.proxy.cut()
        await self.write_for(2)

    async def slow(self) -> None:
        """Everything arrives, beats too, but later than the bound."""
        self.proxy.delay(BOUND * 1.5)
        await self.write_after_beats(BOUND * 2)
        self.proxy.mend()
        self.proxy.cut()
        await self.write_for(2)

    async def cut(self) -> None:
        """Connections end."""
        self.proxy.cut()
        await self.write_for(1)

    async def lose_feed(self) -> None:
        """The sidecar's feed ends."""
        await self.connection.execute(_END_FEED)
        await self.write_for(1)

    async def stop_sidecar(self) -> None:
        """The sidecar stands still for longer than the bound."""
        await self._stand_still(self.sidecar.process)

    async def stop_client(self) -> None:
        """The client stands still for longer than the bound."""
        await self._stand_still(self.asker)

    async def restart_sidecar(self) -> None:
        """The sidecar is killed, and another one comes in its place."""
        self.sidecar.process.kill()
        starting = asyncio.create_task(self.sidecar.again())
        await self.write_for(1)
        self.sidecar = await starting
        await self.write_for(2)

    async def _stand_still(self, process: subprocess.Process) -> None:
        process.send_signal(signal.SIGSTOP)
        await self.write_after_beats(BOUND * 1.25)
        process.send_signal(signal.SIGCONT)
        await self.write_for(1.5)

    async def end(self) -> Found:
        """Ends all, and judges every answer."""
        told, _ = await self.asker.communicate(b"\n")
        await self.proxy.close()
        await self.sidecar.end()
        await self.connection.close()
        found = Found()
        for line in told.decode().splitlines():
            self.register.judge(found, line)
        return found


Fault = Callable[[Lab], Awaitable[None]]
FAULTS: Final[tuple[Fault, ...]] = (
    Lab.quiet,
    Lab.silence,
    Lab.slow,
    Lab.cut,
    Lab.lose_feed,
    Lab.stop_sidecar,
    Lab.stop_client,
    Lab.restart_sidecar,
)


async def check(url: str, faults: tuple[Fault, ...], seed: int = 1) -> Found:
    """Runs faults one after another, on a database with the world of tenancy."""
    lab = await Lab.start(url, seed)
    for fault in faults:
        await fault(lab)
    return await lab.end()


async def _run(rounds: int) -> int:
    with (
        tempfile.TemporaryDirectory(prefix="authz-history-") as folder,
        EmbeddedPostgres(Path(folder) / "data", durable=False) as server,
    ):
        stage = Stage(server, Path(folder))
        url = await stage.stored(Place(Schema.REFERENCE, "tenancy"))
        found = await check(url, FAULTS * rounds)
        await stage.close()
    for name, count in sorted(found.counts.items()):
        sys.stdout.write(f"{count:>9} {name}\n")
    sys.stdout.write(f"{found.stalest:>9.3f} seconds stale at most, of {BOUND}\n")
    sys.stdout.write(f"{len(found.wrong):>9} answers beyond the bound\n")
    sys.stdout.writelines(f"          {each}\n" for each in found.wrong[:10])
    return 1 if found.wrong else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Check a cache against commits.")
    parser.add_argument("--rounds", type=int, default=1)
    sys.exit(asyncio.run(_run(parser.parse_args().rounds)))
