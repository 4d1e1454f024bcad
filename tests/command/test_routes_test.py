"""`routes test` and `routes check`, over the example and over small routes.

Long, because one file of routes serves nearly every test.
"""

import json
from pathlib import Path
from typing import Protocol
from xml.etree import ElementTree as ET

import pytest

from sidecar.command.program import main
from sidecar.command.screen import ExitCode

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
EXAMPLE = EXAMPLES / "routes-tests.yaml"
PAGE = (EXAMPLES.parent / "docs" / "routes-tests.md").read_text("utf-8")
ANN = "gpk_annlaptop_EXAMPLE-ann-laptop-0001"

HEAD = f"""\
directory: {EXAMPLES / "gpu-cloud.yaml"}
settings: {EXAMPLES / "sidecar.yaml"}
routes: routes.yaml
callers:
  ann: {{user: 1, organization: 1}}
  ann's key: {{api_key: {ANN}, organization: 1}}
  ann of the login: {{subject: "https://login.example.com#ann@aurora.example"}}
  ann at borealis: {{user: 1, pinned: 2}}
  a stranger: {{access_token: a.b.c}}
"""
ROUTES = """\
default: api
rule_sets:
  api:
    routes:
      - {name: me, path: /me, methods: [GET], require: []}
      - path: /clusters/{id}
        methods: [GET]
        require: [{visible: {kind: cluster, id: "{path.id}"}}]
      - path: /at
        methods: [GET]
        require: [{visible: {kind: cluster, id: "{ext.cluster}"}}]
  watching:
    shadow: {until: 2026-06-01}
    routes:
      - {path: /me, methods: [GET], require: []}
"""
# A caller, a request and an answer that is not the one; what the report says of it.
WRONG = [
    ("ann", "GET /me", "denied", "allowed, by me"),
    ("nobody", "GET /me", "allowed", "denied 401 UNAUTHENTICATED CREDENTIAL_MISSING"),
    ("nobody", "GET /me", "denied 403", "denied 401 UNAUTHENTICATED"),
    ("nobody", "GET /me", "denied NO_ROUTE", "CREDENTIAL_MISSING, by me"),
    ("ann", "GET /no", "allowed", "denied 403 FORBIDDEN NO_ROUTE"),
    ("ann", "GET /me;", "allowed", "denied 400 INVALID PATH_NOT_CANONICAL"),
    ("ann", "GET /me", "{route: you}", "allowed, by me"),
    ("ann", "GET /me", "{rule_set: you}", "allowed, by me, of api"),
    ("ann", "GET /me", "{headers: {x-authz-user-id: 2}}", "x-authz-user-id: 1"),
    ("ann", "GET /me", "{headers: {x-authz-user-id: null}}", "x-authz-user-id: 1"),
    ("ann", "GET /me", "{headers: {x-y: 1}}", "x-y: (unset)"),
    ("ann", "GET /me", "{removed: [x-api-key]}", "x-api-key not removed"),
    ("nobody", "GET /me", "{response: {vary: Origin}}", "vary: (unset)"),
    ("ann", "GET /clusters/3", "allowed", "denied 404 NOT_FOUND RESOURCE_NOT_FOUND"),
]


class Run(Protocol):
    """Runs tests over the small routes; gives the exit code and what was printed."""

    def __call__(
        self, tests: str, *options: str, routes: str = ROUTES
    ) -> tuple[int, str]:
        """Runs them, with options of the command."""
        ...


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs tests over the small routes; gives the exit code and what was printed."""

    def run_tests(tests: str, *options: str, routes: str = ROUTES) -> tuple[int, str]:
        (tmp_path / "routes.yaml").write_text(routes)
        path = tmp_path / "tests.yaml"
        path.write_text(f"{HEAD}tests:\n{tests}")
        code = main(["routes", "test", str(path), *options])
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return run_tests


def _one(caller: str, request: str, wanted: str, rest: str = "") -> str:
    name = json.dumps(f"{caller} {request} {wanted}")
    return (
        f"- {{name: {name}, caller: {json.dumps(caller)}, "
        f"requests: {{{json.dumps(request)}: {wanted}}}{rest}}}\n"
    )


def test_the_example_is_green(capsys: pytest.CaptureFixture[str]) -> None:
    """The routes of the example demand what its tests say."""
    code = main(["routes", "test", str(EXAMPLE)])

    assert ExitCode.ALLOWED == code
    assert "96 of 96 passed" in capsys.readouterr().out


def test_the_file_on_the_page_is_green(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever starts from the page starts from tests that pass."""
    text = PAGE.split("```yaml\n")[1].split("```")[0]
    for name in ("gpu-cloud.yaml", "sidecar.yaml", "routes.yaml"):
        text = text.replace(f": {name} ", f": {EXAMPLES / name} ")
    path = tmp_path / "tests.yaml"
    path.write_text(text)

    assert ExitCode.ALLOWED == main(["routes", "test", str(path)])
    assert "7 of 7 passed" in capsys.readouterr().out


def test_wrong_answers_are_told(run: Run) -> None:
    """Each difference is a failure that says what came instead."""
    tests = "".join(_one(*each[:3]) for each in WRONG)

    code, printed = run(tests)

    assert ExitCode.DENIED == code
    assert f"0 of {len(WRONG)} passed, {len(WRONG)} failed" in printed
    pieces = printed.split("FAILED")[1:]
    for (_, _, _, found), piece in zip(WRONG, pieces, strict=True):
        assert found in piece


def test_a_failure_says_where_what_and_by_whom(run: Run, tmp_path: Path) -> None:
    """Whoever is to mend it finds the line, the request and both answers."""
    _, printed = run(_one("ann", "GET /me", "denied 403"))

    lines = [line.strip() for line in printed.splitlines()]
    assert lines[0].startswith(f"FAILED  {tmp_path / 'tests.yaml'}:11:")
    assert "asked   GET /me  by ann" in lines
    assert "wanted  denied 403" in lines
    assert "got     allowed, by me" in lines


@pytest.mark.parametrize(
    ("caller", "wanted"),
    [
        ("ann", "{answer: allowed, headers: {x-authz-principal-id: 1}}"),
        ("ann's key", "{answer: allowed, headers: {x-authz-principal-id: 1}}"),
        ("ann of the login", "{answer: allowed, headers: {x-authz-org-role: null}}"),
        ("ann at borealis", "{answer: allowed, headers: {x-authz-org-role: user}}"),
        ("a stranger", "denied 401 INVALID_CREDENTIAL"),
        ("nobody", "denied 401 CREDENTIAL_MISSING"),
    ],
)
def test_callers_are_whom_the_file_names(run: Run, caller: str, wanted: str) -> None:
    """By a credential or without one, and in the tenant that they are in."""
    assert ExitCode.ALLOWED == run(_one(caller, "GET /me", wanted))[0]


def test_a_caller_without_a_credential_is_one_all_the_same(run: Run) -> None:
    """A credential beside a caller who is named is looked at as by the server."""
    rest = f", headers: {{x-api-key: {ANN}, authorization: Bearer x}}"

    test = _one("ann", "GET /me", "denied TWO_CREDENTIALS", rest)
    assert ExitCode.ALLOWED == run(test)[0]


def test_values_come_from_extensions(run: Run) -> None:
    """`{ext.cluster}` is what the test says that Envoy says, and nothing else."""
    allowed = _one("ann", "GET /at", "allowed", ", extensions: {cluster: 1}")
    denied = _one("ann", "GET /at?cluster=1", "denied VALUE_NOT_USABLE")

    assert ExitCode.ALLOWED == run(allowed + denied)[0]


def test_a_shadow_is_told_and_ends_on_its_day(run: Run) -> None:
    """While a rule set watches, what it would deny is `shadowed`; then it is denied."""
    rest = ", extensions: {rule_set: watching}"
    before = _one("nobody", "GET /me", "shadowed 401 CREDENTIAL_MISSING", rest)
    after = _one("nobody", "GET /me", "denied 401", rest)

    for tests, day in ((before, "2026-05-31"), (after, "2026-06-01")):
        assert ExitCode.ALLOWED == run(f"{tests}now: {day}T12:00:00Z\n")[0]


def test_a_grpc_client_is_told_the_same_reason(run: Run) -> None:
    """The short text for gRPC stands for its reason."""
    rest = ", headers: {content-type: application/grpc}"

    test = _one("nobody", "GET /me", "denied CREDENTIAL_MISSING", rest)
    assert ExitCode.ALLOWED == run(test)[0]


def test_junit_and_json_have_every_check(run: Run, tmp_path: Path) -> None:
    """Build servers and programs get what people get."""
    tests = _one("ann", "GET /me", "allowed") + _one("ann", "GET /no", "allowed")
    tests += _one("ann", "GET /me", "denied", ", skip: later")
    file = tmp_path / "junit.xml"

    code, printed = run(tests, "--junit", str(file), "--json")

    told = json.loads(printed)
    suite = ET.fromstring(file.read_text())[0]  # noqa: S314  our own file
    assert ExitCode.DENIED == code
    assert (1, 1, 1) == (told["passed"], told["failed"], told["skipped"])
    assert ("3", "1", "1") == tuple(
        suite.attrib[name] for name in ("tests", "failures", "skipped")
    )
    failures = [case.find("failure") for case in suite]
    (failure,) = [each for each in failures if each is not None]
    assert "wanted allowed, got denied 403" in failure.attrib["message"]


def test_keywords_choose_and_nothing_chosen_is_not_green(run: Run) -> None:
    """`-k` takes the checks with all words; a typing error must not look green."""
    tests = _one("ann", "GET /me", "allowed") + _one("ann", "GET /no", "allowed")

    assert ExitCode.ALLOWED == run(tests, "-k", "ann /me")[0]
    code, printed = run(tests, "-k", "bob")
    assert ExitCode.UNDECIDED == code
    assert "error: no check has `bob` in its name" in printed


def test_only_leaves_the_others_out(run: Run) -> None:
    """What is left out for the time of writing is said."""
    tests = _one("ann", "GET /me", "allowed", ", only: true")

    code, printed = run(tests + _one("ann", "GET /no", "allowed"))

    assert ExitCode.ALLOWED == code
    assert "1 tests left out" in printed


def test_secrets_stay_in_the_file(run: Run) -> None:
    """No report shows a key."""
    for option in ("--verbose", "--json"):
        _, printed = run(_one("ann's key", "GET /me", "denied"), option)
        assert "EXAMPLE" not in printed


def test_routes_that_cannot_hold_end_the_run(run: Run, tmp_path: Path) -> None:
    """Each problem is a line with file, line and column."""
    bad = ROUTES.replace("visible", "visable")

    code, printed = run(_one("ann", "GET /me", "allowed"), routes=bad)

    assert ExitCode.UNDECIDED == code
    file = tmp_path / "routes.yaml"
    assert 2 == printed.count("visable")
    assert all(line.startswith(f"error: {file}:") for line in printed.splitlines())


def test_a_file_without_routes_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither the file nor the settings say which routes: the line says what to do."""
    path = tmp_path / "tests.yaml"
    path.write_text(
        HEAD.replace("routes: routes.yaml\n", "")
        + f"tests:\n{_one('ann', 'GET /me', 'allowed')}"
    )

    assert ExitCode.UNDECIDED == main(["routes", "test", str(path)])
    assert "names no file of routes" in capsys.readouterr().err


def _check(path: Path, *options: str) -> int:
    settings = str(EXAMPLES / "sidecar.yaml")
    return main(["routes", "check", str(path), "--config", settings, *options])


def test_good_routes_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever checks sees what was read."""
    assert ExitCode.ALLOWED == _check(EXAMPLES / "routes.yaml")
    assert "`api` with 20 routes" in capsys.readouterr().out


def test_problems_of_routes_have_their_places(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All problems, each with line and column, and no line of success."""
    path = tmp_path / "routes.yaml"
    path.write_text(ROUTES.replace("cluster,", "clutser,"))

    code = _check(path)

    lines = capsys.readouterr().out.splitlines()
    assert ExitCode.DENIED == code
    problem = "kind `clutser` is not declared in the settings"
    assert [
        f"{path}:8:36: rule_sets.api.routes[1].require[0].visible.kind: {problem}",
        f"{path}:11:36: rule_sets.api.routes[2].require[0].visible.kind: {problem}",
    ] == lines


def test_problems_of_routes_are_told_to_programs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same as one document."""
    path = tmp_path / "routes.yaml"
    path.write_text("rule_sets: {}\n")

    code = _check(path, "--json")

    told = json.loads(capsys.readouterr().out)
    assert ExitCode.DENIED == code
    assert {} == told["rule_sets"]
    assert ["1:12"] == [each[:4] for each in told["problems"]]


@pytest.mark.parametrize(
    ("text", "problem"),
    [(None, " the file cannot be read: no such file"), ("rule_sets: []", "1:12: rul")],
)
def test_a_server_says_what_is_wrong_with_its_routes(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    text: str | None,
    problem: str,
) -> None:
    """A start that fails names the file and the place, and asks no database first."""
    path = tmp_path / "routes.yaml"
    if text is not None:
        path.write_text(text)
    monkeypatch.setenv("AUTHZ_EDGE__ROUTES_FILE", str(path))
    monkeypatch.setenv("AUTHZ_DATABASE__URL", "postgresql://x@127.0.0.1:1/none")

    code = main(["serve", "--config", str(EXAMPLES / "sidecar.yaml")])

    assert ExitCode.UNDECIDED == code
    assert capsys.readouterr().err.startswith(f"error: {path}:{problem}")
