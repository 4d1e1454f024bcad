"""Access rules of a file, and what is wrong with them.

The file is a directory document, or a list of rules as such a document has them. The
rules are judged as the API's ValidateAccessRules judges them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sidecar.core.ids import RoleId, RuleId
from sidecar.core.model import AccessLevel, RuleContext
from sidecar.core.reasons import Reason, RuleFault
from sidecar.core.rules import Fault, Level, StoredRule, Unknown, duplicates, faults
from sidecar.store.relations import RELATIONS
from sidecar.tools.policy_yaml import (
    Entries,
    FileError,
    Listing,
    Node,
    Place,
    Scalar,
    items,
    meant,
    read_tree,
)

_RELATION: Final = "access_rules"
_COLUMNS: Final = tuple(column.name for column in RELATIONS[_RELATION])
_CONTEXTS: Final = {context.value: context for context in RuleContext}
_LEVELS: Final = {
    "n": AccessLevel.NONE,
    "m": AccessLevel.MY,
    "g": AccessLevel.GROUP,
    "a": AccessLevel.ALL,
}
_FLAGS: Final = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class RuleProblem:
    """What is wrong with one field of a rule, and where it stands.

    `rule` is its id when it has one, else its number, counted from 0. `reason` is a
    bare name of AccessRuleFault, or MALFORMED_FIELD for what is no rule at all.
    """

    place: Place
    rule: str
    field: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Validated:
    """How many rules there are, and what is wrong with them, in their order."""

    rules: int
    problems: tuple[RuleProblem, ...]


def validate_rules(source: str) -> Validated:
    """Judges the rules of a file.

    Raises:
        FileError: it is not YAML, or has no place for rules.
    """
    nodes = _rules_of(read_tree(source))
    rules = [_Rule.of(index, node) for index, node in enumerate(nodes)]
    sound = [rule for rule in rules if not rule.malformed]
    repeated = duplicates((rule.role_id, rule.stored) for rule in sound)
    for index in list(repeated):
        sound[index].repeats = True
    problems = (problem for rule in rules for problem in rule.problems())
    return Validated(len(rules), tuple(problems))


def _rules_of(root: Node) -> tuple[Node, ...]:
    if isinstance(root, Listing):
        return root.items
    if not isinstance(root, Entries):
        raise FileError("neither a directory document nor a list of rules", root.place)
    relations = {key.text: value for key, value in root.entries}
    if _RELATION not in relations:
        raise FileError(f"there is no `{_RELATION}` in it", root.place)
    return items(relations[_RELATION], f"`{_RELATION}`")


class _Rule:
    def __init__(self, name: str, node: Entries) -> None:
        self._name = name
        self._place = node.place
        self._keys = {str(key.text): key.place for key, _ in node.entries}
        self._values = {str(key.text): value for key, value in node.entries}
        self.malformed = tuple(self._malformed())
        self.repeats = False

    @classmethod
    def of(cls, index: int, node: Node) -> "_Rule":
        """A rule; what is no mapping is one without a column."""
        if not isinstance(node, Entries):
            node = Entries((), node.place, "", 0, 0)
        rule = cls(str(index), node)
        rule._name = rule._text("id") or rule._name
        return rule

    @property
    def role_id(self) -> RoleId:
        """The role that it is of."""
        return RoleId(self._text("role_id") or "")

    @property
    def stored(self) -> StoredRule:
        """The rule for the core to judge."""
        context, view = self._text("context"), self._text("view")
        return StoredRule(
            RuleId(self._name),
            _CONTEXTS.get(context or "", Unknown.WORD),
            self._text("item"),
            # As in a document: nothing said means that it is not to be viewed.
            False if view is None else _FLAGS.get(view),
            self._level("read"),
            self._level("create"),
            self._level("update"),
            self._level("delete"),
        )

    def problems(self) -> Iterator[RuleProblem]:
        """What is wrong with it."""
        yield from self.malformed
        if self.malformed:
            return
        found = list(faults(self.stored))
        if self.repeats:
            found.append(Fault("item", RuleFault.DUPLICATE))
        for each in found:
            yield self._problem(each.field, each.fault.name, each.fault.text)

    def _malformed(self) -> Iterator[RuleProblem]:
        reason = Reason.MALFORMED_FIELD.name
        for name, value in self._values.items():
            if name not in _COLUMNS:
                message = f"is no column of a rule{meant(name, _COLUMNS)}"
                yield self._problem(name, reason, message)
            elif not isinstance(value, Scalar):
                yield self._problem(name, reason, "must be a single value")
        if not self._text("role_id"):
            yield self._problem("role_id", reason, "must name a role")

    def _problem(self, field: str, reason: str, message: str) -> RuleProblem:
        value = self._values.get(field)
        place = self._place if value is None else value.place
        if field not in _COLUMNS:
            place = self._keys[field]
        return RuleProblem(place, self._name, field, reason, message)

    def _text(self, column: str) -> str | None:
        value = self._values.get(column)
        return value.text if isinstance(value, Scalar) else None

    def _level(self, column: str) -> Level:
        word = self._text(column)
        return None if word is None else _LEVELS.get(word, Unknown.WORD)
