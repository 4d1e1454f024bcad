"""Cluster grants: given, taken back, listed. A grant has no life after it ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sidecar.core.ids import IdType
from sidecar.store.steward.deeds import Change, Deed, Listing, Row, StewardError
from sidecar.store.steward.desk import Desk
from sidecar.store.steward.names import (
    Principal,
    find_live_principal,
    find_principal,
)

RELATION: Final = "cluster_access"

_IS_STORED: Final = """
select from authz.resources
where kind = any($1::text[]) and id = $2::bigint and deleted_at is null
"""
_LIST: Final = """
select a.cluster_id::text as cluster, p.kind, a.principal_id::text as principal, p.name
from authz.cluster_access as a
join authz.principals as p on p.id = a.principal_id
where ($1::bigint is null or a.cluster_id = $1)
    and ($2::bigint is null or a.principal_id = $2)
order by a.cluster_id, a.principal_id
"""


@dataclass(frozen=True, slots=True)
class GrantCluster:
    """Lets a principal use a cluster. `kinds` are those whose rows are clusters."""

    cluster_id: str
    to: str
    kinds: Sequence[str] = ()

    async def carry_out(self, desk: Desk) -> Deed:
        """See `Errand`."""
        cluster_id = _checked(self.cluster_id)
        principal = await find_live_principal(desk, self.to)
        notes: tuple[str, ...] = ()
        if not await desk.fetch(_IS_STORED, self.kinds, int(cluster_id)):
            notes = (f"no cluster `{cluster_id}` is stored in `authz.resources`",)
        row: Row = {"cluster_id": cluster_id, "principal_id": principal.id}
        subject = _subject(cluster_id, principal)
        if not await desk.insert_new(RELATION, row):
            return Deed((), (f"{subject} is there already", *notes))
        return Deed((Change(RELATION, subject, None, row),), notes)


@dataclass(frozen=True, slots=True)
class RevokeCluster:
    """Takes the use of a cluster back."""

    cluster_id: str
    to: str

    async def carry_out(self, desk: Desk) -> Deed:
        """See `Errand`."""
        cluster_id = _checked(self.cluster_id)
        principal = await find_principal(desk, self.to)
        row: Row = {"cluster_id": cluster_id, "principal_id": principal.id}
        subject = _subject(cluster_id, principal)
        if not await desk.delete(RELATION, row):
            return Deed((), (f"{subject} is not there",))
        return Deed((Change(RELATION, subject, row, None),))


@dataclass(frozen=True, slots=True)
class ListGrants:
    """Grants of a cluster, to a principal, or all."""

    cluster_id: str | None
    to: str | None
    limit: int

    async def take(self, desk: Desk) -> Listing:
        """See `Look`."""
        cluster = None if self.cluster_id is None else int(_checked(self.cluster_id))
        to = None if self.to is None else int((await find_principal(desk, self.to)).id)
        return await desk.list(_LIST, cluster, to, limit=self.limit)


def _checked(cluster_id: str) -> str:
    if not IdType.BIGINT.names(cluster_id):
        raise StewardError(
            f"`{cluster_id}` is no cluster's id: a whole number without leading zeros"
        )
    return cluster_id


def _subject(cluster_id: str, principal: Principal) -> str:
    return f"grant of cluster {cluster_id} to {principal.words}"
