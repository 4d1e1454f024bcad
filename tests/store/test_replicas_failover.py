"""A replica that becomes the primary, and one that is left behind by that."""

import asyncio
from contextlib import suppress
from dataclasses import replace

import asyncpg

from sidecar.ports import CouldNotDecideError
from sidecar.store.replicas import Outcome
from sidecar.store.source import Store
from tests.store.opened import CLOCK, ignore, until
from tests.store.pairs import (
    REVOKE,
    connected,
    fill,
    is_member_anew,
    marked,
    origin,
    read,
)
from tests.support.cluster import Node, caught_up, cluster


async def test_failover_to_the_replica_while_asked() -> None:
    """The promoted one is found, and what was told before counts for nothing."""
    with cluster() as one:
        await fill(one.primary)
        async with connected((one, one.replica())) as pair:
            await caught_up(pair.writer, pair.follower)
            store = await Store.start(pair.settings(), CLOCK, ignore)
            asking = asyncio.create_task(ask_on(store))
            await until(pair.follower, lambda: read(store, Outcome.REPLICA))
            connections = store.feed_health().connections
            one.primary.stop("immediate")
            pair.replica.promote()
            await until(pair.follower, lambda: not store.feed_health().is_connected)
            await until(
                pair.follower, lambda: store.feed_health().connections > connections
            )
            replica_reads = read(store, Outcome.REPLICA)
            await pair.follower.execute(REVOKE)
            await until(pair.follower, lambda: store.feed_health().changes)
            answers = [await is_member_anew(store) for _ in range(20)]
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            await store.close()

    assert set(answers) == {False}
    assert read(store, Outcome.REPLICA) == replica_reads


async def test_replica_of_an_old_timeline_is_not_believed() -> None:
    """Left behind by a failover, it may show what never was, and lack what is."""
    with cluster() as one:
        await fill(one.primary)
        left = one.replica("left")
        async with connected((one, one.replica("heir"))) as pair:
            await caught_up(pair.writer, pair.follower)
            await left_alone(left)
            one.primary.stop()
            pair.replica.promote()
            await pair.follower.execute(REVOKE)
            heir = replace(pair.settings().pool, url=pair.replica.url())
            settings = replace(
                pair.settings(),
                pool=heir,
                feed=replace(pair.settings().feed, url=heir.url, facts_url=heir.url),
                replica=replace(heir, url=left.url(), wanted="standby", smallest=0),
            )
            store = await Store.start(settings, CLOCK, ignore)
            await marked(store)
            mark = origin(store)._mark
            assert mark is not None
            # As if it had replayed more of its own line than the heir has of the new.
            origin(store)._mark = replace(mark, position="0/1")
            answer = await is_member_anew(store)
            await store.close()

    assert not answer
    assert read(store, Outcome.REPLICA) == 0


async def left_alone(node: Node) -> None:
    """Has a replica follow nobody."""
    connection = await asyncpg.connect(node.url())
    await connection.execute("alter system set primary_conninfo = ''")
    await connection.execute("select pg_reload_conf()")
    await connection.close()


async def ask_on(store: Store) -> None:
    """Asks for ever; what cannot be answered is an error and no denial."""
    while True:
        with suppress(CouldNotDecideError):
            assert await is_member_anew(store) in {True, False}
        await asyncio.sleep(0)
