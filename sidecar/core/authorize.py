"""Where tenancy and permissions meet: several requirements at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sidecar.core.checks import Columns
from sidecar.core.decision import Allowed, Decision, Denied
from sidecar.core.gates import RoleGate
from sidecar.core.ids import PrincipalId, ResourceId
from sidecar.core.model import (
    AccessLevel,
    Operation,
    Permissions,
    ResourceRecord,
)
from sidecar.core.permissions import PermissionQuery
from sidecar.core.reasons import Denial, Reason

ALL_HOLD = Allowed(Reason.ALL_HOLD)
_PERMITTED = Allowed(Reason.PERMITTED)
_INSUFFICIENT = Denied(Denial.FORBIDDEN, Reason.INSUFFICIENT_PERMISSION)


class NamedResource(NamedTuple):
    """A row by kind and id; without `record` the store knows it or nobody."""

    kind: str
    id: ResourceId
    record: ResourceRecord | None = None


class WholeRows(NamedTuple):
    """Rows that are given with all that their kinds carry, and judged by that alone.

    Nearly all questions are about such, and most are answered without naming each.
    `columns` and `ids` are of each row, in their order; their number is how many rows
    there are, and not the length of this.
    """

    columns: list[Columns]
    ids: list[ResourceId]

    def named(self) -> list[NamedResource]:
        """The same as resources."""
        return [
            NamedResource(kind, row_id, ResourceRecord(owner, cluster))
            for row_id, (kind, owner, cluster) in zip(
                self.ids, self.columns, strict=True
            )
        ]


@dataclass(frozen=True, slots=True)
class MustBeVisible:
    """The row is visible."""

    resource: NamedResource


@dataclass(frozen=True, slots=True)
class MustBeWritable:
    """The row is writable."""

    resource: NamedResource
    skip_visible: bool


@dataclass(frozen=True, slots=True)
class MustBeCreatable:
    """A row of this kind and owner may be created; no owner: global."""

    kind: str
    owner_principal_id: PrincipalId | None


@dataclass(frozen=True, slots=True)
class MayCreateOwn:
    """A row of this kind may be created for the principal that the caller writes as."""

    kind: str


@dataclass(frozen=True, slots=True)
class MustPass:
    """The caller passes a role gate."""

    gate: RoleGate


@dataclass(frozen=True, slots=True)
class MustPermit:
    """The caller's roles reach `least` for an operation."""

    query: PermissionQuery
    operation: Operation
    least: AccessLevel


Requirement = (
    MustBeVisible
    | MustBeWritable
    | MustBeCreatable
    | MayCreateOwn
    | MustPass
    | MustPermit
)


def permit(wanted: MustPermit, granted: Permissions) -> Decision:
    """Whether permissions reach what is wanted, which is never nothing."""
    reached = granted.level(wanted.operation)
    enough = reached >= wanted.least and reached is not AccessLevel.NONE
    return _PERMITTED if enough else _INSUFFICIENT


def verdict(
    requirements: Sequence[Requirement], decisions: Sequence[Decision]
) -> Decision:
    """All must hold: the first that fails, a failing visibility before all."""
    denials = [
        (not isinstance(requirement, MustBeVisible), decision)
        for requirement, decision in zip(requirements, decisions, strict=True)
        if isinstance(decision, Denied)
    ]
    if not denials:
        return ALL_HOLD
    return min(denials, key=lambda each: each[0])[1]
