"""Sidecars over the worlds of the vectors, for runners and for clients' own tests."""

import json
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

import yaml

from sidecar.app import Sidecar
from sidecar.observe.log import configure_logging
from sidecar.settings import Settings
from sidecar.store import administration
from sidecar.store.document import parse_document
from sidecar.store.embedded import EmbeddedPostgres
from tests.support.authority import Authority, Folder

HERE: Final = Path(__file__).resolve().parent
CLIENT_NAME: Final = "dns:client.conformance.example"
# The operating system bounds the path of a socket; a deep TMPDIR would pass it.
_LONGEST_FOLDER: Final = 45

Engine: TypeAlias = Literal["native", "grpcio"]


@dataclass(frozen=True, slots=True)
class Secure:
    """A listener with mTLS: its address, and files in PEM to connect with."""

    address: str
    ca: str
    cert: str
    key: str


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where one sidecar listens, in the forms that clients take."""

    unix: str
    tcp: str
    tls: Secure | None

    def told(self) -> str:
        """The same as a line of JSON."""
        return json.dumps(asdict(self))


@dataclass(frozen=True, slots=True)
class World:
    """A directory document, and the settings that belong to it."""

    name: str
    settings: Mapping[str, object]
    document: str

    @classmethod
    def read(cls, path: Path) -> "World":
        """The world of a file; a `jwks_file` in it is found beside the file.

        Raises:
            TypeError: the file is not two mappings, `settings` and `directory`.
        """
        text = path.read_text(encoding="utf-8")
        content = yaml.safe_load(text.replace("$HERE", str(path.parent.resolve())))
        if not isinstance(content, dict) or content.keys() != {"settings", "directory"}:
            raise TypeError(f"`{path.name}` is not `settings` and `directory`")
        document = json.dumps(content["directory"], default=str)
        return cls(path.stem, content["settings"], document)

    @classmethod
    def example(cls) -> "World":
        """The world of the examples, which the clients' pages ask about."""
        folder = HERE.parents[1] / "examples"
        settings = yaml.safe_load((folder / "sidecar.yaml").read_text("utf-8"))
        return cls("example", settings, (folder / "gpu-cloud.yaml").read_text("utf-8"))


@contextmanager
def short_folder() -> Iterator[Path]:
    """A folder that is removed in the end, its path short enough for sockets."""
    base = tempfile.gettempdir()
    # The folder in it is made safely.
    base = base if len(base) <= _LONGEST_FOLDER else "/var/tmp"  # noqa: S108
    with tempfile.TemporaryDirectory(
        prefix="authz-", dir=base, ignore_cleanup_errors=True
    ) as name:
        yield Path(name)


@asynccontextmanager
async def served(
    world: World,
    postgres: EmbeddedPostgres,
    folder: Path,
    engine: Engine = "native",
    *,
    tls: bool = False,
) -> AsyncIterator[Addresses]:
    """A sidecar of a world with a listener for each way to reach it.

    Args:
        world: what it decides from; stored once in `postgres`.
        postgres: a running server.
        folder: an empty one, for its socket and its certificates.
        engine: what speaks HTTP/2 on the listeners without TLS.
        tls: whether there is a listener with mTLS too; always of the engine grpcio,
            since native has no TLS.
    """
    configure_logging("error")
    name = f"conformance_{world.name}"
    listeners: list[dict[str, object]] = [
        {"address": f"unix:{folder / 'authz.sock'}", "engine": engine},
        {"address": "127.0.0.1:0", "engine": engine},
    ]
    files = _certificates(folder) if tls else None
    if files is not None:
        listeners.append(
            {
                "address": "127.0.0.1:0",
                "engine": "grpcio",
                "tls": Folder(folder).settings(CLIENT_NAME),
            }
        )
    services = ["api", "watch", "health"]
    settings = Settings.model_validate(
        {
            **world.settings,
            "database": {"url": await _stored(world, postgres, name)},
            "listeners": [{**each, "services": services} for each in listeners],
            "metrics": {"address": None},
            "stop": {"linger_seconds": 0, "grace_seconds": 1},
        }
    )
    sidecar = await Sidecar.start(settings)
    try:
        unix, tcp, *secure = sidecar.addresses
        yield Addresses(
            unix, tcp, Secure(secure[0], *files) if files is not None else None
        )
    finally:
        await sidecar.stop()


async def _stored(world: World, postgres: EmbeddedPostgres, name: str) -> str:
    postgres.create_database(name)
    url = postgres.url(name)
    await administration.migrate_database(url)
    # A second sidecar of the same world shares what the first one stored.
    if await administration.is_empty(url):
        await administration.import_into(url, parse_document(world.document))
    return url


def _certificates(folder: Path) -> tuple[str, str, str]:
    authority = Authority()
    Folder(folder).put(authority.server(), authority.pem)
    client = authority.client(CLIENT_NAME)
    paths = (folder / "ca.crt", folder / "client.crt", folder / "client.key")
    for path, pem in zip(
        paths, (authority.pem, client.pem, client.key_pem), strict=True
    ):
        path.write_bytes(pem)
    ca, certificate, key = map(str, paths)
    return ca, certificate, key
