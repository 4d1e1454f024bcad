import pytest
from authz.v1 import caller_pb2, filter_pb2

from sidecar.command.bare_json import from_bare
from sidecar.command.program import main
from sidecar.command.words import caller_words, filter_words, plain
from tests.command.fake import FakeServer

_STEPS = [
    {"rule": "bypass", "outcome": "PASSED", "detail": "not a system user"},
    {"rule": "otherwise", "outcome": "DENIED", "detail": "no rule allows it"},
]
_ROLE = {
    "role_id": "clerk",
    "label": "Clerk",
    "scope": "INSTANCE",
    "source": "FEATURE_ACCESS",
    "outcome": "TOOK_PART",
    "rule_id": "r-1",
    "rule_item": "data.Invoice",
}


def test_a_decision_is_a_row_with_its_explanation_below(
    server: FakeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """The question as it was written, the answer, the reason, and the steps."""
    server.answers["CheckVisible"] = {
        "decisions": [
            {
                "allowed": False,
                "denial": "NOT_FOUND",
                "reason": "RESOURCE_NOT_FOUND",
                "message": "there is none",
                "explanation": {"steps": _STEPS},
            }
        ],
        "decision_id": "d-1",
        "revision": "r-1",
    }

    main(["ask", "check-visible", "--user", "1", "--org", "2", "cluster/7"])

    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    row = "cluster/7 denied NOT_FOUND RESOURCE_NOT_FOUND there is none"
    assert lines[0] == [
        "what",
        "of",
        "this",
        "may",
        "user",
        "1",
        "in",
        "organization",
        "2",
        "see?",
    ]
    assert row.split() in lines
    assert ["├──", "passed", "bypass", "not", "a", "system", "user"] in lines
    marked = ["├──", "=>", "denied", "otherwise", "no", "rule", "allows", "it"]
    assert marked in lines
    assert lines[-1] == ["decision", "d-1,", "revision", "r-1"]


def test_permissions_are_a_row_with_their_roles_below(
    server: FakeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """The levels of the query, and what became of each role."""
    server.answers["GetPermissions"] = {
        "permissions": [
            {
                "view": True,
                "read": "GROUP",
                "create": "MY",
                "update": "NONE",
                "delete": "NONE",
                "explanation": {"basis": "ROLES", "roles": [_ROLE]},
            }
        ]
    }

    main(["ask", "get-permissions", "--user", "1", "DATA:data.Invoice@i-1"])

    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["DATA:data.Invoice@i-1", "yes", "GROUP", "MY", "NONE", "NONE"] in lines
    role = (
        "└── TOOK_PART role clerk (Clerk), held through FEATURE_ACCESS, "
        "scope INSTANCE, rule r-1 (for data.Invoice)"
    )
    assert role.split() in [line[-len(role.split()) :] for line in lines]


def test_a_filter_is_a_formula_and_sql(
    server: FakeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """A filter is shown as it reads, its SQL with the values of its parameters."""
    server.answers["GetListFilter"] = {
        "filter": {"condition": {"in": {"field": "ID", "values": ["4", "5"]}}},
        "sql": {
            "text": '("id" = ANY($1))',
            "parameters": [{"int64_array": {"values": [4, 5]}}],
        },
    }

    main(["ask", "get-list-filter", "--user", "1", "cluster", "--column", "id=id"])

    expected = [
        "which rows of cluster may user 1 list?",
        "rows  id IN (4, 5)",
        'sql   ("id" = ANY($1))',
        "  1   int64_array [4, 5]",
    ]
    assert expected == capsys.readouterr().out.splitlines()[:4]


def test_a_tree_of_conditions_is_parenthesised() -> None:
    """What is ANDed to an OR cannot be read another way."""
    equals = {"equals": {"field": "OWNER_PRINCIPAL_ID", "value": "1"}}
    inside = {"in": {"field": "CLUSTER_ID", "values": ["2"]}}
    either = {"any_of": {"conditions": [equals, inside]}}
    both = {"all_of": {"conditions": [either, equals]}}
    chosen = from_bare({"condition": both}, filter_pb2.ListFilter)

    expected = (
        "((owner_principal_id = 1 OR cluster_id IN (2)) AND owner_principal_id = 1)"
    )
    assert expected == filter_words(chosen)


@pytest.mark.parametrize("word", ["everything", "nothing"])
def test_the_two_ends_of_a_filter_are_words(word: str) -> None:
    """A filter without a condition says which end it is."""
    assert word == filter_words(from_bare({word: True}, filter_pb2.ListFilter))


def test_a_secret_is_never_shown() -> None:
    """A caller with a credential is described, not quoted."""
    key = caller_pb2.Caller(api_key="gpk_a_secret", organization_id="2")
    token = caller_pb2.Caller(access_token="aaa.bbb.ccc")  # noqa: S106  an example

    assert caller_words(key) == "the holder of an API key in organization 2"
    assert caller_words(token) == "the bearer of an access token"


def test_names_cannot_steer_the_terminal() -> None:
    """Control characters of stored names are written out."""
    assert plain("Acme\x1b[2J\r\n[red]").plain == r"Acme\x1b[2J\r\n[red]"


def test_foreign_letters_are_letters() -> None:
    """Names in other scripts are shown as they are."""
    assert plain("Zoë 東京 “x”").plain == "Zoë 東京 “x”"


def test_values_within_values_are_words(
    server: FakeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """A position is told by its parts."""
    server.answers["GetServerInfo"] = {"position": {"server": "d3f", "number": 50}}

    main(["ask", "get-server-info"])

    assert "  server d3f, number 50 " in capsys.readouterr().out
