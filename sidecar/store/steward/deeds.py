"""What an errand changed, and what a look found: values to be shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, unique

from sidecar.store.errors import StoreError

# Ids are text, as everywhere outside the database. Null stands for itself.
Cell = str | bool | datetime | None
Row = Mapping[str, Cell]


class StewardError(StoreError):
    """What was asked for cannot be done; the message says why."""


@unique
class OrgRoleWish(Enum):
    """The org role that a membership is to have; `none` admits without one."""

    ADMIN = "admin"
    USER = "user"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Change:
    """One row before and after. No `before`: it was made; no `after`: it is gone.

    `subject` says to people which row it is.
    """

    relation: str
    subject: str
    before: Row | None
    after: Row | None


@dataclass(frozen=True, slots=True)
class Deed:
    """What was changed, none when all was so already, and what one should know.

    `lookup_id` is that of the API key that was made, if one was.
    """

    changes: tuple[Change, ...] = ()
    notes: tuple[str, ...] = ()
    lookup_id: str | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows in an order of their own. `is_cut`: there are more than were wanted."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    is_cut: bool
