import dataclasses

import pytest

from tests.spec.cases import Case, load_cases, load_kinds, load_world
from tests.spec.reference import answer
from tests.spec.world import Row, World, part, parts, rows

CASES = [case for case in load_cases() if case.runs_on("reference")]
EACH_CASE = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
WORLDS = sorted({case.world_name for case in CASES if not case.stores})


@EACH_CASE
def test_reference_answers_as_the_case_demands(case: Case) -> None:
    """The executable specification gives the answer that the case states."""
    actual = answer(case.world, case.call, case.request)

    assert case.answer == actual


@EACH_CASE
def test_row_order_never_matters(case: Case) -> None:
    """A world whose rows are stored the other way round gives the same answer."""
    document = {
        relation: stored[::-1] for relation, stored in case.world.document.items()
    }
    turned = dataclasses.replace(case.world, document=document)

    actual = answer(turned, case.call, case.request)

    assert case.answer == actual


def test_sentences_are_unique() -> None:
    """No two cases of one file have the same sentence, so a failure names one."""
    names = [case.name for case in CASES]

    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", WORLDS)
def test_filter_equals_checks(name: str) -> None:
    """A list filter selects the rows that are visible, global OWNED rows aside."""
    document, _ = load_world(name)
    world = World(document, load_kinds())
    existing = [
        row for row in rows(world, "resources") if row.get("deleted_at") is None
    ]
    questions = [(caller, row) for caller in _callers(world) for row in existing]

    visible = [one for one in questions if _is_visible_in_lists(world, *one)]
    listed = [one for one in questions if _is_listed(world, *one)]

    assert visible == listed


@pytest.mark.parametrize(
    ("id_type", "raw", "reason"),
    [
        ("integer", "2147483648", "NOT_A_MEMBER"),
        ("integer", "020", "INVALID_ORGANIZATION_ID"),
        ("uuid", "00000000-0000-4000-8000-000000000020", "NOT_A_MEMBER"),
        ("uuid", "AAAAAAAA-0000-4000-8000-000000000020", "INVALID_ORGANIZATION_ID"),
        ("uuid", "00000000000040008000000000000020", "INVALID_ORGANIZATION_ID"),
        ("uuid", "{00000000-0000-4000-8000-0000000000}", "INVALID_ORGANIZATION_ID"),
        ("uuid", "------------------------------------", "INVALID_ORGANIZATION_ID"),
        ("uuid", "20", "INVALID_ORGANIZATION_ID"),
        ("text", " x y ", "NOT_A_MEMBER"),
        ("text", "a\0b", "INVALID_ORGANIZATION_ID"),
    ],
)
def test_organization_id_is_canonical_for_its_column(
    id_type: str, raw: str, reason: str
) -> None:
    """What a well-formed organization is depends on the type of the id column."""
    document, _ = load_world("tenancy")
    world = World(document, load_kinds(), organization_id_type=id_type)
    request: Row = {"caller": {"user_id": "2", "organization_id": raw}}

    actual = answer(world, "ResolveContext", request)

    assert reason == actual["reason"]


def _callers(world: World) -> list[Row]:
    """Every valid user, with no principal named and as each that admits them."""
    principals = [row["id"] for row in rows(world, "principals")]
    asked: list[Row] = [
        {"user_id": user["id"], **requested}
        for user in rows(world, "users")
        for requested in [{}, *({"organization_id": one} for one in principals)]
    ]
    return [
        caller
        for caller in asked
        if "context" in answer(world, "ResolveContext", {"caller": caller})
    ]


def _is_visible_in_lists(world: World, caller: Row, row: Row) -> bool:
    """Whether a row is visible, and not the one exception to the law."""
    resource = {"kind": row["kind"], "id": row["id"]}
    request: Row = {"caller": caller, "resources": [resource]}
    decision = parts(answer(world, "CheckVisible", request), "decisions")[0]
    global_row = decision["reason"] == "GLOBAL_VISIBLE"
    carries_owner = world.kinds[str(row["kind"])].owner
    return bool(decision["allowed"]) and not (global_row and carries_owner)


def _is_listed(world: World, caller: Row, row: Row) -> bool:
    request: Row = {"caller": caller, "kind": row["kind"]}
    selection = part(answer(world, "GetListFilter", request), "filter")
    if "condition" in selection:
        return _holds(part(selection, "condition"), row)
    return "everything" in selection


def _holds(condition: Row, row: Row) -> bool:
    if "any_of" in condition:
        sides = parts(part(condition, "any_of"), "conditions")
        return any(_holds(side, row) for side in sides)
    if "in" in condition:
        values = part(condition, "in")["values"]
        field = str(part(condition, "in")["field"]).lower()
        return isinstance(values, list) and row.get(field) in values
    equals = part(condition, "equals")
    return row.get(str(equals["field"]).lower()) == equals["value"]
