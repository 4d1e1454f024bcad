"""API keys: made, listed, revoked, replaced. No secret comes here, only its hash."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sidecar.store.steward.deeds import Change, Deed, Listing, Row, StewardError
from sidecar.store.steward.desk import Desk
from sidecar.store.steward.names import (
    Principal,
    User,
    find_live_principal,
    find_user,
)
from sidecar.store.steward.pairs import Pair, read_memberships

RELATION: Final = "api_keys"

_KEY: Final = """
select id::text as id, user_id::text as user_id, lookup_id,
    owner_principal_id::text as owner_principal_id, expires_at, revoked_at
from authz.api_keys
where lookup_id = $1
for update
"""
# A key that replaces `<stem>` or `<stem>-<n>` is `<stem>-<n + 1>`, so that what two
# administrators make of one key at the same time cannot be two keys.
_NUMBERED: Final = re.compile(r"(?P<stem>.+)-(?P<number>[1-9][0-9]{0,8})")
_SUCCESSORS: Final = """
select lookup_id, revoked_at is null as is_good
from authz.api_keys
where user_id = $1::bigint and starts_with(lookup_id, $2)
"""
_LIST: Final = """
select k.lookup_id, k.user_id::text as user, u.name,
    k.owner_principal_id::text as pinned_to,
    case when k.revoked_at is not null then 'revoked'
        when k.expires_at <= clock_timestamp() then 'expired'
        else 'good' end as state,
    k.expires_at, k.revoked_at
from authz.api_keys as k
join authz.users as u on u.id = k.user_id
where ($1::bigint is null or k.user_id = $1)
order by k.id
"""


@dataclass(frozen=True, slots=True)
class CreateKey:
    """Stores a key of a user, perhaps pinned to a principal, perhaps to expire."""

    user: str
    lookup_id: str
    secret_hash: str
    pin: str | None = None
    expires: datetime | timedelta | None = None

    async def carry_out(self, desk: Desk) -> Deed:
        """See `Errand`."""
        user = await find_user(desk, self.user)
        pin = None if self.pin is None else await find_live_principal(desk, self.pin)
        expires_at = self._expires_at(desk.now)
        row: Row = {
            "user_id": user.id,
            "lookup_id": self.lookup_id,
            "owner_principal_id": None if pin is None else pin.id,
            "expires_at": expires_at,
            "revoked_at": None,
        }
        made = await _store(desk, row, self.secret_hash)
        change = Change(RELATION, _subject(made, user), None, made)
        return Deed((change,), await _notes(desk, user, pin), self.lookup_id)

    def _expires_at(self, now: datetime) -> datetime | None:
        if not isinstance(self.expires, timedelta):
            if self.expires is not None and self.expires <= now:
                raise StewardError(f"`{self.expires.isoformat()}` is over already")
            return self.expires
        return now + self.expires


@dataclass(frozen=True, slots=True)
class RevokeKey:
    """Makes a key bad, for ever."""

    lookup_id: str

    async def carry_out(self, desk: Desk) -> Deed:
        """See `Errand`."""
        key = await _find_key(desk, self.lookup_id)
        subject = _subject(key, await find_user(desk, str(key["user_id"])))
        if key["revoked_at"] is not None:
            return Deed((), (f"{subject} is revoked already",))
        after = await desk.update(RELATION, key, {"revoked_at": desk.now})
        return Deed((Change(RELATION, subject, key, after),))


@dataclass(frozen=True, slots=True)
class RotateKey:
    """Replaces a key by a new one of the same user, pin and expiry.

    The old one is revoked at once, or expires when it has been kept for a while.
    """

    lookup_id: str
    secret_hash: str
    keep_for: timedelta | None = None

    async def carry_out(self, desk: Desk) -> Deed:
        """See `Errand`."""
        old = await _find_key(desk, self.lookup_id)
        user = await find_user(desk, str(old["user_id"]))
        subject = _subject(old, user)
        _check_is_good(old, subject, desk.now)
        lookup_id = await _next_lookup_id(desk, old)
        row: Row = {**old, "lookup_id": lookup_id}
        made = await _store(
            desk, {name: row[name] for name in row if name != "id"}, self.secret_hash
        )
        after = await desk.update(RELATION, old, self._ending(old, desk.now))
        changes = [Change(RELATION, _subject(made, user), None, made)]
        if after != old:
            changes.append(Change(RELATION, subject, old, after))
        notes = () if user.is_active else (f"{user.words} is not active",)
        return Deed(tuple(changes), notes, lookup_id)

    def _ending(self, old: Row, now: datetime) -> Row:
        if self.keep_for is None:
            return {"revoked_at": now}
        # Not revoked in the future: a key that has a time there is revoked already.
        until, expires_at = now + self.keep_for, old["expires_at"]
        if isinstance(expires_at, datetime):
            until = min(until, expires_at)
        return {"expires_at": until}


@dataclass(frozen=True, slots=True)
class ListKeys:
    """Keys, of a user or all, without anything secret."""

    user: str | None
    limit: int

    async def take(self, desk: Desk) -> Listing:
        """See `Look`."""
        user = None if self.user is None else int((await find_user(desk, self.user)).id)
        return await desk.list(_LIST, user, limit=self.limit)


async def _find_key(desk: Desk, lookup_id: str) -> Row:
    # What is not found is not repeated: somebody may have pasted the whole key.
    if "_" in lookup_id:
        raise StewardError(
            "that is no lookup id, which is the part between the first two `_` of a "
            "key; if it was a key, its secret is in the shell's history now, so revoke "
            "the key"
        )
    rows = await desk.fetch(_KEY, lookup_id)
    if not rows:
        raise StewardError("there is no key with that lookup id; see `api-key list`")
    return rows[0]


async def _store(desk: Desk, row: Row, secret_hash: str) -> Row:
    stored = await desk.insert_numbered(RELATION, {**row, "secret_hash": secret_hash})
    return {name: stored[name] for name in stored if name != "secret_hash"}


def _check_is_good(key: Row, subject: str, now: datetime) -> None:
    if key["revoked_at"] is not None:
        raise StewardError(f"{subject} is revoked; `api-key create` makes a new one")
    expires_at = key["expires_at"]
    if isinstance(expires_at, datetime) and expires_at <= now:
        raise StewardError(f"{subject} has expired; `api-key create` makes a new one")


async def _next_lookup_id(desk: Desk, old: Row) -> str:
    stem, number = _numbered(str(old["lookup_id"]))
    rows = await desk.fetch(_SUCCESSORS, int(str(old["user_id"])), f"{stem}-")
    line = {
        later: row
        for row in rows
        for other, later in (_numbered(str(row["lookup_id"])),)
        if other == stem and later > number
    }
    good = [later for later, row in line.items() if row["is_good"]]
    if good:
        raise StewardError(
            f"key `{old['lookup_id']}` was rotated already, "
            f"`{line[max(good)]['lookup_id']}` replaces it: rotate that one"
        )
    return f"{stem}-{max(line, default=number) + 1}"


def _numbered(lookup_id: str) -> tuple[str, int]:
    match = _NUMBERED.fullmatch(lookup_id)
    return (lookup_id, 1) if match is None else (match["stem"], int(match["number"]))


async def _notes(desk: Desk, user: User, pin: Principal | None) -> tuple[str, ...]:
    notes = [] if user.is_active else [f"{user.words} is not active"]
    if pin is not None and pin.id != user.principal_id and not user.is_admin:
        there = await read_memberships(desk, Pair(user, pin))
        if not there or not there[0]["enabled"]:
            notes.append(
                f"{user.words} is no active member of {pin.words}, so the key opens "
                "nothing until they are"
            )
    return tuple(notes)


def _subject(key: Row, user: User) -> str:
    return f"key `{key['lookup_id']}` of {user.words}"
