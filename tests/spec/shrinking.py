"""Makes a world and a question in which two answers differ small enough to read."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from tests.spec.world import Row, World, parts

Fails = Callable[[World, Row], Awaitable[bool]]


async def smallest(world: World, request: Row, fails: Fails) -> tuple[World, Row]:
    """The world and the question without what is not needed to fail."""
    shorter = await _shortest(world, request, fails)
    for relation in world.document:
        world = await _fewest(world, shorter, relation, fails)
    return world, shorter


async def _shortest(world: World, request: Row, fails: Fails) -> Row:
    for field in ("resources", "queries", "requirements", "rules"):
        for element in parts(request, field):
            alone = {**request, field: [element]}
            if await fails(world, alone):
                return alone
    return request


async def _fewest(world: World, request: Row, relation: str, fails: Fails) -> World:
    index = 0
    while index < len(world.document[relation]):
        rows = world.document[relation]
        fewer = rows[:index] + rows[index + 1 :]
        without = replace(world, document={**world.document, relation: fewer})
        if await fails(without, request):
            world = without
        else:
            index += 1
    return world
