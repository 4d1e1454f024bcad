"""What the edge answers: a closed set, so that nothing else can become an answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from sidecar.core.authorize import ALL_HOLD
from sidecar.core.decision import Decision, Denied
from sidecar.core.model import AccessLevel, TenantContext
from sidecar.core.reasons import Denial, Reason

PATH_NOT_CANONICAL = Denied(Denial.INVALID, Reason.PATH_NOT_CANONICAL)
REPEATED_HEADER = Denied(Denial.INVALID, Reason.REPEATED_HEADER)
TWO_CREDENTIALS = Denied(Denial.INVALID, Reason.TWO_CREDENTIALS)
UNKNOWN_RULE_SET = Denied(Denial.FORBIDDEN, Reason.UNKNOWN_RULE_SET)
NO_ROUTE = Denied(Denial.FORBIDDEN, Reason.NO_ROUTE)
VALUE_NOT_USABLE = Denied(Denial.FORBIDDEN, Reason.VALUE_NOT_USABLE)
CREDENTIAL_MISSING = Denied(Denial.UNAUTHENTICATED, Reason.CREDENTIAL_MISSING)
IDENTITY_NOT_SENDABLE = Denied(Denial.FORBIDDEN, Reason.IDENTITY_NOT_SENDABLE)


@dataclass(frozen=True, slots=True)
class Where:
    """Which part of the configuration judged; empty when none did."""

    rule_set: str = ""
    route: str = ""
    lifetime_seconds: float | None = None
    strips_credentials: bool = False


@dataclass(frozen=True, slots=True)
class Admitted:
    """The request may pass, as this caller; none for nobody.

    `level` is how far the least of the demanded permissions reaches, none when
    none is demanded; the application filters by it. `revision` is one that the facts
    reflect, none when no fact was asked or the database tells none.
    """

    where: Where
    context: TenantContext | None
    level: AccessLevel | None = None
    revision: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The request may not pass; `headers` go with the answer to the client."""

    where: Where
    denied: Denied
    headers: Mapping[str, str]
    revision: str | None = None


@dataclass(frozen=True, slots=True)
class Shadowed:
    """The request passes for as long as the rule set only watches.

    `refused` is what it will be told from the day on when that ends.
    """

    where: Where
    refused: Refused


Verdict: TypeAlias = Admitted | Refused | Shadowed


def decision_of(verdict: Verdict) -> Decision:
    """What was decided, whether or not the request passes for now."""
    match verdict:
        case Admitted():
            return ALL_HOLD
        case Refused():
            return verdict.denied
        case Shadowed():
            return verdict.refused.denied
