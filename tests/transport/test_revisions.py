"""Revisions through real gRPC, over a database that is read with the least rights."""

import pytest
from grpc import aio

from sidecar.command.bare_json import from_bare, to_bare
from tests.support.pipeline import request_type
from tests.support.serving import ENGINES, Place, Schema, Stage, refusal

CALLER = {"user_id": "2", "organization_id": "20"}
RESOURCES = [{"kind": "cluster", "id": "501"}]
QUERY = {"context": "DATA", "item": "data.User", "feature_instance_id": "i1"}
CALLS: dict[str, dict[str, object]] = {
    "ResolveContext": {},
    "ListContexts": {},
    "CheckVisible": {"resources": RESOURCES},
    "CheckWritable": {"resources": RESOURCES},
    "CheckCreatable": {"resources": [{"kind": "model", "global": True}]},
    "CheckRole": {"gate": {"platform_admin": True}},
    "GetPermissions": {"queries": [QUERY]},
    "Authorize": {"requirements": [{"visible": RESOURCES[0]}]},
    "GetListFilter": {"kind": "cluster"},
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("call", sorted(CALLS))
async def test_each_answer_has_a_revision_that_the_next_question_takes(
    stage: Stage, engine: str, call: str
) -> None:
    """From memory, from a snapshot, and from what a revision asks for."""
    serving = await stage.shared(Place(Schema.REFERENCE, "tenancy"))
    revision = ""
    for wanted in ("minimize_latency", "fully_consistent", "at_least_as_fresh"):
        value: object = revision if wanted == "at_least_as_fresh" else True
        request = {"caller": CALLER, **CALLS[call], "consistency": {wanted: value}}
        message = from_bare(request, request_type(call))
        revision = str(to_bare(await serving.send(engine, call, message))["revision"])

        assert revision.startswith("1.")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("token", ["r1", "1.1-1.1.x9", "1.1-1.1.s9", "x" * 257])
async def test_revision_of_nowhere_is_refused_by_name(
    stage: Stage, engine: str, token: str
) -> None:
    """Malformed, too long, or of another history: the same for all."""
    serving = await stage.shared(Place(Schema.REFERENCE, "tenancy"))
    request = {"caller": CALLER, "consistency": {"at_least_as_fresh": token}}

    with pytest.raises(aio.AioRpcError) as error:
        await serving.send(
            engine,
            "ResolveContext",
            from_bare(request, request_type("ResolveContext")),
        )

    told = refusal(error.value)
    assert "INVALID_ARGUMENT" == error.value.code().name
    assert "UNKNOWN_REVISION" == told.reason
