"""The vectors against the plain reference of the rules, and what they are as a set."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
import yaml

from clients.conformance.sources.from_cases import wish
from clients.conformance.sources.vectors import snake
from sidecar.command.bare_json import from_bare
from tests.spec.cases import load_kinds
from tests.spec.reference import answer
from tests.spec.world import Row, World, part, parts
from tests.support.pipeline import request_type

HERE = Path(__file__).parents[3] / "clients" / "conformance"
# What the reference does not speak of: the form of a question.
FORMS = {"MALFORMED_FIELD", "UNKNOWN_REVISION"}
CALLS = (
    "ResolveContext",
    "ListContexts",
    "CheckVisible",
    "CheckWritable",
    "CheckCreatable",
    "CheckRole",
    "GetPermissions",
    "Authorize",
    "GetListFilter",
    "ValidateAccessRules",
)


@dataclass(frozen=True)
class Vector:
    """One vector as it stands in its file."""

    name: str
    world: str
    group: str
    call: str
    request: Row
    want: Row

    @property
    def is_in_reach(self) -> bool:
        """Whether the reference can answer: a good form, and no token to verify."""
        is_form = part(self.want, "error").get("reason") in FORMS
        return not is_form and "access_token" not in part(self.request, "caller")


def _vectors() -> Iterator[Vector]:
    for path in sorted((HERE / "vectors").glob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        for row in content["vectors"]:
            yield Vector(
                row["id"],
                content["world"],
                row["group"],
                row["call"],
                row["request"],
                row["want"],
            )


VECTORS = list(_vectors())
IN_REACH = [each for each in VECTORS if each.is_in_reach]


@cache
def _world(name: str) -> World:
    content = yaml.safe_load((HERE / name).read_text(encoding="utf-8"))
    document = {
        relation: [
            {column: _as_text(column, value) for column, value in row.items()}
            for row in parts(content["directory"], relation)
        ]
        for relation in content["directory"]
    }
    precedence = content["settings"]["role_precedence"]
    return World(document, load_kinds(), role_precedence=precedence)


def _as_text(column: str, value: object) -> object:
    is_id = column in {"id", "lookup_id"} or column.endswith("_id")
    return str(value) if is_id and value is not None else value


@pytest.mark.parametrize("vector", IN_REACH, ids=[each.name for each in IN_REACH])
def test_reference_wants_the_same(vector: Vector) -> None:
    """What a vector wants is what the rules' plain reference answers."""
    request = {
        name: value
        for name, value in vector.request.items()
        if name not in {"consistency", "explain", "sql"}
    }

    actual = wish(answer(_world(vector.world), vector.call, request))

    assert _wanted(vector) == _named(actual, vector)


def _wanted(vector: Vector) -> object:
    if "error" in vector.want:
        return {"error": vector.want["error"]}
    response = part(vector.want, "response")
    return {name: value for name, value in response.items() if name != "sql"}


def _named(actual: Mapping[str, object], vector: Vector) -> object:
    # A limit of `Authorize` does not say the context again.
    if "error" in actual:
        return actual
    response = part(dict(actual), "response")
    wanted = part(vector.want, "response")
    if vector.group != "limits":
        return response
    return {name: value for name, value in response.items() if name in wanted}


def test_most_vectors_are_in_the_references_reach() -> None:
    """The reference judges hundreds, so that it is no empty judge."""
    assert len(IN_REACH) > 350


def test_every_call_and_group_has_vectors() -> None:
    """There are hundreds, of each call, and of the groups that are about forms."""
    groups = Counter(each.group for each in VECTORS)

    assert len(VECTORS) > 600
    assert {snake(each) for each in CALLS} | {
        "callers",
        "consistency",
        "limits",
        "shapes",
    } == set(groups)


def test_names_are_unique() -> None:
    """A line that a runner prints is about one vector."""
    names = Counter(each.name for each in VECTORS)

    assert [] == [name for name, count in names.items() if count > 1]


def test_names_have_no_blank() -> None:
    """A name can be followed by where it was played."""
    assert [] == [each.name for each in VECTORS if " " in each.name]


@pytest.mark.parametrize("call", CALLS)
def test_requests_are_messages_of_the_api(call: str) -> None:
    """Every request can be sent: its fields and words are those of the proto."""
    requests = [each.request for each in VECTORS if each.call == call]

    sent = [from_bare(each, request_type(call)) for each in requests]

    assert len(requests) == len(sent) > 0


def test_forms_name_their_field() -> None:
    """A refusal for the form of a question says which field."""
    nameless = [
        each.name
        for each in VECTORS
        if part(each.want, "error").get("reason") in FORMS
        and "field" not in part(each.want, "error")
    ]

    assert ["shapes/a-column-that-the-filter-needs-is-never-left-out"] == nameless
