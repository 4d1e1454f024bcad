"""What is remembered, and what is judged once for many, against the reference."""

from collections.abc import Iterator
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.ids import IdType
from tests.spec.interviews import told_rows
from tests.spec.pools import IDS
from tests.spec.questions import Question, asked_worlds, called_worlds
from tests.spec.reference import answer
from tests.spec.world import Row, World, part
from tests.spec.worlds import thorough
from tests.support.memory import MemoryFacts
from tests.support.pipeline import ask, servicer_of


@given(asked=asked_worlds())
@thorough(150)
async def test_memory_never_matters(asked: tuple[World, list[Question]]) -> None:
    """Whoever asks again is answered from memory, and as the first time."""
    world, questions = asked

    await _assert_agreed(world, questions)


@given(called=called_worlds(), data=st.data())
@thorough(400)
async def test_rows_that_are_told_are_judged_as_the_reference_does(
    called: tuple[World, Row], data: st.DataObject
) -> None:
    """Lists of rows, many of them alike but for their ids, and of some kinds."""
    world, caller = called
    rows = data.draw(st.sampled_from(_lists(world)))
    chosen = data.draw(st.lists(st.sampled_from(rows), min_size=1, max_size=60))

    await _assert_agreed(world, _questions(caller, chosen))


async def _assert_agreed(world: World, questions: list[Question]) -> None:
    facts = MemoryFacts(world.document, IdType(world.organization_id_type), epoch=1)
    servicer = servicer_of(facts, world.kinds, world.role_precedence)
    for call, request in 2 * questions:
        wanted = answer(world, call, request)

        assert wanted == await ask(servicer, call, request), (call, request)


def _questions(caller: Row, rows: list[Row]) -> list[Question]:
    request: Row = {"caller": caller, "resources": rows}
    return [
        ("CheckVisible", request),
        ("CheckWritable", request),
        ("CheckWritable", {**request, "skip_visible": True}),
    ]


def _lists(world: World) -> list[list[Row]]:
    """All rows, those of each kind, and those with all that is ever looked at."""
    rows = list(_with_other_ids(world))
    kinds = [[row for row in rows if row["kind"] == each] for each in world.kinds]
    whole = [row for row in rows if _is_whole(world, row)]
    # What is judged once for many is of the last.
    return [rows, *kinds, *8 * [whole]]


def _is_whole(world: World, row: Row) -> bool:
    kind = world.kinds.get(str(row["kind"]))
    if kind is None or not kind.owner or kind.visibility == "CLUSTER":
        return False
    carried = {"owner_principal_id", "cluster_id"} if kind.cluster else set()
    return (carried or {"owner_principal_id"}) == set(part(row, "attributes"))


def _with_other_ids(world: World) -> Iterator[Row]:
    ids = IDS[world.organization_id_type]
    for row, key in product(told_rows(ids), ids.clusters):
        yield {**row, "id": key}
