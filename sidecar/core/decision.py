"""Decisions, and tables of rules that come to one.

A check is a tuple of rules, tried in order; the first that judges decides. The
same table gives the decision and its explanation, so the two cannot disagree.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, unique
from typing import Generic, NamedTuple, TypeVar

from sidecar.core.reasons import Denial, Reason

Q = TypeVar("Q")


# Named tuples, since a call looks up a thousand of them: a frozen dataclass takes ten
# times as long to hash.
class Allowed(NamedTuple):
    """It is allowed, and why."""

    reason: Reason


class Denied(NamedTuple):
    """It is denied, in which way and why."""

    denial: Denial
    reason: Reason


Decision = Allowed | Denied

BAD_CREDENTIAL = Denied(Denial.UNAUTHENTICATED, Reason.INVALID_CREDENTIAL)
UNKNOWN_KIND = Denied(Denial.INVALID, Reason.UNKNOWN_RESOURCE_KIND)


@unique
class Outcome(Enum):
    """What one rule came to."""

    FACT = "FACT"
    PASSED = "PASSED"
    ALLOWED = "ALLOWED"
    DENIED = "DENIED"


@dataclass(frozen=True, slots=True)
class Step:
    """One rule as it was tried: its name, its outcome, the facts for people."""

    rule: str
    outcome: Outcome
    detail: str


@dataclass(frozen=True, slots=True)
class Rule(Generic[Q]):
    """One row of a check.

    `judge` gives a decision or lets the next rule try; `facts` says in words
    what it looked at.
    """

    name: str
    judge: Callable[[Q], Decision | None]
    facts: Callable[[Q], str]


@dataclass(frozen=True, slots=True)
class Check(Generic[Q]):
    """Rules in order, and the denial when none of them decides."""

    rules: tuple[Rule[Q], ...]
    otherwise: Denied
    judges: tuple[Callable[[Q], Decision | None], ...] = field(init=False)

    def __post_init__(self) -> None:
        judges = tuple(rule.judge for rule in self.rules)
        object.__setattr__(self, "judges", judges)

    def decide(self, question: Q) -> Decision:
        """Answers with the first rule that judges."""
        for judge in self.judges:
            decision = judge(question)
            if decision is not None:
                return decision
        return self.otherwise

    def explain(self, question: Q) -> tuple[Step, ...]:
        """Tells each rule tried, up to and with the one that decided."""
        steps: list[Step] = []
        for rule in self.rules:
            decision = rule.judge(question)
            steps.append(Step(rule.name, outcome_of(decision), rule.facts(question)))
            if decision is not None:
                return tuple(steps)
        detail = f"no rule allows it: {self.otherwise.reason.text}"
        return (*steps, Step("otherwise", Outcome.DENIED, detail))


def outcome_of(decision: Decision | None) -> Outcome:
    """What a rule came to, by the decision that it gave."""
    if decision is None:
        return Outcome.PASSED
    return Outcome.ALLOWED if isinstance(decision, Allowed) else Outcome.DENIED
