"""Questions of a bad shape: each is INVALID_ARGUMENT, and names the field.

From the rules on bad input: an explicit empty text, an instance without an
organization, an unspecified word, an item with an empty segment, too many elements, an
oversized field. Nothing is guessed.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from clients.conformance.sources.vectors import Row, Vector, malformed, refused

ANN: Final = {"user_id": "2", "organization_id": "20"}
CLUSTER: Final = {"kind": "cluster", "id": "501"}
MODEL: Final = {"kind": "model", "owner_principal_id": "20"}
QUERY: Final = {"context": "DATA", "item": "data.User"}
RULE: Final = {"role_id": "r", "context": "DATA", "view": True, "read": "ALL"}
LONG_ID: Final = "x" * 257
LONG_ITEM: Final = "x" * 513
LONG_CREDENTIAL: Final = "x" * 16_385
_SUBJECT: Final = {"issuer": "https://login.example", "subject": "ann"}


def shapes() -> Iterator[Vector]:
    """All of them."""
    yield from _callers()
    yield from _resources()
    yield from _new_resources()
    yield from _gates()
    yield from _queries()
    yield from _requirements()
    yield from _filters()
    yield from _rules()
    yield from _revisions()


def _refusal(sentence: str, call: str, request: Row, field: str) -> Vector:
    return Vector(sentence, call, request, malformed(field), "shapes")


def _callers() -> Iterator[Vector]:
    bad: Mapping[str, tuple[Row, str]] = {
        "an empty user id": ({"user_id": ""}, "user_id"),
        "a user id of 257 bytes": ({"user_id": LONG_ID}, "user_id"),
        "a user id of 129 letters of two bytes": ({"user_id": "é" * 129}, "user_id"),
        "an empty issuer": ({"subject": {**_SUBJECT, "issuer": ""}}, "subject.issuer"),
        "an empty subject": (
            {"subject": {**_SUBJECT, "subject": ""}},
            "subject.subject",
        ),
        "a subject of 513 bytes": (
            {"subject": {**_SUBJECT, "subject": LONG_ITEM}},
            "subject.subject",
        ),
        "an empty api key": ({"api_key": ""}, "api_key"),
        "an api key of 16,385 bytes": ({"api_key": LONG_CREDENTIAL}, "api_key"),
        "an empty access token": ({"access_token": ""}, "access_token"),
        "an access token of 16,385 bytes": (
            {"access_token": LONG_CREDENTIAL},
            "access_token",
        ),
        "an empty pin": (
            {"user_id": "2", "pinned_principal_id": ""},
            "pinned_principal_id",
        ),
        "a pin of 257 bytes": (
            {"user_id": "2", "pinned_principal_id": LONG_ID},
            "pinned_principal_id",
        ),
        "an organization of 257 bytes": (
            {"user_id": "2", "organization_id": LONG_ID},
            "organization_id",
        ),
    }
    for name, (caller, field) in bad.items():
        path = f"caller.{field}"
        request = {"caller": caller}
        yield _refusal(f"{name} resolves to nobody", "ResolveContext", request, path)
        asked = {**request, "resources": [CLUSTER]}
        yield _refusal(f"{name} is no caller of a check", "CheckVisible", asked, path)
        queried = {**request, "queries": [QUERY]}
        yield _refusal(f"{name} has no permissions", "GetPermissions", queried, path)
    pinned = {"api_key": "key_annfree_x", "pinned_principal_id": "20"}
    yield Vector(
        "a key that brings its own pin is refused",
        "ResolveContext",
        {"caller": pinned},
        malformed("caller.pinned_principal_id"),
        "shapes",
        is_raw=True,
    )
    for call in ("ResolveContext", "ListContexts"):
        yield Vector(
            f"nobody asks {call}", call, {}, malformed("caller"), "shapes", is_raw=True
        )


def _bad_resources() -> Iterator[tuple[str, Row, str]]:
    owned = {"owner_principal_id": "20"}
    yield "an empty kind", {"kind": "", "id": "501"}, "kind"
    yield "a kind of 257 bytes", {"kind": LONG_ID, "id": "501"}, "kind"
    yield "an empty id", {"kind": "cluster", "id": ""}, "id"
    yield "an id of 257 bytes", {"kind": "cluster", "id": LONG_ID}, "id"
    for name, attributes, field in (
        ("an empty owner", {"owner_principal_id": ""}, "owner_principal_id"),
        (
            "an owner of 257 bytes",
            {"owner_principal_id": LONG_ID},
            "owner_principal_id",
        ),
        ("an empty cluster", {**owned, "cluster_id": ""}, "cluster_id"),
        ("a cluster of 257 bytes", {**owned, "cluster_id": LONG_ID}, "cluster_id"),
    ):
        resource = {"kind": "worker", "id": "601", "attributes": attributes}
        yield name, resource, f"attributes.{field}"
    forgotten = {"kind": "worker", "id": "601", "attributes": {"cluster_id": "504"}}
    yield "an owner forgotten", forgotten, "attributes.owner_principal_id"


def _resources() -> Iterator[Vector]:
    for name, resource, field in _bad_resources():
        for call in ("CheckVisible", "CheckWritable"):
            asked = {"caller": ANN, "resources": [CLUSTER, resource]}
            sentence = f"{name} is refused by {call}, which names the second"
            yield _refusal(sentence, call, asked, f"resources[1].{field}")
    for call in ("CheckVisible", "CheckWritable", "CheckCreatable"):
        nothing = {"caller": ANN, "resources": []}
        yield _refusal(f"{call} of nothing is refused", call, nothing, "resources")


def _new_resources() -> Iterator[Vector]:
    for name, resource, field in (
        ("an empty kind", {**MODEL, "kind": ""}, "kind"),
        ("a kind of 257 bytes", {**MODEL, "kind": LONG_ID}, "kind"),
        ("an empty owner", {**MODEL, "owner_principal_id": ""}, "owner_principal_id"),
        ("an owner forgotten", {"kind": "model"}, "owner_principal_id"),
        (
            "an owner of 257 bytes",
            {**MODEL, "owner_principal_id": LONG_ID},
            "owner_principal_id",
        ),
    ):
        asked = {"caller": ANN, "resources": [MODEL, resource]}
        sentence = f"{name} is refused for what is to be created"
        yield _refusal(sentence, "CheckCreatable", asked, f"resources[1].{field}")


def _gates() -> Iterator[Vector]:
    roles = "gate.any_of_org_roles.roles"
    asked = {"caller": ANN, "gate": {"any_of_org_roles": {"roles": []}}}
    yield _refusal("a gate for no role is refused", "CheckRole", asked, roles)
    yield Vector(
        "a gate that is none is refused",
        "CheckRole",
        {"caller": ANN},
        malformed("gate"),
        "shapes",
        is_raw=True,
    )


def _bad_queries() -> Iterator[tuple[str, Row, str]]:
    for name, item in (
        ("an empty item", ""),
        ("an item with an empty segment", "data..User"),
        ("an item that ends with a dot", "data."),
        ("an item that begins with a dot", ".data"),
        ("an item with a blank", "data.my User"),
        ("an item of 513 bytes", LONG_ITEM),
        ("an item of 33 segments", ".".join("a" * 33)),
    ):
        yield name, {"context": "DATA", "item": item}, "item"
    empty = {**QUERY, "feature_instance_id": ""}
    yield "an empty instance", empty, "feature_instance_id"
    long = {**QUERY, "feature_instance_id": LONG_ID}
    yield "an instance of 257 bytes", long, "feature_instance_id"


def _queries() -> Iterator[Vector]:
    for name, query, field in _bad_queries():
        asked: Row = {"caller": ANN, "queries": [QUERY, query]}
        path = f"queries[1].{field}"
        yield _refusal(f"{name} is refused in a query", "GetPermissions", asked, path)
        needed = {"query": query, "operation": "READ", "least_level": "MY"}
        asked = {"caller": ANN, "requirements": [{"permission": needed}]}
        path = f"requirements[0].permission.query.{field}"
        yield _refusal(f"{name} is refused in a requirement", "Authorize", asked, path)
        asked = {"caller": ANN, "kind": "model", "permission": query}
        path = f"permission.{field}"
        yield _refusal(f"{name} is refused in a filter", "GetListFilter", asked, path)
    lost = {**QUERY, "feature_instance_id": "shop"}
    asked = {"caller": {"user_id": "2"}, "queries": [lost]}
    yield _refusal(
        "an instance without an organization is refused",
        "GetPermissions",
        asked,
        "queries[0].feature_instance_id",
    )
    nothing: Row = {"caller": ANN, "queries": []}
    yield _refusal("no query at all is refused", "GetPermissions", nothing, "queries")


def _requirements() -> Iterator[Vector]:
    nothing: Row = {"caller": ANN, "requirements": []}
    yield _refusal("no requirement is refused", "Authorize", nothing, "requirements")
    bad = {"kind": "cluster", "id": ""}
    for name, requirement, field in (
        ("what must be visible", {"visible": bad}, "visible.id"),
        (
            "what must be writable",
            {"writable": {"resource": bad}},
            "writable.resource.id",
        ),
        ("what must be creatable", {"creatable": {"kind": ""}}, "creatable.kind"),
        (
            "a gate of a requirement",
            {"role": {"any_of_org_roles": {"roles": []}}},
            "role.any_of_org_roles.roles",
        ),
        (
            "a permission to read without a least level",
            {"permission": {"query": QUERY, "operation": "READ"}},
            "permission.least_level",
        ),
        (
            "a permission to read at least nothing",
            {
                "permission": {
                    "query": QUERY,
                    "operation": "READ",
                    "least_level": "NONE",
                }
            },
            "permission.least_level",
        ),
        (
            "a permission to view with a least level",
            {"permission": {"query": QUERY, "operation": "VIEW", "least_level": "MY"}},
            "permission.least_level",
        ),
        (
            "a permission to read a screen",
            {
                "permission": {
                    "query": {"context": "UI", "item": "home"},
                    "operation": "READ",
                    "least_level": "MY",
                }
            },
            "permission.operation",
        ),
    ):
        needed: list[Row] = [{"visible": CLUSTER}, requirement]
        asked: Row = {"caller": ANN, "requirements": needed}
        path = f"requirements[1].{field}"
        yield _refusal(f"{name}, if malformed, is refused", "Authorize", asked, path)


def _filters() -> Iterator[Vector]:
    def asked(**more: object) -> Row:
        return {"caller": ANN, "kind": "model", **more}

    def sql(columns: list[Row], **more: object) -> Row:
        chosen = {"columns": columns, "placeholder_style": "DOLLAR", **more}
        return asked(sql=chosen)

    owner = {"field": "OWNER_PRINCIPAL_ID", "column": "owner"}
    yield _refusal(
        "an empty kind lists nothing", "GetListFilter", asked(kind=""), "kind"
    )
    yield _refusal(
        "a kind of 257 bytes lists nothing",
        "GetListFilter",
        asked(kind=LONG_ID),
        "kind",
    )
    yield _refusal(
        "a permission to see a screen narrows no rows",
        "GetListFilter",
        asked(permission={"context": "UI", "item": "home"}),
        "permission.context",
    )
    for name, column in (
        ("an empty column", ""),
        ("a column with a blank", "a b"),
        ("a column with a quote", 'a"'),
        ("a column that begins with a digit", "1a"),
        ("a column with an empty part", "a..b"),
        ("a column of four parts", "a.b.c.d"),
        ("a column that ends the statement", "a;--"),
        ("a column of 64 bytes", "x" * 64),
    ):
        yield _refusal(
            f"{name} is refused",
            "GetListFilter",
            sql([{**owner, "column": column}]),
            "sql.columns[0].column",
        )
    yield _refusal(
        "a first parameter beyond what PostgreSQL counts is refused",
        "GetListFilter",
        sql([owner], first_parameter=40_000),
        "sql.first_parameter",
    )
    yield Vector(
        "a column that the filter needs is never left out",
        "GetListFilter",
        sql([{"field": "ID", "column": "id"}]),
        refused("INVALID_ARGUMENT", "MALFORMED_FIELD"),
        "shapes",
    )


def _rules() -> Iterator[Vector]:
    nothing: Row = {"rules": []}
    call = "ValidateAccessRules"
    yield _refusal("no rule is refused", call, nothing, "rules")
    for name, rule, field in (
        ("an empty role", {**RULE, "role_id": ""}, "role_id"),
        ("a role of 257 bytes", {**RULE, "role_id": LONG_ID}, "role_id"),
        ("an item of 513 bytes", {**RULE, "item": LONG_ITEM}, "item"),
    ):
        asked = {"rules": [RULE, rule]}
        yield _refusal(f"{name} is refused in a rule", call, asked, f"rules[1].{field}")


def _revisions() -> Iterator[Vector]:
    wanted = refused(
        "INVALID_ARGUMENT", "UNKNOWN_REVISION", "consistency.at_least_as_fresh"
    )
    questions: dict[str, Row] = {
        "ResolveContext": {},
        "ListContexts": {},
        "CheckVisible": {"resources": [CLUSTER]},
        "CheckWritable": {"resources": [CLUSTER]},
        "CheckCreatable": {"resources": [MODEL]},
        "CheckRole": {"gate": {"platform_admin": True}},
        "GetPermissions": {"queries": [QUERY]},
        "Authorize": {"requirements": [{"visible": CLUSTER}]},
        "GetListFilter": {"kind": "model"},
    }
    for call, question in questions.items():
        for name, revision in (
            ("an empty revision", ""),
            ("a made-up revision", "made-up"),
            ("a revision of 257 bytes", LONG_ID),
        ):
            fresh = {"at_least_as_fresh": revision}
            request = {"caller": ANN, **question, "consistency": fresh}
            sentence = f"{name} is of no history that {call} knows"
            yield Vector(sentence, call, request, wanted, "consistency")
