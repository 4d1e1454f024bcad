import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from tests.spec.interviews import PARTS, interview
from tests.spec.pools import IDS
from tests.spec.questions import (
    ODD_IDS,
    Question,
    access_rules,
    asked_worlds,
    called_worlds,
    met_worlds,
    requirements,
)
from tests.spec.reference import answer
from tests.spec.shrinking import smallest
from tests.spec.world import Document, Row, World
from tests.spec.worlds import thorough
from tests.support.pipeline import ask_world


@given(met=met_worlds(PARTS))
@thorough(160)
async def test_core_answers_every_question_as_the_reference(
    met: tuple[World, list[Row]],
) -> None:
    """Whatever callers are asked about, core and executable specification agree."""
    world, callers = met
    for part, caller in enumerate(callers):
        for call, request in interview(IDS[world.organization_id_type], caller, part):
            await _assert_agreed(world, call, request)


@given(rules=st.lists(access_rules(IDS["bigint"]), min_size=1, max_size=8))
@thorough(300)
async def test_core_validates_rules_as_the_reference(rules: list[Row]) -> None:
    """Of rules that are to be stored, both find the same problems."""
    world = World({}, {})
    request: Row = {"rules": rules}

    await _assert_agreed(world, "ValidateAccessRules", request)


@given(asked=asked_worlds())
@thorough(150)
async def test_core_answers_random_questions_as_the_reference(
    asked: tuple[World, list[Question]],
) -> None:
    """Whoever asks what in whichever order, the answers agree."""
    world, questions = asked
    for call, request in questions:
        await _assert_agreed(world, call, request)


@given(called=called_worlds(), data=st.data())
@thorough(150)
async def test_core_judges_requirements_as_the_reference(
    called: tuple[World, Row], data: st.DataObject
) -> None:
    """Of several requirements, both say which one decides."""
    world, caller = called
    each = requirements(IDS[world.organization_id_type], caller)
    wanted = data.draw(st.lists(each, min_size=1, max_size=8))
    request: Row = {"caller": caller, "requirements": wanted}

    await _assert_agreed(world, "Authorize", request)


@pytest.mark.parametrize("id_type", IDS)
@pytest.mark.parametrize("raw", ODD_IDS)
async def test_core_takes_organization_ids_as_the_reference(
    id_type: str, raw: str
) -> None:
    """Whether odd text is an organization's id is a matter of the column's type."""
    document: Document = {
        "principals": [{"id": "u", "kind": "user"}],
        "users": [{"id": "1", "principal_id": "u"}],
    }
    world = World(document, {}, organization_id_type=id_type)
    request: Row = {"caller": {"user_id": "1", "organization_id": raw}}

    await _assert_agreed(world, "ResolveContext", request)


async def _assert_agreed(world: World, call: str, request: Row) -> None:
    async def differ(world: World, request: Row) -> bool:
        return answer(world, call, request) != await ask_world(world, call, request)

    if await differ(world, request):
        world, request = await smallest(world, request, differ)
        told = {name: rows for name, rows in world.document.items() if rows}
        note(f"{call} {request}\nin {world.role_precedence} {told}")

    assert answer(world, call, request) == await ask_world(world, call, request)
