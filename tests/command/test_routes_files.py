"""Files of tests of routes: what they may say, and what is told when they err."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from sidecar.command.policy_suite import Check
from sidecar.command.program import main
from sidecar.command.routes_suite import read_routes_suite
from sidecar.command.screen import ExitCode
from sidecar.tools.policy_yaml import FileError
from tests.support.editor import as_an_editor_reads

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "docs" / "routes-tests.schema.json").read_text("utf-8"))
EXAMPLE = (ROOT / "examples" / "routes-tests.yaml").read_text("utf-8")

HEAD = "callers: {ann: {user: 1}}\ntests:\n- "
TEST = "{name: a, caller: ann, "
ASKED = TEST + "requests: {GET /a: "
# What is wrong with a test file: its text, the place and the problem. Those marked
# with a star are wrong in a way that the published schema sees as well.
FILES = [
    ("", "nothing in it", ""),
    ("[]", "1:1: a test file must be a mapping", "*"),
    ("test: []", "did you mean `tests`?", "*"),
    ("now: 2026-01-01", "1:1: `tests` is missing", "*"),
    ("tests: []", "1:1: there is nothing to check", "*"),
    (HEAD + "{name: a, caller: ann}", "3:3: `requests` is missing", "*"),
    (HEAD + "{caller: ann, requests: {}}", "3:3: `name` is missing", "*"),
    (HEAD + "{name: a, requests: {GET /: allowed}}", "3:3: `caller` is missing", ""),
    (HEAD + TEST + "request: {}}", "did you mean `requests`?", "*"),
    (HEAD + "{name: a, caller: an, requests: {GET /: denied}}", "`ann`?", ""),
    (HEAD + TEST + "callers: [ann], requests: {GET /: denied}}", "no place here", ""),
    (HEAD + TEST + "requests: {GET /: denied}, wanted: denied}", "no place here", ""),
    (HEAD + TEST + "requests: [GET /]}", "3:3: `wanted` is missing", ""),
    (HEAD + TEST + "requests: [GET /], wanted: [denied, denied]}", "2 answers for", ""),
    (HEAD + TEST + "requests: {/a: denied}}", "3:37: `/a` is no request like", "*"),
    (HEAD + TEST + "requests: {GET: denied}}", "3:37: `GET` is no request like", "*"),
    (HEAD + ASKED + "alowed}}", "3:45: `alowed` is no answer", "*"),
    (HEAD + ASKED + "allowed 200}}", "`200` is no status and no reason", "*"),
    (HEAD + ASKED + "denied NO_ROUT}}", "did you mean `NO_ROUTE`?", ""),
    (HEAD + ASKED + "denied OWNED}}", "`OWNED` is no status and no reason", ""),
    (HEAD + ASKED + "{}}}", "3:45: a wanted answer says nothing", "*"),
    (HEAD + ASKED + "{anwser: denied}}}", "did you mean `answer`?", "*"),
    (HEAD + ASKED + "{headers: {X-A: b}}}}", "`X-A` must be in lower case", "*"),
    (HEAD + ASKED + "{removed: x-a}}}", "`removed` must be a list", "*"),
    (HEAD + ASKED + "denied}, headers: []}", "`headers` must be a mapping", "*"),
    (HEAD + ASKED + "denied}, extensions: {a: []}}", "`a` must be text", "*"),
    (
        HEAD + ASKED + "denied}}\n- " + ASKED + "denied}}",
        "4:3: another test is called `a`",
        "",
    ),
    ("callers: {a: {usr: 1}}\ntests: []", "1:15: `usr` is no part of a caller", "*"),
]


@pytest.mark.parametrize(("text", "problem", "star"), FILES)
def test_a_bad_file_is_one_line_with_its_place(
    text: str,
    problem: str,
    star: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whoever errs in a file reads where and what, and nothing is asked."""
    del star
    path = tmp_path / "tests.yaml"
    path.write_text(text)

    assert ExitCode.UNDECIDED == main(["routes", "test", str(path)])

    error = capsys.readouterr().err
    assert error.startswith(f"error: {path}:")
    assert problem in error
    assert 1 == error.count("\n")


@pytest.mark.parametrize("text", [text for text, _, star in FILES if star])
def test_the_schema_sees_what_is_wrong(text: str) -> None:
    """An editor that knows the schema underlines it before anything is run."""
    assert not Draft202012Validator(SCHEMA).is_valid(as_an_editor_reads(text))


def test_the_example_is_as_the_schema_says() -> None:
    """The schema accepts what the program accepts."""
    Draft202012Validator.check_schema(SCHEMA)

    Draft202012Validator(SCHEMA).validate(as_an_editor_reads(EXAMPLE))


def test_a_table_has_every_request_of_every_caller() -> None:
    """Rows are callers, columns are requests, and one answer may stand for a row."""
    text = """
callers: {ann: {user: 1}}
tests:
  - name: t
    requests: [GET /a, POST /b]
    wanted:
      ann: [allowed, denied 404]
      nobody: {answer: denied, route: /a}
"""

    assert [
        ("t [ann: GET /a]", "allowed", 7, 13),
        ("t [ann: POST /b]", "denied 404", 7, 22),
        ("t [nobody: GET /a]", "denied, by /a", 8, 15),
        ("t [nobody: POST /b]", "denied, by /a", 8, 15),
    ] == [(c.name, c.wanted.words, c.place.line, c.place.column) for c in _checks(text)]


def test_one_answer_may_stand_for_all_callers() -> None:
    """With callers beside it, a mapping under `wanted` is an answer."""
    text = """
tests:
  - {name: t, caller: nobody, requests: [GET /a], wanted: {answer: denied}}
"""

    assert ["denied"] == [check.wanted.words for check in _checks(text)]


def test_the_extensions_of_a_test_win() -> None:
    """A test says anew what it wants otherwise, and keeps the rest of the file's."""
    (check,) = _checks("""
extensions: {rule_set: api, tier: gold}
tests:
- name: t
  caller: nobody
  extensions: {rule_set: other}
  requests: {GET /: denied}
""")

    extensions = getattr(check.request, "attributes").context_extensions  # noqa: B009
    assert {"rule_set": "other", "tier": "gold"} == dict(extensions)


def test_an_alias_bomb_is_refused() -> None:
    """A small file that unfolds to billions of nodes is read in no time."""
    lines = ["a0: &a0 [x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]

    with pytest.raises(FileError, match="`a0` is no part"):
        _checks("\n".join(lines))


def _checks(text: str) -> tuple[Check, ...]:
    return read_routes_suite(text, Path()).suite.checks
