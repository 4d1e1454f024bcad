"""Candidates and facts of one moment, for questions about everybody at once."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from asyncpg.pool import PoolConnectionProxy
from typing_extensions import override

from sidecar.core.ids import (
    FeatureInstanceId,
    IdType,
    PrincipalId,
    ResourceId,
    UserId,
)
from sidecar.core.sql import SqlFilter, SqlParameter
from sidecar.ports import (
    Among,
    Clock,
    Directory,
    Everyone,
    Facts,
    FactsUnavailableError,
    FieldTypes,
)
from sidecar.store.anomalies import Tell
from sidecar.store.catalogue import Catalogue, read_catalogue
from sidecar.store.database import Database, PoolSettings
from sidecar.store.enumeration_sql import write_enumerations
from sidecar.store.errors import StoreError
from sidecar.store.fitting import check_fit
from sidecar.store.lookups import write_lookups
from sidecar.store.postgres import Reader, SnapshotFacts
from sidecar.store.source import field_types_of

_FETCHED_AT_ONCE: Final = 500
_INTEGERS: Final = frozenset({IdType.BIGINT, IdType.INTEGER})
_CANNOT_BE_READ: Final = "the database does not say what is in it"


@dataclass(frozen=True, slots=True)
class Moment:
    """What a database holds at one moment."""

    facts: Facts
    directory: Directory
    field_types: FieldTypes


@asynccontextmanager
async def open_moment(
    pool: PoolSettings,
    clock: Clock,
    tell: Tell,
    *,
    schema: str = "authz",
    seconds: float = 3600.0,
) -> AsyncIterator[Moment]:
    """One snapshot, on one connection, for `seconds` at most.

    `tell` hears of stored rows that fail closed. Raises StoreError when the database
    cannot serve, FactsUnavailableError when it fails or the time is over.
    """
    database = await Database.connect(pool)
    try:
        catalogue = await _read_catalogue(database, pool, schema)
        reader = Reader(database, write_lookups(catalogue), tell, clock)
        deadline = clock.monotonic() + seconds
        async with (
            database.lend(seconds) as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            yield Moment(
                SnapshotFacts(reader, connection, deadline),
                StoredDirectory(connection, catalogue),
                field_types_of(catalogue),
            )
    finally:
        await database.close()


class StoredDirectory(Directory):
    """Lists rows through cursors of a transaction, a few hundred at a time."""

    def __init__(self, connection: PoolConnectionProxy, catalogue: Catalogue) -> None:
        self._connection = connection
        self._catalogue = catalogue
        self._sql = write_enumerations(catalogue)

    @override
    async def users(self, among: Among) -> AsyncGenerator[UserId, None]:
        if isinstance(among, Everyone):
            rows = self._list(self._sql.users)
        else:
            near = among.principal_ids
            rows = self._list(
                self._sql.near_users,
                self._ids("users.principal_id", near),
                self._ids("principal_memberships.parent_principal_id", near),
                self._id("cluster_access.cluster_id", among.cluster_id),
            )
        async for each in rows:
            yield UserId(each)

    @override
    async def organizations(self, among: Among) -> AsyncGenerator[PrincipalId, None]:
        if isinstance(among, Everyone):
            rows = self._list(self._sql.organizations)
        else:
            rows = self._list(
                self._sql.near_organizations,
                self._ids("principals.id", among.principal_ids),
                self._id("cluster_access.cluster_id", among.cluster_id),
            )
        async for each in rows:
            yield PrincipalId(each)

    @override
    async def pinned_keys(
        self, user_ids: Sequence[UserId]
    ) -> dict[UserId, tuple[str, ...]]:
        ids = self._ids("api_keys.user_id", user_ids)
        found: dict[UserId, tuple[str, ...]] = {}
        for row in await self._connection.fetch(self._sql.pinned_keys, ids):
            user_id, lookup_id = UserId(str(row["user_id"])), row["lookup_id"]
            if lookup_id is not None:
                found[user_id] = (*found.get(user_id, ()), str(lookup_id))
        return found

    @override
    async def feature_instances(self, user_id: UserId) -> tuple[FeatureInstanceId, ...]:
        argument = self._id("feature_access.user_id", user_id)
        rows = await self._connection.fetch(self._sql.feature_instances, argument)
        return tuple(FeatureInstanceId(str(row["id"])) for row in rows)

    @override
    async def count_resources(self, kind: str, chosen: SqlFilter) -> int:
        sql = f"select count(*) {self._resources(chosen)}"
        return int(await self._connection.fetchval(sql, kind, *_arguments(chosen)))

    @override
    async def resources(
        self, kind: str, chosen: SqlFilter
    ) -> AsyncGenerator[ResourceId, None]:
        sql = f"select r.id::text as id {self._resources(chosen)} order by r.id"
        async for each in self._list(sql, kind, *_arguments(chosen)):
            yield ResourceId(each)

    def _resources(self, chosen: SqlFilter) -> str:
        return self._sql.resources.replace("{}", chosen.text)

    async def _list(self, sql: str, *arguments: object) -> AsyncIterator[str]:
        cursor = self._connection.cursor(sql, *arguments, prefetch=_FETCHED_AT_ONCE)
        async for row in cursor:
            if row["id"] is not None:
                yield str(row["id"])

    def _ids(self, column: str, ids: Sequence[str]) -> list[int | str]:
        found = (self._id(column, each) for each in ids)
        return [each for each in found if each is not None]

    def _id(self, column: str, text: str | None) -> int | str | None:
        relation, _, name = column.partition(".")
        id_type = self._catalogue.type_of(relation, name)
        if text is None or not id_type.names(text):
            return None
        return _argument(id_type, text)


async def _read_catalogue(
    database: Database, pool: PoolSettings, schema: str
) -> Catalogue:
    try:
        async with database.lend(pool.connect_timeout) as connection:
            catalogue = await read_catalogue(connection, schema)
            await check_fit(connection, catalogue)
    except FactsUnavailableError as error:
        raise StoreError(_CANNOT_BE_READ) from error
    return catalogue


def _arguments(chosen: SqlFilter) -> list[object]:
    return [_parameter(each) for each in chosen.parameters]


def _parameter(parameter: SqlParameter) -> object:
    if isinstance(parameter.value, str):
        return _argument(parameter.type, parameter.value)
    return [_argument(parameter.type, each) for each in parameter.value]


def _argument(id_type: IdType, text: str) -> int | str:
    return int(text) if id_type in _INTEGERS else text
