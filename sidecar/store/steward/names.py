"""Who and what the words of a command line name: by id, or by a name that is unique.

A whole number is always an id. Other text is the name of a user or of a principal that
is live; for a role its id, or else its label.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from sidecar.core.ids import IdType
from sidecar.store.steward.deeds import Row, StewardError
from sidecar.store.steward.desk import Desk

Kind = Literal["org", "group", "user"]

_SHOWN_AT_MOST: Final = 5
_USERS: Final = """
select id::text as id, principal_id::text as principal_id, name, is_active, is_admin
from authz.users
"""
_PRINCIPALS: Final = """
select id::text as id, kind, name, parent_principal_id::text as parent_principal_id,
    deleted_at is null as is_live
from authz.principals
"""
_ROLES: Final = (
    "select id, label, organization_id, feature_instance_id from authz.roles"
)


@dataclass(frozen=True, slots=True)
class User:
    """A user as the store has it."""

    id: str
    principal_id: str
    name: str | None
    is_active: bool
    is_admin: bool

    @property
    def words(self) -> str:
        """Which user it is, for people."""
        return f"user {self.id}{_called(self.name)}"


@dataclass(frozen=True, slots=True)
class Principal:
    """A principal as the store has it."""

    id: str
    kind: str
    name: str | None
    parent_principal_id: str | None
    is_live: bool

    @property
    def words(self) -> str:
        """Which principal it is, for people."""
        noun = "principal" if self.kind == "user" else self.kind
        return f"{noun} {self.id}{_called(self.name)}"


@dataclass(frozen=True, slots=True)
class Role:
    """A role as the store has it."""

    id: str
    label: str | None
    is_of_instance: bool

    @property
    def words(self) -> str:
        """Which role it is, for people."""
        return f"role `{self.id}`{_called(self.label)}"


async def find_user(desk: Desk, text: str) -> User:
    """The user of an id or a unique name; raises StewardError."""
    rows = await _find(desk, _USERS, text, "name")
    row = _only(rows, f"user `{text}`", "users")
    return User(
        str(row["id"]),
        str(row["principal_id"]),
        _optional(row["name"]),
        bool(row["is_active"]),
        bool(row["is_admin"]),
    )


async def find_principal(desk: Desk, text: str, *kinds: Kind) -> Principal:
    """The principal of an id, or of a name that is unique among the live ones.

    Of one of these kinds, when any are named. Raises StewardError.
    """
    wanted = " or ".join(kinds)
    noun = kinds[0] if len(kinds) == 1 else "principal"
    rows = await _find(desk, _PRINCIPALS, text, "deleted_at is null and name")
    if not IdType.BIGINT.names(text) and kinds:
        rows = [row for row in rows if row["kind"] in kinds]
    row = _only(rows, f"{noun} `{text}`", f"{noun}s")
    found = Principal(
        str(row["id"]),
        str(row["kind"]),
        _optional(row["name"]),
        _optional(row["parent_principal_id"]),
        bool(row["is_live"]),
    )
    if kinds and found.kind not in kinds:
        raise StewardError(
            f"principal `{found.id}` is of kind {found.kind}, not {wanted}"
        )
    return found


async def find_live_principal(desk: Desk, text: str, *kinds: Kind) -> Principal:
    """What `find_principal` finds, unless it was deleted; raises StewardError."""
    found = await find_principal(desk, text, *kinds)
    if not found.is_live:
        raise StewardError(f"{found.words} is deleted")
    return found


async def find_role(desk: Desk, text: str) -> Role:
    """The role of an id, or else of a unique label; raises StewardError."""
    rows: list[Row] = []
    if IdType.TEXT.names(text):
        rows = await desk.fetch(f"{_ROLES} where id = $1", text)
        rows = rows or await desk.fetch(f"{_ROLES} where label = $1 order by id", text)
    row = _only(rows, f"role `{text}`", "roles")
    return Role(
        str(row["id"]), _optional(row["label"]), row["feature_instance_id"] is not None
    )


async def _find(desk: Desk, select: str, text: str, named: str) -> list[Row]:
    if IdType.BIGINT.names(text):
        return await desk.fetch(f"{select} where id = $1::bigint", int(text))
    if not IdType.TEXT.names(text):
        return []
    return await desk.fetch(f"{select} where {named} = $1 order by id", text)


def _only(rows: Sequence[Row], sought: str, nouns: str) -> Row:
    if not rows:
        raise StewardError(f"there is no {sought}")
    if len(rows) > 1:
        ids = ", ".join(f"`{row['id']}`" for row in rows[:_SHOWN_AT_MOST])
        more = " and more" if len(rows) > _SHOWN_AT_MOST else ""
        raise StewardError(
            f"{sought} could be any of the {nouns} {ids}{more}; give an id"
        )
    return rows[0]


def _called(name: str | None) -> str:
    return "" if name is None else f" (`{name}`)"


def _optional(cell: object) -> str | None:
    return None if cell is None else str(cell)
