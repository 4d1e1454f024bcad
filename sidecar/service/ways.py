"""The contexts of a user: every way to act that is open to it, and where it leads."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from sidecar.core import tenancy
from sidecar.core.authorize import NamedResource
from sidecar.core.decision import Denied
from sidecar.core.ids import ClusterId, PrincipalId, UserId
from sidecar.core.model import ResourceRecord, User
from sidecar.core.tenancy import ContextKind
from sidecar.ports import (
    Among,
    ApiKeyKey,
    ApiKeyRecord,
    Directory,
    Everyone,
    Facts,
    FieldTypes,
    GrantsKey,
    MembershipsKey,
    ResourceKey,
    Verifiers,
)
from sidecar.service.asking import Caller, NamedUser, Policy
from sidecar.service.checks import Checks
from sidecar.service.remembering import NoCredentials, RememberedFacts
from sidecar.service.resolving import Resolved, Resolver

_HASHES: Final = ("sha256:", "$argon2")


@dataclass(frozen=True, slots=True)
class Way:
    """How a user comes to act: by the organization named, or by a pinned API key.

    Empty texts: none is named, so it is the own scope, or All mode.
    """

    organization_id: str = ""
    api_key: str = ""
    pinned_principal_id: PrincipalId | None = None

    def caller(self, user_id: UserId) -> Caller:
        """The caller who comes this way."""
        named = NamedUser(user_id, self.pinned_principal_id)
        return Caller(named, self.organization_id)


@dataclass(frozen=True, slots=True)
class World:
    """What is asked: facts and candidates of one moment, and the policy."""

    facts: Facts
    directory: Directory
    field_types: FieldTypes
    policy: Policy
    now: float
    """Seconds since 1970, UTC: judges the expiry of API keys."""


@dataclass(slots=True)
class Tally:
    """What was found and tried so far, and how much there may be of each.

    `is_cut_short`: there was more to try, and maybe more to find. `is_about_nothing`:
    there is no such row.
    """

    most_found: int
    most_tried: int
    found: int = 0
    tried: int = 0
    is_cut_short: bool = False
    is_about_nothing: bool = False

    @property
    def has_room(self) -> bool:
        """Whether more may be found."""
        return self.found < self.most_found

    def may_try(self) -> bool:
        """Counts one more that is to be tried, or says that there may be no more."""
        if self.has_room and self.tried < self.most_tried:
            self.tried += 1
            return True
        self.is_cut_short = True
        return False


class Ways:
    """The ways of users in a world. All methods raise CouldNotDecideError."""

    def __init__(self, world: World) -> None:
        self.facts = RememberedFacts(world.facts)
        self._directory = world.directory
        self.id_type = world.field_types.organization
        self.checks = Checks.of(world.policy)
        self._now = world.now
        self._resolver = Resolver(
            Verifiers(NoCredentials(), NoCredentials()), self.id_type
        )

    async def all_of(
        self, user: User, pins: Iterable[Way], among: Among
    ) -> AsyncGenerator[Way, None]:
        """Every way of a user; of a platform admin, also into others `among` them."""
        yield Way()
        known = {user.principal_id}
        if user.is_platform_admin:
            yield Way(user.principal_id)
        memberships = await self.facts.get(MembershipsKey(user.principal_id))
        for each in tenancy.available_contexts(user, memberships, self.id_type):
            if each.kind is ContextKind.ORGANIZATION and each.principal_id is not None:
                known.add(each.principal_id)
                yield Way(each.principal_id)
        for pin in pins:
            yield pin
        if user.is_platform_admin:
            among = await self._reach(user, among)
            async with aclosing(self._directory.organizations(among)) as organizations:
                async for organization_id in organizations:
                    if organization_id not in known:
                        yield Way(organization_id)

    async def pins(self, user: User, api_keys: Iterable[str]) -> tuple[Way, ...]:
        """The ways of a user's pinned API keys that are valid now."""
        ways = []
        for lookup_id in api_keys:
            key = await self.facts.get(ApiKeyKey(lookup_id))
            if key is None or not self._opens(key, user):
                continue
            if key.owner_principal_id is not None:
                ways.append(Way("", lookup_id, key.owner_principal_id))
        return tuple(ways)

    async def resolve(self, user: User, way: Way) -> Resolved:
        """The context to which a way leads."""
        return await self._resolver.resolve(way.caller(user.id), self.facts)

    async def through(
        self, resolved: Resolved, cluster_ids: Iterable[ClusterId]
    ) -> dict[ClusterId, tuple[PrincipalId, ...]]:
        """Which principals of a context have the grants of these clusters."""
        context = resolved.context
        if isinstance(context, Denied):
            return {}
        current = context.current_principal_id
        groups = () if resolved.standing is None else resolved.standing.group_ids
        named = (current or context.user.principal_id, context.user.principal_id)
        principals = tuple(dict.fromkeys((*named, *groups)))
        keys = [GrantsKey(each) for each in principals]
        grants = dict(zip(principals, await self.facts.get_all(keys), strict=True))
        return {
            cluster_id: tuple(each for each in principals if cluster_id in grants[each])
            for cluster_id in cluster_ids
            if cluster_id in context.accessible_cluster_ids
        }

    async def record(self, named: NamedResource) -> ResourceRecord | None:
        """A row of a declared kind, cut down to the columns that the kind carries."""
        record = await self.facts.get(ResourceKey(named.kind, named.id))
        if record is None:
            return None
        kind = self.checks.kinds[named.kind]
        return ResourceRecord(
            record.owner_principal_id if kind.carries_owner else None,
            record.cluster_id if kind.carries_cluster else None,
        )

    def _opens(self, key: ApiKeyRecord, user: User) -> bool:
        # No secret has a hash of another form.
        has_hash = key.secret_hash.startswith(_HASHES)
        return key.user_id == user.id and has_hash and key.is_current(self._now)

    async def _reach(self, user: User, among: Among) -> Among:
        # What is granted to the user's own principal goes along everywhere.
        if isinstance(among, Everyone) or among.cluster_id is None:
            return among
        own = await self.facts.get(GrantsKey(user.principal_id))
        return Everyone() if among.cluster_id in own else among
