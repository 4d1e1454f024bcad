"""The revision in the metadata: for logs, and for questions that follow a request."""

from typing import Final

import pytest

from sidecar.ports import AtLeast
from sidecar.store.clock import SystemClock
from sidecar.transport.envoy import external_auth_pb2 as envoy
from tests.edge.checking import Checking
from tests.edge.lab import hostile, lab, token
from tests.edge.making import request
from tests.support.edge import ANN
from tests.support.serving import ENGINES

AURORA: Final = {"x-api-key": ANN, "x-organization-id": "1"}
BAD: Final = {"x-api-key": "gpk_nobody_EXAMPLE"}
SHADOW: Final = {"rule_set": "shadow"}
REVISION: Final = "1.7-1.1.s5"

JUDGED: Final = {
    "allowed": request("/me", AURORA),
    "allowed optionally": request("/about", AURORA),
    "allowed a row": request("/clusters/1", AURORA),
    "denied a row": request("/clusters/6", AURORA),
    "denied as nobody known": request("/me", BAD),
    "shadowed": request("/admin", AURORA, extensions=SHADOW),
}
UNJUDGED: Final = {
    "public": request("/healthz", AURORA),
    "optional": request("/about"),
    "preflight": request(
        "/me", {"origin": "x", "access-control-request-method": "GET"}, "OPTIONS"
    ),
    "no path": request("//", AURORA),
    "no route": request("/nowhere", AURORA),
    "no credential": request("/me"),
    "shadowed without a look": request("/admin", extensions=SHADOW),
}


def _revision(response: envoy.CheckResponse) -> str | None:
    fields = response.dynamic_metadata.fields
    return fields["revision"].string_value if "revision" in fields else None


@pytest.mark.parametrize("name", JUDGED)
async def test_whatever_facts_had_a_part_in_has_their_revision(name: str) -> None:
    """Allowed, denied or only watched: the log can say as of when."""
    response = await (await lab(revision=REVISION)).check(JUDGED[name])

    assert REVISION == _revision(response)


@pytest.mark.parametrize("name", UNJUDGED)
async def test_what_no_fact_had_a_part_in_has_no_revision(name: str) -> None:
    """Public routes and nobody: no fact was asked."""
    response = await (await lab(revision=REVISION)).check(UNJUDGED[name])

    assert "decision_id" in response.dynamic_metadata.fields
    assert None is _revision(response)


@pytest.mark.parametrize("name", JUDGED)
async def test_without_a_known_revision_none_is_told(name: str) -> None:
    """Where the database tells none the field is not there, rather than empty."""
    response = await (await lab()).check(JUDGED[name])

    assert None is _revision(response)


@pytest.mark.parametrize(
    "message",
    [
        request(f"/clusters/{'1' * 300}", AURORA),
        request("/me", {"authorization": f"Bearer {token(11)}"}),
    ],
    ids=["value not usable", "identity not sendable"],
)
async def test_a_denial_for_another_cause_has_the_revision_of_who_is_denied(
    message: envoy.CheckRequest,
) -> None:
    """What is denied only after the caller was judged has the revision too."""
    subject = await lab(id_type="text", more=hostile(), revision=REVISION)
    response = await subject.check(message)

    assert 7 == response.status.code
    assert REVISION == _revision(response)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("message", "end"),
    [
        (request("/clusters/1", AURORA), "allowed"),
        (request("/clusters/6", AURORA), "404 RESOURCE_NOT_FOUND"),
        (request("/admin", AURORA, extensions=SHADOW), "watched"),
    ],
    ids=["allowed", "denied", "shadowed"],
)
async def test_a_whole_sidecar_tells_the_databases_revision(
    checked: Checking, engine: str, message: envoy.CheckRequest, end: str
) -> None:
    """It is one that the store takes for its own."""
    assert end == await checked.ended(engine, message)

    told = _revision(await checked.response(engine, message))

    assert told is not None
    deadline = SystemClock().monotonic() + 10
    async with checked.sidecar.store.open(AtLeast(told), deadline) as facts:
        assert told.rpartition(".")[0] == str(facts.revision).rpartition(".")[0]
