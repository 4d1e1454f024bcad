"""Permissions: what a caller's roles allow (docs/semantics.md §4).

Long, because the same rules are here twice: for the answer, and for its reasons.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, unique
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias, assert_never

from sidecar.core.ids import FeatureInstanceId, PrincipalId, RoleId
from sidecar.core.model import (
    AccessLevel,
    AccessRule,
    InstanceStanding,
    Permissions,
    Role,
    RoleScope,
    RuleContext,
    Standing,
    TenantContext,
)

NOTHING = Permissions(
    view=False,
    read=AccessLevel.NONE,
    create=AccessLevel.NONE,
    update=AccessLevel.NONE,
    delete=AccessLevel.NONE,
)
EVERYTHING = Permissions(
    view=True,
    read=AccessLevel.ALL,
    create=AccessLevel.ALL,
    update=AccessLevel.ALL,
    delete=AccessLevel.ALL,
)


Rules: TypeAlias = Mapping[str | None, AccessRule]
Ranks: TypeAlias = tuple[tuple[Rules, ...], ...]

# Viewed or not, and four levels of four each.
_DIFFERENT: Final = 2 * 4**4


@unique
class RolePrecedence(Enum):
    """How roles of different scopes come together."""

    UNION = "union"
    HIGHEST_SCOPE = "highest_scope"


@unique
class Basis(Enum):
    """What permissions rest on; `text` says it to people."""

    ALL_MODE = "a platform admin in All mode has every permission"
    ROLES = "the roles held"
    NO_CONTEXT = "nothing: the context does not resolve"
    NO_ORGANIZATION = "nothing: the current principal is not a live organization"
    NOT_A_MEMBER = "nothing: no active membership in the organization"

    @property
    def text(self) -> str:
        """The basis as a sentence for people."""
        return self.value


@unique
class RoleSource(Enum):
    """Where a role assignment came from."""

    MEMBERSHIP = "MEMBERSHIP"
    FEATURE_ACCESS = "FEATURE_ACCESS"


@unique
class RoleOutcome(Enum):
    """What became of a role that is held."""

    TOOK_PART = "TOOK_PART"
    NO_MATCHING_RULE = "NO_MATCHING_RULE"
    OTHER_ORGANIZATION = "OTHER_ORGANIZATION"
    OTHER_INSTANCE = "OTHER_INSTANCE"
    ACCESS_DISABLED = "ACCESS_DISABLED"
    INSTANCE_NOT_USABLE = "INSTANCE_NOT_USABLE"
    LOWER_SCOPE = "LOWER_SCOPE"
    MALFORMED = "MALFORMED"
    UNKNOWN_ROLE = "UNKNOWN_ROLE"


class PermissionQuery(NamedTuple):
    """What is asked. No item: only generic rules match."""

    context: RuleContext
    item: str | None
    feature_instance_id: FeatureInstanceId | None


@dataclass(frozen=True, slots=True)
class Within:
    """Where roles must fit: an organization, and the instance that was named."""

    organization_id: PrincipalId
    standing: Standing
    instance_id: FeatureInstanceId | None
    instance_standing: InstanceStanding | None

    @property
    def instance_is_usable(self) -> bool:
        """Whether the named instance is enabled and of the organization."""
        named = self.instance_standing
        instance = None if named is None else named.instance
        return (
            instance is not None
            and instance.enabled
            and instance.organization_id == self.organization_id
        )


@dataclass(frozen=True, slots=True)
class HeldRole:
    """A role that is held. `misfit` says why it does not count, none if it does."""

    role_id: RoleId
    source: RoleSource
    role: Role | None
    misfit: RoleOutcome | None


@dataclass(frozen=True, slots=True)
class JudgedRole:
    """A held role and what became of it in one query."""

    held: HeldRole
    outcome: RoleOutcome
    rule: AccessRule | None


def basis(context: TenantContext, standing: Standing | None) -> Basis:
    """What a resolved context's permissions rest on (rules 1 and 2)."""
    if context.current_principal_id is None:
        # Only a platform admin gets here: All mode is chosen for nobody else.
        return Basis.ALL_MODE if context.user.is_platform_admin else Basis.NO_CONTEXT
    if context.current_principal_id == context.user.principal_id or standing is None:
        return Basis.NO_ORGANIZATION
    if standing.principal is None or not standing.principal.is_live_organization:
        return Basis.NO_ORGANIZATION
    return Basis.NOT_A_MEMBER if standing.membership is None else Basis.ROLES


def assigned_role_ids(
    standing: Standing, instance_standing: InstanceStanding | None
) -> tuple[tuple[RoleId, RoleSource], ...]:
    """Every role assigned, whether or not it will count."""
    access = None if instance_standing is None else instance_standing.access
    through_access = () if access is None else access.role_ids
    return (
        *((each, RoleSource.MEMBERSHIP) for each in standing.role_ids),
        *((each, RoleSource.FEATURE_ACCESS) for each in through_access),
    )


def held_roles(within: Within, roles: Mapping[RoleId, Role]) -> tuple[HeldRole, ...]:
    """Every role held, with the reason for which it does not fit (rules 3, 4)."""
    return tuple(
        HeldRole(role_id, source, role, _misfit(within, source, role))
        for role_id, source in assigned_role_ids(
            within.standing, within.instance_standing
        )
        for role in (roles.get(role_id),)
    )


def fitting_roles(held: Sequence[HeldRole]) -> tuple[Role, ...]:
    """The roles that count."""
    return tuple(
        each.role for each in held if each.role is not None and each.misfit is None
    )


def ranks(
    roles: Sequence[Role], context: RuleContext, precedence: RolePrecedence
) -> Ranks:
    """The rules of fitting roles in one context; what a rank allows hides all after."""
    if precedence is RolePrecedence.UNION:
        return (_tables(roles, context),)
    return tuple(
        _tables([role for role in roles if role.scope is scope], context)
        for scope in sorted(RoleScope, reverse=True)
    )


def union(ranked: Ranks, item: str | None) -> Permissions:
    """What roles allow on an item: the union of the winning rules (rules 5 to 8)."""
    names = prefixes(item)
    for tables in ranked:
        bits, is_won = 0, False
        for rules in tables:
            for name in names:
                rule = rules.get(name)
                if rule is not None:
                    bits |= rule.permissions.bits
                    is_won = True
                    break
        if is_won:
            return _of_bits(bits)
    return NOTHING


def judge_roles(
    held: Sequence[HeldRole], query: PermissionQuery, precedence: RolePrecedence
) -> tuple[JudgedRole, ...]:
    """What became of every role held, for the explanation of `union`."""
    judged = [_judge(each, query) for each in held]
    scopes = [
        each.held.role.scope
        for each in judged
        if each.outcome is RoleOutcome.TOOK_PART and each.held.role is not None
    ]
    if precedence is RolePrecedence.UNION or not scopes:
        return tuple(judged)
    return tuple(_outranked(each, max(scopes)) for each in judged)


def winning_rule(
    role: Role, context: RuleContext, item: str | None
) -> AccessRule | None:
    """The most specific rule that matches: equal, longest prefix, generic."""
    rules = role.rules.get(context)
    if rules is None:
        return None
    for prefix in prefixes(item):
        rule = rules.get(prefix)
        if rule is not None:
            return rule
    return None


def prefixes(item: str | None) -> list[str | None]:
    """What a rule that matches may name, the most specific first; none: generic."""
    names: list[str | None] = []
    while item:
        names.append(item)
        item = item.rpartition(".")[0]
    names.append(None)
    return names


def _tables(roles: Iterable[Role], context: RuleContext) -> tuple[Rules, ...]:
    return tuple(role.rules[context] for role in roles if context in role.rules)


@lru_cache(maxsize=_DIFFERENT)
def _of_bits(bits: int) -> Permissions:
    return Permissions.of_bits(bits)


def _misfit(
    within: Within, source: RoleSource, role: Role | None
) -> RoleOutcome | None:
    if source is RoleSource.FEATURE_ACCESS:
        if not within.instance_is_usable:
            return RoleOutcome.INSTANCE_NOT_USABLE
        named = within.instance_standing
        if named is None or named.access is None or not named.access.enabled:
            return RoleOutcome.ACCESS_DISABLED
    return RoleOutcome.UNKNOWN_ROLE if role is None else _scope_misfit(within, role)


def _scope_misfit(within: Within, role: Role) -> RoleOutcome | None:
    match role.scope:
        case RoleScope.GLOBAL:
            return None
        case RoleScope.ORGANIZATION:
            fits = role.organization_id == within.organization_id
            return None if fits else RoleOutcome.OTHER_ORGANIZATION
        case RoleScope.INSTANCE:
            if role.feature_instance_id != within.instance_id:
                return RoleOutcome.OTHER_INSTANCE
            usable = within.instance_is_usable
            return None if usable else RoleOutcome.INSTANCE_NOT_USABLE
        case _:
            assert_never(role.scope)


def _judge(held: HeldRole, query: PermissionQuery) -> JudgedRole:
    if held.misfit is not None or held.role is None:
        return JudgedRole(held, held.misfit or RoleOutcome.UNKNOWN_ROLE, None)
    if query.context in held.role.malformed:
        return JudgedRole(held, RoleOutcome.MALFORMED, None)
    rule = winning_rule(held.role, query.context, query.item)
    if rule is None:
        return JudgedRole(held, RoleOutcome.NO_MATCHING_RULE, None)
    return JudgedRole(held, RoleOutcome.TOOK_PART, rule)


def _outranked(judged: JudgedRole, highest: RoleScope) -> JudgedRole:
    role = judged.held.role
    took_part = judged.outcome is RoleOutcome.TOOK_PART
    if role is None or not took_part or role.scope is highest:
        return judged
    return JudgedRole(judged.held, RoleOutcome.LOWER_SCOPE, judged.rule)
