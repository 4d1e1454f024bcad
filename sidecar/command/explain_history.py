"""What two revisions tell of the time between them."""

import re
from dataclasses import dataclass
from enum import Enum, unique
from typing import Final

# As sidecar.store.revisions writes them; this needs no driver to be read.
_REVISION: Final = re.compile(r"(?P<history>.+)\.s(?P<number>[0-9]{1,20})", re.ASCII)


@unique
class Course(Enum):
    """How the history of facts went between two answers."""

    UNMOVED = "unmoved"
    MOVED = "moved"
    BEHIND = "behind"
    OTHER = "other"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Between:
    """The course of history, and the same for people."""

    course: Course
    words: str


def between(then: str | None, now: str | None) -> Between:
    """What is known of the facts between two answers, from their revisions."""
    old, new = _parsed(then), _parsed(now)
    if old is None or new is None:
        whose = "then" if old is None else "now"
        return Between(
            Course.UNKNOWN,
            f"the answer of {whose} has no revision, so whether facts changed since "
            "is not known",
        )
    if old[0] != new[0]:
        return Between(
            Course.OTHER,
            "the database is another one than then, or was restored or promoted "
            "since: its history is a different one",
        )
    passed = new[1] - old[1]
    if passed == 0:
        return Between(
            Course.UNMOVED,
            "the revision is the one of then: as far as it tells, no fact changed "
            "since",
        )
    if passed < 0:
        return Between(
            Course.BEHIND,
            f"the server knows {-passed} transactions less than the one that answered "
            "then: is it the right one?",
        )
    return Between(
        Course.MOVED,
        f"the database is {passed} transactions further, of which any may have "
        "changed facts",
    )


def _parsed(revision: str | None) -> tuple[str, int] | None:
    match = _REVISION.fullmatch(revision or "")
    return None if match is None else (match["history"], int(match["number"]))
