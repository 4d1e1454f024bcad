"""What the commands of administration print, and how they end."""

import pytest

from tests.command.administering import changes, document, execute, run


@pytest.mark.usefixtures("config")
def test_prints_what_was_made(capsys: pytest.CaptureFixture[str]) -> None:
    """Each column of a new row, from none to what it is."""
    run("member add --org Acme --user ben --role user")

    assert (
        "made membership 34 of user 11 (`ben`) in org 1 (`Acme`)\n"
        "  id                   none → 34\n"
        "  member_principal_id  none → 102\n"
        "  parent_principal_id  none → 1\n"
        "  role                 none → user\n"
        "  enabled              none → yes\n"
    ) == changes(capsys)


@pytest.mark.usefixtures("config")
def test_prints_what_was_changed(capsys: pytest.CaptureFixture[str]) -> None:
    """Only the columns that differ, before and after."""
    run("member add --org 1 --user ann --role admin")

    assert (
        "changed membership 31 of user 10 (`ann`) in org 1 (`Acme`)\n"
        "  role  user → admin\n"
    ) == changes(capsys)


@pytest.mark.usefixtures("config")
def test_prints_what_was_removed(capsys: pytest.CaptureFixture[str]) -> None:
    """Each column of a row that is gone, from what it was to none."""
    run("cluster revoke --cluster 51 --to Acme")

    assert (
        "removed grant of cluster 51 to org 1 (`Acme`)\n"
        "  cluster_id    51 → none\n"
        "  principal_id  1 → none\n"
    ) == changes(capsys)


@pytest.mark.usefixtures("config")
def test_says_that_nothing_changed(capsys: pytest.CaptureFixture[str]) -> None:
    """What is so already is no failure; why nothing changed stands on stderr."""
    run("cluster grant --cluster 51 --to 1")

    captured = capsys.readouterr()
    assert captured.out.startswith("nothing changed\nholds from revision ")
    said = "note: grant of cluster 51 to org 1 (`Acme`) is there already\n"
    assert said == captured.err


@pytest.mark.usefixtures("config")
def test_a_slip_in_a_clusters_id_is_told_of(capsys: pytest.CaptureFixture[str]) -> None:
    """The settings say which kinds are clusters: a model is none."""
    run("cluster grant --cluster 52 --to 1")

    assert "note: no cluster `52` is stored" in capsys.readouterr().err


@pytest.mark.usefixtures("config")
def test_prints_json(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One document with rows before and after; what is null is left out."""
    run("member disable --org 1 --user 10 --json")
    printed = document(capsys)

    before = {
        "id": "31",
        "member_principal_id": "101",
        "parent_principal_id": "1",
        "role": "user",
        "enabled": True,
    }
    (row,) = execute(
        url,
        "select authz.history() || '.x' || xmin as revision"
        " from authz.principal_memberships where id = 31",
    )
    assert {
        "dry_run": False,
        "changes": [
            {
                "relation": "principal_memberships",
                "subject": "membership 31 of user 10 (`ann`) in org 1 (`Acme`)",
                "before": before,
                "after": {**before, "enabled": False},
            }
        ],
        "notes": [],
        "revision": row["revision"],
    } == printed


@pytest.mark.usefixtures("config")
def test_prints_from_which_revision_it_holds(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the database knows revisions, a line says the change's own."""
    run("cluster grant --cluster 50 --to 2")
    with_it = capsys.readouterr().out
    (row,) = execute(
        url,
        "select xmin, authz.history() from authz.cluster_access"
        " where cluster_id = 50 and principal_id = 2",
    )
    execute(url, "drop function authz.current_revision()")
    run("cluster grant --cluster 50 --to 1")
    without = capsys.readouterr().out

    assert with_it.endswith(f"\nholds from revision {row['history']}.x{row['xmin']}\n")
    assert "revision" not in without


@pytest.mark.usefixtures("config")
def test_a_dry_run_says_so_and_stores_nothing(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In text and in JSON, with what would change and without a revision."""
    run("role assign --role reader --org 1 --user ann --dry-run")
    text = capsys.readouterr().out
    run("role assign --role reader --org 1 --user ann --dry-run --json")
    printed = document(capsys)

    assert text.startswith("dry run: nothing is stored\nmade role `reader`")
    assert "revision" not in text
    assert (True, False) == (printed["dry_run"], "revision" in printed)
    assert [] == execute(url, "select * from authz.membership_roles")


@pytest.mark.usefixtures("config")
@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("member add --org 1", "who? give one of --user, --principal"),
        ("member add --user 11", "where? give one of --org, --group"),
        ("member add --org 1 --group 5 --user 11", "one of --org, --group, not both"),
        (
            "member list --user 1 --principal 1",
            "give one of --user, --principal, not both",
        ),
        ("member add --org 1 --user 11 --role boss", "invalid value for '--role'"),
        ("member add --org Gone --user 11", "there is no org `Gone`"),
        ("role assign --role reader --user 10", "on what? give --org with --user"),
        (
            "role assign --role reader --user 10 --org 1 --instance first",
            "on what? give --org with --user",
        ),
        (
            "role assign --role editor-2 --org 1 --user 10",
            "role `editor-2` belongs to another organization or feature instance",
        ),
        ("rule set --role reader --context DATA --read x", "--read `x` is no level"),
        (
            "rule set --role reader --context DATA --read group --update all",
            "the rule is not valid: update is `all` and read only `group`",
        ),
        ("rule set --role reader --context data --view", "read must be set"),
        ("rule list --context NOTHING", "invalid value for '--context'"),
        ("cluster grant --cluster x --to 1", "`x` is no cluster's id"),
        (
            "api-key create --user 10 --expires 90",
            "--expires `90` is neither a span of time nor a date",
        ),
        ("api-key create --user 10 --expires 0d", "is neither a span of time nor"),
        ("api-key create --user 10 --expires 99999d", "longer than a hundred years"),
        ("api-key create --user 10 --expires 2020-01-01", "is over already"),
        ("api-key rotate annkey --keep-for 2027-01-01", "is no span of time"),
        ("api-key list --limit 0", "invalid value for '--limit'"),
    ],
)
def test_what_cannot_be_is_one_line(
    line: str, problem: str, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A refusal says why, on stderr, and nothing is stored."""
    run(line, 2)

    captured = capsys.readouterr()
    assert captured.err.startswith("error: ")
    assert problem in captured.err
    assert (1, "") == (captured.err.count("\n"), captured.out)
    assert 3 == len(execute(url, "select * from authz.principal_memberships"))
