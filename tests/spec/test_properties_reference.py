from hypothesis import given, note
from hypothesis import strategies as st

from tests.spec.interviews import interview
from tests.spec.questions import Question, asked_worlds, called_worlds, requirements
from tests.spec.reference import answer
from tests.spec.world import Row, World
from tests.spec.pools import IDS
from tests.spec.worlds import thorough
from tests.support.pipeline import ask_world


@given(called=called_worlds())
@thorough(300)
async def test_core_answers_every_question_as_the_reference(
    called: tuple[World, Row],
) -> None:
    """Whatever a caller is asked about, core and executable specification agree."""
    world, caller = called
    for call, request in interview(IDS[world.organization_id_type], caller):
        note(call)

        actual = await ask_world(world, call, request)

        assert answer(world, call, request) == actual


@given(asked=asked_worlds())
@thorough(150)
async def test_core_answers_random_questions_as_the_reference(
    asked: tuple[World, list[Question]],
) -> None:
    """Whoever asks what in whichever order, the answers agree."""
    world, questions = asked
    for call, request in questions:
        note(f"{call} {request}")

        actual = await ask_world(world, call, request)

        assert answer(world, call, request) == actual


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

    actual = await ask_world(world, "Authorize", request)

    assert answer(world, "Authorize", request) == actual
