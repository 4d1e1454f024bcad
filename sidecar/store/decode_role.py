"""Rows as roles with their rules, judged and made ready for look-up."""

from collections.abc import Sequence
from typing import Final

from sidecar.core.ids import FeatureInstanceId, PrincipalId, RuleId
from sidecar.core.model import AccessLevel, Role, RuleContext
from sidecar.core.rules import Level, StoredRole, StoredRule, Unknown, compile_role
from sidecar.ports import RoleKey
from sidecar.store.anomalies import Anomaly, Problem, Tell
from sidecar.store.decode import only, text
from sidecar.store.queries import Row

_CONTEXTS: Final = {context.value.lower(): context for context in RuleContext}
_LEVELS: Final = {
    "n": AccessLevel.NONE,
    "m": AccessLevel.MY,
    "g": AccessLevel.GROUP,
    "a": AccessLevel.ALL,
}
_FLAGS: Final = {"true": True, "false": False}


def decode_role(key: RoleKey, rows: Sequence[Row], tell: Tell) -> Role | None:
    """A role; what is wrong with its rules is told, and makes it give less."""
    row = only(rows, Anomaly("roles", Problem.DUPLICATE_ROW, key.role_id), tell)
    if row is None:
        return None
    organization = text(row, "organization_id")
    instance = text(row, "feature_instance_id")
    rules = row["rules"] if isinstance(row["rules"], list) else []
    stored = StoredRole(
        key.role_id,
        text(row, "label") or "",
        None if organization is None else PrincipalId(organization),
        None if instance is None else FeatureInstanceId(instance),
        tuple(_rule(*rule) for rule in rules),
    )
    role, malformed = compile_role(stored)
    for each in malformed:
        tell(Anomaly("access_rules", Problem.MALFORMED_RULE, each.rule_id))
    return role


def _rule(
    rule_id: str | None,
    context: str | None,
    item: str | None,
    view: str | None,
    *levels: str | None,
) -> StoredRule:
    read, create, update, delete = map(_level, levels)
    return StoredRule(
        RuleId(rule_id or ""),
        _CONTEXTS.get((context or "").lower(), Unknown.WORD),
        item,
        _FLAGS.get(view or ""),
        read,
        create,
        update,
        delete,
    )


def _level(word: str | None) -> Level:
    return None if word is None else _LEVELS.get(word.lower(), Unknown.WORD)
