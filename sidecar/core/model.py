"""The world as the core sees it: facts that stores read and questions ask about.

Words are those of docs/semantics.md §1. All values are immutable. It is longer than
other modules because it is one vocabulary, with next to no logic in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum, unique
from typing import Final, NamedTuple, assert_never

from sidecar.core.ids import (
    ClusterId,
    FeatureAccessId,
    FeatureInstanceId,
    MembershipId,
    PrincipalId,
    ResourceId,
    RoleId,
    RuleId,
    UserId,
)


@unique
class PrincipalKind(Enum):
    """What kind of thing owns rows."""

    USER = "user"
    ORG = "org"
    GROUP = "group"


@unique
class OrgRole(Enum):
    """A member's role in an organization."""

    ADMIN = "admin"
    USER = "user"


@dataclass(frozen=True, slots=True)
class Principal:
    """Anything that can own rows. `kind` is none for a kind that nobody knows."""

    id: PrincipalId
    kind: PrincipalKind | None
    name: str
    is_deleted: bool

    @property
    def is_live_organization(self) -> bool:
        """Whether it is a tenant that exists."""
        return self.kind is PrincipalKind.ORG and not self.is_deleted


@dataclass(frozen=True, slots=True)
class UserRecord:
    """A user as stored. `principal` is none when the row it names is missing."""

    id: UserId
    is_platform_admin: bool
    is_system: bool
    is_active: bool
    principal: Principal | None


@dataclass(frozen=True, slots=True)
class User:
    """A user who is who they are: known, active, with a live USER principal."""

    id: UserId
    principal_id: PrincipalId
    name: str
    is_platform_admin: bool
    is_system: bool


@dataclass(frozen=True, slots=True)
class Membership:
    """The one active membership of a principal in another."""

    id: MembershipId
    org_role: OrgRole | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What a user's principal is within another principal, the current one.

    `cluster_ids` are the grants to the member, to the current principal, and to
    the current principal's groups in which the member is. `role_ids` are the
    roles assigned to the membership.
    """

    principal: Principal | None
    membership: Membership | None
    group_ids: tuple[PrincipalId, ...]
    cluster_ids: frozenset[ClusterId]
    role_ids: tuple[RoleId, ...]


@dataclass(frozen=True, slots=True)
class OrganizationMembership:
    """One principal in which a member has the one active membership."""

    principal: Principal
    org_role: OrgRole | None


@unique
class PrincipalSource(Enum):
    """Where the current principal of a context came from."""

    PINNED = "pinned by the API key"
    REQUESTED = "requested as organization"
    ALL_MODE = "none requested by a platform admin"
    OWN = "the user's own"


@dataclass(frozen=True, slots=True)
class TenantContext:
    """As which tenant a user acts."""

    user: User
    current_principal_id: PrincipalId | None
    source: PrincipalSource
    org_role: OrgRole | None = None
    accessible_cluster_ids: frozenset[ClusterId] = frozenset()
    current_is_personal_scope: bool = False
    # Whether every existing resource is visible and writable.
    bypass: bool = field(init=False)

    def __post_init__(self) -> None:
        bypass = self.user.is_system or (
            self.user.is_platform_admin and self.current_principal_id is None
        )
        object.__setattr__(self, "bypass", bypass)

    @property
    def has_org_context(self) -> bool:
        """Whether there is a current principal."""
        return self.current_principal_id is not None

    @property
    def write_principal_id(self) -> PrincipalId:
        """Who owns what the user creates."""
        return self.current_principal_id or self.user.principal_id


@unique
class Visibility(Enum):
    """The visibility rule of a kind."""

    OWNED = "OWNED"
    CLUSTER = "CLUSTER"
    CLUSTER_RESOURCE = "CLUSTER_RESOURCE"


@dataclass(frozen=True, slots=True)
class ResourceKind:
    """A declared kind: how it is seen, and which columns its rows carry."""

    name: str
    visibility: Visibility
    carries_owner: bool
    carries_cluster: bool
    # Whether rows with equal columns are judged alike, whatever their ids.
    is_judged_by_columns: bool = field(init=False)

    def __post_init__(self) -> None:
        by_columns = self.visibility is not Visibility.CLUSTER
        object.__setattr__(self, "is_judged_by_columns", by_columns)


class ResourceRecord(NamedTuple):
    """A row as stored or as the caller of the API read it.

    A named tuple, like the other values of which one call makes a thousand: it
    takes half the time of a frozen dataclass.
    """

    owner_principal_id: PrincipalId | None
    cluster_id: ClusterId | None


class Resource(NamedTuple):
    """An existing row of a kind, cut down to the columns that the kind carries."""

    kind: ResourceKind
    id: ResourceId
    owner_principal_id: PrincipalId | None
    cluster_id: ClusterId | None


@unique
class RuleContext(Enum):
    """The area in which an access rule holds."""

    # Members are singletons, and each look-up of a rule hashes one.
    __hash__ = object.__hash__

    DATA = "DATA"
    UI = "UI"
    RESOURCE = "RESOURCE"


class AccessLevel(IntEnum):
    """How far an operation reaches, in rising order."""

    NONE = 0
    MY = 1
    GROUP = 2
    ALL = 3


_LEVEL_BITS: Final = 3
_ONES: Final = (0b000, 0b001, 0b011, 0b111)


@unique
class Operation(Enum):
    """What is to be done with an item."""

    VIEW = "view"
    READ = "read"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Permissions:
    """What is allowed on one item.

    `bits` is all of it as a number, in which a level is as many ones as it is high: so
    the bits of a union are those of its parts, put together with `|`.
    """

    view: bool
    read: AccessLevel
    create: AccessLevel
    update: AccessLevel
    delete: AccessLevel
    bits: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        bits = int(self.view)
        for level in (self.read, self.create, self.update, self.delete):
            bits = bits << _LEVEL_BITS | _ONES[level]
        object.__setattr__(self, "bits", bits)

    @classmethod
    def of_bits(cls, bits: int) -> "Permissions":
        """The permissions that have these bits."""
        delete, update, create, read = (
            AccessLevel((bits >> _LEVEL_BITS * place & _ONES[-1]).bit_length())
            for place in range(4)
        )
        return cls(bool(bits >> _LEVEL_BITS * 4), read, create, update, delete)

    def level(self, operation: Operation) -> AccessLevel:
        """How far an operation reaches; viewing is all or nothing."""
        match operation:
            case Operation.VIEW:
                return AccessLevel.ALL if self.view else AccessLevel.NONE
            case Operation.READ:
                return self.read
            case Operation.CREATE:
                return self.create
            case Operation.UPDATE:
                return self.update
            case Operation.DELETE:
                return self.delete
            case _:
                assert_never(operation)


class RoleScope(IntEnum):
    """Where a role is valid, in rising order of precedence."""

    GLOBAL = 1
    ORGANIZATION = 2
    INSTANCE = 3


@dataclass(frozen=True, slots=True)
class AccessRule:
    """A valid rule: what one role allows on an item and below it."""

    id: RuleId
    item: str | None
    permissions: Permissions


@dataclass(frozen=True, slots=True)
class Role:
    """A role with its valid rules by context and item.

    In a context of `malformed` the role contributes nothing.
    """

    id: RoleId
    label: str
    organization_id: PrincipalId | None
    feature_instance_id: FeatureInstanceId | None
    rules: Mapping[RuleContext, Mapping[str | None, AccessRule]]
    malformed: frozenset[RuleContext] = frozenset()

    @property
    def scope(self) -> RoleScope:
        """Instance before organization before global."""
        if self.feature_instance_id is not None:
            return RoleScope.INSTANCE
        if self.organization_id is not None:
            return RoleScope.ORGANIZATION
        return RoleScope.GLOBAL


@dataclass(frozen=True, slots=True)
class FeatureInstance:
    """A deployed feature inside one organization."""

    id: FeatureInstanceId
    organization_id: PrincipalId
    enabled: bool


@dataclass(frozen=True, slots=True)
class FeatureAccess:
    """A user's access to a feature instance, and the roles assigned to it."""

    id: FeatureAccessId
    enabled: bool
    role_ids: tuple[RoleId, ...]


@dataclass(frozen=True, slots=True)
class InstanceStanding:
    """What a user is within a feature instance; either part may be missing."""

    instance: FeatureInstance | None
    access: FeatureAccess | None
