"""Where the value of each setting comes from: a variable, the file, or the default."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from types import NoneType
from typing import Final, TypeAlias, get_args

from pydantic import BaseModel

from sidecar.settings import Settings
from sidecar.tools.policy_yaml import Entries, Listing, Node, Place, Scalar

# The path of a setting, as pydantic has it: names, and numbers in lists.
Location: TypeAlias = tuple[str | int, ...]

_PREFIX: Final = "AUTHZ_"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value comes from; neither a variable nor a place is the default."""

    variable: str | None = None
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting as it is in force. `value` is as YAML has it; secrets are stars."""

    path: str
    value: str
    source: Source


@dataclass(frozen=True, slots=True)
class Sources:
    """The file's tree, none without a file, and the variables of the process."""

    tree: Node | None
    variables: Mapping[str, str]

    def of(self, location: Location) -> Source:
        """Where the value at a location comes from."""
        variable = self._variable(location)
        if variable is not None:
            return Source(variable=variable)
        return Source(place=self._own_place(location))

    def nearest(self, location: Location) -> Source:
        """The same; for what nobody has written, where it could have been."""
        variable = self._variable(location)
        if variable is not None:
            return Source(variable=variable)
        for end in range(len(location), 0, -1):
            place = self._own_place(location[:end])
            if place is not None:
                return Source(place=place)
        return Source()

    def key(self, location: Location) -> Source:
        """Where the name at a location is written, rather than its value."""
        found = self.nearest(location)
        parent = None if self.tree is None else _walk(self.tree, location[:-1])
        if found.variable is None and isinstance(parent, Entries):
            for key, _ in parent.entries:
                if key.text == location[-1]:
                    return Source(place=key.place)
        return found

    def _variable(self, location: Location) -> str | None:
        for end in range(len(location), 0, -1):
            name = _PREFIX + "__".join(str(part).upper() for part in location[:end])
            if name in self.variables and _holds(self.variables[name], location[end:]):
                return name
        return None

    def _own_place(self, location: Location) -> Place | None:
        found = None if self.tree is None else _walk(self.tree, location)
        return None if found is None else found.place


def path_of(location: Location) -> str:
    """A location as the reference of settings writes it."""
    written = "".join(
        f"[{part}]" if isinstance(part, int) else f".{part}" for part in location
    )
    return written.removeprefix(".")


def known_names(location: Location) -> tuple[str, ...]:
    """The settings that there are at a location; none where names are free."""
    model: type[BaseModel] = Settings
    for part in location:
        if isinstance(part, str) and part in model.model_fields:
            annotation = model.model_fields[part].annotation
            inner = _model_in(annotation)
            if inner is None:
                return ()
            model = inner
    return tuple(model.model_fields)


def settings_of(settings: Settings, sources: Sources) -> Iterator[Setting]:
    """Every setting with its value in force, in the order of the reference."""
    return _settings(settings, (), sources)


def _settings(value: object, at: Location, sources: Sources) -> Iterator[Setting]:
    match value:
        case BaseModel():
            for name in type(value).model_fields:
                yield from _settings(getattr(value, name), (*at, name), sources)
        case tuple() if any(isinstance(each, BaseModel) for each in value):
            for index, each in enumerate(value):
                yield from _settings(each, (*at, index), sources)
        case dict() if value:
            for name, each in value.items():
                yield from _settings(each, (*at, str(name)), sources)
        case _:
            yield Setting(path_of(at), _written(value), sources.of(at))


def _written(value: object) -> str:
    match value:
        case Enum():
            return str(value.value)
        case frozenset() | set():
            return json.dumps(sorted(map(str, value)))
        case tuple() | dict() | bool() | None:
            return json.dumps(value, default=str)
        case _:
            # A secret's text is stars.
            return str(value)


def _walk(node: Node, location: Location) -> Node | None:
    for part in location:
        found = _child(node, part)
        if found is None:
            return None
        node = found
    return node


def _child(node: Node, part: str | int) -> Node | None:
    match node:
        case Listing() if isinstance(part, int) and part < len(node.items):
            return node.items[part]
        case Entries():
            found = (value for key, value in node.entries if key.text == part)
            return next(found, None)
        case Listing() | Scalar():
            return None


def _holds(text: str, location: Location) -> bool:
    """Whether a variable that has JSON says something of a location in it."""
    if not location:
        return True
    try:
        found: object = json.loads(text)
    except ValueError:
        # It is what is wrong, so it is where to look.
        return True
    for part in location:
        match found:
            case dict() if part in found:
                found = found[part]
            case list():
                # Lists are not merged: all of it is from here.
                return True
            case _:
                return False
    return True


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_model_in(each) for each in get_args(annotation) if each is not NoneType)
    return next((each for each in inner if each is not None), None)
