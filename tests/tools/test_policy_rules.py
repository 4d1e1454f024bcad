import json
from pathlib import Path

import pytest
import yaml
from authz.v1 import authorization_service_pb2 as api
from hypothesis import given
from hypothesis import strategies as st

from sidecar.command.bare_json import from_bare, to_bare
from sidecar.command.program import main
from sidecar.command.screen import ExitCode
from sidecar.tools.policy_rules import validate_rules
from sidecar.transport.parse import Limits
from sidecar.transport.parse_rules import validate
from tests.spec.pools import IDS
from tests.spec.questions import access_rules
from tests.spec.world import Row
from tests.spec.worlds import thorough

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "gpu-cloud.yaml"
LEVELS = {"NONE": "n", "MY": "m", "GROUP": "g", "ALL": "a"}

RULES = """\
# Remarks do not count.
access_rules:
  - {id: good, role_id: r, context: DATA, view: true, read: g, update: m}
  - id: bad
    role_id: r
    context: DATA
    item: a..b
    create: g
  - {role_id: r, context: UI, item: x, view: perhaps}
  - {role_id: r, context: UI, item: x}
  - {role_id: s, context: DATA, read: m, delete: x, update: a}
  - {role_id: s, context: DATUM, raed: m}
  - {context: UI, item: [a]}
  - view
"""
PROBLEMS = [
    (7, 11, "bad", "item", "MALFORMED_ITEM"),
    (4, 5, "bad", "read", "READ_MISSING"),
    (9, 46, "2", "view", "VIEW_MISSING"),
    (10, 37, "3", "item", "DUPLICATE"),
    (11, 50, "4", "delete", "UNKNOWN_LEVEL"),
    (11, 61, "4", "update", "EXCEEDS_READ"),
    (12, 34, "5", "raed", "MALFORMED_FIELD"),
    (13, 25, "6", "item", "MALFORMED_FIELD"),
    (13, 5, "6", "role_id", "MALFORMED_FIELD"),
    (14, 5, "7", "role_id", "MALFORMED_FIELD"),
]


def _found(text: str) -> list[tuple[int, int, str, str, str]]:
    return [
        (each.place.line, each.place.column, each.rule, each.field, each.reason)
        for each in validate_rules(text).problems
    ]


def test_each_problem_has_its_place() -> None:
    """What is wrong is told where it stands, what is missing where the rule does."""
    assert PROBLEMS == _found(RULES)


def test_a_list_alone_will_do() -> None:
    """Rules need no document around them."""
    alone = "\n".join(line[2:] for line in RULES.splitlines()[2:])

    moved = [(line - 2, column - 2, *rest) for line, column, *rest in PROBLEMS]
    assert moved == _found(alone)


@given(rules=st.lists(access_rules(IDS["bigint"]), min_size=1, max_size=8))
@thorough(200)
def test_rules_are_judged_as_the_api_judges_them(rules: list[Row]) -> None:
    """Offline and over the API, the same rules have the same faults."""
    request = from_bare({"rules": rules}, api.ValidateAccessRulesRequest)
    answer = to_bare(validate(request.rules, Limits()))["problems"]
    written = [
        {name: LEVELS.get(str(value), value) for name, value in rule.items()}
        for rule in rules
    ]

    found = validate_rules(yaml.safe_dump(written)).problems

    assert isinstance(answer, list)
    assert answer == [
        {
            "rule_index": int(each.rule),
            "field": each.field,
            "reason": each.reason,
            "message": each.message,
        }
        for each in found
    ]


def test_the_example_is_valid(capsys: pytest.CaptureFixture[str]) -> None:
    """The command is green over a sound document."""
    assert ExitCode.ALLOWED == main(["validate-rules", str(EXAMPLE)])

    assert "all of 11 rules are valid\n" == capsys.readouterr().out


def test_the_command_tells_people(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line for each problem with its place, and a count."""
    path = tmp_path / "rules.yaml"
    path.write_text(RULES)

    assert ExitCode.DENIED == main(["validate-rules", str(path)])

    first, *_, last = capsys.readouterr().out.splitlines()
    assert f"{path}:7:11: MALFORMED_ITEM rule `bad`, item: an item is" in first
    assert "7 of 8 rules are invalid" == last


def test_the_command_tells_programs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As JSON it is one document."""
    path = tmp_path / "rules.yaml"
    path.write_text(RULES)

    assert ExitCode.DENIED == main(["validate-rules", str(path), "--json"])

    told = json.loads(capsys.readouterr().out)
    assert 8 == told["rules"]
    assert PROBLEMS == [
        tuple(each[key] for key in ("line", "column", "rule", "field", "reason"))
        for each in told["problems"]
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "error: cannot read `"),
        ("principals: []", ":1:1: there is no `access_rules` in it"),
        ("access_rules: {}", ":1:15: `access_rules` must be a list"),
        ("rules", ":1:1: neither a directory document nor a list of rules"),
        ("[", "not YAML"),
    ],
)
def test_what_holds_no_rules_is_refused(
    text: str | None,
    problem: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A file that has nothing to validate is not one in which all is valid."""
    path = tmp_path / "rules.yaml"
    if text is not None:
        path.write_text(text)

    assert ExitCode.UNDECIDED == main(["validate-rules", str(path)])

    assert problem in capsys.readouterr().err
