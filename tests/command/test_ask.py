import json

import pytest

from sidecar.command.bare_json import Json
from sidecar.command.program import main
from tests.command.fake import SERVICE, FakeServer

_ANN: dict[str, Json] = {"user_id": "1"}
_YES = {"allowed": True, "reason": "OWNED", "message": "yes, you own it"}
_NO = {
    "allowed": False,
    "denial": "NOT_FOUND",
    "reason": "RESOURCE_NOT_FOUND",
    "message": "there is none",
}

# The command line after `ask`, the rpc, and what is asked beyond the defaults.
_QUESTIONS: list[tuple[str, str, dict[str, Json]]] = [
    ("resolve-context --user 1", "ResolveContext", {"caller": _ANN}),
    (
        "resolve-context --subject https://idp#ann --pin 5 --org 3",
        "ResolveContext",
        {
            "caller": {
                "subject": {"issuer": "https://idp", "subject": "ann"},
                "pinned_principal_id": "5",
                "organization_id": "3",
            }
        },
    ),
    (
        "list-contexts --user 1 --consistency at-least:r1",
        "ListContexts",
        {"caller": _ANN, "consistency": {"at_least_as_fresh": "r1"}},
    ),
    (
        "check-visible --user 1 cluster/7 model/8,global --explain",
        "CheckVisible",
        {
            "caller": _ANN,
            "resources": [
                {"kind": "cluster", "id": "7"},
                {"kind": "model", "id": "8", "attributes": {"global": True}},
            ],
            "explain": True,
        },
    ),
    (
        "check-writable --user 1 cluster/7 --skip-visible",
        "CheckWritable",
        {
            "caller": _ANN,
            "resources": [{"kind": "cluster", "id": "7"}],
            "skip_visible": True,
            "explain": False,
        },
    ),
    (
        "check-creatable --user 1 model,owner=5",
        "CheckCreatable",
        {
            "caller": _ANN,
            "resources": [{"kind": "model", "owner_principal_id": "5"}],
            "explain": False,
        },
    ),
    (
        "check-role --user 1 admin|user",
        "CheckRole",
        {
            "caller": _ANN,
            "gate": {"any_of_org_roles": {"roles": ["ADMIN", "USER"]}},
            "explain": False,
        },
    ),
    (
        "get-permissions --user 1 DATA:data.x@i",
        "GetPermissions",
        {
            "caller": _ANN,
            "queries": [
                {"context": "DATA", "item": "data.x", "feature_instance_id": "i"}
            ],
            "explain": False,
        },
    ),
    (
        "authorize --user 1 visible:cluster/7 permission:UI:page:view",
        "Authorize",
        {
            "caller": _ANN,
            "requirements": [
                {"visible": {"kind": "cluster", "id": "7"}},
                {
                    "permission": {
                        "query": {"context": "UI", "item": "page"},
                        "operation": "VIEW",
                    }
                },
            ],
            "explain": False,
        },
    ),
    (
        "get-list-filter --user 1 model",
        "GetListFilter",
        {"caller": _ANN, "kind": "model"},
    ),
    (
        "get-list-filter --user 1 m --permission DATA:x --column id=m.id --style named",
        "GetListFilter",
        {
            "caller": _ANN,
            "kind": "m",
            "permission": {"context": "DATA", "item": "x"},
            "sql": {
                "columns": [{"field": "ID", "column": "m.id"}],
                "placeholder_style": "NAMED",
                "first_parameter": 1,
            },
        },
    ),
    (
        "validate-access-rules r/DATA:data.x,view,read=g",
        "ValidateAccessRules",
        {
            "rules": [
                {
                    "role_id": "r",
                    "context": "DATA",
                    "item": "data.x",
                    "view": True,
                    "read": "GROUP",
                }
            ]
        },
    ),
    ("get-server-info", "GetServerInfo", {}),
    ("watch --after r1", "Watch", {"after_revision": "r1"}),
]


@pytest.mark.parametrize(
    ("line", "rpc", "request_"), _QUESTIONS, ids=[asked[0] for asked in _QUESTIONS]
)
def test_asks_what_is_written(
    line: str, rpc: str, request_: dict[str, Json], server: FakeServer
) -> None:
    """Each command sends the request that its options say, and can show the answer."""
    main(["ask", *line.split()])

    assert {rpc: request_} == server.requests


def test_every_call_can_be_asked() -> None:
    """No rpc of the API is without a command."""
    asked = {rpc for _, rpc, _ in _QUESTIONS}

    assert set(SERVICE.methods_by_name) == asked


_VISIBLE = ["ask", "check-visible", "--user", "1", "cluster/7", "cluster/8"]
_AUTHORIZE = ["ask", "authorize", "--user", "1", "visible:cluster/7"]
_RULES = ["ask", "validate-access-rules", "r/DATA,view"]
_PERMISSIONS = ["ask", "get-permissions", "--user", "1", "DATA"]
_NOTHING = {"read": "NONE", "create": "NONE", "update": "NONE", "delete": "NONE"}
_PROBLEM = {"rule_index": 0, "field": "read", "reason": "READ_MISSING"}
_ENDINGS: list[tuple[list[str], dict[str, dict[str, object]], int]] = [
    (_VISIBLE, {"CheckVisible": {"decisions": [_YES, _YES]}}, 0),
    (_VISIBLE, {"CheckVisible": {"decisions": [_YES, _NO]}}, 1),
    (_AUTHORIZE, {"Authorize": {"decision": _YES, "decisions": [_YES]}}, 0),
    (_AUTHORIZE, {"Authorize": {"decision": _NO, "decisions": [_NO]}}, 1),
    (_RULES, {"ValidateAccessRules": {"problems": [_PROBLEM]}}, 1),
    (_PERMISSIONS, {"GetPermissions": {"permissions": [_NOTHING]}}, 0),
]


@pytest.mark.parametrize("extra", [[], ["--json"]], ids=["people", "json"])
@pytest.mark.parametrize(("line", "answers", "code"), _ENDINGS)
def test_ends_as_it_is_answered(
    line: list[str],
    answers: dict[str, dict[str, object]],
    code: int,
    extra: list[str],
    server: FakeServer,
) -> None:
    """0 when all is allowed or answered, 1 when anything is denied."""
    server.answers.update(answers)

    assert code == main([*line, *extra])


def test_json_is_stable(server: FakeServer, capsys: pytest.CaptureFixture[str]) -> None:
    """One document: proto names and order, bare enum names, nothing around it."""
    server.answers["CheckRole"] = {"decision": _NO, "decision_id": "d-1"}

    main(["ask", "check-role", "--user", "1", "platform_admin", "--json"])

    expected = """\
{
  "decision": {
    "allowed": false,
    "denial": "NOT_FOUND",
    "reason": "RESOURCE_NOT_FOUND",
    "message": "there is none"
  },
  "decision_id": "d-1"
}
"""
    captured = capsys.readouterr()
    assert (expected, "") == (captured.out, captured.err)


def test_prints_events_one_to_a_line(
    server: FakeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """The stream of changes can be read line by line."""
    event = {"drop_everything": {"revision": "r1"}}
    server.answers["Watch"] = dict(event)

    assert main(["ask", "watch", "--json"]) == 0

    assert event == json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (
            {
                "changes": {
                    "changes": [
                        {"group": "user", "key": "2", "revision": "r"},
                        {"group": "grants", "revision": "r"},
                    ]
                }
            },
            "changed user 2, any grants, revision r\n",
        ),
        ({"drop_everything": {}}, "drop everything\n"),
        (
            {"beat": {"revision": "r", "staleness": "0.25s"}},
            "beat, 0.250 s behind, revision r\n",
        ),
    ],
)
def test_watch_says_in_a_line_what_happens(
    server: FakeServer,
    capsys: pytest.CaptureFixture[str],
    event: dict[str, object],
    line: str,
) -> None:
    """A change, a loss and a beat each have a line for people."""
    server.answers["Watch"] = event

    assert main(["watch"]) == 0

    assert line == capsys.readouterr().out
