"""Revisions: positions in the history of a database, as text and as values.

A history is one line of a database's life: its system, its oid, its timeline. Within
one, transactions get growing numbers but commit in another order. So no revision is
compared with a counter: it names one transaction (`x`), or says that all below a
number are over (`s`); and what is known is a snapshot.
"""

import re
from dataclasses import dataclass
from enum import Enum, unique
from typing import Final

from sidecar.ports import FactsUnavailableError, UnknownRevisionError
from sidecar.store.heard import Heard, Snapshot, parse_snapshot
from sidecar.store.queries import Queryable

_TOKEN: Final = re.compile(
    r"(?P<history>1\.[0-9a-f]{1,20}-[0-9]{1,10}\.[1-9][0-9]{0,9})"
    r"\.(?P<form>[xs])(?P<number>[1-9][0-9]{0,19})",
    re.ASCII,
)
_HAS_FUNCTIONS: Final = """
select has_function_privilege(to_regprocedure('authz.history()'), 'execute') as has
"""
_HISTORY: Final = "select authz.history() as history"
_POSITION: Final = """
select authz.history() as history, pg_catalog.pg_current_snapshot()::text as snapshot
"""


@unique
class Form(Enum):
    """What the number of a revision says."""

    TRANSACTION = "x"
    EVERYTHING_BELOW = "s"


@dataclass(frozen=True, slots=True)
class Revision:
    """A position: one transaction, or all below the number of one."""

    history: str
    form: Form
    number: int

    @classmethod
    def parse(cls, text: str) -> "Revision":
        """Raises UnknownRevisionError for what no database gives out."""
        match = _TOKEN.fullmatch(text)
        if match is None:
            raise UnknownRevisionError("the revision is malformed")
        return cls(match["history"], Form(match["form"]), int(match["number"]))


@dataclass(frozen=True, slots=True)
class Position:
    """Where a snapshot is: what it shows, of which history; no history on a standby."""

    history: str | None
    snapshot: Snapshot | None

    @property
    def revision(self) -> str | None:
        """The revision of what is read there, none where none is told."""
        return _text(self.history, self.snapshot)

    def check(self, revision: Revision) -> None:
        """Raises UnknownRevisionError when a revision is of another history.

        Raises FactsUnavailableError on a standby, which may be behind any revision.
        """
        if self.snapshot is not None and self.history is None:
            raise FactsUnavailableError("a standby does not know how fresh it is")
        if self.history != revision.history:
            raise UnknownRevisionError("the revision is of another history")


# Where the database lacks the functions it gives out no revisions, so none is its own.
NOWHERE: Final = Position(None, None)


def covers(heard: Heard, revision: Revision) -> bool:
    """Whether every change up to a revision has been heard."""
    if heard.history != revision.history:
        return False
    if revision.form is Form.EVERYTHING_BELOW:
        return heard.covers_all_below(revision.number)
    return heard.covers(revision.number)


def revision_of(heard: Heard) -> str | None:
    """The revision of answers that reflect all that was heard; none when not known."""
    return _text(heard.history, heard.snapshot)


def revision_of_all_below(history: str | None, number: int) -> str | None:
    """The revision that all transactions below a number are over."""
    return _written(history, Form.EVERYTHING_BELOW, number)


def revision_of_transaction(history: str | None, xid: int) -> str | None:
    """The revision of one transaction."""
    return _written(history, Form.TRANSACTION, xid)


async def has_revisions(connection: Queryable) -> bool:
    """Whether the database has the functions that tell its history."""
    return (await connection.fetch(_HAS_FUNCTIONS))[0]["has"] is True


async def read_history(connection: Queryable) -> str | None:
    """The history of the database; none without the functions or on a standby."""
    if not await has_revisions(connection):
        return None
    history = (await connection.fetch(_HISTORY))[0]["history"]
    return None if history is None else str(history)


async def read_position(connection: Queryable) -> Position:
    """Where a transaction is; begins its snapshot if nothing did before."""
    row = (await connection.fetch(_POSITION))[0]
    history = row["history"]
    return Position(
        None if history is None else str(history), parse_snapshot(row["snapshot"])
    )


def _text(history: str | None, snapshot: Snapshot | None) -> str | None:
    if snapshot is None:
        return None
    return revision_of_all_below(history, snapshot.xmin)


def _written(history: str | None, form: Form, number: int) -> str | None:
    return None if history is None else f"{history}.{form.value}{number}"
