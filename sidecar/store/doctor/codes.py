"""Every code of a finding: how bad it is, what it says, and what comes of it.

The module is long because the whole table is in one place.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, unique
from types import MappingProxyType
from typing import Final


@unique
class Severity(Enum):
    """How bad a finding is."""

    ERROR = "error"
    """The sidecar cannot serve, or would answer wrongly or without its memory."""
    WARNING = "warning"
    """It serves rightly; something is slower, laxer or less than it could be."""


@dataclass(frozen=True, slots=True)
class Code:
    """A kind of finding: what it says, and why that matters."""

    severity: Severity
    about: str
    why: str


_NO_START: Final = "the sidecar refuses to start"
_UNKEPT: Final = (
    "facts of this relation are read for each question anew and never kept, and no "
    "resolved caller is remembered"
)
_STALE: Final = "a change would not drop what is kept, and old answers would be given"
_SPOILT: Final = "its role contributes nothing in that rule context"
_NOBODY: Final = "where one row is meant and several are there, none counts"


def _error(about: str, why: str) -> Code:
    return Code(Severity.ERROR, about, why)


def _warning(about: str, why: str) -> Code:
    return Code(Severity.WARNING, about, why)


_SERVER: Final = {
    "server-too-old": _error(
        "PostgreSQL is older than 15.", "the statements and triggers need version 15"
    ),
    "encoding-not-utf8": _error(
        "The database is not encoded in UTF-8.",
        "a question with a character that the encoding lacks fails",
    ),
    "url-is-standby": _error(
        "`database.url` leads to a standby.",
        "signs of life cannot be sent through a standby, so nothing is ever kept",
    ),
    "url-pooled": _warning(
        "`database.url` goes through a pooler, and statements stay prepared.",
        "a transaction pooler that cannot keep prepared statements fails questions",
    ),
    "clock-skewed": _warning(
        "The clocks of database and sidecar are over a second apart.",
        "API keys expire by the sidecar's clock, and are given out by another",
    ),
    "connections-too-few": _warning(
        "Fewer connections are allowed than the pool may open.",
        "under load new connections are refused, and questions fail",
    ),
    "timeout-short": _warning(
        "A time-out of the database ends readings before the sidecar would.",
        "under load questions fail that still had time",
    ),
    "idle-session-timeout": _warning(
        "The database ends sessions that are idle, and the feed's is.",
        "each time it is ended, everything in memory is dropped",
    ),
}

_FEED: Final = {
    "feed-unreachable": _error("`database.feed_url` cannot be reached.", _NO_START),
    "feed-is-standby": _error(
        "`database.feed_url` leads to a standby.",
        "a standby delivers no notifications; " + _NO_START,
    ),
    "feed-elsewhere": _error(
        "`database.feed_url` leads to another database than `database.url`.",
        "changes are never heard; " + _NO_START,
    ),
    "feed-pooled": _error(
        "`database.feed_url` goes through a pooler that keeps notifications back.",
        "changes are never heard; " + _NO_START,
    ),
    "feed-perhaps-pooled": _warning(
        "`database.feed_url` goes through a pooler, which delivers so far.",
        "a pooler of transactions loses notifications as soon as it has two clients",
    ),
    "notification-lost": _error(
        "What is sent through `database.url` does not arrive at the feed.",
        "changes are never heard; " + _NO_START,
    ),
}

_SCHEMA: Final = {
    "schema-missing": _error("There is no schema `authz`.", _NO_START),
    "functions-missing": _error(
        "Change functions are missing.", "no table can be watched without them"
    ),
    "function-altered": _error(
        "A change function is not the one of this version.",
        "what it tells of changes is not known, and old answers may be given",
    ),
    "migrations-missing": _error(
        "Migrations of this version were not applied.",
        "the database is not what this version was made for",
    ),
    "migrations-ahead": _error(
        "The database is newer than this version.",
        "what a newer version changed is not known to this one",
    ),
    "migrations-differ": _error(
        "A migration of the database is not the one of this version.",
        "the database is not what this version was made for",
    ),
    "constraint-missing": _warning(
        "A constraint of the reference schema is missing or not validated.",
        "rows can be stored that count for nothing, or for several things",
    ),
    "relation-missing": _error("A table or view is missing.", _NO_START),
    "column-missing": _error("A column is missing.", _NO_START),
    "id-type": _error("A column of ids is of a type that ids cannot be.", _NO_START),
    "flag-type": _error(
        "A flag is no boolean.",
        "a flag that is neither true nor false counts as false, or statements fail",
    ),
    "time-type": _error(
        "A time is no time.",
        "whatever is not null counts as deleted or revoked, false and zero too; "
        "an expiry that is no time cannot be read",
    ),
    "time-without-zone": _warning(
        "An expiry has no time zone.",
        "it is taken for UTC; if the platform writes local times, keys live too long "
        "or too short",
    ),
    "statement-fails": _error("A statement of the sidecar does not run.", _NO_START),
}

_RIGHTS: Final = {
    "usage-missing": _error("The role may not use the schema.", _NO_START),
    "select-missing": _error("The role may not read a relation.", _NO_START),
    "execute-missing": _error(
        "The role may not execute a function that a view calls.", _NO_START
    ),
    "view-owner-lacks-select": _error(
        "The owner of a view may not read a table behind it.",
        "whoever reads the view is refused; " + _NO_START,
    ),
    "row-security-active": _error(
        "Row security hides rows of a table from the sidecar.",
        "what is hidden counts as missing: memberships, deletions, second rows",
    ),
    "role-is-superuser": _warning(
        "The role that serves is a superuser.",
        "to serve, reading is enough; whoever takes over the sidecar has everything",
    ),
    "role-may-write": _warning(
        "The role that serves may change what it reads.",
        "to serve, reading is enough; whoever takes over the sidecar could grant "
        "rights",
    ),
    "role-owns": _warning(
        "The role that serves owns what it reads.",
        "an owner can change and remove it; to serve, reading is enough",
    ),
}

_WATCHING: Final = {
    "table-unwatchable": _warning(
        "Behind a relation is something that no trigger watches.", _UNKEPT
    ),
    "view-calls-function": _warning(
        "A view calls a function that is not immutable.", _UNKEPT
    ),
    "triggers-missing": _error("A table lacks change triggers.", _UNKEPT),
    "trigger-disabled": _error(
        "A change trigger is off, or does not fire always.", _UNKEPT
    ),
    "trigger-version": _error("A change trigger is of another version.", _UNKEPT),
    "trigger-altered": _error(
        "A change trigger fires only for some rows or columns.", _UNKEPT
    ),
    "watch-misses-column": _error(
        "A column that the sidecar reads is not watched.", _STALE
    ),
    "watch-misses-key": _error(
        "A change does not tell the key by which a fact is asked for.", _STALE
    ),
    "watch-superfluous": _warning(
        "A table tells changes of a group that it has no part in.",
        "each change costs a notification, and drops what did not change",
    ),
}

_INDEXES: Final = {
    "index-missing": _warning(
        "No index serves a look-up.", "each look-up reads the whole table"
    ),
    "index-invalid": _warning(
        "An index is not valid.", "it costs with each change, and serves nobody"
    ),
    "large-table-scanned": _error(
        "A statement reads a large table as a whole.",
        "questions take as long as reading it, and hold a connection meanwhile",
    ),
}

_ROWS: Final = {
    "value-missing": _warning(
        "A value is null that is needed.", "such a row counts for nothing"
    ),
    "flag-missing": _warning("A flag is null.", "it counts as false"),
    "id-malformed": _warning(
        "An id is empty, or below zero.", "no request can name it"
    ),
    "key-doubled": _error("Two rows have one key.", _NOBODY),
    "row-repeated": _warning("A row stands there twice.", "it counts once"),
    "reference-broken": _warning(
        "A row names one that is not there.", "it counts for nothing"
    ),
    "kind-unknown": _error(
        "A principal is of an unknown kind.",
        "it is neither a user, nor an organization, nor a group",
    ),
    "group-outside": _error(
        "A group is part of no organization.", "its members get nothing by it"
    ),
    "parent-unexpected": _warning(
        "A principal that is no group has a parent.", "the parent counts for nothing"
    ),
    "user-unfit": _error(
        "A user has no principal of kind user.", "every call of such a user is refused"
    ),
    "principal-shared": _error(
        "Several users share a principal.",
        "each has the memberships and grants of all of them",
    ),
    "org-role-unknown": _error(
        "A membership has an unknown org role.", "it counts as no membership"
    ),
    "membership-doubled": _error(
        "A pair has two active memberships.", "there is none then"
    ),
    "organization-unfit": _error(
        "An organization is named that is none.", "what belongs to it reaches nobody"
    ),
    "secret-hash-unreadable": _error(
        "The hash of an API key cannot be read.", "the key is refused"
    ),
    "lookup-id-unfit": _error(
        "The look-up id of an API key is empty or has an underscore.",
        "no key can carry it, as underscores separate the parts of a key",
    ),
    "rule-context-unknown": _error(
        "An access rule is of an unknown context.",
        "its role contributes nothing in any rule context",
    ),
    "rule-level-unknown": _error("An access rule has an unknown level.", _SPOILT),
    "rule-item-malformed": _error(
        "The item of an access rule has an empty segment or a blank.", _SPOILT
    ),
    "rule-view-missing": _error("An access rule does not say view.", _SPOILT),
    "rule-read-missing": _error("A DATA rule does not say read.", _SPOILT),
    "rule-exceeds-read": _error(
        "A level of a DATA rule exceeds its read level.", _SPOILT
    ),
    "rule-doubled": _error("A role has two rules for one context and item.", _SPOILT),
    "role-scope-torn": _error(
        "A role names an organization and an instance of another one.",
        "it counts for the instance, where the organization does not fit",
    ),
    "role-misfits": _error(
        "A role is assigned where its scope does not fit.", "it gives nothing there"
    ),
    "resource-kind-undeclared": _warning(
        "Rows are of a kind that the settings do not declare.",
        "every question about them is refused",
    ),
    "resource-kind-absent": _warning(
        "The settings declare a kind that no row is of.",
        "every row of it that is asked for by id is not found",
    ),
    "cluster-global": _warning(
        "A cluster has no owner.", "only who is granted it sees it; nobody may write it"
    ),
    "cluster-unknown": _warning(
        "A cluster is named that is no resource.", "the grant, or the place, is empty"
    ),
}

CODES: Final[Mapping[str, Code]] = MappingProxyType(
    _SERVER | _FEED | _SCHEMA | _RIGHTS | _WATCHING | _INDEXES | _ROWS
)
