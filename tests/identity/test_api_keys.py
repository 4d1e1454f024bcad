"""API keys: verified against their hashes, every bad one alike and at one cost.

Many short tests of one thing, which is what makes this long.
"""

import asyncio
import hashlib
import threading

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.ids import PrincipalId, UserId
from sidecar.identity.api_keys import ApiKeys, ParsedKey, parse_key
from sidecar.identity.work import Work
from sidecar.ports import Authenticated, OverloadedError
from tests.support.memory import Document, MemoryFacts
from tests.support.pipeline import ManualClock

SECRET = "0123456789abcdef0123456789abcdef"  # noqa: S105  a test's
KEY = f"gpk_k1_{SECRET}"
SHA256 = "sha256:" + hashlib.sha256(SECRET.encode()).hexdigest()
HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
ARGON2 = HASHER.hash(SECRET)
OTHER_ARGON2 = HASHER.hash("another")
ANN = Authenticated(UserId("1"), PrincipalId("20"))
STORED = pytest.mark.parametrize("stored", [SHA256, ARGON2], ids=["sha256", "argon2"])


def facts(**changed: object) -> MemoryFacts:
    """Facts with one key."""
    row: dict[str, object] = {
        "id": "1",
        "user_id": "1",
        "lookup_id": "k1",
        "secret_hash": SHA256,
        "owner_principal_id": "20",
    }
    document: Document = {"api_keys": [row | changed]}
    return MemoryFacts(document)


class Desk:
    """A verifier of keys, its clock, and what it cost."""

    def __init__(self, *prefixes: str) -> None:
        self.clock = ManualClock()
        self.work = Work()
        self.keys = ApiKeys(self.clock, self.work, prefixes)

    async def ask(self, key: str, known: MemoryFacts) -> Authenticated | None:
        """Who presents a key."""
        return await self.keys.verify(key, known)

    async def cost(self, key: str, known: MemoryFacts) -> tuple[int, int]:
        """How many fast and slow hashes one question costs."""
        before = self.work.hashes, self.work.slow_hashes
        await self.ask(key, known)
        return self.work.hashes - before[0], self.work.slow_hashes - before[1]


@STORED
async def test_right_key_is_its_user_and_pin(stored: str) -> None:
    """A key whose secret has the stored hash is its user, pinned to its owner."""
    assert ANN == await Desk().ask(KEY, facts(secret_hash=stored))


@pytest.mark.parametrize(
    ("key", "changed"),
    [
        ("gpk_k1_wrong", {}),
        ("gpk_k2_" + SECRET, {}),
        ("gpk_k1_", {}),
        ("_k1_" + SECRET, {}),
        ("gpk__" + SECRET, {}),
        ("nothing", {}),
        ("gpk_k1_" + SECRET + " ", {}),
        (" gpk_k1_" + SECRET, {}),
        ("gpk_K1_" + SECRET, {}),
        ("gpk_k\u0661_" + SECRET, {"lookup_id": "k\u0661"}),
        ("gpk_k1_wrong", {"secret_hash": ARGON2}),
        (KEY, {"revoked_at": "2025-01-01T00:00:00Z"}),
        (KEY, {"expires_at": "2025-12-31T23:59:59Z"}),
        (KEY, {"expires_at": "2026-01-01T00:00:00Z"}),
        (KEY, {"secret_hash": "garbage"}),
        (KEY, {"secret_hash": "sha256:" + "0" * 64}),
        (KEY, {"secret_hash": "sha256:" + SHA256[7:].upper()}),
        (KEY, {"secret_hash": "$argon2id$garbage"}),
    ],
)
async def test_bad_key_is_nobody(key: str, changed: dict[str, object]) -> None:
    """Unknown, wrong, revoked, expired and unreadable keys are all nobody."""
    assert await Desk().ask(key, facts(**changed)) is None


@given(text=st.text() | st.from_regex(r"[a-z]_k1_.*"))
def test_any_text_is_nobody(text: str) -> None:
    """Nothing that somebody writes makes an error."""
    assert asyncio.run(Desk().ask(text, facts())) is None


@pytest.mark.parametrize("key", [KEY, "gpk_k2_" + SECRET, "gpk_k1_wrong", "nothing"])
async def test_every_first_key_costs_one_hash(key: str) -> None:
    """Right, unknown, wrong and malformed keys each cost one comparison."""
    assert (1, 0) == await Desk().cost(key, facts())


@pytest.mark.parametrize("key", [KEY, "gpk_k2_" + SECRET, "gpk_k1_wrong"])
async def test_every_first_key_costs_one_slow_hash_where_they_are_stored(
    key: str,
) -> None:
    """Once a slow hash has been seen, an unknown key costs as much as a wrong one."""
    desk = Desk()
    known = facts(secret_hash=ARGON2)
    await desk.ask("gpk_k1_first", known)

    assert (0, 1) == await desk.cost(key, known)


async def test_decoy_costs_what_is_stored_and_fits_nothing() -> None:
    """The decoy has the parameters of the stored hash, and not its secret."""
    desk = Desk()
    await desk.ask(KEY, facts(secret_hash=ARGON2))
    decoy = desk.keys._slow.decoy

    assert decoy is not None
    assert ARGON2.rpartition("$")[0] == decoy.rpartition("$")[0]
    assert len(ARGON2) == len(decoy)
    assert ARGON2 != decoy
    assert await desk.ask("gpk_k2_" + SECRET, facts(secret_hash=ARGON2)) is None


@STORED
async def test_thousand_requests_cost_one_hash(stored: str) -> None:
    """A key that verified is remembered: a thousand requests, one hash."""
    desk = Desk()
    known = facts(secret_hash=stored)

    answers = [await desk.ask(KEY, known) for _ in range(1000)]

    assert [ANN] * 1000 == answers
    assert 1 == desk.work.hashes + desk.work.slow_hashes
    assert 1000 == desk.work.digests


async def test_thousand_requests_at_once_cost_one_slow_hash() -> None:
    """Those that come together wait for the one hash, and none is shed."""
    desk = Desk()
    known = facts(secret_hash=ARGON2)

    answers = await asyncio.gather(*(desk.ask(KEY, known) for _ in range(1000)))

    assert [ANN] * 1000 == answers
    assert 1 == desk.work.slow_hashes


@STORED
async def test_wrong_key_is_not_remembered(stored: str) -> None:
    """A wrong secret costs its hash each time and takes nobody's place."""
    desk = Desk()
    for _ in range(3):
        await desk.ask("gpk_k1_wrong", facts(secret_hash=stored))

    assert 3 == desk.work.hashes + desk.work.slow_hashes
    assert 0 == len(desk.keys._verified)


@STORED
@pytest.mark.parametrize(
    "changed",
    [
        {"revoked_at": "2025-01-01T00:00:00Z"},
        {"expires_at": "2025-12-31T23:59:59Z"},
        {"secret_hash": OTHER_ARGON2},
        {"secret_hash": "sha256:" + "0" * 64},
        {"lookup_id": "another"},
    ],
    ids=["revoked", "expired", "slow hash", "hash", "deleted"],
)
async def test_change_ends_what_was_remembered(
    stored: str, changed: dict[str, object]
) -> None:
    """What verified a moment ago is nobody's once the stored key says so."""
    desk = Desk()
    before = await desk.ask(KEY, facts(secret_hash=stored))
    after = await desk.ask(KEY, facts(**{"secret_hash": stored, **changed}))

    assert (ANN, None) == (before, after)


@STORED
async def test_changed_user_and_pin_hold_at_once(stored: str) -> None:
    """Whose key it is comes from the stored key, never from memory."""
    desk = Desk()
    await desk.ask(KEY, facts(secret_hash=stored))
    changed = facts(secret_hash=stored, user_id="2", owner_principal_id=None)

    assert Authenticated(UserId("2"), None) == await desk.ask(KEY, changed)


@STORED
async def test_remembered_key_expires_all_the_same(stored: str) -> None:
    """What verified a moment ago is rechecked for expiry at each use."""
    desk = Desk()
    known = facts(secret_hash=stored, expires_at="2026-01-01T00:00:01Z")
    before = await desk.ask(KEY, known)
    desk.clock.today += 1
    after = await desk.ask(KEY, known)

    assert (ANN, None) == (before, after)


@STORED
async def test_key_is_remembered_for_a_minute(stored: str) -> None:
    """After a minute it costs its hash again."""
    desk = Desk()
    for seconds in (0, 59, 1):
        desk.clock.now += seconds
        await desk.ask(KEY, facts(secret_hash=stored))

    assert 2 == desk.work.hashes + desk.work.slow_hashes


async def test_no_secret_stays_in_memory() -> None:
    """What is remembered has neither the key nor its secret."""
    desk = Desk()
    await desk.ask(KEY, facts())

    remembered = repr(desk.keys._verified._values)
    assert SHA256 in remembered
    assert SECRET not in remembered


def test_digests_are_of_one_process() -> None:
    """The same key has another digest elsewhere: nobody can look it up."""
    digests = {Desk().keys._verified.digest(KEY) for _ in range(2)}

    assert 2 == len(digests)


@pytest.mark.parametrize(
    ("prefixes", "wanted"),
    [((), ANN), (("gpk",), ANN), (("other", "gpk"), ANN), (("other",), None)],
)
async def test_only_configured_prefixes_are_accepted(
    prefixes: tuple[str, ...], wanted: Authenticated | None
) -> None:
    """Where prefixes are configured, a key of another one is nobody's, at one hash."""
    desk = Desk(*prefixes)

    assert (1, 0) == await desk.cost(KEY, facts())
    assert wanted == await desk.ask(KEY, facts())


class Held:
    """Slow hashes that run until a test lets them end."""

    def __init__(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        self.go = threading.Event()
        monkeypatch.setattr(desk.keys._slow, "_verify", self._wait)

    def _wait(self, stored: str, secret: str) -> bool:
        return self.go.wait(10) and secret == SECRET and stored == ARGON2


async def test_more_than_two_slow_hashes_at_once_are_shed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The third is refused while two run, and a place is free again after them."""
    desk = Desk()
    held = Held(desk, monkeypatch)
    known = facts(secret_hash=ARGON2)
    running = [
        asyncio.create_task(desk.ask(f"gpk_k1_{number}", known)) for number in range(2)
    ]
    await asyncio.sleep(0)  # one turn of the loop: both have asked for their hash

    with pytest.raises(OverloadedError):
        await desk.ask(KEY, known)
    held.go.set()
    await asyncio.gather(*running)

    assert ANN == await desk.ask(KEY, known)
    desk.keys.close()


async def test_made_up_keys_leave_a_place_for_keys_that_exist(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However many unknown keys come, one slow hash is left for the others."""
    desk = Desk()
    known = facts(secret_hash=ARGON2)
    await desk.ask("gpk_k1_first", known)
    held = Held(desk, monkeypatch)
    unknown = asyncio.create_task(desk.ask("gpk_k2_x", known))
    await asyncio.sleep(0)  # one turn of the loop: it has asked for its hash

    with pytest.raises(OverloadedError):
        await desk.ask("gpk_k3_x", known)
    right = asyncio.create_task(desk.ask(KEY, known))
    await asyncio.sleep(0)  # one turn of the loop: it has asked for its hash
    held.go.set()

    assert ANN == await right
    assert await unknown is None
    desk.keys.close()


def test_key_has_three_parts() -> None:
    """The prefix and the lookup id end at the first two underscores."""
    assert ParsedKey("gpk", "k1", "a_b") == parse_key("gpk_k1_a_b")


def test_an_endless_lookup_id_is_no_key() -> None:
    """What is looked up, and remembered as not there, has a bound."""
    assert parse_key(f"gpk_{'a' * 256}_s") is not None
    assert parse_key(f"gpk_{'a' * 257}_s") is None
