"""The answers that a test wants, and whether an answer is one of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from authz.v1 import authorization_service_pb2 as pb
from google.protobuf.message import Message
from typing_extensions import override

from sidecar.command.bare_json import Json, to_bare
from sidecar.command.policy_answers import (
    Answer,
    answer_words,
    level_word,
    problem_words,
    verdict_of,
)

LEVELS: Final = ("none", "my", "group", "all")
SEPARATORS: Final = re.compile(r"[\s,]+")

# None is a field that is not set; lists are compared without regard to order.
Part: TypeAlias = str | frozenset[str] | None


class Wanted(Protocol):
    """An answer that is wanted, or what is wanted of it."""

    @property
    def words(self) -> str:
        """As the test file says it."""
        ...

    def holds(self, answer: Answer) -> bool:
        """Whether this is such an answer."""
        ...

    def found(self, answer: Answer) -> str:
        """The answer in the same words."""
        ...


@dataclass(frozen=True, slots=True)
class _Spoken:
    words: str

    def found(self, answer: Answer) -> str:
        return answer_words(answer)


@dataclass(frozen=True, slots=True)
class Verdict(_Spoken):
    """A decision, its denial and its reason, as far as they are wanted."""

    verdict: tuple[str, ...]

    def holds(self, answer: Answer) -> bool:
        """Whether it was decided so, for these reasons."""
        found = verdict_of(answer)
        first, *more = self.verdict
        return found[:1] == (first,) and set(more) <= set(found)


@dataclass(frozen=True, slots=True)
class Levels(_Spoken):
    """Permissions, as far as they are wanted; levels as `read`, `>=`, `my`."""

    view: bool | None
    levels: tuple[tuple[str, str, str], ...]

    def holds(self, answer: Answer) -> bool:
        """Whether the first permissions are such."""
        if not isinstance(answer, pb.GetPermissionsResponse):
            return False
        granted = answer.permissions[0]
        fits = all(
            _compares(level_word(granted, operation), sign, level)
            for operation, sign, level in self.levels
        )
        return fits and self.view in {None, granted.view}


@dataclass(frozen=True, slots=True)
class Formula(_Spoken):
    """A list filter."""

    def holds(self, answer: Answer) -> bool:
        """Whether it is this filter; the outermost parentheses may be left out."""
        found = self.found(answer)
        wanted = " ".join(self.words.split())
        return found in {wanted, f"({wanted})"}


@dataclass(frozen=True, slots=True)
class Parts(_Spoken):
    """The context, or each of the contexts, with these fields."""

    several: bool
    parts: tuple[Mapping[str, Part], ...]

    def holds(self, answer: Answer) -> bool:
        """Whether there are so many, in this order, with such fields."""
        found = self._messages(answer)
        return len(found) == len(self.parts) and all(
            _fits(to_bare(message), wanted)
            for message, wanted in zip(found, self.parts, strict=True)
        )

    @override
    def found(self, answer: Answer) -> str:
        """The context, as far as it is wanted; contexts in full."""
        if self.several or not isinstance(answer, pb.ResolveContextResponse):
            return answer_words(answer)
        told = to_bare(answer.context)
        return part_words({name: _part(told.get(name)) for name in self.parts[0]})

    def _messages(self, answer: Answer) -> list[Message]:
        match answer:
            case pb.ResolveContextResponse() if not self.several:
                return [answer.context]
            case pb.ListContextsResponse() if self.several:
                return list(answer.contexts)
            case _:
                return []


@dataclass(frozen=True, slots=True)
class RuleVerdict:
    """Whether a rule is valid; if not, the fields and faults that are wanted."""

    words: str
    index: int
    wanted: tuple[str, ...]

    def holds(self, answer: Answer) -> bool:
        """Whether the rule is judged so."""
        first, *more = self.wanted
        found = SEPARATORS.split(self.found(answer))
        return first == found[0] and set(more) <= set(found)

    def found(self, answer: Answer) -> str:
        """What is wrong with the rule."""
        if not isinstance(answer, pb.ValidateAccessRulesResponse):
            return answer_words(answer)
        own = [each for each in answer.problems if each.rule_index == self.index]
        return problem_words(own)


def _compares(found: str, sign: str, wanted: str) -> bool:
    left, right = LEVELS.index(found), LEVELS.index(wanted)
    match sign:
        case ">=":
            return left >= right
        case "<=":
            return left <= right
        case _:
            return left == right


def _fits(found: Mapping[str, Json], wanted: Mapping[str, Part]) -> bool:
    return all(_part(found.get(name)) == value for name, value in wanted.items())


def _part(value: object) -> Part:
    match value:
        case list():
            return frozenset(map(str, value))
        case bool():
            return str(value).lower()
        case None:
            return None
        case _:
            return str(value)


def part_words(part: Mapping[str, Part]) -> str:
    """Fields with the values that are wanted of them."""
    return ", ".join(f"{name}={_shown(value)}" for name, value in part.items())


def _shown(value: Part) -> str:
    match value:
        case frozenset():
            return f"[{', '.join(sorted(value))}]"
        case None:
            return "(unset)"
        case _:
            return value
