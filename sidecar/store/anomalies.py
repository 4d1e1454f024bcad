"""Stored rows that the reference schema would refuse, and that failed closed."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, unique


@unique
class Problem(Enum):
    """What can be wrong with a stored row."""

    DUPLICATE_ROW = "DUPLICATE_ROW"
    MALFORMED_RULE = "MALFORMED_RULE"
    MISSING_VALUE = "MISSING_VALUE"
    UNKNOWN_LABEL = "UNKNOWN_LABEL"


@dataclass(frozen=True, slots=True)
class Anomaly:
    """A stored row that failed closed: of which relation, why, and which it is."""

    relation: str
    problem: Problem
    key: str


Tell = Callable[[Anomaly], None]
