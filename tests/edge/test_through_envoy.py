"""End to end: a client, a real Envoy as it is shipped, the sidecar, an application."""

from collections.abc import AsyncIterator
from typing import Final

import pytest

from tests.edge.asking import AURORA, FORGED, NAMES, ours, raw
from tests.support.edge import (
    ANN,
    ANN_IN_BOREALIS,
    BEN_EXPIRED,
    BEN_REVOKED,
    PIA_PINNED,
    Edge,
    shown,
    told,
)


@pytest.mark.parametrize("is_http2", [False, True])
async def test_tells_the_application_who_calls(
    edge: Edge,
    is_http2: bool,  # noqa: FBT001  a column
) -> None:
    """An admitted request has the caller in headers, and the credential no more."""
    client = edge.http2 if is_http2 else edge.http
    headers = shown(await client.get("/clusters/1", headers=AURORA))

    assert {
        "x-authz-user-id": "1",
        "x-authz-principal-id": "1",
        "x-authz-write-principal-id": "1",
        "x-authz-org-role": "admin",
    } == ours(headers)
    assert "x-api-key" not in headers
    assert "1" == headers["x-organization-id"]


async def test_a_bearer_key_is_the_same_as_the_other_header(edge: Edge) -> None:
    """`Authorization: Bearer` takes API keys too, and is taken off as well."""
    headers = {"authorization": f"bearer {ANN}", "x-organization-id": "1"}
    found = shown(await edge.http.get("/me", headers=headers))

    assert "1" == found["x-authz-user-id"]
    assert "authorization" not in found


async def test_a_pinned_key_does_not_listen_to_the_organization(edge: Edge) -> None:
    """The pin decides the tenant, whatever the request wishes."""
    headers = {"x-api-key": ANN_IN_BOREALIS, "x-organization-id": "1"}
    found = shown(await edge.http.get("/me", headers=headers))

    assert ("2", "user") == (found["x-authz-principal-id"], found["x-authz-org-role"])


async def test_a_rule_set_may_leave_credentials_to_the_application(edge: Edge) -> None:
    """Without `strip_credentials` they go on."""
    headers = {**AURORA, "host": "keeping.test"}

    assert ANN == shown(await edge.http.get("/me", headers=headers))["x-api-key"]


_DENIED: Final = [
    ("GET", "/clusters/1", {}, 401, "CREDENTIAL_MISSING"),
    ("GET", "/me", {"x-api-key": "gpk_nobody_x"}, 401, "INVALID_CREDENTIAL"),
    ("GET", "/me", {"x-api-key": f"{ANN}x"}, 401, "INVALID_CREDENTIAL"),
    ("GET", "/me", {"x-api-key": BEN_REVOKED}, 401, "INVALID_CREDENTIAL"),
    ("GET", "/me", {"x-api-key": BEN_EXPIRED}, 401, "INVALID_CREDENTIAL"),
    ("GET", "/me", {"x-api-key": ""}, 401, "INVALID_CREDENTIAL"),
    ("GET", "/me", {"authorization": "Basic YTpi"}, 401, "INVALID_CREDENTIAL"),
    ("GET", "/me", {"authorization": "Bearer"}, 401, "INVALID_CREDENTIAL"),
    ("GET", "/me", {"authorization": "Bearer a.b.c"}, 401, "INVALID_CREDENTIAL"),
    ("GET", "/about", {"x-api-key": "gpk_nobody_x"}, 401, "INVALID_CREDENTIAL"),
    ("GET", "/me", {"authorization": f"Bearer {ANN}", "x-api-key": ANN}, 400,
     "TWO_CREDENTIALS"),
    ("GET", "/me", {"authorization": f"Bearer {ANN}, Bearer {ANN}"}, 400,
     "REPEATED_HEADER"),
    ("GET", "/me", {"x-api-key": f"{ANN},{ANN}"}, 400, "REPEATED_HEADER"),
    ("GET", "/me", {"x-api-key": ANN, "x-organization-id": "1,2"}, 400,
     "REPEATED_HEADER"),
    ("GET", "/me", {"x-api-key": ANN, "x-organization-id": "one"}, 400,
     "INVALID_ORGANIZATION_ID"),
    ("GET", "/me", {"x-api-key": ANN, "x-organization-id": "3"}, 403, "NOT_A_MEMBER"),
    ("GET", "/clusters/6", AURORA, 404, "RESOURCE_NOT_FOUND"),
    ("GET", "/clusters/999", AURORA, 404, "RESOURCE_NOT_FOUND"),
    ("GET", "/clusters/%20", AURORA, 404, "RESOURCE_NOT_FOUND"),
    ("PUT", "/clusters/4", AURORA, 403, "GLOBAL_RESOURCE"),
    ("GET", "/admin", AURORA, 403, "PLATFORM_ADMIN_REQUIRED"),
    ("POST", "/clusters", {"x-api-key": ANN_IN_BOREALIS}, 403,
     "INSUFFICIENT_ORG_ROLE"),
    ("GET", "/items/Dataset.x", AURORA, 403, "VALUE_NOT_USABLE"),
    ("GET", "/items/%C3%A4", AURORA, 403, "VALUE_NOT_USABLE"),
    ("GET", "/items/Dataset.x", {}, 401, "CREDENTIAL_MISSING"),
    ("GET", "/nowhere", AURORA, 403, "NO_ROUTE"),
    ("DELETE", "/clusters/1", AURORA, 403, "NO_ROUTE"),
    ("GET", "/clusters/1/", AURORA, 403, "NO_ROUTE"),
    ("GET", "/Clusters/1", AURORA, 403, "NO_ROUTE"),
    ("GET", "/clusters/1;x=y", AURORA, 400, "PATH_NOT_CANONICAL"),
    ("GET", "/healthz;", {}, 400, "PATH_NOT_CANONICAL"),
    ("GET", "/me", {**AURORA, "host": "missing.test"}, 403, "UNKNOWN_RULE_SET"),
    ("GET", "/admin", {**AURORA, "host": "over.test"}, 403,
     "PLATFORM_ADMIN_REQUIRED"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "headers", "status", "reason"), _DENIED)
async def test_denies(  # noqa: PLR0913, PLR0917  the columns of a table
    edge: Edge,
    method: str,
    path: str,
    headers: dict[str, str],
    status: int,
    reason: str,
) -> None:
    """Each kind of denial is a problem document, and reaches nobody behind Envoy."""
    before = len(edge.application.seen)
    for client in (edge.http, edge.http2):
        response = await client.request(method, path, headers=headers)

        assert (status, reason) == told(response)
        assert (status == 401) is ("www-authenticate" in response.headers)
    assert before == len(edge.application.seen)


async def test_foreign_and_missing_are_told_alike(edge: Edge) -> None:
    """But for the number of the decision, nothing tells them apart."""
    answers = []
    for cluster in ("6", "999"):
        response = await edge.http.get(f"/clusters/{cluster}", headers=AURORA)
        problem = response.json()
        del problem["decision_id"]
        kept = {k: v for k, v in response.headers.items() if k != "date"}
        answers.append((response.status_code, problem, sorted(kept.items())))

    assert answers[0] == answers[1]


async def test_no_explanation_is_told(edge: Edge) -> None:
    """A refusal has a reason of the public list, and nothing of the facts."""
    response = await edge.http.get("/clusters/6", headers=AURORA)

    assert {"type", "title", "status", "detail", "reason", "decision_id"} == set(
        response.json()
    )


async def test_forged_headers_are_overwritten_or_removed(edge: Edge) -> None:
    """What a client says of itself reaches nobody; only what was decided does."""
    public = shown(await edge.http.get("/healthz", headers=FORGED))
    known = shown(await edge.http.get("/me", headers={**FORGED, **AURORA}))

    assert {} == ours(public)
    assert {"1"} == {
        known[name] for name in ("x-authz-user-id", "x-authz-principal-id")
    }
    assert not {"x-authz-anything", "x-authz-access-level"} & set(known)
    assert "mine" not in {public["x-authz-decision-id"], known["x-authz-decision-id"]}
    for found in (public, known):
        assert "x-http-method-override" not in found
        assert "x-envoy-auth-failure-mode-allowed" not in found


async def test_the_closed_list_is_removed_where_it_is_not_set(edge: Edge) -> None:
    """Without an organization no header says one, and a forged one does not stay."""
    headers = {**FORGED, "x-api-key": PIA_PINNED}
    found = shown(await edge.http.get("/me", headers=headers))

    assert "6" == found["x-authz-user-id"]
    assert set(ours(found)) <= NAMES
    assert "x-authz-org-role" not in found


async def test_repeated_headers_on_two_lines_are_refused(edge: Edge) -> None:
    """Two lines of one security header are two callers, even where they agree."""
    for name, value in (
        ("X-API-Key", ANN), ("Authorization", f"Bearer {ANN}"),
        ("X-Organization-Id", "1"),
    ):  # fmt: skip
        answer = await raw(
            edge, f"GET /me HTTP/1.1\r\nhost: a\r\n{name}: {value}\r\n"
            f"{name.lower()}: {value}\r\nconnection: close\r\n\r\n".encode()
        )  # fmt: skip

        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"REPEATED_HEADER" in answer


@pytest.mark.parametrize(
    "target",
    [
        "/clusters/1%2f..", "/clusters/%2e%2e/admin", "/clusters/1%00",
        "/clusters/1%5c", "/%252e%252e/admin", "/clusters/1%zz", "/clusters/1;a=b",
        "//clusters;/1", "/clusters/1%7f", "/clusters/\xc3\xa4", "/clusters/1#x",
    ],
)  # fmt: skip
async def test_paths_with_two_readings_do_not_pass(edge: Edge, target: str) -> None:
    """Envoy or the sidecar refuses them; the application sees none of them."""
    before = list(edge.application.seen)
    answer = await raw(
        edge,
        f"GET {target} HTTP/1.1\r\nhost: a\r\nx-api-key: {ANN}\r\n"
        "x-organization-id: 1\r\nconnection: close\r\n\r\n".encode("latin-1"),
    )

    assert answer.startswith(b"HTTP/1.1 40")
    assert before == edge.application.seen


@pytest.mark.parametrize("target", ["/a/../clusters/1", "/clusters\\1", "//clusters/1"])
async def test_what_envoy_repairs_is_judged_as_repaired(
    edge: Edge, target: str
) -> None:
    """Where Envoy rewrites a path, sidecar and application see the same one."""
    answer = await raw(
        edge,
        f"GET {target} HTTP/1.1\r\nhost: a\r\nx-api-key: {ANN}\r\n"
        "x-organization-id: 1\r\nconnection: close\r\n\r\n".encode(),
    )

    assert answer.startswith(b"HTTP/1.1 200")
    assert b'"path": "/clusters/1"' in answer


async def test_the_query_is_not_judged_and_reaches_the_application(edge: Edge) -> None:
    """What follows `?` is the application's, whatever it has in it."""
    query = "a=//../%2f;%00&b=%zz"
    response = await edge.http.get(f"/clusters/1?{query}", headers=AURORA)

    assert f"/clusters/1?{query}" == response.json()["path"]


async def test_bodies_pass_unread(edge: Edge) -> None:
    """A body, also one in chunks, reaches the application as it was."""

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * 1000

    for client in (edge.http, edge.http2):
        whole = await client.post("/me", headers=AURORA, content=b"y" * 100_000)
        pieces = await client.post("/me", headers=AURORA, content=chunks())

        assert "y" * 100_000 == whole.json()["body"]
        assert "x" * 3000 == pieces.json()["body"]


async def test_head_is_judged_as_get(edge: Edge) -> None:
    """HEAD needs what GET needs, and gets no body."""
    allowed = await edge.http.head("/clusters/1", headers=AURORA)
    denied = await edge.http.head("/clusters/6", headers=AURORA)

    assert (200, 404) == (allowed.status_code, denied.status_code)


async def test_a_permission_tells_how_far_it_reaches(edge: Edge) -> None:
    """The level goes on to the application, which filters by it."""
    found = shown(await edge.http.get("/items/Dataset", headers=AURORA))

    assert found["x-authz-access-level"] in {"my", "group", "all"}


async def test_values_come_from_envoys_route_too(edge: Edge) -> None:
    """`{ext.x}` is what Envoy's configuration says, never what a client says."""
    assert 200 == (await edge.http.get("/extended", headers=AURORA)).status_code

    other = {**AURORA, "host": "none.test"}
    response = await edge.http.get("/extended?cluster=1", headers=other)

    assert (200, "/extended?cluster=1") == (
        response.status_code, response.json()["path"]
    )  # fmt: skip


async def test_a_public_route_asks_nobody(edge: Edge) -> None:
    """Bad credentials do not matter where everybody may come in."""
    headers = {"authorization": "Basic nonsense"}

    assert {} == ours(shown(await edge.http.get("/healthz", headers=headers)))


async def test_an_optional_route_greets_who_says_who_they_are(edge: Edge) -> None:
    """Nobody comes in as nobody, somebody as somebody."""
    nobody = shown(await edge.http.get("/about"))
    somebody = shown(await edge.http.get("/about", headers=AURORA))

    assert {} == ours(nobody)
    assert "1" == somebody["x-authz-user-id"]
