"""Answers, as values that nobody can take for `True` by accident.

Long, because it is a list: one small value for each message of the API.
"""

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum, unique
from typing import Generic, NoReturn, TypeAlias, TypeVar

from typing_extensions import override

from authz.client.errors import Denial, DeniedError
from authz.client.levels import AccessLevel, Operation, OrgRole
from authz.client.questions import Field
from authz.v1 import decision_pb2, permission_pb2

T = TypeVar("T")


class Answer:
    """What all answers have in common: they have no truth value."""

    __slots__ = ()

    def __bool__(self) -> NoReturn:
        # Every object is true by default, a denial too.
        raise TypeError(
            "an answer is neither true nor false: use its attributes or `require()`"
        )


class _Several(Answer, Generic[T]):
    """Several answers in the order of the questions, and as many."""

    __slots__ = ()

    @abstractmethod
    def _each(self) -> tuple[T, ...]: ...

    def __iter__(self) -> Iterator[T]:
        return iter(self._each())

    def __getitem__(self, index: int) -> T:
        return self._each()[index]

    def __len__(self) -> int:
        return len(self._each())


@dataclass(frozen=True, slots=True)
class Decision(Answer):
    """The answer to one check; `denial` is none exactly when it is allowed."""

    allowed: bool
    denial: Denial | None
    reason: str
    message: str
    decision_id: str
    explanation: decision_pb2.Explanation | None = None

    def require(self) -> None:
        """Does nothing when allowed.

        Raises:
            DeniedError: it is denied.
        """
        if self.allowed is not True or self.denial is not None:
            denial = self.denial or Denial.FORBIDDEN
            raise DeniedError(denial, self.reason, self.message, self.decision_id)


@dataclass(frozen=True, slots=True)
class Decisions(_Several[Decision]):
    """One decision for each question, at least one."""

    decisions: tuple[Decision, ...]
    decision_id: str
    revision: str | None = None

    @override
    def _each(self) -> tuple[Decision, ...]:
        return self.decisions

    @property
    def all_allowed(self) -> bool:
        """Whether every one is allowed; nothing at all is not allowed."""
        return len(self.decisions) > 0 and all(
            each.allowed is True for each in self.decisions
        )

    def require(self) -> None:
        """Does nothing when all are allowed.

        Raises:
            DeniedError: the first that is denied.
        """
        for each in self.decisions:
            each.require()
        if not self.all_allowed:
            raise DeniedError(Denial.FORBIDDEN, "", "nothing was decided", "")


@dataclass(frozen=True, slots=True)
class TenantContext(Answer):
    """As which tenant a caller acts."""

    user_id: str
    is_platform_admin: bool = False
    is_system: bool = False
    current_principal_id: str | None = None
    org_role: OrgRole | None = None
    accessible_cluster_ids: tuple[str, ...] = ()
    current_is_personal_scope: bool = False
    bypass: bool = False
    has_org_context: bool = False
    write_principal_id: str | None = None


@dataclass(frozen=True, slots=True)
class ResolvedContext(Answer):
    """A tenant context, and how fresh it is."""

    context: TenantContext
    revision: str | None = None


@unique
class ContextKind(StrEnum):
    """What kind of tenant a context is."""

    PERSONAL = "PERSONAL"
    ORGANIZATION = "ORGANIZATION"
    ALL = "ALL"
    PINNED = "PINNED"


@dataclass(frozen=True, slots=True)
class AvailableContext(Answer):
    """One tenant as which a caller may act."""

    kind: ContextKind
    principal_id: str | None
    org_role: OrgRole | None
    name: str


@dataclass(frozen=True, slots=True)
class AvailableContexts(_Several[AvailableContext]):
    """Personal scope first, then organizations by id, then All mode."""

    contexts: tuple[AvailableContext, ...]
    revision: str | None = None

    @override
    def _each(self) -> tuple[AvailableContext, ...]:
        return self.contexts


@dataclass(frozen=True, slots=True)
class Authorization(Answer):
    """The verdict on all requirements, and on each in their order."""

    decision: Decision
    decisions: tuple[Decision, ...]
    context: TenantContext | None
    decision_id: str
    revision: str | None = None

    @property
    def allowed(self) -> bool:
        """Whether all requirements hold."""
        return self.decision.allowed

    def require(self) -> None:
        """Does nothing when all requirements hold.

        Raises:
            DeniedError: one does not.
        """
        self.decision.require()


@dataclass(frozen=True, slots=True)
class CheckedRole(Answer):
    """The decision of a role gate."""

    decision: Decision
    decision_id: str
    revision: str | None = None

    @property
    def allowed(self) -> bool:
        """Whether the caller passes."""
        return self.decision.allowed

    def require(self) -> None:
        """Does nothing when the caller passes.

        Raises:
            DeniedError: they do not.
        """
        self.decision.require()


@dataclass(frozen=True, slots=True)
class Permissions(Answer):
    """What roles allow on one item; nothing, unless said otherwise."""

    view: bool = False
    read: AccessLevel = AccessLevel.NONE
    create: AccessLevel = AccessLevel.NONE
    update: AccessLevel = AccessLevel.NONE
    delete: AccessLevel = AccessLevel.NONE
    explanation: permission_pb2.PermissionExplanation | None = None

    def level(self, operation: Operation) -> AccessLevel:
        """How far an operation reaches; viewing reaches everything or nothing."""
        levels = {
            Operation.VIEW: AccessLevel.ALL if self.view else AccessLevel.NONE,
            Operation.READ: self.read,
            Operation.CREATE: self.create,
            Operation.UPDATE: self.update,
            Operation.DELETE: self.delete,
        }
        return levels[operation]


@dataclass(frozen=True, slots=True)
class PermissionsList(_Several[Permissions]):
    """The permissions for each query."""

    permissions: tuple[Permissions, ...]
    decision_id: str
    revision: str | None = None

    @override
    def _each(self) -> tuple[Permissions, ...]:
        return self.permissions


@dataclass(frozen=True, slots=True)
class Everything(Answer):
    """Every row may be listed."""


@dataclass(frozen=True, slots=True)
class Nothing(Answer):
    """No row may be listed."""


@dataclass(frozen=True, slots=True)
class AllOf(Answer):
    """Rows for which all of these hold; at least two."""

    conditions: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class AnyOf(Answer):
    """Rows for which any of these holds; at least two."""

    conditions: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Equals(Answer):
    """Rows with this value in a field."""

    field: Field
    value: str


@dataclass(frozen=True, slots=True)
class In(Answer):
    """Rows with one of these values in a field; at least one."""

    field: Field
    values: tuple[str, ...]


Condition: TypeAlias = AllOf | AnyOf | Equals | In
Selection: TypeAlias = Everything | Nothing | Condition
SqlValue: TypeAlias = int | str | list[int] | list[str]


@dataclass(frozen=True, slots=True)
class SqlFilter(Answer):
    """A filter as a SQL condition, in parentheses or `TRUE` or `FALSE`."""

    text: str
    parameters: tuple[SqlValue, ...]


@dataclass(frozen=True, slots=True)
class ListFilter(Answer):
    """Which rows a caller may list; `sql` is set when it was asked for."""

    selection: Selection
    sql: SqlFilter | None = None
    revision: str | None = None


@dataclass(frozen=True, slots=True)
class RuleProblem(Answer):
    """One thing that is wrong with a rule; rules are counted from 0."""

    rule_index: int
    field: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class RuleProblems(_Several[RuleProblem]):
    """What is wrong with rules; none means that they may be stored."""

    problems: tuple[RuleProblem, ...]

    @override
    def _each(self) -> tuple[RuleProblem, ...]:
        return self.problems


@dataclass(frozen=True, slots=True)
class Position(Answer):
    """How much a server has told or heard; only of one server have they an order."""

    server: str
    number: int


@dataclass(frozen=True, slots=True)
class ServerInfo(Answer):
    """What a server is; the last three are none where it serves no Watch."""

    version: str
    engine: str
    configuration_digest: str
    schema_version: int | None
    features: frozenset[str]
    position: Position | None
    staleness: timedelta | None
    max_staleness: timedelta | None


@dataclass(frozen=True, slots=True)
class Change(Answer):
    """A fact that changed; without a key its whole group did."""

    group: str
    key: str | None
    revision: str


@dataclass(frozen=True, slots=True)
class Changes(_Several[Change]):
    """Facts that changed in one transaction, or in a part of it."""

    changes: tuple[Change, ...]

    @override
    def _each(self) -> tuple[Change, ...]:
        return self.changes


@dataclass(frozen=True, slots=True)
class DropEverything(Answer):
    """Changes may have been missed."""

    revision: str | None


@dataclass(frozen=True, slots=True)
class Beat(Answer):
    """A proof of life; `position` says what the stream has told."""

    revision: str
    staleness: timedelta | None
    position: Position | None


WatchEvent: TypeAlias = Changes | DropEverything | Beat
