"""API keys: verified against their hashes, every bad one alike."""

import asyncio
import hashlib
import threading

import pytest
from argon2 import PasswordHasher

from sidecar.core.ids import PrincipalId, UserId
from sidecar.identity.api_keys import ApiKeys, parse_key
from sidecar.ports import Authenticated, OverloadedError
from tests.support.memory import Document, MemoryFacts
from tests.support.pipeline import ManualClock

SECRET = "0123456789abcdef0123456789abcdef"  # noqa: S105  a test's
KEY = f"gpk_k1_{SECRET}"
SHA256 = "sha256:" + hashlib.sha256(SECRET.encode()).hexdigest()
ARGON2 = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(SECRET)
ANN = Authenticated(UserId("1"), PrincipalId("20"))


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


@pytest.mark.parametrize("stored", [SHA256, ARGON2], ids=["sha256", "argon2"])
async def test_right_key_is_its_user_and_pin(stored: str) -> None:
    """A key whose secret has the stored hash is its user, pinned to its owner."""
    keys = ApiKeys(ManualClock())

    actual = await keys.verify(KEY, facts(secret_hash=stored))
    keys.close()

    assert ANN == actual


@pytest.mark.parametrize(
    ("key", "changed"),
    [
        ("gpk_k1_wrong", {}),
        ("gpk_k2_" + SECRET, {}),
        ("gpk_k1_", {}),
        ("_k1_" + SECRET, {}),
        ("nothing", {}),
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
    keys = ApiKeys(ManualClock())

    actual = await keys.verify(key, facts(**changed))
    keys.close()

    assert actual is None


async def test_remembered_key_expires_all_the_same() -> None:
    """What verified a moment ago is rechecked for expiry at each use."""
    clock = ManualClock()
    keys = ApiKeys(clock)
    known = facts(secret_hash=ARGON2, expires_at="2026-01-01T00:00:01Z")
    before = await keys.verify(KEY, known)
    clock.today += 1
    after = await keys.verify(KEY, known)
    keys.close()

    assert (ANN, None) == (before, after)


async def test_slow_hash_is_asked_once_until_it_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A verified key costs its hash once; another stored hash is verified anew."""
    keys = ApiKeys(ManualClock())
    asked: list[str] = []
    verify = keys._verify_argon2

    def counted(stored: str, secret: str) -> bool:
        asked.append(stored)
        return verify(stored, secret)

    monkeypatch.setattr(keys, "_verify_argon2", counted)
    other = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("another")
    answers = [
        await keys.verify(KEY, facts(secret_hash=stored))
        for stored in (ARGON2, ARGON2, other)
    ]
    keys.close()

    assert [ANN, ANN, None] == answers
    assert [ARGON2, other] == asked


async def test_more_than_two_slow_hashes_at_once_are_shed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The third is refused while two run, and a place is free again after them."""
    keys = ApiKeys(ManualClock())
    go = threading.Event()

    def wait(stored: str, secret: str) -> bool:
        del stored, secret
        return go.wait(10)

    monkeypatch.setattr(keys, "_verify_argon2", wait)
    known = facts(secret_hash=ARGON2)
    running = [
        asyncio.create_task(keys.verify(f"gpk_k1_{number}", known))
        for number in range(2)
    ]
    await asyncio.sleep(0)  # one turn of the loop: both have asked for their hash

    with pytest.raises(OverloadedError):
        await keys.verify("gpk_k1_third", known)
    go.set()
    answers = await asyncio.gather(*running)
    again = await keys.verify("gpk_k1_third", known)
    keys.close()

    assert [ANN, ANN, ANN] == [*answers, again]


def test_key_has_three_parts() -> None:
    """The prefix and the lookup id end at the first two underscores."""
    parsed = parse_key("gpk_k1_a_b")

    assert parsed is not None
    assert ("k1", "a_b") == (parsed.lookup_id, parsed.secret)
