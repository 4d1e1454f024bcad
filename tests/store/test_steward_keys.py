import hashlib
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from sidecar.store.steward.keys import CreateKey, ListKeys, RevokeKey, RotateKey
from sidecar.store.steward.turn import Errand
from tests.store.stewarding import WORLD, at_once, changed, do, only, refused, see

HASH = f"sha256:{hashlib.sha256(b'new').hexdigest()}"
HOUR = timedelta(hours=1)
OPENS_NOTHING = ", so the key opens nothing until they are"
FAR = datetime(2096, 1, 1, tzinfo=UTC)
KEY = """
select user_id, secret_hash, owner_principal_id, expires_at,
    revoked_at is not null as is_revoked
from authz.api_keys where lookup_id = $1
"""


@pytest.fixture
async def url(connection: asyncpg.Connection, database: str) -> str:
    """A database with the world of these tests."""
    await connection.execute(WORLD)
    return database


async def stored(connection: asyncpg.Connection, lookup_id: str) -> tuple[object, ...]:
    """A key: user, hash, pin, expiry, whether it is revoked."""
    (row,) = await connection.fetch(KEY, lookup_id)
    return tuple(row)


async def test_a_new_key_is_stored_by_its_hash(
    url: str, connection: asyncpg.Connection
) -> None:
    """User, pin and expiry are as they were wished for; the hash is not shown."""
    deed = await do(url, CreateKey("ann", "new", HASH, "Acme", FAR))

    assert (10, HASH, 1, FAR, False) == await stored(connection, "new")
    assert "new" == deed.lookup_id
    assert {
        "id": (None, "63"),
        "user_id": (None, "10"),
        "lookup_id": (None, "new"),
        "owner_principal_id": (None, "1"),
        "expires_at": (None, FAR),
    } == changed(only(deed))
    assert () == deed.notes


async def test_a_span_counts_by_the_database_clock(
    url: str, connection: asyncpg.Connection
) -> None:
    """A key that expires in a while does so from the moment that it was made."""
    before = await connection.fetchval("select clock_timestamp()")
    await do(url, CreateKey("10", "new", HASH, None, HOUR))
    after = await connection.fetchval("select clock_timestamp()")

    expires_at = (await stored(connection, "new"))[3]
    assert isinstance(expires_at, datetime)
    assert before + HOUR <= expires_at <= after + HOUR


@pytest.mark.parametrize(
    ("errand", "note"),
    [
        (CreateKey("12", "new", HASH), "user 12 (`cleo`) is not active"),
        (
            CreateKey("11", "new", HASH, "1"),
            f"user 11 (`ben`) is no active member of org 1 (`Acme`){OPENS_NOTHING}",
        ),
        (
            CreateKey("10", "new", HASH, "2"),
            f"user 10 (`ann`) is no active member of org 2 (`Beta`){OPENS_NOTHING}",
        ),
    ],
)
async def test_a_key_that_opens_nothing_is_told_of(
    url: str, errand: Errand, note: str
) -> None:
    """It is made, and does not pass for more than it is."""
    assert (note,) == (await do(url, errand)).notes


@pytest.mark.parametrize(
    "errand", [CreateKey("15", "new", HASH, "1"), CreateKey("11", "new", HASH, "102")]
)
async def test_a_pin_that_opens_something_needs_no_note(
    url: str, errand: Errand
) -> None:
    """A platform admin may act anywhere, and everybody as themselves."""
    assert () == (await do(url, errand)).notes


@pytest.mark.parametrize(
    ("errand", "problem"),
    [
        (CreateKey("999", "new", HASH), "there is no user `999`"),
        (CreateKey("10", "new", HASH, "4"), "org 4 (`Gone`) is deleted"),
        (CreateKey("10", "new", HASH, "999"), "there is no principal `999`"),
        (
            CreateKey("10", "new", HASH, None, datetime(2020, 1, 1, tzinfo=UTC)),
            "`2020-01-01T00:00:00+00:00` is over already",
        ),
        (
            CreateKey("10", "annkey", HASH),
            "`annkey` is taken by another key than `63`",
        ),
        (RevokeKey("nothing"), "there is no key with that lookup id"),
        (RotateKey("revoked", HASH), "key `revoked` of user 11 (`ben`) is revoked"),
        (RotateKey("expired", HASH), "key `expired` of user 10 (`ann`) has expired"),
    ],
)
async def test_what_cannot_be_is_refused(
    url: str, connection: asyncpg.Connection, errand: Errand, problem: str
) -> None:
    """A refused errand stores nothing."""
    before = await connection.fetch("select * from authz.api_keys order by id")

    assert (await refused(url, errand)).startswith(problem)

    after = await connection.fetch("select * from authz.api_keys order by id")
    assert before == after


@pytest.mark.parametrize("text", ["authz_annkey_ann-secret", "ann-secret"])
@pytest.mark.parametrize("rotates", [False, True])
async def test_what_may_be_a_secret_is_not_repeated(
    url: str, text: str, *, rotates: bool
) -> None:
    """Somebody who pastes the key where its lookup id belongs does not see it again."""
    errand: Errand = RotateKey(text, HASH) if rotates else RevokeKey(text)

    assert "ann-secret" not in await refused(url, errand)


async def test_revoking(url: str, connection: asyncpg.Connection) -> None:
    """A revoked key keeps the moment of its first revocation."""
    deed = await do(url, RevokeKey("annkey"))
    again = await do(url, RevokeKey("annkey"))

    before, after = changed(only(deed))["revoked_at"]
    assert None is before
    assert isinstance(after, datetime)
    query = "select revoked_at from authz.api_keys where id = 60"
    assert after == await connection.fetchval(query)
    assert () == again.changes
    assert ("key `annkey` of user 10 (`ann`) is revoked already",) == again.notes


async def test_rotating_revokes_the_old_key(
    url: str, connection: asyncpg.Connection
) -> None:
    """The new one is of the same user, pin and expiry, with a hash of its own."""
    deed = await do(url, RotateKey("annkey", HASH))

    assert "annkey-2" == deed.lookup_id
    assert (10, HASH, 1, FAR, False) == await stored(connection, "annkey-2")
    assert (10, 1, FAR, True) == _without_hash(await stored(connection, "annkey"))
    made, ended = deed.changes
    assert made.before is None
    assert ["revoked_at"] == list(changed(ended))


async def test_rotating_can_keep_the_old_key_for_a_while(
    url: str, connection: asyncpg.Connection
) -> None:
    """The old key expires then; a time in `revoked_at` would end it at once."""
    before = await connection.fetchval("select clock_timestamp()")
    deed = await do(url, RotateKey("annkey", HASH, HOUR))
    after = await connection.fetchval("select clock_timestamp()")

    *_, expires_at, is_revoked = await stored(connection, "annkey")
    assert isinstance(expires_at, datetime)
    assert before + HOUR <= expires_at <= after + HOUR
    assert not is_revoked
    assert (10, HASH, 1, FAR, False) == await stored(connection, "annkey-2")
    assert ["expires_at"] == list(changed(deed.changes[1]))


async def test_rotating_never_lengthens_a_key(
    url: str, connection: asyncpg.Connection
) -> None:
    """A key that expires before it would have to be given up does so as before."""
    deed = await do(url, RotateKey("annkey", HASH, timedelta(days=36_500)))

    assert (10, 1, FAR, False) == _without_hash(await stored(connection, "annkey"))
    assert 1 == len(deed.changes)


async def test_a_key_that_was_rotated_is_not_rotated_again(
    url: str, connection: asyncpg.Connection
) -> None:
    """Its replacement is named, and only once that is revoked it may be replaced."""
    await do(url, RotateKey("annkey", HASH, HOUR))
    problem = await refused(url, RotateKey("annkey", HASH, HOUR))
    second = await do(url, RotateKey("annkey-2", HASH, HOUR))
    third = await refused(url, RotateKey("annkey", HASH, HOUR))
    await do(url, RevokeKey("annkey-2"))
    await do(url, RevokeKey("annkey-3"))
    after = await do(url, RotateKey("annkey", HASH))

    assert "key `annkey` was rotated already, `annkey-2` replaces it" in problem
    assert "annkey-3" == second.lookup_id
    assert "`annkey-3` replaces it" in third
    assert "annkey-4" == after.lookup_id
    assert 6 == await connection.fetchval("select count(*) from authz.api_keys")


async def test_another_users_key_of_a_like_name_is_no_replacement(
    url: str, connection: asyncpg.Connection
) -> None:
    """Names alone do not make a line of keys; but a taken name stays taken."""
    await connection.execute(
        "insert into authz.api_keys (id, user_id, lookup_id, secret_hash)"
        " values (70, 11, 'annkey-3', $1)",
        HASH,
    )

    deed = await do(url, RotateKey("annkey", HASH))
    problem = await refused(url, RotateKey("annkey-2", HASH))

    assert "annkey-2" == deed.lookup_id
    assert problem.startswith("`annkey-3` is taken by another key")


async def test_a_list_has_nothing_secret(url: str) -> None:
    """Lookup id, user, pin, state and times, not even the hash."""
    all_keys = await see(url, ListKeys(None, 10))
    of_ben = await see(url, ListKeys("ben", 10))

    assert (
        ("annkey", "10", "ann", "1", "good", FAR, None),
        ("expired", "10", "ann", None, "expired"),
        ("revoked", "11", "ben", None, "revoked"),
    ) == (all_keys.rows[0], all_keys.rows[1][:5], all_keys.rows[2][:5])
    assert ["revoked"] == [row[0] for row in of_ben.rows]
    assert "sha256" not in str(all_keys)


@pytest.mark.parametrize("keep_for", [None, HOUR])
async def test_administrators_at_once_replace_a_key_once(
    url: str, connection: asyncpg.Connection, keep_for: timedelta | None
) -> None:
    """One of them gets the new key, the others are refused."""
    deeds = await at_once(url, *[RotateKey("annkey", HASH, keep_for)] * 4)

    problems = [deed for deed in deeds if isinstance(deed, str)]
    assert 3 == len(problems)
    assert 4 == await connection.fetchval("select count(*) from authz.api_keys")


async def test_keys_made_at_once_have_numbers_of_their_own(
    url: str, connection: asyncpg.Connection
) -> None:
    """Nobody waits for an id in vain."""
    await at_once(url, *(CreateKey("10", f"new{n}", HASH) for n in range(4)))

    rows = await connection.fetch("select id from authz.api_keys where id > 62")
    assert [63, 64, 65, 66] == sorted(row["id"] for row in rows)


def _without_hash(key: tuple[object, ...]) -> tuple[object, ...]:
    user, _, *rest = key
    return (user, *rest)
