import pytest

from tests.spec.cases import Case, load_cases
from tests.support.serving import ENGINES, Place, Schema, Stage
from tests.support.translate import translated

PLAYED = [
    (case, schema, engine)
    for schema in Schema
    for case in load_cases()
    if case.runs_on(schema.id_type)
    for engine in ENGINES
]
NAMES = [
    f"{schema.value}-{engine}-{case.name}".replace("/", "|")
    for case, schema, engine in PLAYED
]


@pytest.mark.parametrize(("case", "schema", "engine"), PLAYED, ids=NAMES)
async def test_api_answers_as_the_case_demands(
    stage: Stage, case: Case, schema: Schema, engine: str
) -> None:
    """Over real gRPC and PostgreSQL, on each schema, the case's answer is given."""
    place = Place(schema, case.world_name, case.world.role_precedence)
    serving = await stage.shared(place)
    request = translated(case.request, schema)
    assert isinstance(request, dict)

    actual = await serving.ask(engine, case.call, request)

    assert translated(case.answer, schema) == actual
