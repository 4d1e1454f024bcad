"""The keys of an issuer: unknown and unknowable told apart, readings counted."""

import asyncio

import pytest

from sidecar.identity.key_ring import KeyRing
from sidecar.identity.key_sources import Pace
from sidecar.ports import FactsUnavailableError
from tests.identity.bad_tokens import KEYS, RSA
from tests.identity.held import PACE, HeldKeys
from tests.identity.minting import Signer, key_set, signer
from tests.support.pipeline import ManualClock

NEW = signer("ES256", "new")


class Rung:
    """A ring over a document that a test sets, under a clock that it turns."""

    def __init__(self, document: bytes | None = KEYS, pace: Pace = PACE) -> None:
        self.clock = ManualClock()
        self.source = HeldKeys(document)
        self.ring = KeyRing("https://login.example", self.source, pace, self.clock)

    async def has(self, signer: Signer) -> bool:
        """Whether the signer's key is found."""
        found = await self.ring.find(signer.key_id, signer.algorithm)
        return found is not None

    async def pass_time(self, seconds: float) -> None:
        """Turns the clock, and lets what is due be read."""
        self.clock.now += seconds
        self.ring.tend()
        if self.ring._reading is not None:
            await self.ring._reading


async def test_unknown_key_is_looked_for_once_in_thirty_seconds() -> None:
    """A key that is not there has the keys read anew, unless they just were."""
    rung = Rung()
    await rung.ring.start()
    reads = [rung.source.reads]
    for seconds in (0, 29, 1, 29, 1):
        rung.clock.now += seconds
        assert not await rung.has(NEW)
        reads.append(rung.source.reads)

    assert [1, 1, 1, 2, 2, 3] == reads


async def test_new_key_is_found_when_it_is_looked_for() -> None:
    """A key that the issuer has begun to use is read by the question that needs it."""
    rung = Rung()
    await rung.ring.start()
    rung.source.document = key_set(RSA, NEW)
    before = await rung.has(NEW)
    rung.clock.now += 30
    after = await rung.has(NEW)

    assert (False, True) == (before, after)


async def test_flood_of_made_up_keys_costs_one_reading() -> None:
    """Ten thousand invented ids at once: one reading, and the good keys stay."""
    rung = Rung()
    await rung.ring.start()
    rung.clock.now += 30
    asked = (rung.ring.find(f"made up {number}", "RS256") for number in range(10_000))

    answers = await asyncio.gather(*asked)

    assert {None} == set(answers)
    assert await rung.has(RSA)
    assert 2 == rung.source.reads


async def test_known_key_that_does_not_fit_is_not_looked_for() -> None:
    """A known id under an algorithm of other keys costs nothing."""
    rung = Rung()
    await rung.ring.start()
    rung.clock.now += 30

    assert await rung.ring.find(RSA.key_id, "ES256") is None
    assert 1 == rung.source.reads


async def test_last_good_keys_serve_until_they_are_old() -> None:
    """When nothing can be read, the last keys judge until `max_age`, then nobody."""
    rung = Rung()
    await rung.ring.start()
    rung.source.document = None
    await rung.pass_time(3599.9)
    within = await rung.has(RSA)
    await rung.pass_time(0.1)

    assert within
    with pytest.raises(FactsUnavailableError):
        await rung.has(RSA)
    assert not rung.ring.state().is_usable


async def test_old_keys_are_read_by_the_question_that_needs_them() -> None:
    """After a long silence the first question waits for keys, and is answered."""
    rung = Rung()
    await rung.ring.start()
    rung.clock.now += 7200

    assert await rung.has(RSA)


@pytest.mark.parametrize("document", [None, b"garbage", b'{"keys": []}'])
async def test_unknown_key_cannot_be_judged_while_readings_fail(
    document: bytes | None,
) -> None:
    """A key may be a new one when the latest reading failed: no answer, no denial."""
    rung = Rung()
    await rung.ring.start()
    rung.source.document = document
    rung.clock.now += 30

    with pytest.raises(FactsUnavailableError):
        await rung.has(NEW)
    with pytest.raises(FactsUnavailableError):
        await rung.has(NEW)
    assert await rung.has(RSA)
    assert 2 == rung.source.reads


async def test_failed_readings_are_tried_again_at_growing_distances() -> None:
    """After 1, 2, 4, 8, 16 and then each 30 seconds, and at once when it worked."""
    rung = Rung(None)
    await rung.ring.start()
    started = rung.clock.now
    tried: list[float] = []
    for _ in range(100):
        reads = rung.source.reads
        await rung.pass_time(1)
        if rung.source.reads > reads:
            tried.append(rung.clock.now - started)

    assert [1, 3, 7, 15, 31, 61, 91] == tried


async def test_reading_that_works_ends_the_doubt() -> None:
    """After failures one reading that works makes unknown keys unknown again."""
    rung = Rung(None)
    await rung.ring.start()
    rung.source.document = KEYS
    await rung.pass_time(1)

    assert not await rung.has(NEW)


async def test_keys_are_read_again_every_five_minutes() -> None:
    """Without any question the keys stay young."""
    rung = Rung()
    await rung.ring.start()
    for _ in range(3600):
        await rung.pass_time(1)

    assert 13 == rung.source.reads
    assert 0 == rung.ring.state().age


async def test_start_goes_on_without_keys() -> None:
    """Keys that cannot be read at start are read when they can."""
    rung = Rung(None)
    await rung.ring.start()
    with pytest.raises(FactsUnavailableError):
        await rung.has(RSA)
    rung.source.document = KEYS
    await rung.pass_time(1)

    assert await rung.has(RSA)


async def test_questions_share_one_reading_and_leave_it_alone() -> None:
    """Who waits for a reading and gives up does not end it for the others."""
    rung = Rung(None)
    await rung.ring.start()
    rung.source.document = KEYS
    rung.source.may_answer.clear()
    rung.source.was_asked.clear()
    rung.clock.now += 30
    waiting = [asyncio.create_task(rung.has(RSA)) for _ in range(100)]
    await rung.source.was_asked.wait()
    waiting[0].cancel()
    await asyncio.gather(waiting[0], return_exceptions=True)
    rung.source.may_answer.set()
    answers = await asyncio.gather(*waiting[1:])

    assert [True] * 99 == answers
    assert 2 == rung.source.reads


async def test_question_waits_only_so_long() -> None:
    """A reading that hangs is an error for the question, and goes on."""
    rung = Rung(pace=Pace(refresh=300, apart=30, max_age=3600, patience=0.05))
    await rung.ring.start()
    rung.source.may_answer.clear()
    rung.clock.now += 30

    with pytest.raises(FactsUnavailableError):
        await rung.has(NEW)
    assert await rung.has(RSA)
    await rung.ring.close()


async def test_closed_ring_reads_no_more() -> None:
    """Closing ends what is being read, and nothing begins again."""
    rung = Rung()
    rung.source.may_answer.clear()
    rung.ring.tend()
    await rung.source.was_asked.wait()
    await rung.ring.close()
    await rung.pass_time(1000)

    assert 1 == rung.source.reads
    assert rung.ring._reading is None


async def test_defect_of_a_source_is_a_failed_reading(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever goes wrong, the next reading is tried."""
    rung = Rung()

    async def fail() -> bytes:
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(rung.source, "read", fail)
        await rung.ring.start()
    await rung.pass_time(1)

    assert await rung.has(RSA)
