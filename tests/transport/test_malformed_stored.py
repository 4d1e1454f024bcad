import pytest

from tests.spec.cases import Case, load_cases
from tests.support.serving import Place, Schema, Stage
from tests.support.translate import translated

CASES = [case for case in load_cases() if case.stores]
# The one of the foreign schemas that has no enums to refuse unknown labels.
SCHEMA = Schema.CAMEL_CASE


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
async def test_malformed_rows_behind_views_fail_closed(
    stage: Stage, case: Case
) -> None:
    """What a view lets through is decided as if it were not there."""
    place = Place(SCHEMA, case.world_name, case.world.role_precedence)
    serving = await stage.shared(place)
    request = translated(case.request, SCHEMA)
    assert isinstance(request, dict)

    actual = await serving.ask("native", case.call, request)

    assert translated(case.answer, SCHEMA) == actual
