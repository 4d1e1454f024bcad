import json
from pathlib import Path

import pytest
from authz.v1 import authorization_service_pb2, caller_pb2
from jsonschema import Draft202012Validator

from sidecar.command.bare_json import bare_names
from sidecar.command.policy_callers import CALLER_FIELDS
from sidecar.command.policy_questions import CALLER_FORMS, ELEMENT_FORMS, QUESTIONS
from sidecar.command.policy_suite import Check, read_suite
from sidecar.command.program import main
from sidecar.command.screen import ExitCode
from sidecar.tools.policy_yaml import FileError
from tests.support.editor import as_an_editor_reads

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "docs" / "policy-tests.schema.json").read_text("utf-8"))
EXAMPLE = (ROOT / "examples" / "policy-tests.yaml").read_text("utf-8")

HEAD = "callers: {ann: {user: 1}}\ntests:\n- "
TEST = "{name: a, caller: ann, "
# What is wrong with a test file: its text, the place and the problem. Those marked
# with a star are wrong in a way that the published schema sees as well.
FILES = [
    ("", "nothing in it", ""),
    ("[]", "1:1: a test file must be a mapping", "*"),
    ("{", "2:1: not YAML", ""),
    ("tests: [", "2:1: not YAML", ""),
    ("a: !!python/name:os.system ''\ntests: []", "1:1: `a` is no part", ""),
    ("test: []", "1:1: `test` is no part of a test file; did you mean `tests`?", "*"),
    ("now: 2026-01-01", "1:1: `tests` is missing", "*"),
    ("tests: {}", "1:8: `tests` must be a list", "*"),
    ("tests: []", "1:1: there is nothing to check", "*"),
    ("now: soon\n" + HEAD + TEST + "context: {}}", "1:6: `soon` is no time", ""),
    (HEAD + TEST + "context: {}, context: {}}", "stands twice in one mapping", ""),
    (HEAD + "{name: a, caller: ann}", "3:3: a test asks exactly one of", "*"),
    (HEAD + TEST + "role: {}, filter: {}}", "3:3: a test asks exactly one of", "*"),
    (HEAD + TEST + "visable: {}}", "3:26: `visable` is no part of a test; did", "*"),
    (HEAD + "{caller: ann, context: {}}", "3:3: `name` is missing", "*"),
    (HEAD + "{name: a, context: {}}", "3:3: `caller` is missing", ""),
    (HEAD + "{name: a, caller: anne, context: {}}", "3:21: there is no caller", ""),
    (HEAD + "{name: a, caller: anne, context: {}}", "did you mean `ann`?", ""),
    (HEAD + TEST + "callers: [ann], context: {}}", "`caller` has no place here", ""),
    (HEAD + TEST + "only: yes, context: {}}", "`only` must be true or false", ""),
    (HEAD + TEST + "skip: '', context: {}}", "`skip` must be text", "*"),
    (
        HEAD + TEST + "context: {}}\n- " + TEST + "role: {admin: denied}}",
        "4:3: ano",
        "",
    ),
    (HEAD + TEST + "role: {admin: alowed}}", "3:40: `alowed` is no answer", "*"),
    (HEAD + TEST + "role: {admin: }}", "3:40: a wanted answer must be text", "*"),
    (HEAD + TEST + "role: {admin: allowed PLATFORM}}", "`PLATFORM_ADMIN`?", ""),
    (HEAD + TEST + "role: {admin: allowed NOT_A_MEMBER}}", "no reason of `allo", ""),
    (HEAD + TEST + "role: {adm: allowed}}", "3:33: ", ""),
    (HEAD + TEST + "visible: {cluster: allowed}}", "3:36: `cluster` is not a res", ""),
    (HEAD + TEST + "visible: [cluster/1]}", "3:3: `wanted` is missing", ""),
    (HEAD + TEST + "visible: {}, wanted: denied}", "`wanted` has no place here", ""),
    (
        HEAD + TEST + "visible: [a/1, a/2], wanted: [denied]}",
        "3:55: 1 answers for 2 questions",
        "",
    ),
    (
        HEAD + TEST + "visible: [a/1], wanted: {ann: denied}}",
        "`caller` has no place here",
        "",
    ),
    (HEAD + TEST + "permissions: {DATA: read=some}}", "3:46: `some` is no level", ""),
    (HEAD + TEST + "permissions: {DATA: reed=all}}", "3:46: `reed=all` is no perm", ""),
    (HEAD + TEST + "permissions: {DAT: view}}", "3:40: `queries[0].context`", ""),
    (HEAD + TEST + "context: allowed}", "3:35: a context is not allowed", ""),
    (HEAD + TEST + "context: {role: ADMIN}}", "3:36: `role` is no part of a co", "*"),
    (HEAD + TEST + "context: {org_role: BOSS}}", "3:46: `org_role` must be one o", "*"),
    (HEAD + TEST + "context: {bypass: maybe}}", "3:44: `bypass` must be one of", "*"),
    (HEAD + TEST + "context: {user_id: [1]}}", "`user_id` is a single value", "*"),
    (
        HEAD + TEST + "context: {accessible_cluster_ids: 4}}",
        "`accessible_cluster_ids` must be a list",
        "*",
    ),
    (HEAD + TEST + "contexts: {kind: ALL}}", "wanted contexts must be a list", "*"),
    (HEAD + TEST + "contexts: [{king: ALL}]}", "did you mean `kind`?", "*"),
    (HEAD + TEST + "authorize: [visble:a/1], wanted: denied}", "3:38: ", ""),
    (HEAD + TEST + "authorize: ['role:admin']}", "3:3: `wanted` is missing", ""),
    (HEAD + TEST + "rules: {}}", "3:21: `caller`", ""),
    (HEAD + "{name: a, rules: {r/DATA: fine}}", "3:29: `fine` is neither", "*"),
    (HEAD + "{name: a, rules: {r/DATA: invalid reed}}", "did you mean `read`?", ""),
    (HEAD + "{name: a, rules: {DATA: valid}}", "3:21: `DATA` is not a rule", ""),
    ("callers: {a: {usr: 1}}\ntests: []", "1:15: `usr` is no part of a caller", "*"),
    ("callers: {a: {}}\ntests: []", "1:14: a caller has exactly one of", "*"),
    ("callers: {a: {user: 1, api_key: x}}\ntests: []", "has exactly one of", "*"),
    ("callers: {a: {subject: x}}\ntests: []", "1:14: `x` is not a subject", "*"),
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

    assert ExitCode.UNDECIDED == main(["policy", "test", str(path)])

    error = capsys.readouterr().err
    assert error.startswith(f"error: {path}:")
    assert problem in error
    assert 1 == error.count("\n")


STARRED = [text for text, _, star in FILES if star]


@pytest.mark.parametrize("text", STARRED)
def test_the_schema_sees_what_is_wrong(text: str) -> None:
    """An editor that knows the schema underlines it before anything is run."""
    assert not Draft202012Validator(SCHEMA).is_valid(as_an_editor_reads(text))


def test_the_example_is_as_the_schema_says() -> None:
    """The schema accepts what the program accepts, in every form of question."""
    Draft202012Validator.check_schema(SCHEMA)

    Draft202012Validator(SCHEMA).validate(as_an_editor_reads(EXAMPLE))


def test_the_schema_has_every_name() -> None:
    """What a test may ask and a context may have is the same in schema and code."""
    parts = SCHEMA["$defs"]

    assert {*QUESTIONS} <= {*parts["test"]["properties"]}
    assert {*CALLER_FIELDS} == {*parts["caller"]["properties"]}
    for name, message in (
        ("context", caller_pb2.TenantContext),
        ("availableContext", caller_pb2.AvailableContext),
    ):
        fields = [field.name for field in message.DESCRIPTOR.fields]
        assert fields == [*parts[name]["properties"]]
    kinds = bare_names(caller_pb2.ContextKind.DESCRIPTOR)
    assert [*kinds] == parts["availableContext"]["properties"]["kind"]["enum"]


def test_every_call_can_be_asked() -> None:
    """Each call of the API that decides has its question, and the example asks it."""
    file = authorization_service_pb2.DESCRIPTOR
    calls = set(file.services_by_name["AuthorizationService"].methods_by_name)
    forms = {**ELEMENT_FORMS, **CALLER_FORMS}
    asked = {form.call for form in forms.values()}

    expected = calls - {"Watch", "GetServerInfo"}
    assert expected == asked | {"Authorize", "ValidateAccessRules"}
    assert expected == {check.call for check in _checks(EXAMPLE)}


def test_a_table_asks_every_caller_about_every_element() -> None:
    """Rows are callers, columns are elements, and one answer may stand for a row."""
    text = """
callers: {ann: {user: 1}, bob: {user: 2}}
tests:
  - name: t
    visible: [a/1, a/2]
    wanted:
      ann: [allowed, denied]
      bob: denied NOT_FOUND
"""

    assert [
        ("t [ann: visible a/1]", "allowed", 7, 13),
        ("t [ann: visible a/2]", "denied", 7, 22),
        ("t [bob: visible a/1]", "denied NOT_FOUND", 8, 12),
        ("t [bob: visible a/2]", "denied NOT_FOUND", 8, 12),
    ] == [(c.name, c.wanted.words, c.place.line, c.place.column) for c in _checks(text)]


def test_ids_are_what_somebody_typed() -> None:
    """A number is no number but an id, whatever zeros it starts with."""
    (check,) = _checks("tests:\n- {name: a, caller: {user: 0020}, context: {}}")

    assert "0020" == getattr(check.request, "caller").user_id  # noqa: B009


def test_an_alias_bomb_is_refused() -> None:
    """A small file that unfolds to billions of nodes is read in no time."""
    lines = ["a0: &a0 [x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]

    with pytest.raises(FileError, match="`a0` is no part"):
        _checks("\n".join(lines))


def test_a_file_that_holds_itself_is_refused() -> None:
    """An anchor within itself is an error and no endless walk."""
    with pytest.raises(FileError, match="1:8: holds itself"):
        _checks("tests: &a [*a]")


def _checks(text: str) -> tuple[Check, ...]:
    return read_suite(text, Path()).checks
