"""The part of the story in which Envoy asks, before a request reaches anybody."""

import json
from collections.abc import Callable, Mapping
from http.client import HTTPConnection

from envoy_in_front import HOST
from telling import Telling

ANN_KEY = "gpk_annlaptop_EXAMPLE-ann-laptop-0001"
ANN_BOREALIS_KEY = "gpk_annborealis_EXAMPLE-ann-borealis-0002"
BEN_LOST_KEY = "gpk_benlost_EXAMPLE-ben-lost-0003"
AT_AURORA = {"x-api-key": ANN_KEY, "x-organization-id": "1"}
FORGED = {"x-authz-user-id": "6", "x-authz-org-role": "admin"}
_HTTP_OK = 200
# Of these, what reached the application is told.
_TOLD = (
    "x-authz-user-id",
    "x-authz-principal-id",
    "x-authz-org-role",
    "x-authz-access-level",
    "x-api-key",
)


def tell_of_the_edge(port: int, telling: Telling) -> None:
    """Tells what passes Envoy and what does not."""
    telling.chapter(
        "10. In front of an application",
        """
        Envoy asks the sidecar about each request; examples/routes.yaml says what it
        must meet. Behind Envoy is an application that shows for whom it is called,
        by the headers that reached it.
        """,
    )
    telling.scene(
        "GET /v2/clusters/2 with Ann's key, for Aurora?",
        lambda: get(port, "/v2/clusters/2", AT_AURORA),
        seen(user="1", principal="1", role="admin"),
        "The application is told who calls, and the key is taken off.",
    )
    telling.scene(
        "The same, with a key that is pinned to Borealis? With one that was lost?",
        both(
            lambda: get(port, "/v2/clusters/2", {"x-api-key": ANN_BOREALIS_KEY}),
            lambda: get(port, "/v2/clusters/2", {"x-api-key": BEN_LOST_KEY}),
        ),
        "404 RESOURCE_NOT_FOUND\n401 INVALID_CREDENTIAL",
        "The application never hears of either.",
    )
    telling.scene(
        "GET /v2/me with the Borealis key and `x-authz-user-id: 6`, who is a platform "
        "admin? And on a route that is open to everybody, without a key?",
        both(
            lambda: get(port, "/v2/me", {"x-api-key": ANN_BOREALIS_KEY, **FORGED}),
            lambda: get(port, "/healthz", FORGED),
        ),
        f"{seen(user='1', principal='2', role='user')}\n{seen()}",
        "Headers of this name are the sidecar's: overwritten, or else removed.",
    )
    telling.scene(
        "GET /v2/clusters/2;x with Ann's key? GET /ui/..%2fv2%2fclusters%2f3 without "
        "one, as all below /ui/ is open?",
        both(
            lambda: get(port, "/v2/clusters/2;x", AT_AURORA),
            lambda: get(port, "/ui/..%2fv2%2fclusters%2f3", {}),
        ),
        "400 PATH_NOT_CANONICAL\n400",
        "Some servers cut a segment at `;`, some take `%2f` for a slash. A path with "
        "two readings is refused: the first by the sidecar, the second by Envoy.",
    )


def tell_of_the_end(port: int, end: Callable[[], None], telling: Telling) -> None:
    """Ends the sidecar, and tells what then passes."""
    end()
    telling.scene(
        "The sidecar is gone. GET /healthz, which is open to everybody?",
        lambda: get(port, "/healthz", {}),
        "503",
        "Whatever cannot be decided does not pass.",
    )


def get(port: int, path: str, headers: dict[str, str]) -> str:
    """What came of a request: its status, and what it tells."""
    connection = HTTPConnection(HOST, port, timeout=10)
    try:
        # As it stands: nothing here tidies the path up.
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    if answer.status == _HTTP_OK:
        return _seen(json.loads(body)["headers"])
    is_problem = answer.headers["content-type"] == "application/problem+json"
    reason = json.loads(body)["reason"] if is_problem else ""
    return f"{answer.status} {reason}".strip()


def seen(user: str = "", principal: str = "", role: str = "") -> str:
    """A request that passed, for somebody or for nobody."""
    return _seen(
        {
            "x-authz-user-id": user,
            "x-authz-principal-id": principal,
            "x-authz-org-role": role,
        }
    )


def both(first: Callable[[], str], second: Callable[[], str]) -> Callable[[], str]:
    """Two answers, one below the other."""
    return lambda: f"{first()}\n{second()}"


def _seen(headers: Mapping[str, str]) -> str:
    told = [f"{name}: {headers[name]}" for name in _TOLD if headers.get(name)]
    return f"200 for {', '.join(told) or 'nobody'}"
