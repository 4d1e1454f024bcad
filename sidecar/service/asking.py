"""Questions as the service takes them, and answers as it gives them."""

from dataclasses import dataclass, field
from typing import NamedTuple

from sidecar.core.decision import Decision, Denied, Step
from sidecar.core.filters import ListFilter
from sidecar.core.ids import PrincipalId, UserId
from sidecar.core.model import (
    AccessLevel,
    Permissions,
    ResourceKind,
    TenantContext,
)
from sidecar.core.permissions import Basis, JudgedRole, PermissionQuery, RolePrecedence
from sidecar.core.sql import SqlFilter, SqlOptions
from sidecar.core.tenancy import AvailableContext
from sidecar.ports import Freshness


class NamedUser(NamedTuple):
    """A user named by id and believed."""

    user_id: UserId
    pinned_principal_id: PrincipalId | None


class NamedSubject(NamedTuple):
    """A user named as in an identity provider and believed."""

    issuer: str
    subject: str
    pinned_principal_id: PrincipalId | None


@dataclass(frozen=True, slots=True)
class PresentedApiKey:
    """An API key that is to be checked."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PresentedToken:
    """An access token that is to be checked."""

    text: str = field(repr=False)


class Caller(NamedTuple):
    """Who asks, and the organization wished for; empty when there is none."""

    identity: NamedUser | NamedSubject | PresentedApiKey | PresentedToken
    requested_organization: str


class Asked(NamedTuple):
    """What every question says: who asks, how fresh, until when, and whether why.

    `deadline` is a time of `Clock.monotonic`, in seconds.
    """

    caller: Caller
    consistency: Freshness
    deadline: float
    explain: bool = False


@dataclass(frozen=True, slots=True)
class Policy:
    """What an operator declares: the kinds of resource and how roles combine."""

    kinds: dict[str, ResourceKind]
    role_precedence: RolePrecedence


@dataclass(frozen=True, slots=True)
class PermissionReasons:
    """How permissions came about."""

    basis: Basis
    steps: tuple[Step, ...]
    roles: tuple[JudgedRole, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """The facts that decided, for an administrator."""

    steps: tuple[Step, ...]
    permission: PermissionReasons | None = None


@dataclass(frozen=True, slots=True)
class Located:
    """As which tenant a caller acts."""

    context: TenantContext
    revision: str | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """As which tenants a caller may act."""

    contexts: tuple[AvailableContext, ...]
    revision: str | None = None


class Decided(NamedTuple):
    """A decision for each element; explanations too when they were asked for.

    `least_level` is how far the demanded permissions reach, the least of them; none
    when none was demanded, or only to view. `revision`, here and below: one that the
    answer reflects, none when not known.
    """

    decisions: list[Decision]
    explanations: list[Explanation] | None = None
    least_level: AccessLevel | None = None
    revision: str | None = None


@dataclass(frozen=True, slots=True)
class Authorized:
    """The verdict on all requirements, each decision, and the context."""

    decision: Decision
    each: Decided
    context: TenantContext | Denied


@dataclass(frozen=True, slots=True)
class Permitted:
    """Permissions for each query; reasons too when they were asked for."""

    permissions: list[Permissions]
    reasons: list[PermissionReasons] | None = None
    revision: str | None = None


@dataclass(frozen=True, slots=True)
class FilterQuestion:
    """Which rows of a kind; with a query, only those its read level reaches."""

    kind: str
    permission: PermissionQuery | None
    sql: SqlOptions | None


@dataclass(frozen=True, slots=True)
class Filtered:
    """A list filter, and as SQL when that was asked for."""

    chosen: ListFilter
    sql: SqlFilter | None
    revision: str | None = None
