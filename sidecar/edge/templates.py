"""Path templates: `/v2/clusters/{cluster_id}`, and which of two fits closer."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, unique
from typing import Final, TypeAlias

from sidecar.edge.paths import split_path

_PARAMETER: Final = re.compile(r"\{([a-z][a-z0-9_]{0,62})(\.\.\.)?\}", re.ASCII)


class TemplateError(ValueError):
    """A template that cannot be; says why."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A segment that may be anything but empty."""

    name: str


@dataclass(frozen=True, slots=True)
class Rest:
    """One or more segments up to the end, the last of which may be empty."""

    name: str


Segment: TypeAlias = str | Parameter | Rest


@dataclass(frozen=True, slots=True)
class Template:
    """A template, of segments; only the last may be the rest."""

    text: str
    segments: tuple[Segment, ...]

    @property
    def parameters(self) -> frozenset[str]:
        """The names of the parameters with one segment."""
        return frozenset(
            each.name for each in self.segments if isinstance(each, Parameter)
        )


def parse_template(text: str) -> Template:
    """Reads a template.

    Raises:
        TemplateError: it is no canonical path, or a parameter is malformed.
    """
    names: list[str] = []
    # Braces are no characters of a path, so a placeholder stands in for the check.
    plain = _PARAMETER.sub("x", text)
    if split_path(plain.encode()) is None or "?" in text or "%" in text:
        raise TemplateError(
            f"`{text}` is no path of plain segments and `{{parameters}}`"
        )
    segments: list[Segment] = []
    pieces = text[1:].split("/")
    for place, piece in enumerate(pieces, 1):
        match = _PARAMETER.fullmatch(piece)
        if match is None:
            if "{" in piece or "}" in piece:
                raise TemplateError(f"`{piece}` mixes text and a parameter")
            segments.append(piece)
            continue
        names.append(match[1])
        if not match[2]:
            segments.append(Parameter(match[1]))
        elif place == len(pieces):
            segments.append(Rest(match[1]))
        else:
            raise TemplateError(f"`{piece}` can only be the last segment")
    if len(set(names)) != len(names):
        raise TemplateError(f"`{text}` names a parameter twice")
    return Template(text, tuple(segments))


@unique
class Overlap(Enum):
    """How the paths of two templates lie to each other."""

    NONE = "none"
    """No path fits both."""
    NESTED = "nested"
    """All that fit one fit the other, which fits more."""
    AMBIGUOUS = "ambiguous"
    """Some fit both, and neither is closer; or both fit the same."""


def overlap(one: Template, other: Template) -> Overlap:
    """How the paths of two templates lie to each other."""
    wider = _wider(one.segments, other.segments)
    if wider is None:
        return Overlap.NONE
    return (
        Overlap.NESTED
        if wider in {(True, False), (False, True)}
        else (Overlap.AMBIGUOUS)
    )


def _wider(
    one: Sequence[Segment], other: Sequence[Segment]
) -> tuple[bool, bool] | None:
    """At which of the two some segment takes more; none when they never meet."""
    first = second = False
    for place in range(max(len(one), len(other))):
        if place >= len(one) or place >= len(other):
            # One ended: what is left of the other wants a segment.
            return None
        mine, theirs = one[place], other[place]
        if isinstance(mine, Rest) or isinstance(theirs, Rest):
            return (
                first or not isinstance(theirs, Rest),
                second or not isinstance(mine, Rest),
            )
        if isinstance(mine, str) and isinstance(theirs, str):
            if mine != theirs:
                return None
        elif "" in (mine, theirs):
            # A parameter is never empty.
            return None
        else:
            first |= isinstance(theirs, str)
            second |= isinstance(mine, str)
    return first, second
