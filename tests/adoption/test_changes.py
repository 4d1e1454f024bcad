"""A write of the platform to its own tables, seen through gRPC at the next question."""

import asyncio
from typing import cast

import asyncpg
import pytest

from tests.adoption.changes import CAMEL_CASE, GPUSTACK, Change
from tests.adoption.conftest import Adopted
from tests.adoption.worlds import in_ids_of
from tests.spec.cases import load_kinds, load_world
from tests.spec.world import World
from tests.store.foreign.shipped import OWNER, Platform
from tests.support.serving import Serving

CHANGES = [
    *((Platform.GPUSTACK, change) for change in GPUSTACK),
    *((Platform.CAMEL_CASE, change) for change in CAMEL_CASE),
]
NAMES = [f"{platform.value}-{change.sentence}" for platform, change in CHANGES]


async def ask(serving: Serving, platform: Platform, change: Change) -> str:
    """The answer to the change's question in one word."""
    question = {**change.question}
    call = str(question.pop("call"))
    del question["world"]
    request = in_ids_of(platform, question)
    assert isinstance(request, dict)
    answer = await serving.ask("native", call, request)
    if "decisions" in answer:
        decisions = cast("list[dict[str, str]]", answer["decisions"])
        return decisions[0]["reason"]
    return cast("list[dict[str, str]]", answer["permissions"])[0]["read"]


def heard(serving: Serving, awaited: str) -> asyncio.Event:
    """Set when the cache has been told of a change of a group."""
    event = asyncio.Event()
    cache = serving.sidecar.store._cache
    changed = cache.changed

    def tell(group: str, key: str | None) -> None:
        changed(group, key)
        if group == awaited:
            event.set()

    cache.changed = tell  # type: ignore[method-assign]
    return event


async def write(url: str, statement: str) -> None:
    """Writes with the rights of the platform."""
    connection = await asyncpg.connect(url)
    await connection.execute(f"set role {OWNER}")
    await connection.execute(statement)
    await connection.close()


@pytest.mark.parametrize(("platform", "change"), CHANGES, ids=NAMES)
async def test_a_write_of_the_platform_is_seen_at_once(
    adopted: Adopted, platform: Platform, change: Change
) -> None:
    """Answered from memory, written, told: the next answer is the new one."""
    name = str(change.question["world"])
    document, _ = load_world(name)
    url = await adopted.stored(platform, name, World(document, load_kinds()))
    async with adopted.serving(url) as serving:
        before = await ask(serving, platform, change)
        event = heard(serving, change.group)

        await write(url, change.write)
        await asyncio.wait_for(event.wait(), 10)
        after = await ask(serving, platform, change)

    assert (change.before, change.after) == (before, after)


@pytest.mark.parametrize("platform", Platform, ids=lambda each: each.value)
async def test_every_relation_is_watched(adopted: Adopted, platform: Platform) -> None:
    """The reader finds each relation watched, and its beats come back."""
    async with adopted.serving(await adopted.empty(platform)) as serving:
        health = serving.sidecar.store.feed_health()

    assert {} == health.unwatched
    assert health.is_live
