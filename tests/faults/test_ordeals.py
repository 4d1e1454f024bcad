"""What clients see of a sidecar that is ended, killed, or whose clock jumps."""

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from authz.v1.caller_pb2 import Caller

from tests.faults.ordeals import (
    HOURS,
    JUMPED,
    KILLED,
    ORDEALS,
    TERMINATED,
    Ordeal,
    place_on,
    undergo,
)
from tests.store.faults.lab import MAX_STALENESS, Answer
from tests.support.serving import Place, Schema, Stage

TENANCY = Place(Schema.REFERENCE, "tenancy")
SECRET = "s" * 32
KEY = Caller(api_key=f"key_shift_{SECRET}")
STORE_KEY = """
insert into authz.api_keys (id, user_id, lookup_id, secret_hash, expires_at)
values (99, 3, 'shift', $1, now() + interval '1 hour')
"""

needs_compiler = pytest.mark.skipif(
    shutil.which("cc") is None, reason="there is no C compiler"
)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder whose path is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="authz-") as folder:
        yield Path(folder)


@needs_compiler
@pytest.mark.parametrize("ordeal", ORDEALS, ids=lambda ordeal: ordeal.name)
async def test_ordeal_is_never_stale_beyond_the_bound_and_never_open(
    stage: Stage, folder: Path, ordeal: Ordeal
) -> None:
    """What was revoked is denied in time, and who is denied stays so."""
    url = await stage.stored(TENANCY)
    async with place_on(url, folder, ordeal) as place:
        seen = await undergo(place, ordeal)
        lost = list(place.clients.lost)

    assert seen.seldom is Answer.DENIED
    assert seen.staleness <= MAX_STALENESS
    assert Answer.ALLOWED not in seen.bobs
    # Who asks once sees the one that was killed, and nothing else.
    assert bool(lost) is (ordeal is KILLED)
    assert (ordeal is not TERMINATED) or Answer.UNAVAILABLE not in seen.meanwhile


@needs_compiler
async def test_wall_clock_decides_on_credentials_alone(
    stage: Stage, folder: Path
) -> None:
    """A key expires by it and is good again when it goes back; staleness is not."""
    url = await stage.stored(TENANCY)
    connection = await asyncpg.connect(url)
    secret_hash = f"sha256:{hashlib.sha256(SECRET.encode()).hexdigest()}"
    await connection.execute(STORE_KEY, secret_hash)
    await connection.close()
    async with place_on(url, folder, JUMPED) as place:
        answers, stale = [await place.clients.ask(KEY)], []
        for hours in (5, -5):
            place.clock.jump(hours * HOURS)
            answers.append(await place.clients.ask(KEY))
            await place.clients.until(lambda: place.clients.last is Answer.ALLOWED)
            stale.append(await place.staleness())
        lost = list(place.clients.lost)

    assert [Answer.ALLOWED, Answer.DENIED, Answer.ALLOWED] == answers
    assert [] == lost
    assert [True, True] == [0 <= each < HOURS for each in stale]
