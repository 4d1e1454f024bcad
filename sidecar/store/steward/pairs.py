"""A member and what they are a member of: as somebody wrote it, and as it is stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from sidecar.store.steward.deeds import Row, StewardError
from sidecar.store.steward.desk import Desk
from sidecar.store.steward.names import (
    Principal,
    User,
    find_live_principal,
    find_principal,
    find_user,
)

# Those of a pair that are not deleted, the active one first, held until the end.
_OF_PAIR: Final = """
select id::text as id, member_principal_id::text as member_principal_id,
    parent_principal_id::text as parent_principal_id, role, enabled, deleted_at
from authz.principal_memberships
where member_principal_id = $1::bigint and parent_principal_id = $2::bigint
    and deleted_at is null
order by enabled desc, id
for update
"""
_USER_OF: Final = (
    "select id::text as id from authz.users where principal_id = $1::bigint"
)


@dataclass(frozen=True, slots=True)
class Place:
    """What one is a member of, as somebody wrote it."""

    kind: Literal["org", "group"]
    text: str


@dataclass(frozen=True, slots=True)
class Who:
    """A member, as somebody wrote it: a user, or a user's own principal."""

    kind: Literal["user", "principal"]
    text: str


@dataclass(frozen=True, slots=True)
class Pair:
    """A member and what they are a member of, as the store has them."""

    user: User
    parent: Principal

    @property
    def words(self) -> str:
        """Who, in what, for people."""
        return f"{self.user.words} in {self.parent.words}"


async def find_pair(
    desk: Desk, place: Place, who: Who, *, is_live: bool = False
) -> Pair:
    """The pair that is meant, by `is_live` of a live parent; raises StewardError."""
    find = find_live_principal if is_live else find_principal
    parent = await find(desk, place.text, place.kind)
    return Pair(await find_member(desk, who), parent)


async def find_member(desk: Desk, who: Who) -> User:
    """The user that is meant; raises StewardError."""
    if who.kind == "user":
        return await find_user(desk, who.text)
    principal = await find_principal(desk, who.text, "user")
    rows = await desk.fetch(_USER_OF, int(principal.id))
    if not rows:
        raise StewardError(f"{principal.words} is no user's")
    return await find_user(desk, str(rows[0]["id"]))


async def read_memberships(desk: Desk, pair: Pair) -> list[Row]:
    """What is not deleted, the active one first, held until the end of the turn."""
    return await desk.fetch(_OF_PAIR, int(pair.user.principal_id), int(pair.parent.id))


async def read_existing(desk: Desk, pair: Pair) -> Sequence[Row]:
    """What `read_memberships` gives, if anything; raises StewardError otherwise."""
    there = await read_memberships(desk, pair)
    if not there:
        raise StewardError(f"{pair.words} is no member; `member add` makes one")
    return there
