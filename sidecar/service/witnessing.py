"""The use cases, with a witness of who was asked about and what that came to."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from typing_extensions import override

from sidecar.core.authorize import Requirement
from sidecar.core.decision import Denied
from sidecar.core.model import TenantContext
from sidecar.ports import Authenticated, Facts, FactSource, Freshness, Verifiers
from sidecar.service.asking import Asked, Authorized, Caller, Decided, Policy
from sidecar.service.authorization import Authorization, Resources
from sidecar.service.checks import KindChecks
from sidecar.service.resolving import Resolved, Resolver


class Witness(Protocol):
    """Told of the call that is under way, each as soon as it is known."""

    def asked(self, caller: Caller) -> None:
        """Somebody asks something."""
        ...

    def proved(self, claimed: Authenticated) -> None:
        """A caller is this user, by a credential, by a look-up or by its word."""
        ...

    def resolved(self, context: TenantContext | Denied) -> None:
        """As which tenant the caller acts."""
        ...

    def authorized(
        self, requirements: Sequence[Requirement], found: Authorized
    ) -> None:
        """What requirements came to."""
        ...


class WitnessedAuthorization(Authorization):
    """Answers as `Authorization` does."""

    def __init__(
        self,
        source: FactSource,
        verifiers: Verifiers,
        policy: Policy,
        witness: Witness,
    ) -> None:
        super().__init__(source, verifiers, policy)
        self._witness = witness
        self._resolver = _WitnessedResolver(
            verifiers, source.field_types.organization, witness=witness
        )

    @override
    async def authorize(
        self, asked: Asked, requirements: Sequence[Requirement]
    ) -> Authorized:
        found = await super().authorize(asked, requirements)
        self._witness.authorized(requirements, found)
        return found

    @override
    def _at_once(
        self,
        caller: Caller,
        freshness: Freshness,
        resources: Resources,
        checks: KindChecks,
    ) -> Decided | None:
        # Whoever resolves the caller, on the way that opens facts, is witnessed.
        return None

    @override
    def _open(self, asked: Asked) -> AbstractAsyncContextManager[Facts]:
        self._witness.asked(asked.caller)
        return super()._open(asked)


@dataclass(frozen=True, slots=True, kw_only=True)
class _WitnessedResolver(Resolver):
    witness: Witness

    @override
    async def resolve(self, caller: Caller, facts: Facts) -> Resolved:
        resolved = await Resolver.resolve(self, caller, facts)
        self.witness.resolved(resolved.context)
        return resolved

    @override
    async def _claim(self, caller: Caller, facts: Facts) -> Authenticated | None:
        claimed = await Resolver._claim(self, caller, facts)  # noqa: SLF001  its own
        if claimed is not None:
            self.witness.proved(claimed)
        return claimed
