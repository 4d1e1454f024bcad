"""Certificates that follow their files, on a clock that stands still."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from typing_extensions import override

from sidecar.store.clock import SystemClock
from sidecar.transport.certificates import TlsFiles
from sidecar.transport.tls import LiveCertificates, Tls
from tests.store.fakes import FakeClock
from tests.support.authority import DAY, SERVER_NAMES, Authority, Folder, Wish

AUTHORITY = Authority()
FIRST, SECOND = AUTHORITY.server(), AUTHORITY.server()

Spoil = Callable[[Folder], object]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """The first version of the files."""
    folder = Folder(tmp_path)
    folder.put(FIRST, AUTHORITY.pem)
    return folder


@pytest.fixture
def clock() -> FakeClock:
    """Says that it is now, for good."""
    clock = FakeClock()
    clock.now = SystemClock().wall()
    return clock


def load(folder: Folder, clock: FakeClock) -> LiveCertificates:
    """Certificates of a folder."""
    files = TlsFiles(folder.certificate, folder.key, folder.client_ca)
    return LiveCertificates.load(Tls(files), clock)


async def test_new_files_are_taken_over_at_the_second_reading(
    folder: Folder, clock: FakeClock
) -> None:
    """So that a file which is being written is not taken for a whole one."""
    live = load(folder, clock)
    folder.put(SECOND)

    serials = [live.serial]
    for _ in range(3):
        await live.refresh()
        serials.append(live.serial)

    assert [FIRST.serial, FIRST.serial, SECOND.serial, SECOND.serial] == serials
    assert 1 == live.state().reloads


async def test_files_that_change_between_readings_wait(
    folder: Folder, clock: FakeClock
) -> None:
    """What is not the same twice is not taken over."""
    live = load(folder, clock)
    for issued in (SECOND, AUTHORITY.server(), SECOND):
        folder.put(issued)
        await live.refresh()

    assert FIRST.serial == live.serial


async def test_swapped_symlink_is_followed(tmp_path: Path, clock: FakeClock) -> None:
    """The files' own names never change when Kubernetes renews a secret."""
    folder = Folder(tmp_path)
    folder.swap("1", FIRST, AUTHORITY.pem)
    live = load(folder, clock)
    folder.swap("2", SECOND, AUTHORITY.pem)

    await live.refresh()
    await live.refresh()

    assert SECOND.serial == live.serial


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda f: f.certificate.write_bytes(SECOND.pem), "does not belong to"),
        (lambda f: f.key.write_bytes(SECOND.key_pem), "does not belong to"),
        (lambda f: f.certificate.write_bytes(FIRST.pem[:100]), "is damaged or cut"),
        (lambda f: f.certificate.write_bytes(b""), "has no certificate"),
        (lambda f: f.key.unlink(), "cannot be read"),
        (lambda f: f.client_ca.write_bytes(AUTHORITY.pem[:100]), "is damaged or cut"),
        (
            lambda f: f.put(AUTHORITY.issue(Wish(from_day=-3, to_day=-2))),
            "expired at",
        ),
    ],
)
async def test_bad_files_keep_the_last_good(
    folder: Folder, clock: FakeClock, spoil: Spoil, problem: str
) -> None:
    """It says so for as long as they are bad, and is well when they are good again."""
    live = load(folder, clock)
    spoil(folder)
    await live.refresh()
    await live.refresh()
    bad = live.state(), live.is_well(), live.serial
    folder.put(SECOND, AUTHORITY.pem)
    await live.refresh()
    await live.refresh()

    assert problem in (bad[0].problem or "")
    assert bad[0].failures
    assert (False, FIRST.serial) == bad[1:]
    assert (None, SECOND.serial) == (live.state().problem, live.serial)
    assert live.is_well()


async def test_bad_files_that_go_back_are_forgotten(
    folder: Folder, clock: FakeClock
) -> None:
    """When they are again what is served, there is nothing to mend."""
    live = load(folder, clock)
    folder.key.write_bytes(b"")
    await live.refresh()
    await live.refresh()
    was_well = live.is_well()
    folder.put(FIRST)
    await live.refresh()

    assert (False, True) == (was_well, live.is_well())


async def test_certificate_of_the_future_is_taken_over_in_its_time(
    folder: Folder, clock: FakeClock
) -> None:
    """It waits on disk, and nothing has to touch it again."""
    live = load(folder, clock)
    later = AUTHORITY.issue(Wish(names=SERVER_NAMES, from_day=2, to_day=60))
    folder.put(later)
    await live.refresh()
    await live.refresh()
    early = live.serial
    clock.now += 3 * DAY
    await live.refresh()

    assert (FIRST.serial, later.serial) == (early, live.serial)


async def test_expired_certificate_is_not_well(
    folder: Folder, clock: FakeClock
) -> None:
    """Health tells when what is served has run out, though the files are as before."""
    live = load(folder, clock)
    healths = [live.is_well()]
    clock.now += 61 * DAY
    await live.refresh()
    healths.append(live.is_well())

    assert [True, False] == healths


async def test_expiry_is_told_ahead_and_once_a_day(
    folder: Folder, clock: FakeClock
) -> None:
    """From two weeks before, with the file's name."""
    live = load(folder, clock)
    told = []
    for days in (45, 2, 0.5, 0.6):
        clock.now += days * DAY
        with capture_logs() as logs:
            await live.refresh()
        told.append([each["event"] for each in logs])

    assert [[], ["certificates.warning"], [], ["certificates.warning"]] == told


async def test_what_happens_is_logged_once(folder: Folder, clock: FakeClock) -> None:
    """A problem for as long as it stays the same, and each taking over."""
    live = load(folder, clock)
    with capture_logs() as logs:
        folder.key.write_bytes(b"")
        for _ in range(4):
            await live.refresh()
        folder.put(SECOND)
        for _ in range(4):
            await live.refresh()

    assert ["certificates.kept", "certificates.reloaded"] == [
        each["event"] for each in logs
    ]


async def test_open_key_is_told_at_the_start(folder: Folder, clock: FakeClock) -> None:
    """It serves, because a secret of Kubernetes is mounted so by default."""
    folder.key.chmod(0o644)
    with capture_logs() as logs:
        load(folder, clock)

    expected = f"key `{folder.key}` can be read by everyone on this machine"
    assert [expected] == [each["warning"] for each in logs]


async def test_following_outlives_what_nobody_thought_of(folder: Folder) -> None:
    """A defect in reading is told, and the next reading is as good as any."""

    class Fallible(FakeClock):
        @override
        def wall(self) -> float:
            if self.is_broken:
                self.is_broken = False
                raise RuntimeError("no time")
            again.set()
            return super().wall()

        is_broken = False

    again, clock = asyncio.Event(), Fallible()
    clock.now = SystemClock().wall()
    files = TlsFiles(folder.certificate, folder.key, folder.client_ca)
    live = LiveCertificates.load(Tls(files, reload_seconds=0.001), clock)
    clock.is_broken = True
    again.clear()
    folder.put(SECOND)
    with capture_logs() as logs:
        following = asyncio.create_task(live.follow())
        await asyncio.wait_for(again.wait(), 10)
        following.cancel()

    assert ["certificates.defect", "certificates.reloaded"] == [
        each["event"] for each in logs
    ]


async def test_handshake_is_given_what_is_new_and_only_once(
    folder: Folder, clock: FakeClock
) -> None:
    """Between changes there is nothing to make anew."""
    live = load(folder, clock)
    given = [live._fetch() is None]
    folder.put(SECOND)
    await live.refresh()
    await live.refresh()
    given += [live._fetch() is None, live._fetch() is None]

    assert [True, False, True] == given
