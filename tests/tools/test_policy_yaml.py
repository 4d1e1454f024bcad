import pytest

from sidecar.store.document import parse_document
from sidecar.tools.policy_yaml import (
    Entries,
    FileError,
    Listing,
    Node,
    Place,
    Scalar,
    read_tree,
)

TEXT = """\
one: 0020
two:
  - [a, 'b c']
  - {x: null, "y": ~, z: "null", w: }
"""


def _places(node: Node) -> list[tuple[str | None, int, int]]:
    match node:
        case Scalar():
            return [(node.text, node.place.line, node.place.column)]
        case Listing():
            return [found for each in node.items for found in _places(each)]
        case Entries():
            parts = [part for entry in node.entries for part in entry]
            return [found for each in parts for found in _places(each)]


def test_scalars_are_as_written_with_their_places() -> None:
    """No number, no truth is read into what somebody typed; only null is null."""
    assert [
        ("one", 1, 1),
        ("0020", 1, 6),
        ("two", 2, 1),
        ("a", 3, 6),
        ("b c", 3, 9),
        ("x", 4, 6),
        (None, 4, 9),
        ("y", 4, 15),
        (None, 4, 20),
        ("z", 4, 23),
        ("null", 4, 26),
        ("w", 4, 34),
        (None, 4, 37),
    ] == _places(read_tree(TEXT))


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\nin:\n  roles:\n    - {id: x}\n  principals: []\nb: 2\n",
        "in: {roles: [{id: x}], principals: []}\nb: 2\n",
        "{in: {roles: [{id: x}], principals: []}, b: 2}",
        "- {}\n- in:\n    # a remark\n    roles: [{id: x}]\n    principals: []",
    ],
)
def test_a_mapping_within_is_a_document_of_its_own(text: str) -> None:
    """What is written inline reads as if it were alone, in its place."""
    inner = _find(read_tree(text), "in")
    assert isinstance(inner, Entries)

    document = parse_document(inner.source())

    assert {"roles": 1, "principals": 0} == {
        name: len(rows) for name, rows in document.relations.items()
    }
    assert inner.place == read_tree(inner.source()).place


def _find(node: Node, name: str) -> Node | None:
    inner: list[Node] = []
    if isinstance(node, Entries):
        for key, value in node.entries:
            if key.text == name:
                return value
            inner.append(value)
    elif isinstance(node, Listing):
        inner += node.items
    found = (_find(each, name) for each in inner)
    return next((each for each in found if each is not None), None)


@pytest.mark.parametrize(
    ("text", "place", "problem"),
    [
        ("", None, "there is nothing in it"),
        ("# nothing", None, "there is nothing in it"),
        ("a: 1\na: 2", Place(2, 1), "`a` stands twice in one mapping"),
        ("a: 1\n'a': 2", Place(2, 1), "`a` stands twice in one mapping"),
        ("? [a]\n: 1", Place(1, 3), "a name must be text"),
        ("a: b: c", Place(1, 5), "not YAML: mapping values are not allowed"),
        ("a: 1\n--- \nb: 2", Place(2, 1), "not YAML: but found another document"),
        ("a: *b", Place(1, 4), "not YAML: found undefined alias"),
        ("a: \0", None, "not YAML"),
    ],
)
def test_what_is_not_one_document_is_refused(
    text: str, place: Place | None, problem: str
) -> None:
    """Whoever errs in YAML reads where."""
    with pytest.raises(FileError) as caught:
        read_tree(text)

    assert place == caught.value.place
    assert caught.value.problem.startswith(problem)


def test_what_is_nested_without_end_is_refused() -> None:
    """Ten thousand brackets are an error in words."""
    with pytest.raises(FileError):
        read_tree("[" * 10_000 + "]" * 10_000)
