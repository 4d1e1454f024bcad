"""Many short tests of one thing, which is what makes this long."""

import asyncio
from math import inf

import pytest

from sidecar.core.ids import (
    ClusterId,
    FeatureInstanceId,
    MembershipId,
    PrincipalId,
    RoleId,
    UserId,
)
from sidecar.core.model import InstanceStanding, Membership, Standing, UserRecord
from sidecar.ports import (
    DeadlineTooNearError,
    FactsUnavailableError,
    GrantsKey,
    InstanceKey,
    RoleKey,
    StandingKey,
    UserKey,
)
from sidecar.store.cache import CachedFacts
from sidecar.store.weights import CacheSizes, Limit
from tests.store.fakes import FakeClock, FakeFacts, user

ANN = UserKey(UserId("1"))
BOB = UserKey(UserId("2"))
STANDING = StandingKey(PrincipalId("3"), PrincipalId("4"))
MEMBER = Standing(
    None,
    Membership(MembershipId("9"), None),
    (PrincipalId("5"),),
    frozenset({ClusterId("7")}),
    (),
)


@pytest.fixture
def facts() -> FakeFacts:
    """Two users."""
    facts = FakeFacts()
    facts.world = {ANN: user("1", "11"), BOB: user("2", "12"), STANDING: MEMBER}
    return facts


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still."""
    return FakeClock()


@pytest.fixture
def cache(facts: FakeFacts, clock: FakeClock) -> CachedFacts:
    """A cache that is live."""
    cache = CachedFacts(facts, clock)
    cache.live_until = inf
    return cache


def hits(cache: CachedFacts) -> int:
    """How often a user was there."""
    return cache.stats()[UserKey].hits


async def begin(cache: CachedFacts, facts: FakeFacts) -> asyncio.Task[object]:
    """A question for Ann's record whose reading has begun."""
    task = asyncio.create_task(cache.get(ANN))
    await facts.reading()
    return task


async def test_second_question_is_answered_from_memory(
    cache: CachedFacts, facts: FakeFacts
) -> None:
    """What was read once is not read again."""
    first = await cache.get(ANN)

    second = await cache.get(UserKey(UserId("1")))

    assert (user("1", "11"), user("1", "11")) == (first, second)
    assert facts.readings == [[ANN]]
    assert hits(cache) == 1


async def test_missing_facts_are_read_together_in_order(
    cache: CachedFacts, facts: FakeFacts
) -> None:
    """Of many keys, those that are not there are read once, in one reading."""
    cara = UserKey(UserId("3"))
    await cache.get(BOB)

    found = await cache.get_all([cara, ANN, BOB, ANN, cara])

    expected = [None, user("1", "11"), user("2", "12"), user("1", "11"), None]
    assert expected == found
    assert [[BOB], [cara, ANN]] == facts.readings


async def test_no_keys_are_no_reading(cache: CachedFacts, facts: FakeFacts) -> None:
    """Nothing is read for nothing."""
    found = await cache.get_all(list[UserKey]())

    assert found == []
    assert facts.readings == []


async def test_keys_that_are_all_there_are_hits(
    cache: CachedFacts, facts: FakeFacts
) -> None:
    """Each key that is there counts as a hit."""
    await cache.get_all([ANN, BOB])

    found = await cache.get_all([BOB, ANN])

    assert [user("2", "12"), user("1", "11")] == found
    assert len(facts.readings) == 1
    assert hits(cache) == 2


async def test_concurrent_misses_load_once(
    cache: CachedFacts, facts: FakeFacts
) -> None:
    """A hundred who miss the same fact at once cause one reading."""
    facts.close()
    questions = [asyncio.create_task(cache.get(ANN)) for _ in range(100)]
    await facts.reading()
    facts.open()

    found = await asyncio.gather(*questions)

    assert [user("1", "11")] * 100 == found
    assert facts.readings == [[ANN]]
    assert cache.stats()[UserKey].joined == 99


async def test_many_keys_join_what_is_under_way(
    cache: CachedFacts, facts: FakeFacts
) -> None:
    """Of many keys, only those that nobody reads yet are read."""
    facts.close()
    first = await begin(cache, facts)
    second = asyncio.create_task(cache.get_all([BOB, ANN]))
    await facts.reading()
    facts.open()

    assert user("1", "11") == await first
    assert [user("2", "12"), user("1", "11")] == await second
    assert facts.readings == [[ANN], [BOB]]


async def test_cancelled_waiter_leaves_the_load_running(
    cache: CachedFacts, facts: FakeFacts
) -> None:
    """Who began a reading may go away; others still get its answer."""
    facts.close()
    first = await begin(cache, facts)
    second = asyncio.create_task(cache.get(ANN))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    facts.open()

    assert user("1", "11") == await second
    assert facts.readings == [[ANN]]


async def test_load_nobody_waits_for_is_held(
    cache: CachedFacts, facts: FakeFacts
) -> None:
    """A reading whose only waiter went away serves the next question."""
    facts.close()
    first = await begin(cache, facts)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    facts.open()

    assert user("1", "11") == await cache.get(ANN)
    assert facts.readings == [[ANN]]


async def test_each_waiter_has_its_own_deadline(
    cache: CachedFacts, facts: FakeFacts, clock: FakeClock
) -> None:
    """Who cannot wait longer gets an error; who can gets the answer."""
    facts.close()
    patient = asyncio.create_task(cache.within(clock.now + 60).get(ANN))
    await facts.reading()

    with pytest.raises(DeadlineTooNearError):
        await cache.within(clock.now + 0.01).get(ANN)
    facts.open()

    assert user("1", "11") == await patient


async def test_too_near_deadline_reads_nothing(
    cache: CachedFacts, facts: FakeFacts, clock: FakeClock
) -> None:
    """With less than the least time left nothing is read."""
    with pytest.raises(DeadlineTooNearError):
        await cache.within(clock.now + 0.004).get(ANN)

    assert facts.readings == []


async def test_too_near_deadline_is_answered_from_memory(
    cache: CachedFacts, clock: FakeClock
) -> None:
    """What is in memory needs no time."""
    await cache.get(ANN)

    found = await cache.within(clock.now).get(ANN)

    assert user("1", "11") == found


async def test_errors_are_never_cached(cache: CachedFacts, facts: FakeFacts) -> None:
    """After an error the next question reads again."""
    facts.error = FactsUnavailableError("gone")
    with pytest.raises(FactsUnavailableError):
        await cache.get(ANN)
    facts.error = None

    assert user("1", "11") == await cache.get(ANN)
    assert cache.stats()[UserKey].load_errors == 1


async def test_error_reaches_all_who_wait(cache: CachedFacts, facts: FakeFacts) -> None:
    """Everyone who waited for a reading that failed gets its error."""
    facts.close()
    questions = [asyncio.create_task(cache.get(ANN)) for _ in range(3)]
    await facts.reading()
    facts.error = FactsUnavailableError("gone")
    facts.open()

    found = await asyncio.gather(*questions, return_exceptions=True)

    assert [facts.error] * 3 == found


async def test_load_older_than_a_change_is_not_kept(
    cache: CachedFacts, facts: FakeFacts
) -> None:
    """A reading that began before a change of its fact answers but is not held."""
    facts.close()
    old = await begin(cache, facts)
    facts.world[ANN] = None
    cache.changed("user", "1")
    facts.open()

    assert user("1", "11") == await old
    assert await cache.get(ANN) is None


async def test_question_after_a_change_does_not_join_an_older_load(
    cache: CachedFacts, facts: FakeFacts
) -> None:
    """Whoever asks after a change gets what it changed, whatever is under way."""
    facts.close()
    old = await begin(cache, facts)
    facts.world[ANN] = None
    cache.changed("user", "1")
    new = asyncio.create_task(cache.get(ANN))
    await facts.reading()
    facts.open()

    assert (user("1", "11"), None) == (await old, await new)
    assert await cache.get(ANN) is None
    assert len(facts.readings) == 2


async def test_change_that_only_the_fact_can_tell_detaches_a_load(
    cache: CachedFacts, facts: FakeFacts
) -> None:
    """The user's principal is known after the reading, so any change detaches."""
    facts.close()
    old = await begin(cache, facts)
    facts.world[ANN] = user("1", "11", name="new")
    cache.changed("principal", "11")
    new = asyncio.create_task(cache.get(ANN))
    await facts.reading()
    facts.open()

    assert (user("1", "11"), user("1", "11", name="new")) == (await old, await new)
    assert user("1", "11", name="new") == await cache.get(ANN)


async def test_change_of_something_else_leaves_a_load_alone(
    cache: CachedFacts, facts: FakeFacts
) -> None:
    """A reading is joined and held when what changed meanwhile is not its own."""
    facts.close()
    old = await begin(cache, facts)
    cache.changed("user", "2")
    cache.changed("grants", "11")
    joined = asyncio.create_task(cache.get(ANN))
    await asyncio.sleep(0)
    facts.open()

    assert user("1", "11") == await old == await joined
    await cache.get(ANN)
    assert facts.readings == [[ANN]]


async def test_load_is_held_when_a_detaching_change_was_of_something_else(
    cache: CachedFacts, facts: FakeFacts
) -> None:
    """Once the fact is known, changes of other principals do not matter."""
    facts.close()
    old = await begin(cache, facts)
    cache.changed("principal", "12")
    facts.open()
    await old

    await cache.get(ANN)

    assert facts.readings == [[ANN]]


@pytest.mark.parametrize(
    ("group", "key"),
    [
        ("member", "3"),
        ("principal", "4"),
        ("grants", "3"),
        ("grants", "4"),
        ("grants", "5"),
        ("membership_roles", "9"),
        ("member", None),
        ("grants", None),
    ],
)
async def test_change_drops_the_standing_that_rests_on_it(
    cache: CachedFacts, facts: FakeFacts, group: str, key: str | None
) -> None:
    """A standing falls with each of the rows that it was made of."""
    await cache.get(STANDING)

    cache.changed(group, key)

    await cache.get(STANDING)
    assert len(facts.readings) == 2


@pytest.mark.parametrize(
    ("group", "key"),
    [("member", "4"), ("principal", "3"), ("grants", "6"), ("user", None)],
)
async def test_change_of_other_rows_drops_no_standing(
    cache: CachedFacts, facts: FakeFacts, group: str, key: str | None
) -> None:
    """A standing outlives changes of rows that it was not made of."""
    await cache.get(STANDING)

    cache.changed(group, key)

    await cache.get(STANDING)
    assert len(facts.readings) == 1


async def test_user_without_principal_falls_with_any_principal(
    cache: CachedFacts, facts: FakeFacts
) -> None:
    """The principal that a user lacks may be any that comes."""
    facts.world[ANN] = UserRecord(
        UserId("1"),
        is_platform_admin=False,
        is_system=False,
        is_active=True,
        principal=None,
    )
    await cache.get(ANN)
    facts.world[ANN] = user("1", "11")

    cache.changed("principal", "11")

    assert user("1", "11") == await cache.get(ANN)


async def test_invented_ids_evict_nothing(facts: FakeFacts, clock: FakeClock) -> None:
    """Ids that somebody makes up push out only one another."""
    cache = CachedFacts(facts, clock, CacheSizes(users=Limit(10, 10)))
    cache.live_until = inf
    await cache.get(ANN)

    await cache.get_all([UserKey(UserId(f"no-{n}")) for n in range(1000)])

    await cache.get(ANN)
    assert len(facts.readings) == 2
    assert cache.stats()[UserKey].evictions == 990
    assert cache.stats()[UserKey].entries == 11


async def test_outsiders_and_strangers_to_an_instance_evict_nothing(
    facts: FakeFacts, clock: FakeClock
) -> None:
    """A standing without membership and an instance without access stay apart."""
    limit = Limit(20, 10)
    sizes = CacheSizes(standings=limit, instances=limit, grants=limit)
    cache = CachedFacts(facts, clock, sizes)
    cache.live_until = inf
    await cache.get(STANDING)

    for n in range(50):
        outsider = StandingKey(PrincipalId("3"), PrincipalId(f"org-{n}"))
        facts.world[outsider] = Standing(None, None, (), frozenset(), ())
        stranger = InstanceKey(UserId("1"), FeatureInstanceId(f"instance-{n}"))
        facts.world[stranger] = InstanceStanding(None, None)
        await cache.get(outsider)
        await cache.get(stranger)

    before = len(facts.readings)
    await cache.get(STANDING)
    assert before == len(facts.readings)


async def test_caches_are_bounded_by_weight(facts: FakeFacts, clock: FakeClock) -> None:
    """Many grants weigh more than few."""
    cache = CachedFacts(facts, clock, CacheSizes(grants=Limit(10, 10)))
    cache.live_until = inf
    keys = [GrantsKey(PrincipalId(str(n))) for n in range(4)]
    for key in keys:
        facts.world[key] = frozenset(ClusterId(str(n)) for n in range(3))

    await cache.get_all(keys)

    stats = cache.stats()[GrantsKey]
    assert (stats.entries, stats.weight, stats.evictions) == (2, 8, 2)


async def test_used_facts_outlive_unused_ones(
    facts: FakeFacts, clock: FakeClock
) -> None:
    """What is asked for stays when room is needed, what is not goes."""
    cache = CachedFacts(facts, clock, CacheSizes(grants=Limit(3, 3)))
    cache.live_until = inf
    keys = [GrantsKey(PrincipalId(str(n))) for n in range(4)]
    for key in keys:
        facts.world[key] = frozenset()
        await cache.get(keys[0])
        await cache.get(key)

    await cache.get(keys[0])

    assert len(facts.readings) == 4


async def test_fact_too_heavy_for_its_cache_is_answered_and_not_held(
    facts: FakeFacts, clock: FakeClock
) -> None:
    """One fact does not push out all others for nothing."""
    cache = CachedFacts(facts, clock, CacheSizes(grants=Limit(3, 3)))
    cache.live_until = inf
    key = GrantsKey(PrincipalId("1"))
    facts.world[key] = frozenset(map(ClusterId, "abcdef"))

    await cache.get(key)
    await cache.get(key)

    assert len(facts.readings) == 2
    assert cache.stats()[GrantsKey].entries == 0


async def test_nothing_is_held_or_answered_unless_live(
    cache: CachedFacts, facts: FakeFacts
) -> None:
    """Before it is live every question reads."""
    cache.live_until = -inf
    await cache.get(ANN)
    await cache.get_all([ANN])
    cache.live_until = inf
    await cache.get(ANN)

    assert len(facts.readings) == 3
    assert hits(cache) == 0


async def test_staleness_is_judged_when_the_question_comes(
    cache: CachedFacts, facts: FakeFacts, clock: FakeClock
) -> None:
    """After a suspend nothing is answered from memory, whatever ran meanwhile."""
    cache.live_until = clock.now + 10
    await cache.get(ANN)
    clock.now += 3600

    await cache.within(inf).get(ANN)

    assert len(facts.readings) == 2


async def test_memory_answers_again_once_live_again(
    cache: CachedFacts, facts: FakeFacts, clock: FakeClock
) -> None:
    """Nothing was missed when a late beat arrives on the same connection."""
    cache.live_until = clock.now
    await cache.get(ANN)
    clock.now += 1
    cache.live_until = clock.now + 10

    await cache.get(ANN)

    assert len(facts.readings) == 1


async def test_questions_read_for_themselves_while_not_live(
    cache: CachedFacts, facts: FakeFacts
) -> None:
    """What is under way may be older than a change that nobody told of."""
    cache.live_until = -inf
    facts.close()
    questions = [asyncio.create_task(cache.get(ANN)) for _ in range(10)]
    await facts.reading()
    facts.open()
    await asyncio.gather(*questions)

    assert facts.readings == [[ANN]] * 10


async def test_dropping_everything_drops_what_is_under_way(
    cache: CachedFacts, facts: FakeFacts
) -> None:
    """What was missed cannot be known, so nothing older is held or joined."""
    await cache.get(BOB)
    facts.close()
    old = await begin(cache, facts)
    cache.drop_everything()
    new = asyncio.create_task(cache.get(ANN))
    await facts.reading()
    facts.open()
    await asyncio.gather(old, new)
    await cache.get(BOB)

    assert facts.readings == [[BOB], [ANN], [ANN], [BOB]]


async def test_what_rests_on_an_unwatched_group_is_never_held(
    cache: CachedFacts, facts: FakeFacts
) -> None:
    """Facts of relations without triggers are read each time, others are not."""
    await cache.get(ANN)
    cache.set_uncacheable({"principal"})
    await cache.get(ANN)
    await cache.get(ANN)
    role = RoleKey(RoleId("r"))
    await cache.get(role)
    await cache.get(role)

    assert [[ANN], [ANN], [ANN], [role]] == facts.readings


async def test_watched_again_holds_again_but_nothing_older(
    cache: CachedFacts, facts: FakeFacts
) -> None:
    """A reading from before the triggers came back is not held after."""
    cache.set_uncacheable({"user"})
    facts.close()
    old = await begin(cache, facts)
    cache.set_uncacheable(set())
    facts.open()
    await old
    await cache.get(ANN)
    await cache.get(ANN)

    assert len(facts.readings) == 2


async def test_closing_ends_what_is_under_way(
    cache: CachedFacts, facts: FakeFacts
) -> None:
    """Who waits when the store closes learns that the facts cannot be had."""
    facts.close()
    question = await begin(cache, facts)

    await cache.close()

    with pytest.raises(FactsUnavailableError):
        await question


async def test_view_is_its_own_context(cache: CachedFacts) -> None:
    """Facts for a question open and close without doing anything."""
    async with cache.within(inf) as facts:
        found = await facts.get(ANN)

    assert user("1", "11") == found


def test_every_change_begins_an_epoch(cache: CachedFacts) -> None:
    """What was worked out from facts is told from what is worked out after."""
    seen = [cache.epoch]
    cache.changed("user", "1")
    seen.append(cache.epoch)
    cache.drop_everything()
    seen.append(cache.epoch)

    assert None not in seen
    assert len(set(seen)) == 3


def test_unwatched_or_stale_facts_have_no_epoch(cache: CachedFacts) -> None:
    """Where nobody tells of changes nothing may be worked out ahead."""
    watched = cache.epoch
    cache.set_uncacheable({"member"})
    unwatched = cache.epoch
    cache.changed("user", "1")
    still_unwatched = cache.epoch
    cache.set_uncacheable(())
    again = cache.epoch
    cache.live_until = -inf
    stale = cache.epoch

    assert (None, None, None) == (unwatched, still_unwatched, stale)
    assert again not in {watched, None}
