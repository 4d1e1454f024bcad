"""The use cases: facts and a question to an answer.

Every check is requirements under one context. The kind is judged before the
caller, the caller before the row: what a caller may not know is never read.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final, TypeAlias

from sidecar.core import filters, sql, tenancy
from sidecar.core.authorize import (
    MustBeCreatable,
    MustPass,
    NamedResource,
    Requirement,
    WholeRows,
    verdict,
)
from sidecar.core.decision import UNKNOWN_KIND, Decision, Denied
from sidecar.core.permissions import PermissionQuery
from sidecar.core.reasons import Denial
from sidecar.ports import (
    Facts,
    FactSource,
    Freshness,
    MembershipsKey,
    StandingKey,
    Verifiers,
)
from sidecar.service.asking import (
    Asked,
    Authorized,
    Caller,
    Decided,
    Filtered,
    FilterQuestion,
    Listed,
    Located,
    Permitted,
    Policy,
)
from sidecar.service.at_hand import judge_given, judge_rows
from sidecar.service.checks import Checks, KindChecks
from sidecar.service.judging import Judge
from sidecar.service.permitting import read_holdings
from sidecar.service.resolving import Resolved, Resolver
from sidecar.service.turns import EXPLAINED, TURN, in_turns

# A named tuple's own constructor takes twice the time.
_new: Final = tuple.__new__

Resources: TypeAlias = Sequence[NamedResource] | WholeRows


class Authorization:
    """Answers the questions of the API. All methods raise CouldNotDecideError."""

    def __init__(
        self, source: FactSource, verifiers: Verifiers, policy: Policy
    ) -> None:
        self._source = source
        self._checks = Checks.of(policy)
        self._types = source.field_types
        self._resolver = Resolver(verifiers, self._types.organization)

    async def resolve_context(self, asked: Asked) -> Located | Denied:
        """As which tenant the caller acts."""
        async with self._open(asked) as facts:
            context = (await self._resolver.resolve(asked.caller, facts)).context
        if isinstance(context, Denied):
            return context
        return Located(context, facts.revision)

    async def list_contexts(self, asked: Asked) -> Listed | Denied:
        """As which tenants the caller may act."""
        async with self._open(asked) as facts:
            known = await self._resolver.identify(asked.caller, facts)
            if isinstance(known, Denied):
                return known
            user, pinned = known
            if pinned is not None:
                return await self._pinned_contexts(asked, facts)
            key = MembershipsKey(user.principal_id)
            contexts = tenancy.available_contexts(
                user, await facts.get(key), self._types.organization
            )
        return Listed(contexts, facts.revision)

    def visible_at_once(
        self, caller: Caller, freshness: Freshness, resources: Resources
    ) -> Decided | None:
        """Whether each resource is visible, if nothing must be waited for to say it.

        Most questions are so, and to wait for nothing would cost as much as to judge.
        None means that `check_visible` has to be asked.
        """
        return self._at_once(caller, freshness, resources, self._checks.visible)

    def writable_at_once(
        self,
        caller: Caller,
        freshness: Freshness,
        resources: Resources,
        *,
        skip_visible: bool,
    ) -> Decided | None:
        """Whether each is writable, likewise."""
        checks = self._checks.writable_checks(skip_visible=skip_visible)
        return self._at_once(caller, freshness, resources, checks)

    async def check_visible(self, asked: Asked, resources: Resources) -> Decided:
        """Whether each resource is visible."""
        return await self._check_resources(asked, resources, self._checks.visible)

    async def check_writable(
        self, asked: Asked, resources: Resources, *, skip_visible: bool
    ) -> Decided:
        """Whether each resource is writable."""
        checks = self._checks.writable_checks(skip_visible=skip_visible)
        return await self._check_resources(asked, resources, checks)

    async def check_creatable(
        self, asked: Asked, resources: Sequence[MustBeCreatable]
    ) -> Decided:
        """Whether each resource may be created."""
        return (await self.authorize(asked, resources)).each

    async def check_role(self, asked: Asked, gate: MustPass) -> Decided:
        """Whether the caller passes a gate; one decision."""
        return (await self.authorize(asked, [gate])).each

    async def authorize(
        self, asked: Asked, requirements: Sequence[Requirement]
    ) -> Authorized:
        """Whether all requirements hold."""
        async with self._open(asked) as facts:
            resolved = await self._resolver.resolve(asked.caller, facts)
            judge = self._judge(resolved, facts)
            each = await judge.requirements(requirements, explain=asked.explain)
        decision = verdict(requirements, each.decisions)
        return Authorized(decision, each, resolved.context)

    async def get_permissions(
        self, asked: Asked, queries: Sequence[PermissionQuery]
    ) -> Permitted | Denied:
        """What the caller's roles allow; denied for bad callers only."""
        async with self._open(asked) as facts:
            resolved = await self._resolver.resolve(asked.caller, facts)
            if isinstance(resolved.context, Denied) and resolved.context.denial in {
                Denial.INVALID,
                Denial.UNAUTHENTICATED,
            }:
                return resolved.context
            holdings = await read_holdings(
                resolved, queries, facts, self._checks.remembered
            )
        answers = await in_turns(holdings.answer, queries)
        if not asked.explain:
            return Permitted(answers, revision=facts.revision)
        steps = resolved.steps()
        reasons = await in_turns(
            lambda each: holdings.reasons(each, steps), queries, EXPLAINED
        )
        return Permitted(answers, reasons, facts.revision)

    async def get_list_filter(
        self, asked: Asked, question: FilterQuestion
    ) -> Filtered | Denied:
        """Which rows of a kind the caller may list.

        Raises sql.ColumnMissingError when the SQL needs a column not given.
        """
        kind = self._checks.kinds.get(question.kind)
        if kind is None:
            return UNKNOWN_KIND
        async with self._open(asked) as facts:
            resolved = await self._resolver.resolve(asked.caller, facts)
            context = resolved.context
            if isinstance(context, Denied):
                return context
            chosen = filters.list_filter(context, kind)
            if question.permission is not None:
                holdings = await read_holdings(
                    resolved,
                    [question.permission],
                    facts,
                    self._checks.remembered,
                )
                read = holdings.answer(question.permission).read
                chosen = filters.both(chosen, filters.level_filter(context, read))
        if question.sql is None:
            return Filtered(chosen, None, facts.revision)
        rendered = sql.render(chosen, question.sql, self._types.fields)
        return Filtered(chosen, rendered, facts.revision)

    def _open(self, asked: Asked) -> AbstractAsyncContextManager[Facts]:
        return self._source.open(asked.consistency, asked.deadline)

    def _judge(self, resolved: Resolved, facts: Facts) -> Judge:
        return Judge(resolved, facts, self._checks)

    def _at_once(
        self,
        caller: Caller,
        freshness: Freshness,
        resources: Resources,
        checks: KindChecks,
    ) -> Decided | None:
        rows = resources.columns if isinstance(resources, WholeRows) else resources
        if len(rows) > TURN:
            return None
        moment = self._source.at_hand(freshness)
        if moment is None:
            return None
        resolved = self._resolver.remembered(caller, moment.epoch)
        if resolved is None or isinstance(resolved.context, Denied):
            return None
        context, kinds = resolved.context, self._checks.kinds
        decisions: list[Decision] | None
        if isinstance(resources, WholeRows):
            decisions = judge_rows(context, resources, kinds, checks)
        else:
            decisions = judge_given(context, resources, kinds, checks)
        if decisions is None:
            return None
        return _new(Decided, (decisions, None, None, moment.revision))

    async def _check_resources(
        self, asked: Asked, resources: Resources, checks: KindChecks
    ) -> Decided:
        named = resources.named() if isinstance(resources, WholeRows) else resources
        async with self._open(asked) as facts:
            resolved = await self._resolver.resolve(asked.caller, facts)
            judge = self._judge(resolved, facts)
            return await judge.resources(named, checks, explain=asked.explain)

    async def _pinned_contexts(self, asked: Asked, facts: Facts) -> Listed | Denied:
        resolved = await self._resolver.resolve(asked.caller, facts)
        context = resolved.context
        if isinstance(context, Denied):
            return context
        standing = resolved.standing
        current = context.current_principal_id
        if standing is None and current is not None:
            key = StandingKey(context.user.principal_id, current)
            standing = await facts.get(key)
        return Listed((tenancy.pinned_context(context, standing),), facts.revision)
