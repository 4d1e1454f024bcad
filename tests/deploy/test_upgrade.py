"""Sidecars on the schema of the version before and after their own."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Final

import pytest
from authz.v1 import authorization_service_pb2 as api
from authz.v1.caller_pb2 import Caller
from authz.v1.decision_pb2 import Reason
from authz.v1.resource_pb2 import Resource
from grpc import aio

from sidecar.app import Sidecar
from sidecar.store import administration
from sidecar.store.connected import connected
from sidecar.store.document import parse_document
from sidecar.store.embedded import EmbeddedPostgres
from sidecar.store.migrate import (
    Migration,
    MigrationError,
    _apply_next,
    read_migrations,
)
from tests.support.edge import ROOT, settings_of
from tests.support.serving import Stage, socket_folder

# All that the rule lets the next version do to what is there.
_NEXT: Final = """
alter table authz.users add column note text not null default '';
alter table authz.cluster_access add column until timestamptz;
create table authz.next (id bigint primary key);
create index on authz.users (note);
comment on table authz.next is 'Of the next version.';
"""
KNOWN: Final = read_migrations()
NEXT: Final = (*KNOWN, Migration(KNOWN[-1].version + 1, "next", _NEXT))
FIRST_RELEASE: Final = 5
_SECONDS: Final = 20
_NUMBERS: Final = count(1)


@pytest.fixture
def url(postgres: EmbeddedPostgres) -> str:
    """An empty database."""
    name = f"upgrade_{next(_NUMBERS)}"
    postgres.create_database(name)
    return postgres.url(name)


async def apply(url: str, migrations: Sequence[Migration]) -> None:
    """Does as the `migrate` of a version that knows these migrations."""
    async with connected(url) as connection:
        while await _apply_next(connection, migrations, migrations) is not None:
            pass


async def store_example(url: str) -> None:
    """Stores the example's directory."""
    text = (ROOT / "examples" / "gpu-cloud.yaml").read_text(encoding="utf-8")
    await administration.import_into(url, parse_document(text))


@asynccontextmanager
async def serving(url: str) -> AsyncIterator[aio.Channel]:
    """A sidecar of this version, and a way to it."""
    with socket_folder() as folder:
        socket = Path(folder) / "authz.sock"
        sidecar = await Sidecar.start(settings_of(url, socket, "native"))
        try:
            async with aio.insecure_channel(f"unix:{socket}") as channel:
                yield channel
            # What is not watched would be right as well, and never be kept.
            assert not sidecar.store.feed_health().unwatched
        finally:
            await sidecar.stop()


async def sees(channel: aio.Channel, user: str) -> str:
    """What becomes of a user in Aurora who asks for its cluster: a reason."""
    answer = await Stage.stub_of(channel).CheckVisible(
        api.CheckVisibleRequest(
            caller=Caller(user_id=user, organization_id="1"),
            resources=[Resource(kind="cluster", id="1")],
        ),
        timeout=_SECONDS,
    )
    return Reason.Name(answer.decisions[0].reason).removeprefix("REASON_")


async def expelled(url: str, channel: aio.Channel, user: str) -> str:
    """What a member is told once their membership is gone."""
    before = await sees(channel, user)
    async with connected(url) as connection:
        await connection.execute(
            "update authz.principal_memberships set enabled = false"
            " where parent_principal_id = 1 and member_principal_id ="
            " (select principal_id from authz.users where id = $1)",
            int(user),
        )
    async with asyncio.timeout(_SECONDS):
        while (after := await sees(channel, user)) == before:
            pass
    return after


async def test_serves_on_the_schema_of_the_version_before(url: str) -> None:
    """New sidecars answer, and hear of changes, before anybody has migrated."""
    await apply(url, KNOWN[:-1])
    await store_example(url)

    async with serving(url) as channel:
        first = await sees(channel, "1")
        second = await expelled(url, channel, "2")

    assert ("OWNED", "NOT_A_MEMBER") == (first, second)


async def test_serves_on_the_schema_of_the_next_version(url: str) -> None:
    """Old sidecars start, answer, and hear of changes after the migration."""
    await apply(url, KNOWN)
    await store_example(url)
    await apply(url, NEXT)

    async with serving(url) as channel:
        first = await sees(channel, "1")
        second = await expelled(url, channel, "2")

    assert ("OWNED", "NOT_A_MEMBER") == (first, second)


async def test_serves_while_the_next_version_migrates(url: str) -> None:
    """Old sidecars answer what they remember and what they do not, and hear of all."""
    await apply(url, KNOWN)
    await store_example(url)

    async with serving(url) as channel:
        first = await sees(channel, "1")
        await apply(url, NEXT)
        rest = [await sees(channel, user) for user in ("1", "2")]
        after = await expelled(url, channel, "2")

    assert ("OWNED", ["OWNED", "OWNED"], "NOT_A_MEMBER") == (first, rest, after)


async def test_the_migrations_of_an_old_version_refuse_a_newer_database(
    url: str,
) -> None:
    """Nobody goes back by `migrate`; the database stays as it is."""
    await apply(url, NEXT)
    with pytest.raises(MigrationError, match="use a newer version"):
        await administration.migrate_database(url)


# What sidecars of the version before would stumble on.
_TAKES_AWAY: Final = re.compile(
    r"\b(drop\s+(table|view|column|function|procedure|schema)"
    r"|rename\s+(to|column)|alter\s+column\s+\S+\s+(set\s+data\s+)?type"
    r"|add\s+column\s+[^;,]*not\s+null(?![^;,]*default))\b",
    re.IGNORECASE,
)


@pytest.mark.parametrize(
    "migration",
    [each for each in NEXT if each.version > FIRST_RELEASE],
    ids=lambda migration: migration.name,
)
def test_migrations_only_add(migration: Migration) -> None:
    """None takes away or renames what sidecars of the version before read."""
    assert None is _TAKES_AWAY.search(migration.sql)


@pytest.mark.parametrize(
    "sql",
    [
        "alter table authz.users drop column name",
        "alter table authz.users rename column name to label",
        "alter table authz.users rename to people",
        "alter table authz.users alter column id type text",
        "alter table authz.users add column note text not null",
        "drop function authz.history()",
    ],
)
def test_what_takes_away_is_found(sql: str) -> None:
    """So that the test above can fail."""
    assert None is not _TAKES_AWAY.search(sql)
