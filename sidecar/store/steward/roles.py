"""Role assignments: on the membership of a user, or on a feature access."""

from dataclasses import dataclass
from typing import Final

from sidecar.store.steward.deeds import Change, Deed, Listing, Row, StewardError
from sidecar.store.steward.desk import Desk
from sidecar.store.steward.names import Role, find_principal, find_role, find_user
from sidecar.store.steward.pairs import Pair, read_existing

_ACCESSES: Final = """
select f.id, f.user_id::text as user_id, f.feature_instance_id,
    f.enabled and i.enabled as enabled
from authz.feature_access as f
join authz.feature_instances as i on i.id = f.feature_instance_id
"""
# Each side is narrowed by numbers, so that the indexes serve where there are millions.
_LIST: Final = """
select a.role, r.label, a.assigned_to, a.id, a.user, a.name, a.organization,
    a.feature_instance, a.state
from (
    select m.role_id as role, 'membership' as assigned_to, m.membership_id::text as id,
        u.id::text as user, u.name, h.parent_principal_id::text as organization,
        null as feature_instance,
        case when h.enabled then 'active' else 'disabled' end as state
    from authz.membership_roles as m
    join authz.principal_memberships as h on h.id = m.membership_id
    left join authz.users as u on u.principal_id = h.member_principal_id
    where h.deleted_at is null
        and ($2::bigint is null or u.id = $2)
        and ($3::bigint is null or h.parent_principal_id = $3)
    union all
    select m.role_id, 'feature access', m.feature_access_id, u.id::text, u.name,
        i.organization_id::text, i.id,
        case when f.enabled and i.enabled then 'active' else 'disabled' end
    from authz.feature_access_roles as m
    join authz.feature_access as f on f.id = m.feature_access_id
    join authz.feature_instances as i on i.id = f.feature_instance_id
    join authz.users as u on u.id = f.user_id
    where ($2::bigint is null or u.id = $2)
        and ($3::bigint is null or i.organization_id = $3)
) as a
join authz.roles as r on r.id = a.role
where $1::text is null or a.role = $1
order by a.role, a.assigned_to, a.id
"""


@dataclass(frozen=True, slots=True)
class OnMembership:
    """The membership of a user in an organization, as somebody wrote it."""

    organization: str
    user: str


@dataclass(frozen=True, slots=True)
class OnAccess:
    """A feature access by its id."""

    feature_access_id: str


@dataclass(frozen=True, slots=True)
class OnInstance:
    """The feature access of a user to a feature instance, as somebody wrote it."""

    feature_instance_id: str
    user: str


Target = OnMembership | OnAccess | OnInstance


@dataclass(frozen=True, slots=True)
class _Holder:
    # Where the assignment goes: the relation, its first column, and whose it is.
    relation: str
    key: Row
    words: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AssignRole:
    """Gives a role where it is not held yet."""

    role: str
    target: Target

    async def carry_out(self, desk: Desk) -> Deed:
        """See `Errand`."""
        role = await find_role(desk, self.role)
        holder = await _find_holder(desk, self.target)
        row: Row = {**holder.key, "role_id": role.id}
        notes = (*holder.notes, *_scope_notes(role, self.target))
        if not await desk.insert_new(holder.relation, row):
            return Deed((), (f"{_subject(role, holder)} is there already", *notes))
        change = Change(holder.relation, _subject(role, holder), None, row)
        return Deed((change,), notes)


@dataclass(frozen=True, slots=True)
class UnassignRole:
    """Takes a role away where it is held."""

    role: str
    target: Target

    async def carry_out(self, desk: Desk) -> Deed:
        """See `Errand`."""
        role = await find_role(desk, self.role)
        holder = await _find_holder(desk, self.target)
        row: Row = {**holder.key, "role_id": role.id}
        if not await desk.delete(holder.relation, row):
            return Deed((), (f"{_subject(role, holder)} is not there",))
        change = Change(holder.relation, _subject(role, holder), row, None)
        return Deed((change,))


@dataclass(frozen=True, slots=True)
class ListRoles:
    """Assignments of a role, of a user, in an organization, or all."""

    role: str | None
    user: str | None
    organization: str | None
    limit: int

    async def take(self, desk: Desk) -> Listing:
        """See `Look`."""
        role = user = organization = None
        if self.role is not None:
            role = (await find_role(desk, self.role)).id
        if self.user is not None:
            user = int((await find_user(desk, self.user)).id)
        if self.organization is not None:
            found = await find_principal(desk, self.organization, "org")
            organization = int(found.id)
        return await desk.list(_LIST, role, user, organization, limit=self.limit)


async def _find_holder(desk: Desk, target: Target) -> _Holder:
    match target:
        case OnMembership():
            return await _find_membership(desk, target)
        case OnAccess(feature_access_id):
            rows = await desk.fetch(f"{_ACCESSES} where f.id = $1", feature_access_id)
            if not rows:
                raise StewardError(f"there is no feature access `{feature_access_id}`")
            return _access(rows[0])
        case OnInstance():
            return await _find_access(desk, target)


async def _find_membership(desk: Desk, target: OnMembership) -> _Holder:
    organization = await find_principal(desk, target.organization, "org")
    pair = Pair(await find_user(desk, target.user), organization)
    there = await read_existing(desk, pair)
    notes = () if there[0]["enabled"] else ("the membership is disabled",)
    return _Holder(
        "membership_roles",
        {"membership_id": there[0]["id"]},
        f"membership {there[0]['id']} of {pair.words}",
        notes,
    )


async def _find_access(desk: Desk, target: OnInstance) -> _Holder:
    user = await find_user(desk, target.user)
    query = f"{_ACCESSES} where f.user_id = $1::bigint and f.feature_instance_id = $2"
    rows = await desk.fetch(query, int(user.id), target.feature_instance_id)
    if not rows:
        raise StewardError(
            f"{user.words} has no feature access to `{target.feature_instance_id}`"
        )
    return _access(rows[0])


def _access(row: Row) -> _Holder:
    words = (
        f"feature access `{row['id']}` of user {row['user_id']}"
        f" to instance `{row['feature_instance_id']}`"
    )
    notes = (
        () if row["enabled"] else ("the feature access or its instance is disabled",)
    )
    return _Holder(
        "feature_access_roles", {"feature_access_id": row["id"]}, words, notes
    )


def _scope_notes(role: Role, target: Target) -> tuple[str, ...]:
    if not role.is_of_instance or not isinstance(target, OnMembership):
        return ()
    said = f"{role.words} is of a feature instance"
    return (f"{said}, so it counts only in questions that name this instance",)


def _subject(role: Role, holder: _Holder) -> str:
    return f"{role.words} on {holder.words}"
