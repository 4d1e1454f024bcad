"""As much as one call may ask, and one more."""

from collections.abc import Iterator
from typing import Final

from clients.conformance.sources.shapes import ANN, CLUSTER, MODEL
from clients.conformance.sources.vectors import Row, Vector, answered, malformed

MOST: Final = 1_000
MOST_REQUIREMENTS: Final = 32
# Short, for there are thousands of them.
_QUERY: Final = {"context": "UI"}
_RULE: Final = {"role_id": "r", "context": "UI"}
_FOREIGN: Final = {"kind": "cluster", "id": "504"}
_OWNED: Final = {"allowed": True, "reason": "OWNED"}
_WRITABLE: Final = {"allowed": True, "reason": "ORG_ADMIN"}
_MISSING: Final = {
    "allowed": False,
    "denial": "NOT_FOUND",
    "reason": "RESOURCE_NOT_FOUND",
}
_NOTHING: Final = {
    "view": False,
    "read": "NONE",
    "create": "NONE",
    "update": "NONE",
    "delete": "NONE",
}


def limits() -> Iterator[Vector]:
    """All of them."""
    half = MOST // 2
    yield from _at_most(
        "CheckVisible",
        "resources",
        [CLUSTER, _FOREIGN] * half,
        [_OWNED, _MISSING] * half,
    )
    yield from _at_most(
        "CheckWritable", "resources", [CLUSTER] * MOST, [_WRITABLE] * MOST
    )
    yield from _at_most(
        "CheckCreatable", "resources", [MODEL] * MOST, [_WRITABLE] * MOST
    )
    asked: Row = {"caller": ANN, "queries": [_QUERY] * MOST}
    wanted = answered(permissions=[_NOTHING] * MOST)
    yield _vector("GetPermissions takes 1,000 at once", "GetPermissions", asked, wanted)
    asked = {"caller": ANN, "queries": [_QUERY] * (MOST + 1)}
    yield _vector(
        "GetPermissions refuses 1,001",
        "GetPermissions",
        asked,
        malformed("queries"),
    )
    rules = [{**_RULE, "item": f"i{number}"} for number in range(MOST + 1)]
    call = "ValidateAccessRules"
    wanted = answered(problems=[])
    yield _vector(f"{call} takes 1,000 at once", call, {"rules": rules[:-1]}, wanted)
    yield _vector(f"{call} refuses 1,001", call, {"rules": rules}, malformed("rules"))
    yield from _requirements()
    yield from _explained()


def _vector(sentence: str, call: str, request: Row, want: Row) -> Vector:
    return Vector(sentence, call, request, want, "limits")


def _at_most(
    call: str, field: str, elements: list[Row], decisions: list[Row]
) -> Iterator[Vector]:
    asked: Row = {"caller": ANN, field: elements}
    wanted = answered(decisions=decisions)
    yield _vector(f"{call} takes 1,000 at once", call, asked, wanted)
    asked = {"caller": ANN, field: [*elements, elements[0]]}
    yield _vector(f"{call} refuses 1,001", call, asked, malformed(field))


def _requirements() -> Iterator[Vector]:
    needed = {"visible": CLUSTER}
    asked: Row = {"caller": ANN, "requirements": [needed] * MOST_REQUIREMENTS}
    wanted = answered(
        decision={"allowed": True, "reason": "ALL_HOLD"},
        decisions=[_OWNED] * MOST_REQUIREMENTS,
    )
    yield _vector("Authorize takes 32 at once", "Authorize", asked, wanted)
    asked = {"caller": ANN, "requirements": [needed] * (MOST_REQUIREMENTS + 1)}
    yield _vector("Authorize refuses 33", "Authorize", asked, malformed("requirements"))


def _explained() -> Iterator[Vector]:
    asked: Row = {"caller": ANN, "resources": [CLUSTER] * 20, "explain": True}
    wanted = answered(decisions=[_OWNED] * 20)
    yield _vector("20 at once are explained", "CheckVisible", asked, wanted)
    asked = {**asked, "resources": [CLUSTER] * 21}
    yield _vector("21 are not explained", "CheckVisible", asked, malformed("explain"))
