"""YAML as a tree that knows where each of its parts stands.

Scalars stay the text that they were written as, so an id is what somebody typed,
`0020` included. A JSON document is YAML too.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final, TypeAlias

import yaml

_NULL: Final = "tag:yaml.org,2002:null"
# Of the C library where the package has it: a tenth of the time.
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Place:
    """A line and a column, both counted from one."""

    line: int
    column: int


class FileError(Exception):
    """A file says something wrong, and where; the place is none for all of it."""

    def __init__(self, problem: str, place: Place | None = None) -> None:
        where = "" if place is None else f"{place.line}:{place.column}: "
        super().__init__(f"{where}{problem}")
        self.problem = problem
        self.place = place


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text, or null."""

    text: str | None
    place: Place


@dataclass(frozen=True, slots=True)
class Listing:
    """A list."""

    items: "tuple[Node, ...]"
    place: Place


@dataclass(frozen=True, slots=True)
class Entries:
    """A mapping in the order in which it was written, and where in which text."""

    entries: "tuple[tuple[Scalar, Node], ...]"
    place: Place
    file: str = field(repr=False)
    start: int
    end: int

    def source(self) -> str:
        """The text of it alone, in its place: with nothing but blanks before it."""
        before = "\n" * (self.place.line - 1) + " " * (self.place.column - 1)
        return before + self.file[self.start : self.end]


Node: TypeAlias = Scalar | Listing | Entries


def read_tree(text: str) -> Node:
    """The tree of a document.

    Raises:
        FileError: it is not one YAML document, or a name stands twice in a mapping.
    """
    try:
        root = yaml.compose(text, _LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = None if mark is None else Place(mark.line + 1, mark.column + 1)
        raise FileError(f"not YAML: {error.problem}", place) from error
    except (yaml.YAMLError, ValueError) as error:
        raise FileError("not YAML") from error
    if root is None:
        raise FileError("there is nothing in it")
    try:
        return _Reading(text).node(root)
    except RecursionError as error:
        raise FileError("it is nested too deep") from error


def fields(node: Node, known: Collection[str], noun: str) -> Mapping[str, Node]:
    """A mapping whose names are all known.

    Raises:
        FileError: it is no mapping, or has a name that is not known.
    """
    found = entries(node, noun)
    for key, _ in found.entries:
        if key.text not in known:
            problem = f"`{key.text}` is no part of {noun}{meant(key.text, known)}"
            raise FileError(problem, key.place)
    return {key.text or "": value for key, value in found.entries}


def entries(node: Node, noun: str) -> Entries:
    """A mapping; raises FileError for anything else."""
    if not isinstance(node, Entries):
        raise FileError(f"{noun} must be a mapping", node.place)
    return node


def items(node: Node, noun: str) -> tuple[Node, ...]:
    """The elements of a list; raises FileError for anything else."""
    if not isinstance(node, Listing):
        raise FileError(f"{noun} must be a list", node.place)
    return node.items


def text(node: Node, noun: str) -> str:
    """A text that is not empty; raises FileError for anything else."""
    if not isinstance(node, Scalar) or not node.text:
        raise FileError(f"{noun} must be text", node.place)
    return node.text


def flag(node: Node, noun: str) -> bool:
    """True or false; raises FileError for anything else."""
    if isinstance(node, Scalar) and node.text in {"true", "false"}:
        return node.text == "true"
    raise FileError(f"{noun} must be true or false", node.place)


def meant(name: str | None, known: Collection[str]) -> str:
    """A question after a name that was perhaps meant, or nothing."""
    close = get_close_matches(name or "", known, n=1)
    return f"; did you mean `{close[0]}`?" if close else ""


class _Reading:
    def __init__(self, source: str) -> None:
        self._source = source
        # An alias is the node that it names, so that a few of them cannot unfold to
        # millions. What is being read is there without a value.
        self._read: dict[yaml.Node, Node | None] = {}

    def node(self, node: yaml.Node) -> Node:
        if node not in self._read:
            self._read[node] = None
            self._read[node] = self._node(node)
        found = self._read[node]
        if found is None:
            mark = node.start_mark
            place = Place(mark.line + 1, mark.column + 1)
            raise FileError("holds itself", place)
        return found

    def _node(self, node: yaml.Node) -> Node:
        place = Place(node.start_mark.line + 1, node.start_mark.column + 1)
        match node:
            case yaml.ScalarNode():
                is_null = node.tag == _NULL
                return Scalar(None if is_null else str(node.value), place)
            case yaml.SequenceNode():
                return Listing(tuple(map(self.node, node.value)), place)
            case yaml.MappingNode():
                found = self._entries(node)
                start, end = node.start_mark.index, node.end_mark.index
                return Entries(found, place, self._source, start, end)
            case _:
                raise FileError("not YAML", place)

    def _entries(self, node: yaml.MappingNode) -> tuple[tuple[Scalar, Node], ...]:
        found: dict[str | None, tuple[Scalar, Node]] = {}
        for key_node, value in node.value:
            key = self.node(key_node)
            if not isinstance(key, Scalar):
                raise FileError("a name must be text", key.place)
            if key.text in found:
                problem = f"`{key.text}` stands twice in one mapping"
                raise FileError(problem, key.place)
            found[key.text] = key, self.node(value)
        return tuple(found.values())
