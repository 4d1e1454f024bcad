import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import asyncpg
import pytest

from sidecar.store.clock import SystemClock
from sidecar.store.doctor.examine import examine
from sidecar.store.doctor.look import Patient
from sidecar.store.embedded import EmbeddedPostgres
from sidecar.store.errors import StoreError
from sidecar.store.migrate import migrate
from tests.store.doctor.clinic import Bed, Clinic
from tests.store.doctor.pooler import pooler

NOBODY = "postgresql://nobody@127.0.0.1:1/none"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder whose path is short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="authz-") as folder:
        yield Path(folder)


async def codes(bed: Bed, **changed: object) -> list[str]:
    """The codes of what is found."""
    report = await bed.examine(connect_timeout=1.0, **changed)
    return [each.code for each in report.findings]


async def socket_of(bed: Bed) -> Path:
    """Where the database listens."""
    folder = await bed.owner.fetchval(
        "select current_setting('unix_socket_directories')"
    )
    port = await bed.owner.fetchval("select current_setting('port')")
    return Path(folder) / f".s.PGSQL.{port}"


@pytest.mark.parametrize(
    ("hides_pid", "drops_notifications", "code"),
    [
        (True, True, "feed-pooled"),
        (True, False, "feed-perhaps-pooled"),
        (False, True, "notification-lost"),
    ],
)
async def test_a_pooler_before_the_feed_is_found(
    clinic: Clinic,
    folder: Path,
    *,
    hides_pid: bool,
    drops_notifications: bool,
    code: str,
) -> None:
    """Another backend than the one that greeted tells it, or what does not arrive."""
    async with clinic.bed("reference") as bed:
        socket = await socket_of(bed)
        feed_url = f"postgresql:///{bed.role}?host={quote(str(folder))}&user={bed.role}"
        async with pooler(
            socket,
            folder,
            hides_pid=hides_pid,
            drops_notifications=drops_notifications,
        ):
            assert [code] == await codes(bed, feed_url=feed_url)


async def test_a_pooler_before_the_facts_is_found(clinic: Clinic, folder: Path) -> None:
    """It may not keep prepared statements; whoever prepares none is not warned."""
    async with clinic.bed("reference") as bed:
        socket = await socket_of(bed)
        url = f"postgresql:///{bed.role}?host={quote(str(folder))}&user={bed.role}"
        async with pooler(socket, folder, hides_pid=True, drops_notifications=False):
            assert ["url-pooled"] == await codes(bed, url=url)
            assert [] == await codes(bed, url=url, keeps_statements=False)


async def test_a_feed_that_cannot_be_reached_is_found(clinic: Clinic) -> None:
    """The rest is looked at all the same."""
    async with clinic.bed("gpustack_like") as bed:
        await bed.run("call authz.unwatch('public.users')")

        found = await codes(bed, feed_url=NOBODY)

        assert {"feed-unreachable", "triggers-missing"} == set(found)


async def test_a_feed_to_another_database_is_found(clinic: Clinic) -> None:
    """Nothing of the one is heard in the other."""
    async with clinic.bed("reference") as bed, clinic.bed("reference") as other:
        found = await codes(bed, feed_url=other.patient.feed_url)

        assert ["feed-elsewhere"] == found


async def test_a_database_that_cannot_be_reached_is_an_error() -> None:
    """There is nothing to look at, and the reason is said."""
    with pytest.raises(StoreError, match=r"cannot be reached: .*Connect call failed"):
        await examine(Patient(NOBODY, NOBODY), SystemClock())


async def test_a_standby_is_found(folder: Path) -> None:
    """A standby neither takes signs of life nor delivers notifications."""
    data = folder / "data"
    with EmbeddedPostgres(data) as postgres:
        connection = await asyncpg.connect(postgres.url())
        await migrate(connection)
        await connection.close()
    (data / "standby.signal").touch()
    with EmbeddedPostgres(data) as standby:
        url = standby.url()

        report = await examine(Patient(url, url), SystemClock())

    found = {each.code for each in report.findings}
    assert {"url-is-standby", "feed-is-standby", "role-is-superuser"} == found
