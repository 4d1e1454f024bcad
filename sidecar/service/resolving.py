"""Who asks and as which tenant: reads what core.tenancy needs, step by step."""

from dataclasses import dataclass, field

from sidecar.core import tenancy
from sidecar.core.decision import BAD_CREDENTIAL, Denied, Outcome, Step
from sidecar.core.ids import FeatureInstanceId, IdType, PrincipalId
from sidecar.core.model import Standing, TenantContext, User
from sidecar.ports import (
    Authenticated,
    Facts,
    GrantsKey,
    IdentityKey,
    StandingKey,
    UserKey,
    Verifiers,
)
from sidecar.service.asking import (
    Caller,
    NamedSubject,
    NamedUser,
    PresentedApiKey,
    PresentedToken,
)
from sidecar.service.holding import Holding

# One for each cluster that is accessible, and so many for the rest of a caller.
_REMEMBERED_WEIGHT = 200_000
_CALLER_WEIGHT = 10


@dataclass(frozen=True, slots=True)
class Resolved:
    """A context or why there is none, with the facts that it came from.

    `holdings`: what was worked out of it already, for as long as it is remembered.
    """

    context: TenantContext | Denied
    acting: tenancy.Acting | None = None
    standing: Standing | None = None
    holdings: dict[FeatureInstanceId | None, Holding] = field(
        default_factory=dict, repr=False, compare=False
    )

    def steps(self) -> tuple[Step, ...]:
        """The explanation of the context."""
        if self.acting is None:
            if isinstance(self.context, Denied):
                text = self.context.reason.text
                return (Step("context", Outcome.DENIED, text),)
            return ()
        return tenancy.explain_context(self.acting, self.context, self.standing)


class Contexts:
    """What callers resolved to, under the epoch of the facts that it came from.

    Those of another epoch are of no more use, and not held on to.
    """

    def __init__(self, most: int = _REMEMBERED_WEIGHT) -> None:
        """`most`: how much they may weigh in all."""
        self._most = most
        self._weight = 0
        self._epoch: int | None = None
        self._held: dict[Caller, Resolved] = {}

    def __len__(self) -> int:
        return len(self._held)

    def of(self, caller: Caller, epoch: int | None) -> Resolved | None:
        """What a caller resolved to under this epoch; none when that is not known."""
        return self._held.get(caller) if epoch == self._epoch else None

    def put(self, caller: Caller, epoch: int, resolved: Resolved) -> None:
        """Remembers it, unless it is too large; forgets all others to make room."""
        weight = _weight(resolved)
        if weight > self._most:
            return
        if epoch != self._epoch or self._weight + weight > self._most:
            self._held.clear()
            self._weight = 0
            self._epoch = epoch
        if caller not in self._held:
            # Under one epoch a caller always resolves to the same.
            self._weight += weight
            self._held[caller] = resolved


def _weight(resolved: Resolved) -> int:
    context = resolved.context
    if isinstance(context, Denied):
        return _CALLER_WEIGHT
    return _CALLER_WEIGHT + len(context.accessible_cluster_ids)


@dataclass(frozen=True, slots=True)
class Resolver:
    """Resolves callers, and remembers them until some fact changes."""

    verifiers: Verifiers
    organization_type: IdType
    _remembered: Contexts = field(default_factory=Contexts)

    def remembered(self, caller: Caller, epoch: int | None) -> Resolved | None:
        """What `caller` resolved to under this epoch; none when that is not known."""
        return self._remembered.of(caller, epoch)

    async def resolve(self, caller: Caller, facts: Facts) -> Resolved:
        """As which tenant `caller` acts."""
        # Only those who are named are ever remembered.
        remembered = self._remembered.of(caller, facts.epoch)
        if remembered is not None:
            return remembered
        named = await self._named(caller, facts)
        return (
            Resolved(BAD_CREDENTIAL) if named is None else await self._of(named, facts)
        )

    async def _named(self, caller: Caller, facts: Facts) -> Caller | None:
        """The caller without a credential; none when it is bad.

        A credential expires without a change, so each is checked each time.
        """
        if isinstance(caller.identity, NamedUser | NamedSubject):
            return caller
        claimed = await self._claim(caller, facts)
        if claimed is None:
            return None
        user = NamedUser(claimed.user_id, claimed.pinned_principal_id)
        return Caller(user, caller.requested_organization)

    async def _of(self, caller: Caller, facts: Facts) -> Resolved:
        epoch = facts.epoch
        remembered = self._remembered.of(caller, epoch)
        if remembered is not None:
            return remembered
        resolved = await self._resolve(caller, facts)
        # What began before a change must not be remembered after it. Names that
        # somebody makes up resolve to nothing and push nobody out.
        is_worth_it = isinstance(resolved.context, TenantContext)
        if is_worth_it and epoch is not None and facts.epoch == epoch:
            self._remembered.put(caller, epoch, resolved)
        return resolved

    async def _resolve(self, caller: Caller, facts: Facts) -> Resolved:
        known = await self.identify(caller, facts)
        if isinstance(known, Denied):
            return Resolved(known)
        user, pinned = known
        acting = tenancy.choose_principal(
            user, pinned, caller.requested_organization, self.organization_type
        )
        if isinstance(acting, Denied):
            return Resolved(acting)
        return await _resolve_acting(user, acting, facts)

    async def identify(
        self, caller: Caller, facts: Facts
    ) -> tuple[User, PrincipalId | None] | Denied:
        """Who `caller` is and to which principal they are pinned."""
        claimed = await self._claim(caller, facts)
        if claimed is None:
            return BAD_CREDENTIAL
        user = tenancy.authenticate(await facts.get(UserKey(claimed.user_id)))
        if isinstance(user, Denied):
            return user
        return user, claimed.pinned_principal_id

    async def _claim(self, caller: Caller, facts: Facts) -> Authenticated | None:
        match caller.identity:
            case NamedUser(user_id, pinned):
                return Authenticated(user_id, pinned)
            case NamedSubject(issuer, subject, pinned):
                found = await facts.get(IdentityKey(issuer, subject))
                return None if found is None else Authenticated(found, pinned)
            case PresentedApiKey(text):
                return await self.verifiers.api_keys.verify(text, facts)
            case PresentedToken(text):
                return await self.verifiers.access_tokens.verify(text, facts)


async def _resolve_acting(user: User, acting: tenancy.Acting, facts: Facts) -> Resolved:
    current = acting.principal_id
    lookup = tenancy.needed_lookup(user, acting)
    if current is None or lookup is tenancy.Lookup.NONE:
        return Resolved(tenancy.resolve_without_lookup(user, acting), acting)
    if lookup is tenancy.Lookup.OWN_GRANTS:
        grants = await facts.get(GrantsKey(current))
        return Resolved(tenancy.resolve_personal(user, acting, grants), acting)
    standing = await facts.get(StandingKey(user.principal_id, current))
    resolved = tenancy.resolve_organization(user, acting, standing)
    return Resolved(resolved, acting, standing)
