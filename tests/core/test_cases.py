import pytest

from tests.spec.cases import Case, load_cases
from tests.support.pipeline import ask_world

CASES = [case for case in load_cases() if case.runs_on("core")]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
async def test_core_answers_as_the_case_demands(case: Case) -> None:
    """The core, asked through service and transport, gives the case's answer."""
    actual = await ask_world(case.world, case.call, case.request)

    assert case.answer == actual
