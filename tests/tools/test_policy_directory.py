from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import asyncpg
import pytest
from authz.v1 import authorization_service_pb2 as api

from sidecar.command.bare_json import from_bare, to_bare
from sidecar.settings import Settings
from sidecar.store.errors import StoreError
from sidecar.tools.policy_test import Directory, Refusal, opened
from tests.spec.cases import Case, load_cases, load_kinds
from tests.support.pipeline import request_type, told
from tests.support.serving import Place, Schema, Stage

BY_PLACE: dict[Place, list[Case]] = {}
for each in load_cases():
    if each.runs_on(Schema.REFERENCE.id_type):
        place = Place(Schema.REFERENCE, each.world_name, each.world.role_precedence)
        BY_PLACE.setdefault(place, []).append(each)


@asynccontextmanager
async def _opened(stage: Stage, place: Place) -> AsyncIterator[Directory]:
    kinds = {
        name: {"visibility": k.visibility, "owner": k.owner, "cluster": k.cluster}
        for name, k in load_kinds().items()
    }
    settings = Settings.model_validate(
        {"resource_kinds": kinds, "role_precedence": place.role_precedence}
    )
    async with opened(await stage.stored(place), settings) as directory:
        yield directory


async def _ask(
    directory: Directory, call: str, request: Mapping[str, object]
) -> object:
    answer = await directory.ask(call, from_bare(request, request_type(call)))
    if isinstance(answer, Refusal):
        return {"status": answer.code, "reason": answer.reason}
    return told(to_bare(answer))


@pytest.mark.parametrize("place", BY_PLACE, ids=lambda place: str(place.world))
async def test_answers_as_a_server_does(stage: Stage, place: Place) -> None:
    """Every decision case is answered here as over the network."""
    async with _opened(stage, place) as directory:
        actual = {
            case.name: await _ask(directory, case.call, case.request)
            for case in BY_PLACE[place]
        }

    assert {case.name: case.answer for case in BY_PLACE[place]} == actual


async def test_all_questions_see_one_moment(stage: Stage) -> None:
    """What others change while a file runs does not come in between."""
    place = Place(Schema.REFERENCE, "tenancy")
    request = {"caller": {"user_id": "2", "organization_id": "20"}}
    url = await stage.stored(place)
    async with opened(url, Settings()) as directory:
        await _ask(directory, "ListContexts", {"caller": {"user_id": "3"}})
        connection = await asyncpg.connect(url)
        await connection.execute("delete from authz.membership_roles")
        await connection.execute("delete from authz.principal_memberships")
        await connection.close()

        answer = await directory.ask(
            "ResolveContext", from_bare(request, api.ResolveContextRequest)
        )

    assert isinstance(answer, api.ResolveContextResponse)
    assert "20" == answer.context.current_principal_id


async def test_a_database_that_fails_is_no_denial(stage: Stage) -> None:
    """When the database goes away in the middle, there is no answer at all."""
    url = await stage.stored(Place(Schema.REFERENCE, "tenancy"))

    with pytest.raises(StoreError, match="fails"):
        await _ask_after_the_end(url)


async def _ask_after_the_end(url: str) -> None:
    request = from_bare({"caller": {"user_id": "2"}}, api.ResolveContextRequest)
    async with opened(url, Settings()) as directory:
        connection = await asyncpg.connect(url)
        await connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
        await connection.close()
        await directory.ask("ResolveContext", request)
