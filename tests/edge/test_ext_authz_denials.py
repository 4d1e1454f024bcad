"""What Envoy tells clients whose requests do not pass, or would not."""

import json
from typing import Final

import pytest
from structlog.testing import capture_logs

from sidecar.transport.envoy import external_auth_pb2 as envoy
from tests.edge.hearing import hear
from tests.edge.lab import Lab, lab, token
from tests.edge.making import request
from tests.edge.plain_messages import Answer
from tests.identity.bad_tokens import BAD
from tests.identity.minting import NOW
from tests.support.edge import ANN, BEN_EXPIRED, BEN_REVOKED

AURORA: Final = {"x-api-key": ANN, "x-organization-id": "1"}


async def answer(subject: Lab, message: envoy.CheckRequest) -> Answer:
    """What a message is answered, in plain values."""
    return hear(await subject.check(message))


@pytest.mark.parametrize(
    ("path", "headers", "wanted"),
    [
        ("//", AURORA, (400, "Bad Request", "PATH_NOT_CANONICAL")),
        ("/me", {}, (401, "Unauthorized", "CREDENTIAL_MISSING")),
        ("/admin", AURORA, (403, "Forbidden", "PLATFORM_ADMIN_REQUIRED")),
        ("/clusters/6", AURORA, (404, "Not Found", "RESOURCE_NOT_FOUND")),
    ],
)
async def test_denials_are_problem_documents(
    path: str, headers: dict[str, str | bytes], wanted: tuple[int, str, str]
) -> None:
    """A client gets RFC 9457's document, with a public reason and no explanation."""
    response = await (await lab()).check(request(path, headers))
    denied = response.denied_response
    problem = json.loads(denied.body)

    assert wanted == (problem["status"], problem["title"], problem["reason"])
    assert wanted[0] == denied.status.code
    assert "about:blank" == problem["type"]
    assert {"type", "title", "status", "detail", "reason", "decision_id"} == set(
        problem
    )
    assert "application/problem+json" == hear(response).told["content-type"]
    assert (16 if wanted[0] == 401 else 7) == response.status.code


@pytest.mark.parametrize(
    ("headers", "challenge"),
    [
        ({}, 'Bearer realm="authz"'),
        ({"x-api-key": "gpk_a_b"}, 'Bearer realm="authz", error="invalid_token"'),
        ({"authorization": "Basic a"}, 'Bearer realm="authz", error="invalid_token"'),
    ],
)
async def test_who_is_nobody_is_told_how_to_say_who_they_are(
    headers: dict[str, str | bytes], challenge: str
) -> None:
    """401 says which scheme is understood; an error only to who showed something."""
    found = await answer(await lab(), request("/me", headers))

    assert (401, challenge) == (found.status, found.told["www-authenticate"])


async def test_bad_credentials_are_all_told_alike() -> None:
    """Unknown, wrong, expired, revoked, inactive: nothing but the number differs."""
    bad = [
        {"x-api-key": "gpk_nobody_x"},
        {"x-api-key": f"{ANN}x"},
        {"x-api-key": BEN_EXPIRED},
        {"x-api-key": BEN_REVOKED},
        {"x-api-key": "no key at all"},
        {"x-api-key": ""},
        {"authorization": f"Bearer {BEN_REVOKED}"},
        {"authorization": f"Bearer {token(8)}"},  # of somebody who was switched off
        {"authorization": "Bearer a.b.c"},
        {"authorization": "Basic YTpi"},
        *(
            {"authorization": f"Bearer {text}"}
            for text in (mint(NOW) for mint in BAD.values())
            if "," not in text  # two values
        ),
    ]
    told = set()
    for headers in bad:
        response = await (await lab()).check(request("/me", headers))
        decision = response.dynamic_metadata.fields["decision_id"].string_value
        body = response.denied_response.body.replace(decision, "")
        told.add((response.status.code, body, str(hear(response))))

    assert 1 == len(told)


async def test_only_401_has_a_challenge() -> None:
    """Other denials do not ask for other credentials."""
    for path in ("//", "/admin", "/clusters/6"):
        found = await answer(await lab(), request(path, AURORA))

        assert "www-authenticate" not in found.told


@pytest.mark.parametrize("kind", ["application/grpc", "application/grpc+proto"])
async def test_grpc_callers_are_told_in_a_word(kind: str) -> None:
    """Envoy copies the body to `grpc-message`, so it is a short plain text."""
    for path in ("//", "/me", "/clusters/6"):
        response = await (await lab()).check(request(path, {"content-type": kind}))
        body = response.denied_response.body

        assert "text/plain" == hear(response).told["content-type"]
        assert 0 < len(body) < 100
        assert body.isascii()
        assert "{" not in body


async def test_head_counts_as_get() -> None:
    """HEAD passes where GET does, is denied where it is, and is no other method."""
    subject = await lab()
    for path in ("/clusters/1", "/clusters/6", "/models", "/admin", "/healthz"):
        one, other = [
            await answer(subject, request(path, AURORA, method))
            for method in ("GET", "HEAD")
        ]

        assert one == other


# Shadow


@pytest.mark.parametrize(
    ("today", "passes"),
    [(1_767_225_599.9, True), (1_767_225_600.0, False), (1_800_000_000.0, False)],
)
async def test_a_shadow_ends_with_its_day(
    today: float,
    passes: bool,  # noqa: FBT001  a column
) -> None:
    """Until the named day in UTC begins all passes, and from then on nothing bad."""
    subject = await lab()
    subject.clock.today = today
    message = request("/admin", AURORA, extensions={"rule_set": "today"})

    assert passes is (await answer(subject, message)).passes


async def test_a_shadow_is_counted_and_told() -> None:
    """Log, metric and a header to the client say what would have been denied."""
    subject = await lab()
    message = request("/admin", AURORA, extensions={"rule_set": "shadow"})
    with capture_logs() as logged:
        found = await answer(subject, message)

    assert (
        "shadow",
        "shadowed",
        "PLATFORM_ADMIN_REQUIRED",
    ) == subject.verdicts.counted[-1]
    assert "would-deny 403 PLATFORM_ADMIN_REQUIRED" == found.told["x-authz-shadow"]
    assert [("edge.would_deny", "warning")] == [
        (each["event"], each["log_level"]) for each in logged
    ]
    assert {} == found.sent
    assert "user_id" not in found.facts


async def test_a_shadow_lets_good_requests_be() -> None:
    """Who would pass passes as who they are, without a word of it."""
    subject = await lab()
    message = request("/me", AURORA, extensions={"rule_set": "shadow"})
    found = await answer(subject, message)

    assert "1" == found.sent["x-authz-user-id"]
    assert {} == found.told
    assert ("shadow", "allowed", "") == subject.verdicts.counted[-1]


# CORS


_ORIGIN: Final = "https://console.example"


@pytest.mark.parametrize(
    ("rule_set", "origin", "told"),
    [
        ("api", _ORIGIN, {"vary": "Origin", "access-control-allow-origin": _ORIGIN,
                          "access-control-allow-credentials": "true"}),
        ("told", _ORIGIN, {"vary": "Origin", "access-control-allow-origin": _ORIGIN}),
        ("api", f"{_ORIGIN}.evil", {"vary": "Origin"}),
        ("api", _ORIGIN.upper(), {"vary": "Origin"}),
        ("api", "null", {"vary": "Origin"}),
        ("api", "", {"vary": "Origin"}),
        ("plain", _ORIGIN, {}),
    ],
)  # fmt: skip
async def test_denials_are_told_to_listed_origins(
    rule_set: str, origin: str, told: dict[str, str]
) -> None:
    """A listed origin may read why, with credentials where so configured."""
    message = request("/me", {"origin": origin}, extensions={"rule_set": rule_set})
    found = dict((await answer(await lab(), message)).told)
    for name in ("content-type", "www-authenticate"):
        del found[name]

    assert told == found


async def test_what_passes_has_no_cors_headers() -> None:
    """The application answers for itself."""
    message = request("/me", {**AURORA, "origin": _ORIGIN})

    assert {} == (await answer(await lab(), message)).told
