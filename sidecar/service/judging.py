"""One context, many requirements: reads the rows they name and judges each."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sidecar.core.authorize import (
    MustBeCreatable,
    MustBeVisible,
    MustBeWritable,
    MustPass,
    MustPermit,
    NamedResource,
    Requirement,
    permit,
)
from sidecar.core.checks import OfResource, check_visible, check_writable
from sidecar.core.decision import (
    UNKNOWN_KIND,
    Check,
    Decision,
    Denied,
    Outcome,
    Step,
    outcome_of,
)
from sidecar.core.gates import CREATABLE, Creation, Passing, check_gate
from sidecar.core.model import Resource, ResourceRecord, Visibility
from sidecar.ports import Facts, ResourceKey
from sidecar.service.asking import Decided, Explanation, Policy
from sidecar.service.permitting import Holdings, read_holdings
from sidecar.service.resolving import Resolved

VisibilityCheck: TypeAlias = Callable[[Visibility], Check[OfResource]]

Records = Mapping[ResourceKey, ResourceRecord | None]


def writable_alone(visibility: Visibility) -> Check[OfResource]:
    """The check whether a row is writable, visibility having been checked."""
    return check_writable(visibility, skip_visible=True)


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges under one resolved context."""

    resolved: Resolved
    facts: Facts
    policy: Policy

    async def resources(
        self,
        resources: Sequence[NamedResource],
        check_of: VisibilityCheck,
        *,
        explain: bool,
    ) -> Decided:
        """The same check for each resource."""
        records = await self._records(resources)
        decisions = [self._resource(each, records, check_of) for each in resources]
        if not explain:
            return Decided(decisions)
        return Decided(
            decisions,
            [self._explain_resource(each, records, check_of) for each in resources],
        )

    async def requirements(
        self, requirements: Sequence[Requirement], *, explain: bool
    ) -> Decided:
        """Each requirement, in order."""
        records = await self._records(_resources_of(requirements))
        holdings = await self._holdings(requirements)
        decisions = [self._require(each, records, holdings) for each in requirements]
        if not explain:
            return Decided(decisions)
        return Decided(
            decisions,
            [self._explain(each, records, holdings) for each in requirements],
        )

    async def _records(self, resources: Iterable[NamedResource]) -> Records:
        if isinstance(self.resolved.context, Denied):
            return {}
        keys = list(
            dict.fromkeys(
                ResourceKey(each.kind, each.id)
                for each in resources
                if each.record is None and each.kind in self.policy.kinds
            )
        )
        if not keys:
            return {}
        return dict(zip(keys, await self.facts.get_all(keys), strict=True))

    async def _holdings(self, requirements: Iterable[Requirement]) -> Holdings | None:
        queries = [each.query for each in requirements if isinstance(each, MustPermit)]
        if not queries:
            return None
        return await read_holdings(
            self.resolved, queries, self.facts, self.policy.role_precedence
        )

    def _require(
        self, requirement: Requirement, records: Records, holdings: Holdings | None
    ) -> Decision:
        match requirement:
            case MustBeVisible(resource):
                return self._resource(resource, records, check_visible)
            case MustBeWritable(resource, skip_visible):
                check_of = writable_alone if skip_visible else check_writable
                return self._resource(resource, records, check_of)
            case MustBeCreatable() | MustPass() | MustPermit():
                return self._require_of_caller(requirement, holdings)

    def _require_of_caller(
        self,
        requirement: MustBeCreatable | MustPass | MustPermit,
        holdings: Holdings | None,
    ) -> Decision:
        if isinstance(requirement, MustBeCreatable) and not self._knows(requirement):
            return UNKNOWN_KIND
        context = self.resolved.context
        if isinstance(context, Denied):
            return context
        match requirement:
            case MustBeCreatable(_, owner):
                return CREATABLE.decide(Creation(context, owner))
            case MustPass(gate):
                check, roles = check_gate(gate)
                return check.decide(Passing(context, roles))
            case MustPermit():
                return permit(requirement, _known(holdings).answer(requirement.query))

    def _knows(self, requirement: MustBeCreatable) -> bool:
        return requirement.kind in self.policy.kinds

    def _resource(
        self, named: NamedResource, records: Records, check_of: VisibilityCheck
    ) -> Decision:
        kind = self.policy.kinds.get(named.kind)
        if kind is None:
            return UNKNOWN_KIND
        context = self.resolved.context
        if isinstance(context, Denied):
            return context
        record = named.record or records[ResourceKey(named.kind, named.id)]
        resource = None if record is None else Resource.of(kind, named.id, record)
        return check_of(kind.visibility).decide(OfResource(context, resource))

    def _explain(
        self, requirement: Requirement, records: Records, holdings: Holdings | None
    ) -> Explanation:
        match requirement:
            case MustBeVisible(resource):
                return self._explain_resource(resource, records, check_visible)
            case MustBeWritable(resource, skip_visible):
                check_of = writable_alone if skip_visible else check_writable
                return self._explain_resource(resource, records, check_of)
            case MustBeCreatable() | MustPass() | MustPermit():
                return self._explain_of_caller(requirement, holdings)

    def _explain_of_caller(
        self,
        requirement: MustBeCreatable | MustPass | MustPermit,
        holdings: Holdings | None,
    ) -> Explanation:
        if isinstance(requirement, MustBeCreatable) and not self._knows(requirement):
            return _explain_unknown_kind(requirement.kind)
        steps = self.resolved.steps()
        context = self.resolved.context
        if isinstance(context, Denied):
            return Explanation(steps)
        match requirement:
            case MustBeCreatable(_, owner):
                tried = CREATABLE.explain(Creation(context, owner))
                return Explanation((*steps, *tried))
            case MustPass(gate):
                check, roles = check_gate(gate)
                tried = check.explain(Passing(context, roles))
                return Explanation((*steps, *tried))
            case MustPermit():
                return _explain_permission(requirement, _known(holdings), steps)

    def _explain_resource(
        self, named: NamedResource, records: Records, check_of: VisibilityCheck
    ) -> Explanation:
        kind = self.policy.kinds.get(named.kind)
        if kind is None:
            return _explain_unknown_kind(named.kind)
        steps = self.resolved.steps()
        context = self.resolved.context
        if isinstance(context, Denied):
            return Explanation(steps)
        record = named.record or records[ResourceKey(named.kind, named.id)]
        resource = None if record is None else Resource.of(kind, named.id, record)
        tried = check_of(kind.visibility).explain(OfResource(context, resource))
        return Explanation((*steps, *tried))


def _resources_of(requirements: Iterable[Requirement]) -> list[NamedResource]:
    return [
        each.resource
        for each in requirements
        if isinstance(each, MustBeVisible | MustBeWritable)
    ]


def _known(holdings: Holdings | None) -> Holdings:
    if holdings is None:
        raise AssertionError("holdings are read before a permission is judged")
    return holdings


def _explain_unknown_kind(kind: str) -> Explanation:
    detail = f"kind `{kind}` is not declared"
    return Explanation((Step("kind", Outcome.DENIED, detail),))


def _explain_permission(
    wanted: MustPermit, holdings: Holdings, steps: tuple[Step, ...]
) -> Explanation:
    granted = holdings.answer(wanted.query)
    reached = granted.level(wanted.operation)
    detail = (
        f"{wanted.operation.value} reaches {reached.name}, "
        f"at least {wanted.least.name} is wanted"
    )
    step = Step("permission.level", outcome_of(permit(wanted, granted)), detail)
    return Explanation((*steps, step), holdings.reasons(wanted.query, ()))
