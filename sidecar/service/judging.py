"""One context, many requirements: reads the rows they name and judges each."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

from sidecar.core.authorize import (
    MayCreateOwn,
    MustBeCreatable,
    MustBeVisible,
    MustBeWritable,
    MustPass,
    MustPermit,
    NamedResource,
    Requirement,
    permit,
)
from sidecar.core.checks import OfResource
from sidecar.core.decision import (
    UNKNOWN_KIND,
    Decision,
    Denied,
    Outcome,
    Step,
    outcome_of,
)
from sidecar.core.gates import CREATABLE, Creation, Passing, check_gate
from sidecar.core.model import (
    AccessLevel,
    Operation,
    ResourceRecord,
    TenantContext,
)
from sidecar.ports import Facts, ResourceKey
from sidecar.service.asking import Decided, Explanation
from sidecar.service.at_hand import of_resource
from sidecar.service.checks import Checks, KindChecks
from sidecar.service.permitting import Holdings, read_holdings
from sidecar.service.resolving import Resolved
from sidecar.service.turns import EXPLAINED, in_turns

Records: TypeAlias = Mapping[NamedResource, ResourceRecord | None]
_Created: TypeAlias = MustBeCreatable | MayCreateOwn
_OfCaller: TypeAlias = _Created | MustPass | MustPermit


_NO_RECORDS: Final[Records] = {}


class Judge(NamedTuple):
    """Judges under one resolved context."""

    resolved: Resolved
    facts: Facts
    checks: Checks

    async def resources(
        self,
        resources: Sequence[NamedResource],
        checks: KindChecks,
        *,
        explain: bool,
    ) -> Decided:
        """The same check for each resource."""
        missing = [each for each in resources if each.record is None]
        records = await self._records(missing) if missing else _NO_RECORDS
        if len(resources) == 1:
            decisions = [self._resource(resources[0], records, checks)]
        else:
            decisions = await self._judge_all(resources, records, checks)
        if not explain:
            return Decided(decisions, revision=self.facts.revision)
        return Decided(
            decisions,
            await in_turns(
                lambda each: self._explain_resource(each, records, checks),
                resources,
                EXPLAINED,
            ),
            revision=self.facts.revision,
        )

    async def _judge_all(
        self,
        resources: Sequence[NamedResource],
        records: Records,
        checks: KindChecks,
    ) -> list[Decision]:
        # Rows of a list are mostly alike, and what is alike is judged once.
        judged: dict[tuple[str, ResourceRecord | None], Decision] = {}
        kinds = self.checks.kinds

        def judge(named: NamedResource) -> Decision:
            kind, _, record = named
            known = kinds.get(kind)
            if known is None or not known.is_judged_by_columns:
                return self._resource(named, records, checks)
            if record is None:
                record = records.get(named)
            decision = judged.get((kind, record))
            if decision is None:
                decision = self._resource(named, records, checks)
                judged[kind, record] = decision
            return decision

        return await in_turns(judge, resources)

    async def requirements(
        self, requirements: Sequence[Requirement], *, explain: bool
    ) -> Decided:
        """Each requirement, in order."""
        records = await self._records(_resources_of(requirements))
        holdings = await self._holdings(requirements)
        decisions = await in_turns(
            lambda each: self._require(each, records, holdings), requirements
        )
        least = self._least_level(requirements, holdings)
        if not explain:
            return Decided(decisions, None, least, self.facts.revision)
        return Decided(
            decisions,
            await in_turns(
                lambda each: self._explain(each, records, holdings),
                requirements,
                EXPLAINED,
            ),
            least,
            self.facts.revision,
        )

    async def _records(self, resources: Iterable[NamedResource]) -> Records:
        if isinstance(self.resolved.context, Denied):
            return {}
        named = dict.fromkeys(
            each
            for each in resources
            if each.record is None and each.kind in self.checks.kinds
        )
        if not named:
            return {}
        keys = [ResourceKey(each.kind, each.id) for each in named]
        return dict(zip(named, await self.facts.get_all(keys), strict=True))

    async def _holdings(self, requirements: Iterable[Requirement]) -> Holdings | None:
        queries = [each.query for each in requirements if isinstance(each, MustPermit)]
        if not queries:
            return None
        return await read_holdings(
            self.resolved, queries, self.facts, self.checks.remembered
        )

    def _least_level(
        self, requirements: Iterable[Requirement], holdings: Holdings | None
    ) -> AccessLevel | None:
        if holdings is None or isinstance(self.resolved.context, Denied):
            return None
        levels = [
            holdings.answer(each.query).level(each.operation)
            for each in requirements
            if isinstance(each, MustPermit) and each.operation is not Operation.VIEW
        ]
        return min(levels, default=None)

    def _require(
        self, requirement: Requirement, records: Records, holdings: Holdings | None
    ) -> Decision:
        match requirement:
            case MustBeVisible(resource):
                return self._resource(resource, records, self.checks.visible)
            case MustBeWritable(resource, skip_visible):
                checks = self.checks.writable_checks(skip_visible=skip_visible)
                return self._resource(resource, records, checks)
            case MustBeCreatable() | MayCreateOwn() | MustPass() | MustPermit():
                return self._require_of_caller(requirement, holdings)

    def _require_of_caller(
        self,
        requirement: _OfCaller,
        holdings: Holdings | None,
    ) -> Decision:
        if isinstance(requirement, _Created) and not self._knows(requirement):
            return UNKNOWN_KIND
        context = self.resolved.context
        if isinstance(context, Denied):
            return context
        match requirement:
            case MustBeCreatable() | MayCreateOwn():
                return CREATABLE.decide(_creation(requirement, context))
            case MustPass(gate):
                check, roles = check_gate(gate)
                return check.decide(Passing(context, roles))
            case MustPermit():
                return permit(requirement, _known(holdings).answer(requirement.query))

    def _knows(self, requirement: _Created) -> bool:
        return requirement.kind in self.checks.kinds

    def _resource(
        self, named: NamedResource, records: Records, checks: KindChecks
    ) -> Decision:
        asked = self._asked(named, records)
        if isinstance(asked, Denied):
            return asked
        return checks[named.kind].decide(asked)

    def _asked(self, named: NamedResource, records: Records) -> OfResource | Denied:
        kind = self.checks.kinds.get(named.kind)
        if kind is None:
            return UNKNOWN_KIND
        context = self.resolved.context
        if isinstance(context, Denied):
            return context
        return of_resource(context, kind, named, named.record or records[named])

    def _explain(
        self, requirement: Requirement, records: Records, holdings: Holdings | None
    ) -> Explanation:
        match requirement:
            case MustBeVisible(resource):
                return self._explain_resource(resource, records, self.checks.visible)
            case MustBeWritable(resource, skip_visible):
                checks = self.checks.writable_checks(skip_visible=skip_visible)
                return self._explain_resource(resource, records, checks)
            case MustBeCreatable() | MayCreateOwn() | MustPass() | MustPermit():
                return self._explain_of_caller(requirement, holdings)

    def _explain_of_caller(
        self,
        requirement: _OfCaller,
        holdings: Holdings | None,
    ) -> Explanation:
        if isinstance(requirement, _Created) and not self._knows(requirement):
            return _explain_unknown_kind(requirement.kind)
        steps = self.resolved.steps()
        context = self.resolved.context
        if isinstance(context, Denied):
            return Explanation(steps)
        match requirement:
            case MustBeCreatable() | MayCreateOwn():
                tried = CREATABLE.explain(_creation(requirement, context))
                return Explanation((*steps, *tried))
            case MustPass(gate):
                check, roles = check_gate(gate)
                tried = check.explain(Passing(context, roles))
                return Explanation((*steps, *tried))
            case MustPermit():
                return _explain_permission(requirement, _known(holdings), steps)

    def _explain_resource(
        self, named: NamedResource, records: Records, checks: KindChecks
    ) -> Explanation:
        if named.kind not in self.checks.kinds:
            return _explain_unknown_kind(named.kind)
        steps = self.resolved.steps()
        asked = self._asked(named, records)
        if isinstance(asked, Denied):
            return Explanation(steps)
        return Explanation((*steps, *checks[named.kind].explain(asked)))


def _resources_of(requirements: Iterable[Requirement]) -> list[NamedResource]:
    return [
        each.resource
        for each in requirements
        if isinstance(each, MustBeVisible | MustBeWritable)
    ]


def _creation(wanted: _Created, context: TenantContext) -> Creation:
    match wanted:
        case MustBeCreatable(_, owner):
            return Creation(context, owner)
        case MayCreateOwn():
            return Creation(context, context.write_principal_id)


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
