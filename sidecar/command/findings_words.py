"""Contexts, roles and permissions that were found, in words and as JSON."""

from collections.abc import Sequence

from sidecar.command.bare_json import Json
from sidecar.core.ids import FeatureInstanceId, PrincipalId
from sidecar.core.model import Permissions, TenantContext, User
from sidecar.core.permissions import HeldRole, JudgedRole
from sidecar.service.surveying import Granted, Held
from sidecar.service.ways import Way

Fields = dict[str, "Json | None"]
"""A document whose fields may be absent: none."""

_OPERATIONS = ("read", "create", "update", "delete")
_LEVELS = ("NONE", "MY", "GROUP", "ALL")


def user_words(user: User) -> str:
    """Who it is."""
    return f"user {user.id} ({user.name})" if user.name else f"user {user.id}"


def way_words(way: Way, context: TenantContext) -> str:
    """How the user comes to act, and as what."""
    role = "" if context.org_role is None else f" as {context.org_role.value}"
    if way.api_key:
        return f"{pin_words(way)}{role}"
    if context.user.is_system and not way.organization_id:
        return "in any context"
    if context.current_principal_id is None:
        return "in All mode"
    if not context.current_is_personal_scope:
        return f"in organization {way.organization_id}{role}"
    named = ", when it is named" if way.organization_id else ""
    return f"in the own scope{named}"


def pin_words(way: Way) -> str:
    """By which key the user acts."""
    return f"with API key {way.api_key}, pinned to {way.pinned_principal_id}"


def way_json(way: Way) -> Fields:
    """How the user comes to act."""
    return {
        "organization_id": way.organization_id or None,
        "api_key_lookup_id": way.api_key or None,
    }


def context_json(context: TenantContext) -> Fields:
    """As what the user acts then."""
    role = context.org_role
    return {
        "current_principal_id": context.current_principal_id,
        "org_role": None if role is None else role.name,
        "current_is_personal_scope": context.current_is_personal_scope,
        "bypass": context.bypass,
    }


def through_words(through: Sequence[PrincipalId], context: TenantContext) -> str:
    """To whom a cluster is granted."""
    current = context.current_principal_id
    names = {
        current: f"the organization {current}",
        context.user.principal_id: "the user",
    }
    granted = ", ".join(names.get(each, f"group {each}") for each in through)
    return f"granted to {granted}" if granted else ""


def role_words(role: HeldRole, instance_id: FeatureInstanceId | None) -> str:
    """A role that is held, from where, and why it does not count if it does not."""
    known = role.role
    label = f" ({known.label})" if known is not None and known.label else ""
    scope = "" if known is None else f", scope {known.scope.name}"
    source = role.source.value.lower().replace("_", " ")
    misfit = "" if role.misfit is None else f", does not count: {role.misfit.value}"
    malformed = sorted(each.value for each in known.malformed) if known else []
    silent = f", malformed in {', '.join(malformed)}" if malformed else ""
    return (
        f"{_instance(instance_id)}role {role.role_id}{label} "
        f"by {source}{scope}{misfit}{silent}"
    )


def role_json(found: Held) -> Fields:
    """A role that is held."""
    role, known = found.role, found.role.role
    return {
        "feature_instance_id": found.instance_id,
        "role_id": role.role_id,
        "label": None if known is None else known.label,
        "scope": None if known is None else known.scope.name,
        "source": role.source.value,
        "does_not_count": None if role.misfit is None else role.misfit.value,
    }


def permissions_words(found: Granted) -> str:
    """What is allowed on an item, and by which rules."""
    query = found.query
    item = "everything else" if query.item is None else query.item
    instance = _instance(query.feature_instance_id)
    by = rules_words(found.by)
    allowed = _allowed(found.permissions)
    return f"{instance}{query.context.value} {item}: {allowed}{by}"


def permissions_json(found: Granted) -> Fields:
    """What is allowed on an item, and by which rules."""
    query, allowed = found.query, found.permissions
    return {
        "feature_instance_id": query.feature_instance_id,
        "rule_context": query.context.value,
        "item": query.item,
        "view": allowed.view,
        **{name: _LEVELS[getattr(allowed, name)] for name in _OPERATIONS},
        "by": rules_json(found.by),
    }


def rules_words(by: Sequence[JudgedRole]) -> str:
    """By which roles and rules it is allowed, after what is allowed."""
    rules = ", ".join(f"{rule} of role {role}" for role, rule in _rules(by))
    return f"  by rule {rules}" if rules else ""


def rules_json(by: Sequence[JudgedRole]) -> list[Json]:
    """By which roles and rules it is allowed."""
    return [{"role_id": role, "rule_id": rule} for role, rule in _rules(by)]


def _instance(instance_id: FeatureInstanceId | None) -> str:
    return "" if instance_id is None else f"with instance {instance_id}: "


def _rules(by: Sequence[JudgedRole]) -> list[tuple[str, str]]:
    return [(each.held.role_id, each.rule.id) for each in by if each.rule is not None]


def _allowed(permissions: Permissions) -> str:
    words = ["view"] if permissions.view else []
    for name in _OPERATIONS:
        level = _LEVELS[getattr(permissions, name)]
        if level != "NONE":
            words.append(f"{name} {level}")
    return ", ".join(words) or "nothing"
