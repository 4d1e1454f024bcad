from dataclasses import replace

import asyncpg
import pytest
from typing_extensions import override

from sidecar.store.clock import SystemClock
from sidecar.store.doctor.examine import examine
from sidecar.store.doctor.look import Patient
from sidecar.store.doctor.server import Server, judge_server
from sidecar.store.migrate import migrate
from tests.store.databases import PostgresServer
from tests.store.doctor.clinic import Clinic

GOOD = Server(
    version=150_004,
    version_text="15.4",
    encoding="UTF8",
    is_standby=False,
    is_pooled=False,
    role="serving",
    database="app",
    role_limit=-1,
    database_limit=-1,
    server_limit=97,
)


class ShiftedClock(SystemClock):
    """The machine's clock, some seconds ahead."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    @override
    def wall(self) -> float:
        """The shifted time."""
        return super().wall() + self._seconds


@pytest.mark.parametrize(
    ("server", "codes"),
    [
        (GOOD, []),
        (replace(GOOD, version=140_012), ["server-too-old"]),
        (replace(GOOD, encoding="LATIN1"), ["encoding-not-utf8"]),
        (replace(GOOD, is_standby=True), ["url-is-standby"]),
        (replace(GOOD, server_limit=9), ["connections-too-few"]),
        (replace(GOOD, role_limit=9), ["connections-too-few"]),
        (replace(GOOD, database_limit=9), ["connections-too-few"]),
        (replace(GOOD, server_limit=10, role_limit=10, database_limit=10), []),
    ],
)
def test_servers_are_judged(server: Server, codes: list[str]) -> None:
    """Each thing that does not suit is a finding; eight and two connections do."""
    assert codes == [each.code for each in judge_server(server, 8)]


async def test_another_encoding_is_found(store_server: PostgresServer) -> None:
    """A database of an older encoding is told from the rest."""
    connection = await asyncpg.connect(store_server.get_uri())
    await connection.execute(
        "create database latin encoding latin1 locale 'C' template template0"
    )
    url = store_server.get_uri("latin")
    latin = await asyncpg.connect(url)
    await migrate(latin)
    await latin.close()

    report = await examine(Patient(url, url), SystemClock())

    await connection.execute("drop database latin with (force)")
    await connection.close()
    found = {each.code for each in report.findings}
    assert {"encoding-not-utf8", "role-is-superuser"} == found


@pytest.mark.parametrize(("seconds", "words"), [(-60.0, "ahead of"), (60.0, "behind")])
async def test_a_clock_that_differs_is_found(
    clinic: Clinic, seconds: float, words: str
) -> None:
    """More than a second is too much, and the finding says in which direction."""
    async with clinic.bed("reference") as bed:
        report = await examine(bed.patient, ShiftedClock(seconds))

    (finding,) = report.findings
    assert "clock-skewed" == finding.code
    assert words in finding.what


async def test_a_look_that_takes_too_long_is_told(clinic: Clinic) -> None:
    """A view that does not come to an end hides nothing else, and is named."""
    async with clinic.bed("gpustack_like") as bed:
        await bed.run(
            "create or replace view authz.membership_roles as"
            " select membership_id, role_id from public.member_roles"
            " where pg_sleep(5)::text = ''"
        )

        report = await bed.examine(seconds=0.5)

    assert any("it takes too long" in each for each in report.unchecked)
