"""What a user may do, everywhere: each of its contexts, told in full.

Everything told is what the core answers to the question for it; what is added is
where it came from: the grants, the roles and their rules.
"""

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from dataclasses import dataclass

from sidecar.core import filters, permissions, sql, tenancy
from sidecar.core.decision import Denied
from sidecar.core.ids import (
    ClusterId,
    FeatureInstanceId,
    PrincipalId,
    ResourceId,
    UserId,
)
from sidecar.core.model import (
    Permissions,
    RuleContext,
    TenantContext,
    User,
)
from sidecar.core.permissions import (
    Basis,
    HeldRole,
    JudgedRole,
    PermissionQuery,
    RoleOutcome,
)
from sidecar.core.sql import PlaceholderStyle, SqlOptions
from sidecar.ports import COLUMNS, Everyone, UserKey
from sidecar.service.holding import Remembered
from sidecar.service.permitting import Holdings, read_holdings
from sidecar.service.resolving import Resolved
from sidecar.service.ways import Tally, Way, Ways, World


@dataclass(frozen=True, slots=True)
class Entered:
    """A way, and the context to which it leads or why it leads to none.

    `name` is that of the principal acted as, empty when it is not known.
    """

    way: Way
    context: TenantContext | Denied
    name: str = ""


@dataclass(frozen=True, slots=True)
class Reached:
    """An accessible cluster, and the principals that have the grant."""

    cluster_id: ClusterId
    through: tuple[PrincipalId, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """A role that is held, once an instance is named or none is."""

    instance_id: FeatureInstanceId | None
    role: HeldRole


@dataclass(frozen=True, slots=True)
class Granted:
    """What all roles together allow on an item and, but for other lines, below it.

    `by` are the roles that took part, with the rules that counted.
    """

    query: PermissionQuery
    permissions: Permissions
    by: tuple[JudgedRole, ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """How many rows of a kind may be listed, and some of them by id."""

    kind: str
    count: int
    ids: tuple[ResourceId, ...]


Finding = Entered | Reached | Held | Granted | Listed


class Surveyor:
    """Looks at everything that a user may do. Raises CouldNotDecideError."""

    def __init__(self, world: World, *, listed: int = 0) -> None:
        """`listed`: how many rows of each kind are told by id."""
        self._ways = Ways(world)
        self._facts = self._ways.facts
        self._directory = world.directory
        self._types = world.field_types
        self._policy = world.policy
        self._listed = listed

    async def user(self, user_id: UserId) -> User | Denied:
        """Who that is; everyone unfit gets the same denial."""
        return tenancy.authenticate(await self._facts.get(UserKey(user_id)))

    async def access_of(
        self, user: User, tally: Tally
    ) -> AsyncGenerator[Finding, None]:
        """Each context, followed by what the user may do in it.

        Contexts are tried, and what is told of them is found.
        """
        keys = await self._directory.pinned_keys([user.id])
        pins = await self._ways.pins(user, keys.get(user.id, ()))
        async with aclosing(self._ways.all_of(user, pins, Everyone())) as ways:
            async for way in ways:
                if not tally.may_try():
                    return
                async with aclosing(self._survey(user, way)) as findings:
                    async for finding in findings:
                        if not tally.has_room:
                            tally.is_cut_short = True
                            return
                        tally.found += 1
                        yield finding

    async def _survey(self, user: User, way: Way) -> AsyncGenerator[Finding, None]:
        resolved = await self._ways.resolve(user, way)
        context = resolved.context
        if isinstance(context, Denied):
            # Of the organizations there are, many are simply not the user's.
            if way.pinned_principal_id is not None:
                yield Entered(way, context)
            return
        yield Entered(way, context, _name(resolved))
        clusters = context.accessible_cluster_ids
        through = await self._ways.through(resolved, clusters)
        for cluster_id in sorted(clusters):
            yield Reached(cluster_id, through[cluster_id])
        async for each in self._roles(resolved, user):
            yield each
        for kind in sorted(self._policy.kinds):
            yield await self._rows(context, kind)

    async def _roles(
        self, resolved: Resolved, user: User
    ) -> AsyncGenerator[Held | Granted, None]:
        everywhere = [_query(RuleContext.DATA, None, None)]
        holdings = await self._holdings(resolved, everywhere)
        if holdings.basis is Basis.ALL_MODE:
            for context in RuleContext:
                query = _query(context, None, None)
                yield Granted(query, holdings.answer(query), ())
            return
        if holdings.basis is not Basis.ROLES:
            return
        instances = await self._instances(holdings, user)
        queries = [_query(RuleContext.DATA, None, each) for each in instances]
        holdings = await self._holdings(resolved, queries)
        for instance_id in instances:
            held = holdings.by_instance[instance_id].held
            for role in held:
                yield Held(instance_id, role)
            for query in _queries(instance_id, held):
                judged = holdings.reasons(query, ()).roles
                yield Granted(query, holdings.answer(query), _took_part(judged))

    async def _instances(
        self, holdings: Holdings, user: User
    ) -> list[FeatureInstanceId | None]:
        """None, and each instance that may change what the roles allow."""
        named = {*await self._directory.feature_instances(user.id)}
        for each in holdings.by_instance[None].held:
            instance_id = None if each.role is None else each.role.feature_instance_id
            if instance_id is not None:
                named.add(instance_id)
        return [None, *sorted(named)]

    async def _holdings(
        self, resolved: Resolved, queries: Iterable[PermissionQuery]
    ) -> Holdings:
        remembered = Remembered(self._policy.role_precedence)
        return await read_holdings(resolved, [*queries], self._facts, remembered)

    async def _rows(self, context: TenantContext, kind: str) -> Listed:
        chosen = filters.list_filter(context, self._policy.kinds[kind])
        if chosen is filters.NOTHING:
            return Listed(kind, 0, ())
        options = SqlOptions(COLUMNS, PlaceholderStyle.DOLLAR, first_parameter=2)
        rendered = sql.render(chosen, options, self._types.fields)
        count = await self._directory.count_resources(kind, rendered)
        ids: list[ResourceId] = []
        if not self._listed:
            return Listed(kind, count, ())
        async with aclosing(self._directory.resources(kind, rendered)) as found:
            async for each in found:
                ids.append(each)
                if len(ids) >= self._listed:
                    break
        return Listed(kind, count, tuple(ids))


def _name(resolved: Resolved) -> str:
    standing = resolved.standing
    return "" if standing is None or not standing.principal else standing.principal.name


def _took_part(judged: Iterable[JudgedRole]) -> tuple[JudgedRole, ...]:
    return tuple(each for each in judged if each.outcome is RoleOutcome.TOOK_PART)


def _query(
    context: RuleContext, item: str | None, instance_id: FeatureInstanceId | None
) -> PermissionQuery:
    return PermissionQuery(context, item, instance_id)


def _queries(
    instance_id: FeatureInstanceId | None, held: Iterable[HeldRole]
) -> list[PermissionQuery]:
    """A query for each item of which a rule speaks, and none for the others.

    Below an item the roles allow the same until another item is named.
    """
    roles = permissions.fitting_roles([*held])
    return [
        _query(context, item, instance_id)
        for context in RuleContext
        for item in sorted(
            {item for role in roles for item in role.rules.get(context, ())},
            key=lambda item: item or "",
        )
    ]
