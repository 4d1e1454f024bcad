"""What the commands of administration print, and how they end."""

import asyncio
import hashlib
import json
import re
from pathlib import Path
from typing import cast

import asyncpg
import pytest

from sidecar.command.program import main
from sidecar.identity.api_keys import ParsedKey, parse_key
from sidecar.store.embedded import EmbeddedPostgres
from sidecar.tools.administering import new_secret
from tests.store.stewarding import Worlds

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


@pytest.fixture(scope="module")
def worlds(postgres: EmbeddedPostgres) -> Worlds:
    """Databases with the world of tests/store/steward.sql."""
    return Worlds(postgres, "printed")


@pytest.fixture
def url(worlds: Worlds) -> str:
    """Such a database."""
    return asyncio.run(worlds.new())


@pytest.fixture
def config(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings for that database, at the place where commands look for them."""
    path = tmp_path / "sidecar.yaml"
    path.write_text(
        f"database: {{url: '{url}'}}\n"
        "resource_kinds: {cluster: {visibility: CLUSTER}, model: {visibility: OWNED}}\n"
    )
    monkeypatch.setenv("AUTHZ_CONFIG", str(path))
    return path


def execute(url: str, statement: str) -> list[asyncpg.Record]:
    """Runs a statement beside the commands."""

    async def run() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetch(statement)
        finally:
            await connection.close()

    return asyncio.run(run())


def run(line: str, code: int = 0) -> None:
    """Runs a command that ends with a code."""
    assert code == main(line.split())


def document(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    """The JSON document that was printed."""
    return cast("dict[str, object]", json.loads(capsys.readouterr().out))


def changes(capsys: pytest.CaptureFixture[str]) -> str:
    """What was printed but for the revision, which must be the last line."""
    text, holds, _ = capsys.readouterr().out.partition("holds from revision ")
    assert holds
    return text


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
def test_a_key_stands_alone_on_stdout(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It can be piped to where it belongs; what is stored is its hash, and long."""
    run("api-key create --user ann --pin Acme --expires 2095-06-01")

    captured = capsys.readouterr()
    key = captured.out.removesuffix("\n")
    assert re.fullmatch(r"authz_[0-9a-f]{16}_[0-9a-f]{64}", key)
    parsed = cast("ParsedKey", parse_key(key))
    (row,) = execute(
        url,
        "select lookup_id, secret_hash, expires_at::text from authz.api_keys"
        " where id = 63",
    )
    stored = f"sha256:{hashlib.sha256(parsed.secret.encode()).hexdigest()}"
    assert (parsed.lookup_id, stored) == (row["lookup_id"], row["secret_hash"])
    assert row["expires_at"].startswith("2095-06-01 00:00:00")
    made = f"made key `{parsed.lookup_id}` of user 10 (`ann`)"
    assert captured.err.startswith(made)
    for secret in (parsed.secret, row["secret_hash"]):
        assert secret not in captured.err


@pytest.mark.usefixtures("config")
def test_a_key_is_in_json_once(capsys: pytest.CaptureFixture[str]) -> None:
    """The document has the key's text, and not in what changed."""
    run("api-key rotate annkey --keep-for 1h --json")
    printed = document(capsys)

    parsed = cast("ParsedKey", parse_key(str(printed["key"])))
    assert "annkey-2" == parsed.lookup_id
    assert parsed.secret not in str(printed["changes"])
    assert "hash" not in str(printed["changes"])


def test_no_two_keys_are_alike() -> None:
    """Each has 256 bits of its own, which its representation keeps to itself."""
    made = [new_secret(is_rehearsal=False) for _ in range(100)]

    texts = {each.key_text("x") for each in made}
    assert 100 == len(texts) == len({each.lookup_id for each in made})
    for each in made:
        parsed = cast("ParsedKey", parse_key(str(each.key_text("x"))))
        assert parsed.secret not in repr(each)


@pytest.mark.usefixtures("config")
@pytest.mark.parametrize(
    "line", ["api-key create --user ann", "api-key rotate annkey --keep-for 1h"]
)
def test_a_dry_run_makes_no_key(
    line: str, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is printed that could be taken for a key."""
    run(f"{line} --dry-run")
    captured = capsys.readouterr()
    run(f"{line} --dry-run --json")
    printed = document(capsys)

    assert "" == captured.out
    assert captured.err.startswith("dry run: nothing is stored\nmade key `")
    assert "authz_" not in captured.err
    assert "key" not in printed
    assert 3 == len(execute(url, "select * from authz.api_keys"))


@pytest.mark.usefixtures("config")
@pytest.mark.parametrize("command", ["revoke", "rotate"])
def test_a_whole_key_in_place_of_its_lookup_id_is_not_repeated(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says what to do now that the secret stood on a command line."""
    run(f"api-key {command} any_annkey_ann-secret", 2)

    captured = capsys.readouterr()
    assert captured.err.startswith("error: that is no lookup id")
    assert "ann-secret" not in captured.out + captured.err


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


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("15m", 900), ("2w", 1_209_600)]
)
@pytest.mark.usefixtures("config")
def test_spans_of_time(
    text: str, seconds: int, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A span is a number and a unit."""
    run(f"api-key create --user ann --expires {text}")
    capsys.readouterr()

    (row,) = execute(
        url,
        "select extract(epoch from expires_at - clock_timestamp())::float8 as rest"
        " from authz.api_keys where id = 63",
    )
    assert seconds - 60 < row["rest"] <= seconds


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
