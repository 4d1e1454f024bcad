"""What a caller's roles allow: reads what core.permissions needs, and remembers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sidecar.core import permissions
from sidecar.core.decision import Denied, Outcome, Step
from sidecar.core.ids import FeatureInstanceId, RoleId
from sidecar.core.model import (
    InstanceStanding,
    Permissions,
    Role,
    Standing,
    TenantContext,
)
from sidecar.core.permissions import (
    Basis,
    PermissionQuery,
    RolePrecedence,
    Within,
)
from sidecar.ports import Facts, InstanceKey, RoleKey, StandingKey
from sidecar.service.asking import PermissionReasons
from sidecar.service.holding import Answers, Holding, Remembered
from sidecar.service.resolving import Resolved

# Instances of one caller; who names more of them than this has them read each time.
_INSTANCES: Final = 16


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a caller's permissions rest on, with each instance asked about."""

    basis: Basis
    by_instance: Mapping[FeatureInstanceId | None, Holding]
    answers: Mapping[FeatureInstanceId | None, Answers]
    precedence: RolePrecedence

    def answer(self, query: PermissionQuery) -> Permissions:
        """What is allowed."""
        context, item, instance_id = query
        match self.basis:
            case Basis.ROLES:
                return self.answers[instance_id].answer(context, item)
            case Basis.ALL_MODE:
                return permissions.EVERYTHING
            case Basis.NO_CONTEXT | Basis.NO_ORGANIZATION | Basis.NOT_A_MEMBER:
                return permissions.NOTHING

    def reasons(
        self, query: PermissionQuery, context_steps: tuple[Step, ...]
    ) -> PermissionReasons:
        """Why that is allowed."""
        holding = self.by_instance.get(query.feature_instance_id)
        held = () if holding is None else holding.held
        step = Step("permissions.basis", Outcome.FACT, self.basis.text)
        return PermissionReasons(
            self.basis,
            (*context_steps, step),
            permissions.judge_roles(held, query, self.precedence),
        )


async def read_holdings(
    resolved: Resolved,
    queries: Iterable[PermissionQuery],
    facts: Facts,
    remembered: Remembered,
) -> Holdings:
    """Reads what the queries need of a resolved context.

    What was read is kept with the context, which is used again only while no fact
    changes.
    """
    precedence = remembered.precedence
    context = resolved.context
    if isinstance(context, Denied):
        return Holdings(Basis.NO_CONTEXT, {}, {}, precedence)
    standing = await _standing(context, resolved.standing, facts)
    basis = permissions.basis(context, standing)
    if basis is not Basis.ROLES or standing is None:
        return Holdings(basis, {}, {}, precedence)
    named = {query.feature_instance_id for query in queries}
    found = resolved.holdings
    if not named <= found.keys():
        within = await _within(context, standing, tuple(named), facts)
        roles = await _roles(within, facts)
        found = {each.instance_id: _holding(each, roles) for each in within}
        if len(resolved.holdings) + len(found) <= _INSTANCES:
            remembered.kept.keep(resolved.holdings, found, facts.epoch)
    # What is kept with the context may be emptied at any time.
    found = {each: found[each] for each in named}
    epoch = facts.epoch
    answers = {
        each: remembered.of(holding.fitting, epoch) for each, holding in found.items()
    }
    return Holdings(basis, found, answers, precedence)


async def _standing(
    context: TenantContext, known: Standing | None, facts: Facts
) -> Standing | None:
    current = context.current_principal_id
    own = context.user.principal_id
    if known is not None or current is None or current == own:
        return known
    return await facts.get(StandingKey(own, current))


async def _within(
    context: TenantContext,
    standing: Standing,
    named: Sequence[FeatureInstanceId | None],
    facts: Facts,
) -> list[Within]:
    organization = context.write_principal_id
    instance_ids = [each for each in named if each is not None]
    keys = [InstanceKey(context.user.id, each) for each in instance_ids]
    found = await facts.get_all(keys) if keys else []
    standings: dict[FeatureInstanceId, InstanceStanding] = dict(
        zip(instance_ids, found, strict=True)
    )
    return [
        Within(
            organization,
            standing,
            each,
            None if each is None else standings[each],
        )
        for each in named
    ]


async def _roles(within: Iterable[Within], facts: Facts) -> dict[RoleId, Role]:
    role_ids = {
        role_id
        for each in within
        for role_id, _ in permissions.assigned_role_ids(
            each.standing, each.instance_standing
        )
    }
    if not role_ids:
        return {}
    found = await facts.get_all([RoleKey(role_id) for role_id in role_ids])
    return {role.id: role for role in found if role is not None}


def _holding(within: Within, roles: dict[RoleId, Role]) -> Holding:
    held = permissions.held_roles(within, roles)
    return Holding(held, permissions.fitting_roles(held))
