"""What Envoy is answered: headers, documents and metadata, in process."""

from typing import Final

import pytest

from sidecar.transport.edge_answers import IDENTITY_HEADERS
from sidecar.transport.envoy import external_auth_pb2 as envoy
from tests.edge.hearing import hear
from tests.edge.lab import Lab, lab, token
from tests.edge.making import Pairs, request
from tests.edge.plain_messages import Answer
from tests.support.edge import ANN, PIA_PINNED

AURORA: Final = {"x-api-key": ANN, "x-organization-id": "1"}
_FORGED: Final[Pairs] = [
    ("x-authz-user-id", "7"),
    ("X-AUTHZ-ORG-ROLE", "admin"),
    ("x-authz-access-level", "all"),
    ("x-authz-anything", "1"),
    ("x_authz_user_id", "7"),
    ("x-authz_user-id", "7"),
    ("x_authz-", "7"),
    ("x-http-method-override", "DELETE"),
]


async def answer(subject: Lab, message: envoy.CheckRequest) -> Answer:
    """What a message is answered, in plain values."""
    return hear(await subject.check(message))


async def test_headers_are_set_in_both_ways_that_overwrite() -> None:
    """Older and newer Envoys alike put each header in the place of all others."""
    response = await (await lab()).check(request("/clusters/1", AURORA))
    options = list(response.ok_response.headers)

    assert 5 == len(options)
    for option in options:
        assert option.HasField("append")
        assert not option.append.value
        assert (
            "OVERWRITE_IF_EXISTS_OR_ADD"
            == envoy.HeaderValueOption.HeaderAppendAction.Name(option.append_action)
        )


@pytest.mark.parametrize(
    ("message", "names"),
    [
        (request("/healthz", _FORGED), set()),
        (request("/about", _FORGED), set()),
        (request("/me", [*AURORA.items(), *_FORGED]), {"user-id", "principal-id",
         "write-principal-id", "org-role"}),
        (request("/me", [("x-api-key", PIA_PINNED), *_FORGED]), {"user-id",
         "principal-id", "write-principal-id"}),
        (request("/me", [("authorization", f"Bearer {token(6)}"), *_FORGED]),
         {"user-id", "write-principal-id"}),
        (request("/items/Dataset", [*AURORA.items(), *_FORGED]), {"user-id",
         "principal-id", "write-principal-id", "org-role", "access-level"}),
        (request("/admin", _FORGED, extensions={"rule_set": "shadow"}), set()),
        (request("/me", [("origin", "x"), ("access-control-request-method", "GET"),
                         *_FORGED], "OPTIONS"), set()),
    ],
    ids=["public", "optional", "caller", "pinned", "all mode", "level", "shadow",
         "preflight"],
)  # fmt: skip
async def test_of_the_closed_list_each_is_set_or_removed(
    message: envoy.CheckRequest, names: set[str]
) -> None:
    """Exactly what is known is set; the rest, and all that looks like ours, goes."""
    response = await (await lab()).check(message)
    found = {each.header.key.decode() for each in response.ok_response.headers}
    removed = {each.decode() for each in response.ok_response.headers_to_remove}

    assert found == {f"x-authz-{name}" for name in {*names, "decision-id"}}
    assert not found & removed
    assert set(IDENTITY_HEADERS) <= found | removed
    forged = {str(name).lower() for name, _ in _FORGED}
    assert forged <= found | removed


async def test_a_list_of_others_headers_stays() -> None:
    """What only sounds like ours is the application's."""
    names = [
        "x-authz",
        "x-auth-user",
        "authz-user-id",
        "my-x-authz-user-id",
        "x.authz.a",
    ]
    headers = {**AURORA, **dict.fromkeys(names, "1")}
    found = await answer(await lab(), request("/me", headers))

    assert not {name.encode() for name in names} & found.removed


@pytest.mark.parametrize(("rule_set", "is_removed"), [("api", True), ("plain", False)])
async def test_credentials_are_removed_where_so_configured(
    rule_set: str,
    is_removed: bool,  # noqa: FBT001  a column
) -> None:
    """Both headers of credentials go, whichever was there, or both stay."""
    for path, headers in (("/me", AURORA), ("/me", {"authorization": f"Bearer {ANN}"})):
        message = request(path, headers, extensions={"rule_set": rule_set})
        found = await answer(await lab(), message)

        assert found.passes
        assert is_removed is (b"authorization" in found.removed)
        assert is_removed is (b"x-api-key" in found.removed)
        assert b"x-organization-id" not in found.removed


# Metadata


async def test_metadata_tells_who_and_where() -> None:
    """Other filters learn the decision, the caller, the route and its lifetime."""
    response = await (await lab()).check(request("/clusters/1", AURORA))
    fields = dict(response.dynamic_metadata.fields)

    assert 0 <= fields.pop("duration_ms").number_value < 10_000
    assert fields.pop("decision_id").string_value
    assert {
        "rule_set": "api",
        "route": "/clusters/{id}",
        "lifetime_seconds": 60.0,
        "user_id": "1",
        "principal_id": "1",
    } == hear(response).facts


async def test_metadata_of_a_denial_tells_where() -> None:
    """Of a caller who is turned away only the decision and the route are told."""
    found = await answer(await lab(), request("/clusters/6", AURORA))
    nowhere = await answer(await lab(), request("//", AURORA))

    assert {
        "rule_set": "api",
        "route": "/clusters/{id}",
        "lifetime_seconds": 60.0,
    } == found.facts
    assert {"rule_set": "api"} == nowhere.facts


@pytest.mark.parametrize(
    ("path", "rule_set", "lifetime"),
    [
        ("/me", "api", 60.0),
        ("/healthz", "api", 60.0),
        ("/clusters/1/workers/11", "api", 5.0),
        ("/me", "plain", None),
    ],
)
async def test_metadata_tells_how_long_a_stream_may_live(
    path: str, rule_set: str, lifetime: float | None
) -> None:
    """A rule set's lifetime holds for all its routes but those that have their own."""
    headers = {"authorization": f"Bearer {token(2)}", "x-organization-id": "1"}
    message = request(path, headers, extensions={"rule_set": rule_set})
    found = await answer(await lab(), message)

    assert found.passes
    assert lifetime == found.facts.get("lifetime_seconds")


async def test_nothing_that_is_answered_has_a_secret() -> None:
    """No credential is in a response, neither where it is good nor where it is bad."""
    subject = await lab()
    credentials = [ANN, f"{ANN}x", token(1), f"{token(1)}A", "gpk_secret_secret"]
    for credential in credentials:
        for path in ("/me", "/admin", "/nowhere"):
            headers = {"authorization": f"Bearer {credential}"}
            response = await subject.check(request(path, headers))
            secret = credential.rpartition("." if "." in credential else "_")[2]

            assert secret.encode() not in response.SerializeToString()


async def test_each_decision_has_a_number_of_its_own() -> None:
    """No two responses carry the same decision id, also of two sidecars."""
    message = request("/me", AURORA)
    subjects = [await lab(), await lab()]
    responses = [await each.check(message) for each in subjects for _ in range(10)]
    ids = {
        each.dynamic_metadata.fields["decision_id"].string_value for each in responses
    }

    assert 20 == len(ids)
