"""Long readings are decoded in turns, so that short questions do not wait."""

import asyncio
from typing import TYPE_CHECKING, cast

import pytest

from sidecar.core.ids import RoleId
from sidecar.ports import FactKey, RoleKey
from sidecar.store.anomalies import Anomaly
from sidecar.store.lookups import Arguments, Lookup
from sidecar.store.postgres import Reading

if TYPE_CHECKING:
    from sidecar.core.model import Role
    from sidecar.store.queries import Row

ROW = cast("Row", {})


def _ignore(_: Anomaly) -> None:
    return


def _nothing(*_: object) -> None:
    return


@pytest.mark.parametrize(
    ("roles", "rules", "turns"), [(1, 10, 0), (20, 10, 0), (20, 500, 20), (20, 250, 10)]
)
async def test_others_have_their_turn_between_facts(
    roles: int, rules: int, turns: int
) -> None:
    """After each so many rows, however they are spread, and all come in order."""
    keys = [RoleKey(RoleId(str(number))) for number in range(roles)]
    lookup: Lookup[FactKey[Role | None], Role | None] = Lookup(
        "", _nothing, _nothing, None, takes_many=True
    )
    asked: dict[int, Arguments] = dict.fromkeys(range(roles), ())
    reading: Reading[Role | None] = Reading(keys, lookup, asked, _ignore)
    others = 0

    async def count() -> None:
        nonlocal others
        while True:
            others += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    found = await reading.facts({number: [ROW] * rules for number in range(roles)})
    counting.cancel()

    assert [None] * roles == found
    assert turns == others
