"""Finding a route a second time: every route is tried, and the closest is taken."""

import re
from collections.abc import Mapping, Sequence

from tests.spec.world import Row, parts

_TEXT, _PARAMETER, _REST = 0, 1, 2


def find_route(rules: Row, method: str, segments: Sequence[str]) -> Row | None:
    """The route of a rule set for a method and the segments of a path."""
    asked = "GET" if method == "HEAD" else method
    fitting = [
        route
        for route in parts(rules, "routes")
        if asked in texts(route["methods"]) and fits(str(route["path"]), segments)
    ]
    if not fitting:
        return None
    # A good file has no two that differ in two places in different directions.
    route = min(fitting, key=lambda each: closeness(str(each["path"])))
    found = path_parameters(str(route["path"]), segments)
    values = route.get("values", {})
    assert isinstance(values, dict)
    if any(found[name] not in known for name, known in values.items()):
        return None
    return route


def path_parameters(path: str, segments: Sequence[str]) -> dict[str, str]:
    """The values of the parameters of one segment."""
    pairs = zip(path[1:].split("/"), segments, strict=False)
    return {
        piece[1:-1]: segment for piece, segment in pairs if _kind(piece) == _PARAMETER
    }


def filled(
    text: str, path: Mapping[str, str], extensions: Mapping[str, str]
) -> str | None:
    """A text, or the value that it refers to; none when that is missing or empty."""
    match = re.fullmatch(r"\{(path|ext)\.([A-Za-z0-9_]+)\}", text)
    if match is None:
        return text
    known = path if match[1] == "path" else extensions
    return known.get(match[2]) or None


def fits(path: str, segments: Sequence[str]) -> bool:
    """Whether a template fits the segments of a path."""
    pieces = path[1:].split("/")
    if _kind(pieces[-1]) == _REST:
        if len(segments) < len(pieces):
            return False
        segments = [*segments[: len(pieces) - 1], "rest"]
    if len(pieces) != len(segments):
        return False
    return all(
        segment != "" if _kind(piece) == _PARAMETER else piece == segment
        for piece, segment in zip(pieces, segments, strict=True)
        if _kind(piece) != _REST
    )


def closeness(path: str) -> list[int]:
    """How close each piece of a template is; the smaller, the closer."""
    return [_kind(piece) for piece in path[1:].split("/")]


def _kind(piece: str) -> int:
    if piece.endswith("...}"):
        return _REST
    return _PARAMETER if piece.startswith("{") else _TEXT


def texts(value: object) -> list[str]:
    """A list of texts."""
    assert isinstance(value, list)
    return [str(each) for each in value]
