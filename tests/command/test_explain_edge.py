"""`explain` of what the edge decided, by the routes of then and by those of now."""

from typing import Final, TypeAlias, cast

import pytest

from tests.command.explaining import ANNS_KEY, ROUTES, Scene

ANN: Final = (("x-api-key", ANNS_KEY), ("x-organization-id", "1"))
HIDDEN: Final = {
    "allowed": False,
    "denial": "NOT_FOUND",
    "reason": "RESOURCE_NOT_FOUND",
}
STRANGER: Final = {"allowed": False, "denial": "FORBIDDEN", "reason": "NOT_A_MEMBER"}
# A route of the file.
ME: Final = "path: /me, methods: [GET], require: []"
NO_GRANT: Final = (
    "delete from authz.cluster_access where cluster_id = 51",
    "insert into authz.cluster_access (cluster_id, principal_id) values (51, 1)",
)
NO_MEMBER: Final = (
    "update authz.principal_memberships set enabled = false where id = 31",
    "update authz.principal_memberships set enabled = true where id = 31",
)
ADMIN: Final = (
    "update authz.principal_memberships set role = 'admin' where id = 31",
    "update authz.principal_memberships set role = 'user' where id = 31",
)
TUNER: Final = (
    """
    insert into authz.membership_roles (membership_id, role_id) values (31, 'reader');
    insert into authz.access_rules (id, role_id, context, item, view)
    values ('page', 'reader', 'UI', 'home', true)
    """,
    """
    delete from authz.access_rules where id = 'page';
    delete from authz.membership_roles where membership_id = 31
    """,
)


def allowed(reason: str) -> dict[str, object]:
    """An answer that allows."""
    return {"allowed": True, "reason": reason}


def denied(reason: str, denial: str = "FORBIDDEN") -> dict[str, object]:
    """An answer that does not."""
    return {"allowed": False, "denial": denial, "reason": reason}


def told(document: dict[str, object]) -> list[tuple[object, object, object]]:
    """The questions with what was answered then, and now without its explanation."""
    listed = cast("list[dict[str, dict[str, object]]]", document["answers"])
    beside = {"message", "explanation"}
    return [
        (
            each["question"],
            each["then"],
            {name: it for name, it in each["now"].items() if name not in beside},
        )
        for each in listed
    ]


# A request, what changes and how that is undone, and question, then and now.
CHANGES: Final[list[tuple[str, tuple[str, str], list[tuple[str, object, object]]]]] = [
    (
        "GET /clusters/51?x=1",
        NO_GRANT,
        [("visible:cluster/51", allowed("GRANTED"), HIDDEN)],
    ),
    ("GET /me", NO_MEMBER, [("GET /me", allowed("ALL_HOLD"), STRANGER)]),
    (
        "POST /clusters",
        ADMIN,
        [
            ("role:admin|user", allowed("ORG_ROLE"), allowed("ORG_ROLE")),
            (
                "creatable:cluster,owner=1",
                denied("INSUFFICIENT_ORG_ROLE", "INVALID"),
                allowed("ORG_ADMIN"),
            ),
        ],
    ),
    (
        "POST /clusters",
        NO_MEMBER,
        [
            ("role:admin|user", allowed("ORG_ROLE"), STRANGER),
            (
                "creatable:cluster,owner=0",
                denied("INSUFFICIENT_ORG_ROLE", "INVALID"),
                STRANGER,
            ),
        ],
    ),
    (
        "GET /pages/home",
        TUNER,
        [
            (
                "permission:UI:home:view",
                denied("INSUFFICIENT_PERMISSION"),
                allowed("PERMITTED"),
            )
        ],
    ),
]


@pytest.mark.parametrize(("request_line", "change", "wanted"), CHANGES)
async def test_asks_what_a_request_needed(
    scene: Scene,
    request_line: str,
    change: tuple[str, str],
    wanted: list[tuple[str, object, object]],
) -> None:
    """For whom the key proved, whether by the routes of then or by those of now."""
    decision = await scene.send(request_line, ANN)
    by_now = ("--routes", str(scene.routes))
    same = await scene.compared(decision, *by_now)
    async with scene.changed(*change):
        then = await scene.compared(decision)
        now = await scene.compared(decision, *by_now)

    assert (0, 1, 1) == (same["code"], then["code"], now["code"])
    assert wanted == told(then)
    assert wanted == told(now)
    assert {"user_id": "10", "pinned_principal_id": "1", "organization_id": "1"} == (
        then["caller"]
    )


# A rule set, a request, its headers; the answer then, a change of the routes and the
# answer by them.
Pairs: TypeAlias = tuple[tuple[str, str], ...]
Answer: TypeAlias = dict[str, object]
Row: TypeAlias = tuple[str, str, Pairs, Answer, tuple[str, str], Answer]
RULED: Final[list[Row]] = [
    ("", "GET /healthz", (), allowed("ALL_HOLD"), ("", ""), allowed("ALL_HOLD")),
    (
        "",
        "GET /me",
        (),
        denied("CREDENTIAL_MISSING", "UNAUTHENTICATED"),
        (
            "path: /me, methods: [GET], require: []",
            "path: /me, methods: [GET], public: optional",
        ),
        allowed("ALL_HOLD"),
    ),
    (
        "",
        "GET /none",
        ANN,
        denied("NO_ROUTE"),
        ("/healthz", "/none"),
        allowed("ALL_HOLD"),
    ),
    (
        "",
        "GET /me",
        ANN,
        allowed("ALL_HOLD"),
        (
            "path: /me, methods: [GET], require: []",
            "path: /us, methods: [GET], require: []",
        ),
        denied("NO_ROUTE"),
    ),
    (
        "",
        "GET /me/../me",
        ANN,
        denied("PATH_NOT_CANONICAL", "INVALID"),
        ("", ""),
        denied("PATH_NOT_CANONICAL", "INVALID"),
    ),
    (
        "",
        "GET /pages/a.b",
        ANN,
        denied("VALUE_NOT_USABLE"),
        ("", ""),
        denied("VALUE_NOT_USABLE"),
    ),
    (
        "",
        "GET /clusters/51",
        ANN,
        allowed("ALL_HOLD"),
        (
            '{visible: {kind: cluster, id: "{path.id}"}}',
            '{role: {any_of: [admin]}}, {visible: {kind: cluster, id: "50"}}',
        ),
        HIDDEN,
    ),
    (
        "shadow",
        "GET /me",
        ANN,
        denied("PLATFORM_ADMIN_REQUIRED"),
        ("role: {platform_admin: true}", "role: {any_of: [user]}"),
        allowed("ALL_HOLD"),
    ),
]


@pytest.mark.parametrize("row", RULED)
async def test_judges_by_the_routes_of_now(scene: Scene, row: Row) -> None:
    """What the edge decides by itself, and what it demands, may be other by now."""
    rule_set, request_line, headers, then, edit, now = row
    decision = await scene.send(request_line, headers, rule_set)
    edited = scene.folder / "edited.yaml"
    edited.write_text(ROUTES.replace(*edit) if edit[0] else ROUTES)
    document = await scene.compared(decision, "--routes", str(edited))

    assert [(request_line, then, now)] == told(document)
    assert (0 if then == now else 1) == document["code"]


# A rule set, a request, its headers, whether the routes are given, and what is missing.
UNKNOWN: Final[list[tuple[str, str, Pairs, bool, str]]] = [
    ("", "GET /none", (), False, "the edge decided it by itself, for `NO_ROUTE`"),
    ("", "GET /healthz", (), False, "the edge decided it by itself, for `ALL_HOLD`"),
    ("none", "GET /me", ANN, True, "the name of the rule set that decided it"),
    ("", "GET /me", (*ANN, ANN[0]), True, "what the headers had that decided it"),
    (
        "",
        "GET /me",
        (("authorization", "Basic x"),),
        True,
        "the credential that decided it is not",
    ),
    ("", "GET /me", (("x-api-key", "any_no_no"),), True, "credential proved nobody"),
    ("", "GET /of-envoy", ANN, True, "takes `{ext.cluster}` from Envoy's"),
]


@pytest.mark.parametrize("row", UNKNOWN)
async def test_says_what_the_log_lacks(
    scene: Scene, row: tuple[str, str, Pairs, bool, str]
) -> None:
    """What cannot be judged again is no answer, and what is missing is said."""
    rule_set, request_line, headers, ruled, problem = row
    decision = await scene.send(request_line, headers, rule_set)
    by_now = ("--routes", str(scene.routes)) if ruled else ()
    code, out, err = await scene.explain(decision, *by_now)

    assert (2, "") == (code, out)
    assert err.startswith(f"error: decision `{decision}`: ")
    assert problem in err


async def test_takes_nobody_for_granted(scene: Scene) -> None:
    """Where no credential was looked for, one may have been shown."""
    decision = await scene.send("GET /none", ANN)
    edited = scene.folder / "edited.yaml"
    edited.write_text(ROUTES.replace("/me", "/none"))
    code, out, err = await scene.explain(decision, "--routes", str(edited))

    assert (2, "") == (code, out)
    assert "the route of now asks who calls" in err


async def test_tells_a_rule_set_that_only_watched(scene: Scene) -> None:
    """What would have been denied passed, and would pass again."""
    decision = await scene.send("GET /me", ANN, "shadow")
    code, out, _ = await scene.explain(decision, "--routes", str(scene.routes))

    assert 0 == code
    assert "may user 10 pinned to principal 1 in organization 1 send GET /me?" in out
    assert "the request passed then all the same: the rule set only watched" in out
    assert "a denial lets the request pass all the same: the rule set watches" in out


async def test_tells_what_the_route_demands_by_now(scene: Scene) -> None:
    """Who compares two answers knows that they are to two questions."""
    decision = await scene.send("GET /me", ANN)
    edited = scene.folder / "edited.yaml"
    demand = ME.replace("[]", "[{role: {any_of: [admin]}}]")
    edited.write_text(ROUTES.replace(ME, demand))
    code, out, _ = await scene.explain(decision, "--routes", str(edited))

    assert 1 == code
    wanted = "the route demands something else than then: role:admin, and then nothing"
    assert wanted in out
    assert "=> denied  otherwise" in out
