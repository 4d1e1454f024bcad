import asyncio
import json
from pathlib import Path

import pytest

from sidecar.command.program import main
from sidecar.store import administration
from sidecar.store.document import parse_document
from sidecar.store.embedded import EmbeddedPostgres

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def config(
    postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Settings with the example's kinds, and its world in a database."""
    postgres.create_database("command_exploring")
    url = postgres.url("command_exploring")
    document = parse_document((EXAMPLES / "gpu-cloud.yaml").read_text("utf-8"))
    asyncio.run(administration.migrate_database(url))
    asyncio.run(administration.import_into(url, document))
    path = tmp_path_factory.mktemp("settings") / "sidecar.yaml"
    kinds = (EXAMPLES / "sidecar.yaml").read_text("utf-8").partition("resource_kinds:")
    path.write_text(
        f"database: {{url: '{url}'}}\nresource_kinds:{kinds[2].partition('role_')[0]}"
    )
    return path


def _lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def _documents(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_who_can_see_a_granted_cluster_and_why(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each user with the context, the reason, and who has the grant."""
    code = main(["who-can", "see", "cluster", "5", "-c", str(config)])

    granted = "GRANTED the cluster is granted in this context: granted to"
    owned = "OWNED the current principal owns the resource"
    bypass = "BYPASS_PLATFORM_ADMIN"
    system = "BYPASS_SYSTEM a system user sees and changes everything"
    expected = [
        "who can see cluster 5?",
        f"user 2 (Ben) in organization 1 as user {granted} group 11",
        f"user 4 (Dan) in organization 3 as admin {owned}",
        f"user 6 (Pia) in All mode {bypass} a platform admin in All mode may do this",
        f"user 6 (Pia) in organization 3 {owned}",
        f"user 7 (meter) in any context {system}",
    ]
    lines = _lines(capsys)
    assert (0, expected) == (code, lines[:-1])
    assert lines[-1].startswith("5 results from ")
    assert lines[-1].endswith(" candidates, complete")


def test_a_pinned_key_is_a_way_of_its_own(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who holds a key that is pinned to the owner is found with it."""
    main(["who-can", "see", "model", "2", "--json", "-c", str(config)])

    found = [each["allowed"] for each in _documents(capsys) if "allowed" in each]
    keys = [
        (each["user_id"], each["api_key_lookup_id"], each["current_principal_id"])
        for each in found
        if isinstance(each, dict) and "api_key_lookup_id" in each
    ]
    assert [("1", "annborealis", "2")] == keys


def test_a_limit_is_told_and_ends_with_two(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last line says that there may be more, and by which option it ended."""
    code = main(["who-can", "see", "cluster", "4", "--limit", "2", "-c", str(config)])
    tried = ["--max-candidates", "1", "-c", str(config)]
    other = main(["who-can", "see", "cluster", "4", *tried])

    ends = [line for line in _lines(capsys) if "results from" in line]
    assert (2, 2) == (code, other)
    assert ends[0].endswith("INCOMPLETE: --limit is reached, there may be more")
    assert ends[1].endswith(
        "INCOMPLETE: --max-candidates is reached, there may be more"
    )


def test_json_says_at_the_end_whether_it_is_complete(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One document to a line, and the last one tells whether that was all."""
    line = ["who-can", "write", "cluster", "1", "--json", "-c", str(config)]
    main([*line, "--limit", "1"])
    main(line)

    ends = [each["end"] for each in _documents(capsys) if "end" in each]
    complete = [each["complete"] for each in ends if isinstance(each, dict)]
    assert [False, True] == complete


def test_nobody_ends_with_one(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A row that is not there can be seen by nobody, and is said not to be there."""
    code = main(["who-can", "see", "cluster", "999", "-c", str(config)])

    assert code == 1
    assert "there is no such row, so nobody can" in _lines(capsys)


def test_who_can_hold_names_the_rules(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each user with the rules and roles that took part."""
    wanted = "data.TrainingRun --operation create --at-least my --org 1"
    line = f"who-can hold {wanted} --instance finetune-aurora -c {config}"
    code = main(line.split())

    lines = _lines(capsys)
    assert code == 0
    assert "who can create at least my data.TrainingRun" in lines[0]
    assert lines[2].endswith(
        "by rule viewer-data of role viewer, trainer-aurora-runs of role trainer-aurora"
    )
    assert ["user 1", "user 2", "user 6"] == [line[:6] for line in lines[1:-1]]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("see ghost 1", "kind `ghost` is not declared in the settings; declared:"),
        ("see cluster 1 --org x", "`x` is not the id of an organization"),
        ("hold a --instance i", "--instance needs --org"),
        ("hold a..b", "item `a..b` has an empty segment"),
        ("hold a --at-least my", "--at-least is for levels, and view has none"),
        ("hold a --context UI --operation read", "in UI there is view only"),
    ],
)
def test_what_cannot_be_asked_is_one_line(
    line: str, problem: str, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A question that makes no sense ends with two and says why."""
    code = main(["who-can", *line.split(), "-c", str(config)])

    error = capsys.readouterr().err
    assert code == 2
    assert error.startswith(f"error: {problem}")
    assert error.count("\n") == 1


def test_access_of_a_user_is_told_context_by_context(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Contexts, clusters with their grants, roles, permissions with rules, rows."""
    code = main(["access-of", "user", "2", "--rows", "2", "-c", str(config)])

    lines = _lines(capsys)
    expected = [
        "user 2 (Ben), principal 102: no special standing",
        "in the own scope",
        "in organization 1 as user (Aurora Labs)",
        "cluster 4 granted to the organization 1",
        "cluster 5 granted to group 11",
        "role viewer (Viewer) by membership, scope GLOBAL",
        "DATA everything else: view, read GROUP by rule viewer-data of role viewer",
        (
            "with instance billing-aurora: role clerk-aurora (Billing clerk) by "
            "feature access, scope INSTANCE, does not count: INSTANCE_NOT_USABLE"
        ),
        "lists 4 of cluster: 1, 2, …",
        "lists 1 of model: 1",
    ]
    assert code == 0
    assert expected == [line for line in lines if line in expected]


def test_access_of_nobody_ends_with_one(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A user who is switched off may do nothing."""
    code = main(["access-of", "user", "8", "--json", "-c", str(config)])

    assert code == 1
    assert {"denied": {"reason": "INVALID_CREDENTIAL"}} == _documents(capsys)[0]


def test_access_lines_name_their_context(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A program can put each line to the context that it belongs to."""
    main(["access-of", "user", "1", "--json", "-c", str(config)])

    numbers: list[int] = []
    for document in _documents(capsys)[1:-1]:
        ((name, content),) = document.items()
        assert isinstance(content, dict)
        if name == "context":
            numbers.append(content["number"])
        else:
            assert numbers[-1] == content["context"]
    # The own scope, two organizations, and a pinned key.
    assert [1, 2, 3, 4] == numbers


def test_a_database_that_is_away_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever asks a database that is away reads so, without a traceback."""
    path = tmp_path / "sidecar.yaml"
    path.write_text("database: {url: postgresql://nobody@127.0.0.1:1/none}\n")

    assert main(["access-of", "user", "1", "-c", str(path)]) == 2

    assert capsys.readouterr().err.startswith("error: the database cannot be reached")
