"""Rows of a document as facts, without the sidecar's own way from one to the other."""

from datetime import datetime

from sidecar.core.ids import (
    FeatureInstanceId,
    PrincipalId,
    RuleId,
)
from sidecar.core.model import (
    AccessLevel,
    FeatureInstance,
    OrgRole,
    RuleContext,
)
from sidecar.core.rules import Level, StoredRule, Unknown

Row = dict[str, object]

LEVELS: dict[object, AccessLevel] = {
    "n": AccessLevel.NONE,
    "m": AccessLevel.MY,
    "g": AccessLevel.GROUP,
    "a": AccessLevel.ALL,
}


def seconds(time: object) -> float | None:
    """A time as seconds, none of none."""
    return None if time is None else datetime.fromisoformat(str(time)).timestamp()


def org_role(row: Row) -> OrgRole | None:
    """The role that a row names; none for a word that is no role."""
    roles = {role.value: role for role in OrgRole}
    return roles.get(str(row.get("role")))


def feature_instance(row: Row) -> FeatureInstance:
    """A row as the fact."""
    return FeatureInstance(
        FeatureInstanceId(str(row["id"])),
        PrincipalId(str(row["organization_id"])),
        row.get("enabled", True) is True,
    )


def rule(row: Row) -> StoredRule:
    """A row as it is stored, with what is malformed in it."""
    contexts = {context.value: context for context in RuleContext}
    view, item = row.get("view", False), row.get("item")
    return StoredRule(
        RuleId(str(row["id"])),
        contexts.get(str(row.get("context")), Unknown.WORD),
        None if item is None else str(item),
        view if isinstance(view, bool) else None,
        _level(row.get("read")),
        _level(row.get("create")),
        _level(row.get("update")),
        _level(row.get("delete")),
    )


def _level(value: object) -> Level:
    return None if value is None else LEVELS.get(value, Unknown.WORD)
