"""List filters as SQL: text, parameters and their types."""

from collections.abc import Iterator
from typing import Final

from clients.conformance.sources.shapes import ANN
from clients.conformance.sources.vectors import Row, Vector, answered

BOB: Final = {"user_id": "3", "organization_id": "20"}
ADMIN: Final = {"user_id": "1"}
DAN: Final = {"user_id": "5"}
_OWNER: Final = {"field": "OWNER_PRINCIPAL_ID", "column": "m.owner_id"}
_ID: Final = {"field": "ID", "column": "id"}
_CLUSTER: Final = {"field": "CLUSTER_ID", "column": "public.workers.Cluster"}
_OWNED: Final = {"equals": {"field": "OWNER_PRINCIPAL_ID", "value": "20"}}
# What Acme was granted, and what ann's membership adds: nothing.
_GRANTED: Final = ["502", "513", "517"]
_NUMBERS: Final = [502, 513, 517]


def sql_filters() -> Iterator[Vector]:
    """All of them, in the world `tenancy`."""
    yield from _ends()
    yield from _owned()
    yield from _granted()


def _vector(sentence: str, request: Row, selection: Row, sql: Row) -> Vector:
    want = answered(filter=selection, sql=sql)
    return Vector(sentence, "GetListFilter", request, want)


def _options(style: str, *columns: Row, first: int = 1) -> Row:
    return {
        "columns": list(columns),
        "placeholder_style": style,
        "first_parameter": first,
    }


def _ends() -> Iterator[Vector]:
    for style in ("DOLLAR", "FORMAT", "QUESTION", "NAMED"):
        yield _vector(
            f"everything is TRUE, with placeholders {style}",
            {"caller": ADMIN, "kind": "model", "sql": _options(style, _OWNER)},
            {"everything": True},
            {"text": "TRUE", "parameters": []},
        )
        nothing = {"context": "DATA", "item": "data.User"}
        yield _vector(
            f"nothing is FALSE, with placeholders {style}",
            {
                "caller": ANN,
                "kind": "model",
                "permission": nothing,
                "sql": _options(style, _OWNER),
            },
            {"nothing": True},
            {"text": "FALSE", "parameters": []},
        )
    yield _vector(
        "everything needs no column",
        {"caller": ADMIN, "kind": "worker", "sql": _options("DOLLAR")},
        {"everything": True},
        {"text": "TRUE", "parameters": []},
    )


def _owned() -> Iterator[Vector]:
    for style, first, text in (
        ("DOLLAR", 1, '("m"."owner_id" = $1)'),
        ("DOLLAR", 7, '("m"."owner_id" = $7)'),
        ("FORMAT", 1, '("m"."owner_id" = %s)'),
        ("QUESTION", 1, '("m"."owner_id" = ?)'),
        ("NAMED", 1, '("m"."owner_id" = :p1)'),
        ("NAMED", 3, '("m"."owner_id" = :p3)'),
    ):
        yield _vector(
            f"an owner is compared with a number, {style} from {first}",
            {
                "caller": ANN,
                "kind": "model",
                "sql": _options(style, _OWNER, first=first),
            },
            {"condition": _OWNED},
            {"text": text, "parameters": [{"int64": 20}]},
        )


def _granted() -> Iterator[Vector]:
    selection = {
        "condition": {
            "any_of": {
                "conditions": [_OWNED, {"in": {"field": "ID", "values": _GRANTED}}]
            }
        }
    }
    array: Row = {"int64_array": {"values": _NUMBERS}}
    single = [{"int64": each} for each in _NUMBERS]
    owner = '("m"."owner_id" = {})'
    for style, text, values in (
        ("DOLLAR", f'({owner.format("$1")} OR ("id" = ANY($2)))', [array]),
        ("FORMAT", f'({owner.format("%s")} OR ("id" = ANY(%s)))', [array]),
        ("QUESTION", f'({owner.format("?")} OR ("id" IN (?, ?, ?)))', single),
        ("NAMED", f'({owner.format(":p1")} OR ("id" IN (:p2, :p3, :p4)))', single),
    ):
        yield _vector(
            f"granted clusters are a list of numbers, {style}",
            {"caller": ANN, "kind": "cluster", "sql": _options(style, _OWNER, _ID)},
            selection,
            {"text": text, "parameters": [{"int64": 20}, *values]},
        )
    inside = {"in": {"field": "CLUSTER_ID", "values": _GRANTED}}
    yield _vector(
        "a column may name its schema and table",
        {
            "caller": ANN,
            "kind": "worker",
            "sql": _options("DOLLAR", _OWNER, _CLUSTER),
        },
        {"condition": {"any_of": {"conditions": [_OWNED, inside]}}},
        {
            "text": '(("m"."owner_id" = $1) OR '
            '("public"."workers"."Cluster" = ANY($2)))',
            "parameters": [{"int64": 20}, array],
        },
    )
