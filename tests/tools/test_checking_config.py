import asyncio
import json
from pathlib import Path

import asyncpg
import pytest

from sidecar import wiring_listeners
from sidecar.command.program import main
from sidecar.command.screen import ExitCode
from sidecar.settings import SettingsError, load
from sidecar.transport.listener import ListenerError
from tests.support.serving import Place, Schema, Stage

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "sidecar.yaml"
SECRET = "hush-hush"  # noqa: S105  it is none

# Settings that a server refuses: the place, the setting, and what is said of it.
BAD = [
    ("databse: {}", "1:1: `databse` is no known setting; did you mean `database`?"),
    ("\n\ndatabase:\n  pol_max: 1", "4:3: `database.pol_max` is no known setting; did"),
    ("listeners: [{adress: x}]", "1:14: `listeners[0].adress` is no known setting; di"),
    (
        "resource_kinds: {a: {visibility: OWNED, onwer: true}}",
        "1:41: `resource_kinds.a.onwer` is no known setting; did you mean `owner`?",
    ),
    ("resource_kinds: {a: {}}", "1:21: `resource_kinds.a.visibility` is refused: fie"),
    ("resource_kinds: {a: {visibility: X}}", "1:34: `resource_kinds.a.visibility` is"),
    ("metrics: {address: here}", "1:20: `metrics.address` is refused: must be `<addr"),
    ("listeners: []", "1:12: `listeners` is refused"),
    ("listeners: [{address: nowhere}]", "1:23: `listeners[0]` `nowhere` is neither"),
    ("listeners: [{address: '0.0.0.0:1'}]", "1:23: `listeners[0]` `0.0.0.0:1` reach"),
    ("listeners: [{address: 'unix:a', mode: '9'}]", "1:39: `listeners[0].mode` is re"),
    ("stop: {linger_seconds: -1}", "1:24: `stop.linger_seconds` is refused: input sh"),
    ("log_level: loud", "1:12: `log_level` is refused"),
    ("- a", "must be a mapping"),
    ("1: a", "must have names as keys"),
    ("a: [", "2:1: not YAML"),
]
# What only fails once the database is opened, or another listener is there.
LATE = [
    ("database: {pool_min: 9}", "1:22: `database.pool_min` is more than `database.po"),
    (
        "listeners:\n- {address: 'unix:a'}\n- {address: 'unix:a'}",
        "3:13: `listeners[1].address` is the address of `listeners[0]` already",
    ),
    ("role_precedence: union\nrole_precedence: union", "2:1: `role_precedence` stands"),
]


def _write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "sidecar.yaml"
    path.write_text(text)
    return path


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The surrounding shell has no part in a test."""
    monkeypatch.delenv("AUTHZ_CONFIG", raising=False)


@pytest.mark.parametrize(("text", "problem"), BAD + LATE)
def test_a_bad_setting_is_told_in_its_place(
    text: str, problem: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever errs in a setting reads where, which, and what was perhaps meant."""
    path = _write(tmp_path, text)

    assert ExitCode.UNDECIDED == main(["check-config", str(path)])

    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert problem in error
    assert 1 == error.count("\n")


@pytest.mark.parametrize("text", [text for text, _ in BAD])
def test_a_server_refuses_the_same(text: str, tmp_path: Path) -> None:
    """What is called an error is one at a server's start."""
    path = _write(tmp_path, text)

    with pytest.raises((SettingsError, ListenerError)):
        _start(path)


def _start(path: Path) -> None:
    settings = load(path)
    for listener in settings.listeners:
        wiring_listeners.listener_of(listener, settings)


def test_every_problem_is_told_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody has to mend a file error by error."""
    path = _write(tmp_path, "a: 1\nlisteners: [{mode: 1, b: 2}]\ncache: {users: 0}")

    assert ExitCode.UNDECIDED == main(["check-config", str(path), "--json"])

    told = json.loads(capsys.readouterr().out)
    assert told["starts"] is False
    assert [
        ("a", 1, 1),
        ("cache.users", 3, 16),
        ("listeners[0].b", 2, 23),
        ("listeners[0].mode", 2, 20),
    ] == sorted((p["path"], p["line"], p["column"]) for p in told["problems"])


@pytest.mark.parametrize("options", [[], ["--show"]])
def test_the_example_would_start(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Good settings are summed up in one line."""
    assert ExitCode.ALLOWED == main(["check-config", str(EXAMPLE), *options])

    *_, last = capsys.readouterr().out.splitlines()
    assert (
        "a server would start: listens on unix:.dev/authz.sock; kinds of resource: "
        "cluster, worker, model, template"
    ) == last


def test_each_value_says_where_it_is_from(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A variable wins over the file, the file over the default, and one sees it."""
    monkeypatch.setenv("AUTHZ_DATABASE__POOL_MAX", "9")
    monkeypatch.setenv("AUTHZ_CACHE", '{"users": 7}')
    monkeypatch.setenv("AUTHZ_LISTENERS", '[{"address": "unix:b"}]')
    path = _write(
        tmp_path,
        "database: {pool_max: 5, pool_min: 2}\ncache: {users: 6, roles: 6}\n"
        "listeners: [{address: 'unix:a'}]\nlog_level: debug",
    )

    main(["check-config", str(path), "--json"])

    told = json.loads(capsys.readouterr().out)["settings"]
    found = {
        each["path"]: (
            each["value"],
            each["from"],
            each.get("variable") or each.get("line"),
        )
        for each in told
    }
    expected = {
        "database.pool_max": ("9", "variable", "AUTHZ_DATABASE__POOL_MAX"),
        "database.pool_min": ("2", "file", 1),
        "database.pool_waiting": ("128", "default", None),
        "cache.users": ("7", "variable", "AUTHZ_CACHE"),
        "cache.roles": ("6", "file", 2),
        "listeners[0].address": ("unix:b", "variable", "AUTHZ_LISTENERS"),
        "log_level": ("debug", "file", 4),
        "role_precedence": ("union", "default", None),
    }
    assert expected == {name: found[name] for name in expected}


def test_a_bad_variable_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a variable says wrong is not looked for in the file."""
    monkeypatch.setenv("AUTHZ_DATABASE__POOL_MAX", "many")

    assert ExitCode.UNDECIDED == main(["check-config", str(EXAMPLE)])

    assert capsys.readouterr().err.startswith(
        "error: variable `AUTHZ_DATABASE__POOL_MAX`: `database.pool_max` is refused"
    )


@pytest.mark.parametrize(
    ("variable", "problem"),
    [
        ("AUTHZ_DATABSE__URL", "did you mean `AUTHZ_DATABASE__URL`?"),
        ("AUTHZ_QUUX", "variable `AUTHZ_QUUX` names no setting\n"),
        ("AUTHZ_DATABASE__ULR", "`database.ulr` is no known setting; did you mean"),
    ],
)
def test_an_unknown_variable_is_told(
    variable: str,
    problem: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A variable that sets nothing is refused, with what was perhaps meant."""
    monkeypatch.setenv(variable, "x")

    assert ExitCode.UNDECIDED == main(["check-config"])

    assert problem in capsys.readouterr().err


@pytest.mark.parametrize(
    "options", [["--show"], ["--json"], ["--json", "--online"], []]
)
@pytest.mark.parametrize("more", ["", "\nmetrics: {address: x}", "\nquux: 1"])
def test_secrets_are_never_printed(
    options: list[str],
    more: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The password of the database is in no form of the output."""
    url = f"postgresql://a:{SECRET}@127.0.0.1:1/a"
    text = f"database: {{url: '{url}', feed_url: '{url}'}}{more}"

    main(["check-config", str(_write(tmp_path, text)), *options])

    told = capsys.readouterr()
    assert told.out + told.err
    assert SECRET not in told.out + told.err


@pytest.mark.parametrize("text", ["", "# only a remark\n", "\n---\n"])
def test_a_file_that_says_nothing_is_all_defaults(text: str, tmp_path: Path) -> None:
    """An empty file is settings like another."""
    assert ExitCode.ALLOWED == main(["check-config", str(_write(tmp_path, text))])


def test_a_file_that_is_not_there_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The server's own words say what cannot be read."""
    path = tmp_path / "none.yaml"

    assert ExitCode.UNDECIDED == main(["check-config", str(path)])

    expected = f"error: settings file `{path}` cannot be read: no such file"
    assert capsys.readouterr().err.startswith(expected)


def test_certificates_are_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A certificate that is not there is found before the server is started."""
    text = (
        "listeners:\n- address: 127.0.0.1:0\n"
        "  tls: {certificate: no.pem, key: no.key}\n"
    )

    assert ExitCode.UNDECIDED == main(["check-config", str(_write(tmp_path, text))])

    assert "no.pem" in capsys.readouterr().err


async def _online(path: Path) -> int:
    return await asyncio.to_thread(main, ["check-config", str(path), "--online"])


async def test_online_the_database_is_looked_at(
    stage: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A database is good, warned of, or refused, as it would be at a start."""
    url = await stage.stored(Place(Schema.REFERENCE, "tenancy"))
    path = _write(tmp_path, f"database: {{url: '{url}'}}")
    connection = await asyncpg.connect(url)
    codes = [await _online(path)]
    await connection.execute("alter table authz.users disable trigger all")
    codes.append(await _online(path))
    warned = capsys.readouterr().err
    await connection.execute("drop table authz.feature_access_roles")
    codes.append(await _online(path))
    await connection.close()

    assert [ExitCode.ALLOWED, ExitCode.ALLOWED, ExitCode.UNDECIDED] == codes
    assert "warning: `users` has no change triggers" in warned
    assert "`authz.feature_access_roles`" in capsys.readouterr().err


def test_online_a_database_that_is_away_is_told_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The setting, and what is the matter with what it names."""
    path = _write(tmp_path, "database: {url: 'postgresql://x@127.0.0.1:1/none'}")

    code = main(["check-config", str(path), "--online"])

    why = "does not serve: the database cannot be reached: nothing listens there"
    assert ExitCode.UNDECIDED == code
    assert f"error: `database.url` {why}\n" == capsys.readouterr().err
