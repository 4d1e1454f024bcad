"""Long readings are decoded in turns, so that short questions do not wait."""

import asyncio
from typing import TYPE_CHECKING, cast

import pytest

from sidecar.core.ids import RoleId
from sidecar.ports import FactKey, RoleKey
from sidecar.store.anomalies import Anomaly
from sidecar.store.decode_role import decode_role
from sidecar.store.lookups import Arguments, Lookup
from sidecar.store.postgres import Reading

if TYPE_CHECKING:
    from sidecar.core.model import Role
    from sidecar.store.queries import Row


def _ignore(_: Anomaly) -> None:
    return


def _nothing(*_: object) -> None:
    return


def _row(rules: int) -> "Row":
    """A role as the database tells it: one row, however many rules it has."""
    row = {
        "label": "worker",
        "organization_id": None,
        "feature_instance_id": None,
        "rules": [
            [str(each), "DATA", f"item{each}", "true", "a", "m", "g", "n"]
            for each in range(rules)
        ],
    }
    return cast("Row", row)


@pytest.mark.parametrize(
    ("roles", "rules", "turns"), [(1, 10, 0), (20, 10, 0), (20, 500, 20), (20, 250, 10)]
)
async def test_others_have_their_turn_between_facts(
    roles: int, rules: int, turns: int
) -> None:
    """After each so many rules, however they are spread, and all come in order."""
    keys = [RoleKey(RoleId(str(number))) for number in range(roles)]
    lookup = cast(
        "Lookup[FactKey[Role | None], Role | None]",
        Lookup("", _nothing, decode_role, None, takes_many=True),
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
    found = await reading.facts({number: [_row(rules)] for number in range(roles)})
    counting.cancel()

    assert [key.role_id for key in keys] == [role.id for role in found if role]
    assert turns == others
