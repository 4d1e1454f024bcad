"""YAML with the place of each value, so that an error can say where."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import yaml

Location: TypeAlias = Sequence[int | str]
_DEEPEST: Final = 32


class MarkedError(Exception):
    """A text that is no YAML, or not of a kind that has one meaning."""


@dataclass(frozen=True, slots=True)
class Marked:
    """What a text says, and where it says it."""

    value: object
    _root: yaml.Node | None

    def place(self, location: Location) -> str:
        """`<line>:<column>` of a value, or of the nearest thing around it."""
        node = self._root
        if node is None:
            return "1:1"
        for step in location:
            inner = _step(node, step)
            if inner is None:
                break
            node = inner
        return f"{node.start_mark.line + 1}:{node.start_mark.column + 1}"


def read_marked(text: str) -> Marked:
    """Reads YAML, of which JSON is a part.

    Raises:
        MarkedError: it is none, a name stands twice, an alias is used, or it is deeper
            than anybody writes.
    """
    try:
        root = yaml.compose(text, yaml.SafeLoader)
        if root is not None:
            _check(root, 0, set())
        return Marked(yaml.safe_load(text), root)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = "" if mark is None else f"{mark.line + 1}:{mark.column + 1}: "
        raise MarkedError(f"{where}{error.problem or 'is no YAML'}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise MarkedError("is no YAML") from error


def _check(node: yaml.Node, depth: int, seen: set[int]) -> None:
    if depth > _DEEPEST:
        raise _problem(node, "is nested too deep")
    if isinstance(node, yaml.MappingNode):
        names: set[Hashable] = set()
        for key, value in node.value:
            if key.value in names:
                raise _problem(key, f"`{key.value}` stands twice in one mapping")
            names.add(key.value)
            _check_part(value, depth, seen)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _check_part(value, depth, seen)


def _check_part(node: yaml.Node, depth: int, seen: set[int]) -> None:
    # An alias gives the same node again; a few of them can stand for a universe.
    if id(node) in seen:
        raise _problem(node, "is used again by an alias, which is not understood here")
    seen.add(id(node))
    _check(node, depth + 1, seen)


def _problem(node: yaml.Node, problem: str) -> MarkedError:
    mark = node.start_mark
    return MarkedError(f"{mark.line + 1}:{mark.column + 1}: {problem}")


def _step(node: yaml.Node, step: int | str) -> yaml.Node | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int):
        return node.value[step] if step < len(node.value) else None
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == step:
                return value if isinstance(value, yaml.Node) else None
    return None
