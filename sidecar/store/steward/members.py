"""Memberships: added, ended, suspended and resumed, listed.

Ending is soft: the row stays, marked as deleted, with its roles. Whoever is added again
gets a new membership, and none of the old one's roles.
"""

from dataclasses import dataclass
from typing import Final

from sidecar.store.steward.deeds import (
    Change,
    Deed,
    Listing,
    OrgRoleWish,
    Row,
    StewardError,
)
from sidecar.store.steward.desk import Desk
from sidecar.store.steward.names import find_principal
from sidecar.store.steward.pairs import (
    Pair,
    Place,
    Who,
    find_member,
    find_pair,
    read_existing,
    read_memberships,
)

RELATION: Final = "principal_memberships"

# What ending a membership of an organization leaves in place, without effect.
_LEFT: Final = """
select
    (select count(*)::text from authz.principal_memberships as m
     join authz.principals as g on g.id = m.parent_principal_id
     where m.member_principal_id = $1::bigint and g.parent_principal_id = $2::bigint
        and m.enabled and m.deleted_at is null) as groups,
    (select count(*)::text from authz.feature_access as f
     join authz.users as u on u.id = f.user_id
     join authz.feature_instances as i on i.id = f.feature_instance_id
     where u.principal_id = $1::bigint and i.organization_id = $2::bigint
        and f.enabled) as accesses
"""
_LIST: Final = """
select m.id::text as membership, u.id::text as user,
    m.member_principal_id::text as principal, coalesce(u.name, c.name) as name,
    p.kind, p.id::text as of, p.name as of_name, m.role,
    case when m.deleted_at is not null then 'removed'
        when m.enabled then 'active' else 'disabled' end as state
from authz.principal_memberships as m
join authz.principals as c on c.id = m.member_principal_id
join authz.principals as p on p.id = m.parent_principal_id
left join authz.users as u on u.principal_id = m.member_principal_id
where ($1::bigint is null or m.parent_principal_id = $1)
    and ($2::bigint is null or m.member_principal_id = $2)
    and ($3::boolean or m.deleted_at is null)
order by m.id
"""


@dataclass(frozen=True, slots=True)
class AddMember:
    """Makes somebody a member; of a member, changes the role when one is named."""

    place: Place
    who: Who
    role: OrgRoleWish | None = None

    async def carry_out(self, desk: Desk) -> Deed:
        """See `Errand`."""
        if self.place.kind == "group" and self.role is not None:
            raise StewardError(
                "a role counts in an organization, and a group has none: "
                "leave --role out"
            )
        pair = await find_pair(desk, self.place, self.who, is_live=True)
        there = await read_memberships(desk, pair)
        if there and not there[0]["enabled"]:
            raise StewardError(
                f"{_subject(there[0], pair)} is disabled: `member enable` puts it in "
                "force again, `member remove` ends it so that a new one can be added"
            )
        notes = await _notes(desk, pair)
        if there:
            return await self._kept(desk, there[0], pair, notes)
        row: Row = {
            "member_principal_id": pair.user.principal_id,
            "parent_principal_id": pair.parent.id,
            "role": _role(self.role),
            "enabled": True,
            "deleted_at": None,
        }
        made = await desk.insert_numbered(RELATION, row)
        return Deed((_change(pair, None, made),), notes)

    async def _kept(
        self, desk: Desk, row: Row, pair: Pair, notes: tuple[str, ...]
    ) -> Deed:
        if self.role is None or row["role"] == _role(self.role):
            return Deed((), (f"{_subject(row, pair)} is in force already", *notes))
        after = await desk.update(RELATION, row, {"role": _role(self.role)})
        return Deed((_change(pair, row, after),), notes)


@dataclass(frozen=True, slots=True)
class RemoveMember:
    """Ends every membership of a pair, also a disabled one."""

    place: Place
    who: Who

    async def carry_out(self, desk: Desk) -> Deed:
        """See `Errand`."""
        pair = await find_pair(desk, self.place, self.who)
        there = await read_memberships(desk, pair)
        if not there:
            return Deed((), (f"{pair.words} is no member",))
        changes = [
            _change(
                pair, row, await desk.update(RELATION, row, {"deleted_at": desk.now})
            )
            for row in there
        ]
        return Deed(tuple(changes), await _left(desk, pair))


@dataclass(frozen=True, slots=True)
class DisableMember:
    """Suspends the active membership of a pair."""

    place: Place
    who: Who

    async def carry_out(self, desk: Desk) -> Deed:
        """See `Errand`."""
        pair = await find_pair(desk, self.place, self.who)
        there = await read_existing(desk, pair)
        if not there[0]["enabled"]:
            return Deed((), (f"{_subject(there[0], pair)} is disabled already",))
        after = await desk.update(RELATION, there[0], {"enabled": False})
        return Deed((_change(pair, there[0], after),))


@dataclass(frozen=True, slots=True)
class EnableMember:
    """Puts a disabled membership of a pair in force again."""

    place: Place
    who: Who

    async def carry_out(self, desk: Desk) -> Deed:
        """See `Errand`."""
        pair = await find_pair(desk, self.place, self.who)
        there = await read_existing(desk, pair)
        notes = await _notes(desk, pair)
        if there[0]["enabled"]:
            said = f"{_subject(there[0], pair)} is in force already"
            return Deed((), (said, *notes))
        if len(there) > 1:
            ids = ", ".join(f"`{row['id']}`" for row in there)
            raise StewardError(
                f"{pair.words} has several disabled memberships, {ids}, and only one "
                "may be in force; end them with `member remove` and add a new one"
            )
        after = await desk.update(RELATION, there[0], {"enabled": True})
        return Deed((_change(pair, there[0], after),), notes)


@dataclass(frozen=True, slots=True)
class ListMembers:
    """Memberships, of one place, of one member, or all."""

    place: Place | None
    who: Who | None
    limit: int
    with_removed: bool = False

    async def take(self, desk: Desk) -> Listing:
        """See `Look`."""
        parent = member = None
        if self.place is not None:
            parent = (await find_principal(desk, self.place.text, self.place.kind)).id
        if self.who is not None:
            member = (await find_member(desk, self.who)).principal_id
        return await desk.list(
            _LIST,
            None if parent is None else int(parent),
            None if member is None else int(member),
            self.with_removed,
            limit=self.limit,
        )


async def _notes(desk: Desk, pair: Pair) -> tuple[str, ...]:
    notes = [] if pair.user.is_active else [f"{pair.user.words} is not active"]
    organization = pair.parent.parent_principal_id
    if organization is not None:
        within = await find_principal(desk, organization)
        above = await read_memberships(desk, Pair(pair.user, within))
        if not above or not above[0]["enabled"]:
            notes.append(
                f"a group counts only for active members of its organization, and "
                f"{pair.user.words} is none of {within.words}"
            )
    return tuple(notes)


async def _left(desk: Desk, pair: Pair) -> tuple[str, ...]:
    if pair.parent.kind != "org":
        return ()
    rows = await desk.fetch(_LEFT, int(pair.user.principal_id), int(pair.parent.id))
    counts = {"membership(s) of its groups": rows[0]["groups"]}
    counts["feature access(es)"] = rows[0]["accesses"]
    left = [f"{count} {noun}" for noun, count in counts.items() if count != "0"]
    if not left:
        return ()
    said = f"{' and '.join(left)} stay, without effect"
    return (f"{said}; they count again if {pair.user.words} is added again",)


def _role(wish: OrgRoleWish | None) -> str | None:
    return None if wish is None or wish is OrgRoleWish.NONE else wish.value


def _subject(row: Row, pair: Pair) -> str:
    return f"membership {row['id']} of {pair.words}"


def _change(pair: Pair, before: Row | None, after: Row) -> Change:
    return Change(RELATION, _subject(after, pair), before, after)
