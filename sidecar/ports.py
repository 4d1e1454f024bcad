"""What the service needs of the outside, and how the outside can fail.

One narrow seam: a question is answered from groups of facts, each named by a
key. The key is what caches are keyed by, so a fact's inputs are listed once. It
is long because the whole seam is in one place.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import Enum, unique
from typing import Generic, NamedTuple, Protocol, TypeAlias, TypeVar

from sidecar.core.filters import Field
from sidecar.core.ids import (
    ClusterId,
    FeatureInstanceId,
    IdType,
    PrincipalId,
    ResourceId,
    RoleId,
    UserId,
)
from sidecar.core.model import (
    InstanceStanding,
    OrganizationMembership,
    ResourceRecord,
    Role,
    Standing,
    UserRecord,
)
from sidecar.core.sql import SqlFilter

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class CouldNotDecideError(Exception):
    """No answer could be had: an error for the caller, never a denial."""


class FactsUnavailableError(CouldNotDecideError):
    """The facts cannot be read."""


class DeadlineTooNearError(CouldNotDecideError):
    """Too little time is left to read the facts."""


class OverloadedError(CouldNotDecideError):
    """Too much is asked at once."""


class WatcherTooSlowError(CouldNotDecideError):
    """Who follows the changes does not keep up with them."""


class UnknownRevisionError(Exception):
    """A question names a revision that is malformed or of another history."""


@dataclass(frozen=True, slots=True)
class FactKey(Generic[T_co]):
    """Names one group of facts, of type T; what is not there is a value too."""


@dataclass(frozen=True, slots=True)
class UserKey(FactKey[UserRecord | None]):
    """A user with its principal."""

    user_id: UserId


@dataclass(frozen=True, slots=True)
class IdentityKey(FactKey[UserId | None]):
    """Which user a name in an identity provider is."""

    issuer: str
    subject: str


@dataclass(frozen=True, slots=True)
class ApiKeyRecord:
    """An API key as stored. Times are seconds since 1970, UTC."""

    user_id: UserId
    secret_hash: str
    owner_principal_id: PrincipalId | None
    expires_at: float | None
    is_revoked: bool

    def is_current(self, now: float) -> bool:
        """Whether it is in force; `now` is a time of `Clock.wall`."""
        if self.is_revoked:
            return False
        return self.expires_at is None or now < self.expires_at


@dataclass(frozen=True, slots=True)
class ApiKeyKey(FactKey[ApiKeyRecord | None]):
    """An API key by the public part of its text."""

    lookup_id: str


@dataclass(frozen=True, slots=True)
class GrantsKey(FactKey[frozenset[ClusterId]]):
    """The clusters granted to one principal itself."""

    principal_id: PrincipalId


@dataclass(frozen=True, slots=True)
class StandingKey(FactKey[Standing]):
    """What a principal is within another."""

    member_principal_id: PrincipalId
    current_principal_id: PrincipalId


@dataclass(frozen=True, slots=True)
class MembershipsKey(FactKey[tuple[OrganizationMembership, ...]]):
    """Every principal in which a principal has the one active membership."""

    member_principal_id: PrincipalId


@dataclass(frozen=True, slots=True)
class InstanceKey(FactKey[InstanceStanding]):
    """What a user is within a feature instance."""

    user_id: UserId
    feature_instance_id: FeatureInstanceId


@dataclass(frozen=True, slots=True)
class RoleKey(FactKey[Role | None]):
    """A role with its rules."""

    role_id: RoleId


@dataclass(frozen=True, slots=True)
class ResourceKey(FactKey[ResourceRecord | None]):
    """A row of a declared kind, deleted ones left out."""

    kind: str
    resource_id: ResourceId


class Facts(Protocol):
    """Reads facts.

    Both raise CouldNotDecideError when the facts cannot be had in time.
    """

    async def get(self, key: FactKey[T]) -> T:
        """The fact of a key."""
        ...

    async def get_all(self, keys: Sequence[FactKey[T]]) -> list[T]:
        """The facts of several keys of one type, in their order."""
        ...

    @property
    def epoch(self) -> int | None:
        """A number that is another one after any fact may have changed.

        What was worked out from facts may be used again under the same number;
        none means that it may not.
        """
        return None

    @property
    def revision(self) -> str | None:
        """A revision that every fact read here reflects; none when not known."""
        return None


@unique
class Consistency(Enum):
    """How fresh the facts of an answer must be."""

    MINIMIZE_LATENCY = "minimize_latency"
    FULLY_CONSISTENT = "fully_consistent"


@dataclass(frozen=True, slots=True)
class AtLeast:
    """Each fact must reflect at least this revision."""

    revision: str


Freshness: TypeAlias = Consistency | AtLeast


class Moment(NamedTuple):
    """What memory shows now: its epoch, and a revision that it reflects."""

    epoch: int
    revision: str | None


class FactSource(Protocol):
    """Opens facts for one question."""

    def at_hand(self, consistency: Freshness) -> Moment | None:
        """What memory shows, if it may answer now and is as fresh as asked.

        What was worked out under this epoch may be used again; none means that facts
        have to be opened.
        """
        ...

    def open(
        self, consistency: Freshness, deadline: float
    ) -> AbstractAsyncContextManager[Facts]:
        """Facts as fresh as asked; `deadline` is a time of `Clock.monotonic`.

        Entering raises CouldNotDecideError, and UnknownRevisionError for a revision
        that is none of this history.
        """
        ...

    @property
    def field_types(self) -> "FieldTypes":
        """The types of the id columns; known once the store has started."""
        ...


@dataclass(frozen=True, slots=True)
class FieldTypes:
    """The types of the id columns that questions and filters name."""

    organization: IdType
    fields: dict[Field, IdType]


@dataclass(frozen=True, slots=True)
class Changes:
    """What a transaction changed: facts of a group, all of them without keys."""

    group: str
    keys: tuple[str, ...] | None
    revision: str | None


@dataclass(frozen=True, slots=True)
class DropEverything:
    """Changes may have been missed; what is told goes on from a revision."""

    revision: str | None


@dataclass(frozen=True, slots=True)
class Proof:
    """Up to a revision, and until a time of `Clock.monotonic`, all was told.

    `number` is the position of the server that this reaches.
    """

    number: int
    revision: str | None
    since: float


WatchEvent: TypeAlias = Changes | DropEverything | Proof


class Watcher(Protocol):
    """One who follows the changes."""

    async def next(self) -> WatchEvent:
        """What was told next, or will be.

        Raises WatcherTooSlowError when that has been forgotten.
        """
        ...

    def close(self) -> None:
        """Makes room for another one."""
        ...


class ChangeSource(Protocol):
    """Passes on which facts change."""

    def watch(self, after: str | None) -> Watcher:
        """Follows the changes after a revision, or from now on, until it is closed.

        Raises OverloadedError when too many do, and UnknownRevisionError.
        """
        ...

    @property
    def position(self) -> int:
        """Grows with everything that is told."""
        ...

    @property
    def watching(self) -> int:
        """How many follow the changes."""
        ...

    def staleness(self) -> float:
        """Seconds for which a change could have been missed; infinite: unknown."""
        ...


@dataclass(frozen=True, slots=True)
class Authenticated:
    """Who a credential is, and the principal to which it is pinned."""

    user_id: UserId
    pinned_principal_id: PrincipalId | None


class CredentialVerifier(Protocol):
    """Checks credentials of one kind."""

    async def verify(self, text: str, facts: Facts) -> Authenticated | None:
        """Who presents this credential; none for every kind of bad one.

        Raises CouldNotDecideError when it cannot be told.
        """
        ...


@dataclass(frozen=True, slots=True)
class Verifiers:
    """Who checks which kind of credential."""

    api_keys: CredentialVerifier
    access_tokens: CredentialVerifier


class Clock(Protocol):
    """Tells the time; the only one who does."""

    def monotonic(self) -> float:
        """Seconds that run through suspend, from an arbitrary start."""
        ...

    def wall(self) -> float:
        """Seconds since 1970, UTC; for the expiry of credentials only."""
        ...


@dataclass(frozen=True, slots=True)
class Everyone:
    """All there are."""


@dataclass(frozen=True, slots=True)
class Near:
    """Who has to do with these principals, or with those granted this cluster."""

    principal_ids: tuple[PrincipalId, ...]
    cluster_id: ClusterId | None = None


Among = Everyone | Near


# Where the directory has the fields of resources.
COLUMNS = {
    Field.OWNER_PRINCIPAL_ID: "owner_principal_id",
    Field.CLUSTER_ID: "cluster_id",
    Field.ID: "id",
}


class Directory(Protocol):
    """Lists candidates of one moment, by their ids: rather too many than too few.

    Whether one of them counts is for facts and the core to say. All raise
    CouldNotDecideError when the lists cannot be read.
    """

    def users(self, among: Among) -> AsyncGenerator[UserId, None]:
        """Users; those near are members and the principals' own users.

        Platform admins and system users are near to everything.
        """
        ...

    def organizations(self, among: Among) -> AsyncGenerator[PrincipalId, None]:
        """Principals to act as; of groups that are near, those they belong to."""
        ...

    async def pinned_keys(
        self, user_ids: Sequence[UserId]
    ) -> dict[UserId, tuple[str, ...]]:
        """The look-up ids of pinned API keys, by user, expired ones too."""
        ...

    async def feature_instances(self, user_id: UserId) -> tuple[FeatureInstanceId, ...]:
        """The feature instances to which a user has an access, disabled ones too."""
        ...

    async def count_resources(self, kind: str, chosen: SqlFilter) -> int:
        """How many rows of a kind a filter selects; its parameters begin at 2."""
        ...

    def resources(
        self, kind: str, chosen: SqlFilter
    ) -> AsyncGenerator[ResourceId, None]:
        """The rows of a kind that a filter selects; its parameters begin at 2."""
        ...
