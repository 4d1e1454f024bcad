"""The text of a directory document, YAML or JSON: its values, and their places."""

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import suppress
from typing import Final, TypeAlias

import yaml

from sidecar.store.document_faults import DocumentError, Fault, Place, Steps
from sidecar.store.document_yaml import read_yaml, yaml_places

_NEITHER: Final = "neither YAML nor JSON"
_LOOKED_AT: Final = 3

# What JSON that was read is made of: brackets, commas, texts, numbers and words.
_TOKEN: Final = re.compile(r'[{}\[\],]|"(?:[^"\\]|\\.)*"|[^\s{}\[\],:"]+')

_Found: TypeAlias = tuple[Steps, bool, Place]


class _TwiceError(Exception):
    pass


class TextPlaces:
    """The places of a text that was read. It is gone through when one is asked for."""

    def __init__(self, text: str, *, is_json: bool) -> None:
        self._text = text
        self._is_json = is_json
        self._found: dict[tuple[Steps, bool], Place] | None = None

    def __call__(self, steps: Steps, at_name: bool) -> Place | None:  # noqa: FBT001
        """See `Places`; of what is not there, the place of what should have it."""
        if self._found is None:
            walk = json_places if self._is_json else yaml_places
            self._found = {
                (each, is_name): place for each, is_name, place in walk(self._text)
            }
        if at_name and (place := self._found.get((steps, True))):
            return place
        outwards = (steps[:length] for length in range(len(steps), -1, -1))
        places = (self._found.get((each, False)) for each in outwards)
        return next((place for place in places if place is not None), None)


def read_text(text: str) -> tuple[object, TextPlaces]:
    """The values of a document, and where they stand.

    Raises:
        DocumentError: It is neither YAML nor JSON, or a name stands twice in one
            mapping.
    """
    start = text.lstrip()[:1]
    failed_at = -1
    if start == "{":
        try:
            return read_json(text), TextPlaces(text, is_json=True)
        except json.JSONDecodeError as error:
            # YAML's flow style starts the same way.
            failed_at = error.pos
        except (ValueError, RecursionError) as error:
            raise DocumentError(Fault("", _NEITHER)) from error
    try:
        return read_yaml(text), TextPlaces(text, is_json=False)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        place = _furthest(text, failed_at, error)
        raise DocumentError(Fault("", _NEITHER, place)) from error


def read_json(text: str) -> object:
    """The values of a JSON text.

    Raises:
        DocumentError: A name stands twice in one mapping.
        ValueError: It is no JSON, or holds a number that no value can hold.
    """
    try:
        value: object = json.loads(text, object_pairs_hook=_once)
    except _TwiceError:
        raise DocumentError(_find_twice(text)) from None
    return value


def json_places(text: str) -> Iterator[_Found]:
    """Where each part of a readable JSON text stands, to the depth of a document."""
    lines = _Lines(text)
    for steps, is_name, offset in _walk(text):
        if len(steps) <= _LOOKED_AT:
            yield steps, is_name, lines.place(offset)


class _Lines:
    """Offsets as lines and columns."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def place(self, offset: int) -> Place:
        line = bisect_right(self._starts, offset)
        return Place(line, offset - self._starts[line - 1] + 1)


def _walk(text: str) -> Iterator[tuple[Steps, bool, int]]:
    # In each open mapping the last name, in each open list the index.
    steps: list[str | int] = []
    awaits_name = False
    for match in _TOKEN.finditer(text):
        part, offset = match[0], match.start()
        if awaits_name and part.startswith('"'):
            steps[-1] = json.loads(part)
            awaits_name = False
            yield tuple(steps), True, offset
        elif part == ",":
            last = steps[-1]
            awaits_name = isinstance(last, str)
            if isinstance(last, int):
                steps[-1] = last + 1
        elif part in "}]":
            steps.pop()
            awaits_name = False
        else:
            yield tuple(steps), False, offset
            if part in "{[":
                awaits_name = part == "{"
                steps.append("" if awaits_name else 0)


def _find_twice(text: str) -> Fault:
    seen: set[Steps] = set()
    for steps, is_name, offset in _walk(text):
        if is_name and steps in seen:
            reason = f"`{steps[-1]}` stands twice in one mapping"
            return Fault("", reason, _Lines(text).place(offset))
        if is_name:
            seen.add(steps)
    return Fault("", _NEITHER)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    mapping = dict(pairs)
    if len(mapping) != len(pairs):
        raise _TwiceError
    return mapping


def _furthest(text: str, offset: int, error: Exception) -> Place | None:
    # The reader that got further is the one that the text was meant for.
    places: list[Place] = []
    if offset >= 0:
        places.append(_Lines(text).place(offset))
    mark = getattr(error, "problem_mark", None)
    if mark is not None:
        places.append(Place(mark.line + 1, mark.column + 1))
    elif isinstance(error, yaml.reader.ReaderError):
        with suppress(TypeError):
            places.append(_Lines(text).place(error.position))
    return max(places, key=_in_order, default=None)


def _in_order(place: Place) -> tuple[int, int]:
    return place.line, place.column
