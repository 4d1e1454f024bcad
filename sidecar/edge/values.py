"""Values that a requirement takes from the request: `{path.x}` and `{ext.y}`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, unique
from typing import Final, TypeAlias

_REFERENCE: Final = re.compile(r"\{(path|ext)\.([A-Za-z_][A-Za-z0-9_]{0,62})\}")
_ITEM_SEGMENT: Final = re.compile(r"[A-Za-z0-9_-]+")


class MixedValueError(ValueError):
    """A value that cannot be; says why."""


@unique
class Namespace(Enum):
    """Where a value comes from. The two never stand in for each other."""

    PATH = "path"
    EXTENSIONS = "ext"


@dataclass(frozen=True, slots=True)
class Reference:
    """A value that the request brings."""

    namespace: Namespace
    name: str


Value: TypeAlias = str | Reference


@dataclass(frozen=True, slots=True)
class Values:
    """What one request brings."""

    path: Mapping[str, str]
    extensions: Mapping[str, str]

    def of(self, value: Value | None) -> str | None:
        """The text of a value, none when the request does not bring it."""
        if not isinstance(value, Reference):
            return value
        known = self.path if value.namespace is Namespace.PATH else self.extensions
        return known.get(value.name) or None

    def item(self, pieces: tuple[Value, ...]) -> str | None:
        """A dotted item, none when a piece is missing or no plain word.

        A dot or a blank in what a client sends would name another item.
        """
        words = [self.of(piece) for piece in pieces]
        for piece, word in zip(pieces, words, strict=True):
            if word is None:
                return None
            if isinstance(piece, Reference) and not _ITEM_SEGMENT.fullmatch(word):
                return None
        return ".".join(word for word in words if word is not None)


def parse_value(text: str) -> Value:
    """Reads a plain text or one reference.

    Raises:
        MixedValueError: it is neither.
    """
    match = _REFERENCE.fullmatch(text)
    if match is not None:
        return Reference(Namespace(match[1]), match[2])
    if "{" in text or "}" in text:
        raise MixedValueError(
            f"`{text}` must be a text, `{{path.name}}` or `{{ext.name}}`"
        )
    return text


def parse_item(text: str) -> tuple[Value, ...]:
    """Reads an item whose segments are texts or references.

    Raises:
        MixedValueError: a segment is neither.
    """
    # A reference has a dot of its own.
    pieces = re.split(r"\.(?![^{]*\})", text)
    return tuple(map(parse_value, pieces))
