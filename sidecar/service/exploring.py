"""Who can do something: each candidate, in each of its contexts, asked of the core.

A directory names candidates, rather too many. Whether one of them is allowed is
judged as for any question: resolved, read and decided by the same code.
"""

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from sidecar.core import tenancy
from sidecar.core.authorize import (
    MustBeVisible,
    MustBeWritable,
    MustPermit,
    NamedResource,
)
from sidecar.core.decision import Allowed, Denied
from sidecar.core.ids import ClusterId, PrincipalId
from sidecar.core.model import ResourceRecord, TenantContext, User, Visibility
from sidecar.core.permissions import JudgedRole, RoleOutcome
from sidecar.core.reasons import Reason
from sidecar.ports import Among, Everyone, Near, UserKey
from sidecar.service.judging import Judge
from sidecar.service.remembering import batches
from sidecar.service.resolving import Resolved
from sidecar.service.ways import Tally, Way, Ways, World

_TOGETHER: Final = 200
# So many ids are kept; beyond that everybody is tried everywhere.
_MOST_PLACES: Final = 10_000

Question = MustBeVisible | MustBeWritable | MustPermit


@dataclass(frozen=True, slots=True)
class Allowance:
    """A user who may, the way, the context that it leads to, and why.

    `through`: for a grant that decided, the principals that have it. `by`: for a
    permission, the roles that took part.
    """

    user: User
    way: Way
    context: TenantContext
    decision: Allowed
    through: tuple[PrincipalId, ...] = ()
    by: tuple[JudgedRole, ...] = ()


@dataclass(frozen=True, slots=True)
class _Search:
    question: Question
    within: PrincipalId | None
    among: Among
    places: frozenset[PrincipalId] | None
    """Where acting may matter; none is everywhere."""

    def matters(self, user: User, way: Way) -> bool:
        """Whether to act this way may be of use; rather yes than no."""
        if self.places is None or user.principal_id in self.places:
            # What is granted to the user's own principal goes along everywhere.
            return True
        if way == Way():
            return user.is_platform_admin
        return (way.pinned_principal_id or way.organization_id) in self.places


class Explorer:
    """Tries users in their contexts. Raises CouldNotDecideError."""

    def __init__(self, world: World) -> None:
        self._ways = Ways(world)
        self._facts = self._ways.facts
        self._directory = world.directory
        self._checks = self._ways.checks

    async def who_can(
        self, question: Question, within: PrincipalId | None, tally: Tally
    ) -> AsyncGenerator[Allowance, None]:
        """Each user, in each context, for whom a requirement holds.

        `within`: only acting in this organization, or where none is needed. The kind of
        a resource must be a declared one.
        """
        among = await self._among(question, within)
        if among is None:
            tally.is_about_nothing = True
            return
        search = _Search(question, within, among, await self._places(among))
        async with aclosing(self._users(among)) as users:
            async for user, api_keys in users:
                pins = await self._ways.pins(user, api_keys)
                async with aclosing(self._ways_to(search, user, pins)) as ways:
                    async for way in ways:
                        if not tally.may_try():
                            return
                        found = await self._try(user, way, question, within)
                        if found is not None:
                            tally.found += 1
                            yield found

    async def _among(
        self, question: Question, within: PrincipalId | None
    ) -> Among | None:
        if isinstance(question, MustPermit):
            return Everyone() if within is None else Near((within,))
        record = await self._ways.record(question.resource)
        if record is None:
            return None
        visibility = self._checks.kinds[question.resource.kind].visibility
        owner = record.owner_principal_id
        owners = () if owner is None else (owner,)
        if isinstance(question, MustBeWritable):
            # Beyond a bypass only the owner's own change a row.
            return Near(owners)
        if visibility is Visibility.OWNED:
            return Near(owners) if owners else Everyone()
        return Near(owners, _cluster(visibility, question.resource, record))

    async def _users(
        self, among: Among
    ) -> AsyncGenerator[tuple[User, tuple[str, ...]], None]:
        async with aclosing(self._directory.users(among)) as user_ids:
            async for some in batches(user_ids, _TOGETHER):
                records = await self._facts.get_all([UserKey(each) for each in some])
                api_keys = await self._directory.pinned_keys(some)
                for record in records:
                    user = tenancy.authenticate(record)
                    if isinstance(user, User):
                        yield user, api_keys.get(user.id, ())

    async def _places(self, among: Among) -> frozenset[PrincipalId] | None:
        """Where acting may matter to a row: none is everywhere."""
        if isinstance(among, Everyone):
            return None
        places: set[PrincipalId] = set(among.principal_ids)
        async with aclosing(self._directory.organizations(among)) as organizations:
            async for each in organizations:
                places.add(each)
                if len(places) > _MOST_PLACES:
                    return None
        return frozenset(places)

    async def _ways_to(
        self, search: _Search, user: User, pins: tuple[Way, ...]
    ) -> AsyncGenerator[Way, None]:
        asks_of_row = not isinstance(search.question, MustPermit)
        if user.is_system and asks_of_row:
            # Its bypass is the same in every context, so one of them says it.
            yield Way()
            return
        if search.within is not None:
            for way in _within(user, search.within, pins):
                yield way
            return
        # Without a membership a platform admin has no roles in an organization.
        others = search.among if asks_of_row else Near(())
        async with aclosing(self._ways.all_of(user, pins, others)) as ways:
            async for way in ways:
                if search.matters(user, way):
                    yield way

    async def _try(
        self, user: User, way: Way, question: Question, within: PrincipalId | None
    ) -> Allowance | None:
        resolved = await self._ways.resolve(user, way)
        context = resolved.context
        if isinstance(context, Denied):
            return None
        if within is not None and not _concerns(context, within, question):
            return None
        judge = Judge(resolved, self._facts, self._checks)
        decision = (await judge.requirements([question], explain=False)).decisions[0]
        if isinstance(decision, Denied):
            return None
        if isinstance(question, MustPermit):
            by = await _by(judge, question)
            return Allowance(user, way, context, decision, by=by)
        through = await self._through(resolved, question, decision)
        return Allowance(user, way, context, decision, through)

    async def _through(
        self,
        resolved: Resolved,
        question: MustBeVisible | MustBeWritable,
        decision: Allowed,
    ) -> tuple[PrincipalId, ...]:
        if decision.reason is not Reason.GRANTED:
            return ()
        record = await self._ways.record(question.resource)
        if record is None:
            return ()
        visibility = self._checks.kinds[question.resource.kind].visibility
        cluster_id = _cluster(visibility, question.resource, record)
        if cluster_id is None:
            return ()
        return (await self._ways.through(resolved, [cluster_id]))[cluster_id]


def _within(user: User, within: PrincipalId, pins: tuple[Way, ...]) -> Iterator[Way]:
    is_own = within == user.principal_id
    if is_own or user.is_platform_admin:
        yield Way()
    if not is_own or user.is_platform_admin:
        yield Way(within)
    yield from pins


async def _by(judge: Judge, question: MustPermit) -> tuple[JudgedRole, ...]:
    decided = await judge.requirements([question], explain=True)
    permission = decided.explanations[0].permission if decided.explanations else None
    judged = () if permission is None else permission.roles
    return tuple(each for each in judged if each.outcome is RoleOutcome.TOOK_PART)


def _concerns(context: TenantContext, within: PrincipalId, question: Question) -> bool:
    """Whether what is allowed in a context is allowed in an organization, too."""
    current = context.current_principal_id
    is_everywhere = context.bypass and not isinstance(question, MustPermit)
    return current is None or current == within or is_everywhere


def _cluster(
    visibility: Visibility, named: NamedResource, record: ResourceRecord
) -> ClusterId | None:
    """The cluster of which a grant makes the row visible."""
    match visibility:
        case Visibility.OWNED:
            return None
        case Visibility.CLUSTER:
            return ClusterId(named.id)
        case Visibility.CLUSTER_RESOURCE:
            return record.cluster_id
