"""What is listed by the commands of administration, and what they say of themselves."""

from pathlib import Path

import pytest

from sidecar.command.program import main
from tests.command.administering import execute, run

GROUPS = {
    "api-key": ["create", "list", "rotate", "revoke"],
    "member": ["add", "remove", "disable", "enable", "list"],
    "role": ["assign", "unassign", "list"],
    "cluster": ["grant", "revoke", "list"],
    "rule": ["set", "unset", "list"],
}
COMMANDS = [
    [group, command] for group, commands in GROUPS.items() for command in commands
]


@pytest.mark.usefixtures("config")
@pytest.mark.parametrize(
    ("line", "columns"),
    [
        ("api-key list --user ann", ["annkey", "expired", "good"]),
        ("member list --org Acme", ["31", "ann", "active"]),
        ("member list --group Lab --json", ['"membership": "33"', '"is_cut": false']),
        ("role list", ["none"]),
        ("cluster list --cluster 51", ["51", "Acme"]),
        ("rule list --role Reader", ["DATA", "yes", "g"]),
        ("rule list --role tuner --json", ['"item": "panel"', '"view": true']),
    ],
)
def test_lists(
    line: str, columns: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Rows as a table, or as one JSON document without what is null."""
    run(line)

    out = capsys.readouterr().out
    assert columns == [each for each in columns if each in out]


@pytest.mark.usefixtures("config")
def test_a_list_that_is_cut_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody takes the first rows for all of them."""
    run("member list --limit 2")

    captured = capsys.readouterr()
    assert "note: more than 2 rows; see --limit\n" == captured.err
    assert "33" not in captured.out


@pytest.mark.usefixtures("config")
def test_names_cannot_steer_the_terminal(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A name with control characters is printed with these spelled out."""
    execute(url, r"update authz.users set name = e'\x1b[2Jx' where id = 11")
    run("member add --org 1 --user 11")
    run("member list --org 1")

    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert r"\x1b[2Jx" in out


@pytest.mark.usefixtures("config")
def test_views_are_left_to_the_platform(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Over somebody's own tables each command is refused, and says whose it is."""
    execute(url, "alter table authz.users rename to people")
    execute(url, "create view authz.users as select * from authz.people")
    lines = [
        "api-key create --user 10",
        "api-key revoke annkey",
        "member add --org 1 --user 11",
        "role assign --role reader --org 1 --user 10",
        "cluster grant --cluster 50 --to 1",
        "rule set --role reader --context UI --view",
        "rule list",
    ]
    for line in lines:
        run(line, 2)
        captured = capsys.readouterr()
        assert captured.err.startswith("error: `authz.users` is not a table")
        assert "the platform's own tools" in captured.err
        assert "" == captured.out


@pytest.mark.parametrize("line", COMMANDS, ids=" ".join)
def test_every_command_helps_by_an_example(
    line: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Help ends with a line that could be typed."""
    assert 0 == main([*line, "--help"])

    assert f"Example: authz-sidecar {' '.join(line)}" in capsys.readouterr().out


@pytest.mark.parametrize("group", GROUPS)
def test_groups_list_their_commands(
    group: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever knows the group only finds its commands."""
    assert 2 == main([group])

    out = capsys.readouterr().out
    assert [command for command in GROUPS[group] if command in out] == GROUPS[group]


@pytest.mark.parametrize("line", COMMANDS, ids=" ".join)
def test_bad_settings_are_one_line(
    line: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Settings that are not there end every command."""
    missing = tmp_path / "nothing.yaml"
    options = {
        ("api-key", "create"): "--user 1",
        ("api-key", "rotate"): "x",
        ("api-key", "revoke"): "x",
        ("role", "assign"): "--role x --user 1 --org 1",
        ("role", "unassign"): "--role x --feature-access x",
        ("cluster", "grant"): "--cluster 1 --to 1",
        ("cluster", "revoke"): "--cluster 1 --to 1",
        ("rule", "set"): "--role x --context UI",
        ("rule", "unset"): "--role x --context UI",
    }
    group, command = line
    given = options.get(
        (group, command), "--org 1 --user 1" if group == "member" else ""
    )

    assert 2 == main([*line, *given.split(), "--config", str(missing)])

    error = capsys.readouterr().err
    assert error.startswith("error: settings file `")
    assert 1 == error.count("\n")
