"""What surrounds the pods: a database that they know by its name, and a Service."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self
from urllib.parse import SplitResult, parse_qs, urlsplit

import asyncpg
import yaml

from sidecar.store import administration
from sidecar.store.document import parse_document
from sidecar.store.embedded import EmbeddedPostgres
from tests.deploy.pod.load import Service
from tests.deploy.pod.manifests import Manifests
from tests.deploy.pod.network import Network
from tests.deploy.pod.pods import Pod
from tests.deploy.pod.relays import Relays
from tests.store.foreign.shipped import create_roles
from tests.support.authority import Authority
from tests.support.tls_front import tls_front

_EXAMPLE: Final = Path(__file__).parents[3] / "examples" / "gpu-cloud.yaml"
_DATABASE_ADDRESS: Final = "10.96.0.10"
_POSTGRES_PORT: Final = 5432


@dataclass
class Cluster:
    """Pods of one file of manifests, and what they reach."""

    folder: Path
    manifests: Manifests
    service: Service
    database: str
    _front: int
    _ending: AsyncExitStack
    _pods: list[Pod] = field(default_factory=list)

    @classmethod
    async def started(
        cls, folder: Path, manifests: Manifests, postgres: EmbeddedPostgres
    ) -> Self:
        """Has a database with two roles be where the manifests say; raises OSError."""
        (port,) = manifests.service_ports().values()
        name = _database_of(manifests).path.removeprefix("/")
        postgres.create_database(name)
        connection = await asyncpg.connect(postgres.url(name))
        await create_roles(connection)
        await connection.close()
        async with AsyncExitStack() as ending:
            front = await _fronted(postgres, folder, ending)
            url = postgres.url(name)
            return cls(folder, manifests, Service(port), url, front, ending.pop_all())

    async def close(self) -> None:
        """Ends every pod, and what they reach."""
        for pod in self._pods:
            await pod.kill()
            await pod.network.close()
        await self._ending.aclose()

    async def pod(self, kind: str) -> Pod:
        """A pod that a Deployment or a Job makes; it is not started yet."""
        number = len(self._pods) + 1
        folder = self.folder / f"p{number}"
        folder.mkdir()
        address = f"10.244.0.{number}"
        network = Network.made(address, _DATABASE_ADDRESS)
        database = _database_of(self.manifests)
        await network.reaches(
            _DATABASE_ADDRESS,
            database.port or _POSTGRES_PORT,
            lambda: asyncio.open_connection("127.0.0.1", self._front),
        )
        pod = Pod.made(
            folder,
            self.manifests,
            self.manifests.pod(kind),
            network,
            address,
            {str(database.hostname): _DATABASE_ADDRESS},
            self.service.tell,
        )
        self._pods.append(pod)
        return pod

    async def fill(self) -> None:
        """Puts the example's directory into the database, which was migrated."""
        text = _EXAMPLE.read_text(encoding="utf-8")
        await administration.import_into(self.database, parse_document(text))


def _database_of(manifests: Manifests) -> SplitResult:
    (settings,) = [
        yaml.safe_load(files["sidecar.yaml"])
        for files in manifests.config_maps()
        if "sidecar.yaml" in files
    ]
    return urlsplit(str(settings["database"]["url"]))


async def _fronted(
    postgres: EmbeddedPostgres, folder: Path, ending: AsyncExitStack
) -> int:
    """The port of 127.0.0.1 at which the database speaks TLS."""
    (place,) = parse_qs(urlsplit(postgres.url()).query)["host"]
    file = Path(place) / f".s.PGSQL.{_POSTGRES_PORT}"
    relays = Relays()
    ending.push_async_callback(relays.close)
    port = await relays.at_port(lambda: asyncio.open_unix_connection(file))
    front = tls_front(Authority().server(), folder, port)
    return (await ending.enter_async_context(front)).port
