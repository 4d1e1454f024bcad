"""Access rules: which are valid, and a role's rules made ready for look-up.

semantics.md §4, "A valid rule", and §5 on stored rules that are none.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, unique
from typing import Final

from sidecar.core.ids import (
    FeatureInstanceId,
    PrincipalId,
    RoleId,
    RuleId,
)
from sidecar.core.model import AccessLevel, AccessRule, Permissions, Role, RuleContext
from sidecar.core.reasons import RuleFault

# `\s` is what str.isspace calls a blank.
_ITEM: Final = re.compile(r"[^\s.]+(?:\.[^\s.]+)*")


@unique
class Unknown(Enum):
    """A stored word that is none of those that are known."""

    WORD = "unknown"


Level = AccessLevel | Unknown | None


@dataclass(frozen=True, slots=True)
class StoredRule:
    """A rule as somebody wrote it down, valid or not."""

    id: RuleId
    context: RuleContext | Unknown
    item: str | None
    view: bool | None
    read: Level
    create: Level
    update: Level
    delete: Level


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one field of a rule."""

    field: str
    fault: RuleFault


_UNKNOWN_CONTEXT = Fault("context", RuleFault.UNKNOWN_CONTEXT)


@dataclass(frozen=True, slots=True)
class MalformedRule:
    """A stored rule that makes its role contribute nothing in its context."""

    rule_id: RuleId
    fault: Fault


@dataclass(frozen=True, slots=True)
class StoredRole:
    """A role as it is stored, with its rules, before they are judged."""

    id: RoleId
    label: str
    organization_id: PrincipalId | None
    feature_instance_id: FeatureInstanceId | None
    rules: tuple[StoredRule, ...]


def is_item(text: str) -> bool:
    """Whether `text` is non-empty segments without blanks, joined by `.`."""
    return _ITEM.fullmatch(text) is not None


def faults(rule: StoredRule) -> Iterator[Fault]:
    """What is wrong with a rule on its own, nothing when it is valid."""
    if isinstance(rule.context, Unknown):
        yield _UNKNOWN_CONTEXT
    if rule.item is not None and not is_item(rule.item):
        yield Fault("item", RuleFault.MALFORMED_ITEM)
    if rule.view is None:
        yield Fault("view", RuleFault.VIEW_MISSING)
    for name, level in _levels(rule):
        if isinstance(level, Unknown):
            yield Fault(name, RuleFault.UNKNOWN_LEVEL)
    if rule.context is RuleContext.DATA:
        yield from _data_faults(rule)


def compile_role(stored: StoredRole) -> tuple[Role, tuple[MalformedRule, ...]]:
    """Makes a role ready for look-up, and tells which of its rules are bad.

    A bad rule makes the role contribute nothing in the rule's context; one
    whose context is unknown, in every context.
    """
    rules: dict[RuleContext, dict[str | None, AccessRule]] = {}
    malformed: list[MalformedRule] = []
    spoilt: set[RuleContext] = set()
    for rule in stored.rules:
        fault = next(faults(rule), None) or _duplicate(rule, rules)
        if fault is not None or isinstance(rule.context, Unknown):
            malformed.append(MalformedRule(rule.id, fault or _UNKNOWN_CONTEXT))
            spoilt.update(_contexts(rule))
        else:
            rules.setdefault(rule.context, {})[rule.item] = _valid(rule)
    role = Role(
        stored.id,
        stored.label,
        stored.organization_id,
        stored.feature_instance_id,
        {context: each for context, each in rules.items() if context not in spoilt},
        frozenset(spoilt),
    )
    return role, tuple(malformed)


def duplicates(rules: Iterable[tuple[RoleId, StoredRule]]) -> Iterator[int]:
    """The indexes of rules whose role, context and item stood before."""
    seen: set[tuple[RoleId, RuleContext | Unknown, str | None]] = set()
    for index, (role_id, rule) in enumerate(rules):
        key = (role_id, rule.context, rule.item)
        if key in seen:
            yield index
        seen.add(key)


def _levels(rule: StoredRule) -> tuple[tuple[str, Level], ...]:
    return (("read", rule.read), *_operations(rule))


def _operations(rule: StoredRule) -> tuple[tuple[str, Level], ...]:
    return (
        ("create", rule.create),
        ("update", rule.update),
        ("delete", rule.delete),
    )


def _data_faults(rule: StoredRule) -> Iterator[Fault]:
    if rule.read is None:
        yield Fault("read", RuleFault.READ_MISSING)
        return
    for name, level in _operations(rule):
        if _known(level) > _known(rule.read):
            yield Fault(name, RuleFault.EXCEEDS_READ)


def _duplicate(
    rule: StoredRule, rules: dict[RuleContext, dict[str | None, AccessRule]]
) -> Fault | None:
    is_duplicate = isinstance(rule.context, RuleContext) and (
        rule.item in rules.get(rule.context, {})
    )
    return Fault("item", RuleFault.DUPLICATE) if is_duplicate else None


def _contexts(rule: StoredRule) -> tuple[RuleContext, ...]:
    if isinstance(rule.context, RuleContext):
        return (rule.context,)
    return tuple(RuleContext)


def _valid(rule: StoredRule) -> AccessRule:
    # Outside DATA levels mean nothing, so they are not kept (semantics §4.8).
    keeps = rule.context is RuleContext.DATA
    read, create, update, delete = (
        _known(level) if keeps else AccessLevel.NONE for _, level in _levels(rule)
    )
    return AccessRule(
        rule.id,
        rule.item,
        Permissions(bool(rule.view), read, create, update, delete),
    )


def _known(level: Level) -> AccessLevel:
    return level if isinstance(level, AccessLevel) else AccessLevel.NONE
