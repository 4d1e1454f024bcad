"""Vectors from the decision cases of `tests/cases`."""

from collections.abc import Iterator
from typing import Final

from clients.conformance.sources.vectors import Row, Vector, answered, refused
from tests.spec.cases import Case, load_cases

# Where the question is who asks, whatever the call.
_GROUPS: Final = {"callers": "callers"}
# Of some calls and kinds of caller, once more from one snapshot of the database.
_TWICE: Final = ("worked_tenancy", "worked_permissions", "role_gates")


def vectors_of_cases() -> Iterator[tuple[str, str, Vector]]:
    """The name of a file, its world, and a vector of it."""
    for case in load_cases():
        # A world that a sound schema refuses cannot be served from one.
        if not case.runs_on("bigint"):
            continue
        yield case.file, world_of(case), _vector(case)
        if case.file in _TWICE:
            yield "consistency", world_of(case), _consistent(case)


def world_of(case: Case) -> str:
    """The name of the world with the settings that the case needs."""
    if case.world.role_precedence == "union":
        return case.world_name
    return f"{case.world_name}_{case.world.role_precedence}"


def _vector(case: Case) -> Vector:
    group = _GROUPS.get(case.file, "")
    return Vector(case.sentence, case.call, case.request, wish(case.answer), group)


def _consistent(case: Case) -> Vector:
    request = {**case.request, "consistency": {"fully_consistent": True}}
    sentence = f"{case.sentence}, in one snapshot"
    return Vector(sentence, case.call, request, wish(case.answer), "consistency")


def wish(answer: Row) -> Row:
    """What a case wants, as a vector wants it."""
    if "status" in answer:
        return refused(str(answer["status"]), str(answer["reason"]))
    return answered(**answer)
