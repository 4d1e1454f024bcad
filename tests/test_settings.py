"""Settings: read once, from a file and variables, or refused with one clear line."""

import subprocess
import sys
from pathlib import Path

import pytest

from sidecar.settings import Settings, SettingsError, load

EXAMPLE = Path(__file__).parents[1] / "examples" / "sidecar.yaml"


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The surrounding shell's settings are not the test's."""
    import os  # noqa: PLC0415  only here

    for name in [name for name in os.environ if name.startswith("AUTHZ_")]:
        monkeypatch.delenv(name)


def written(folder: Path, text: str) -> Path:
    """A settings file with this text."""
    path = folder / "sidecar.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_nothing_set_is_the_defaults() -> None:
    """Without a file and variables every setting has its default."""
    assert Settings() == load(None)


def test_example_is_read() -> None:
    """The example that is shipped can be used."""
    settings = load(EXAMPLE)

    assert "CLUSTER" == settings.resource_kinds["cluster"].visibility


def test_variable_wins_over_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable is the last word, for one setting and not for its neighbours."""
    path = written(tmp_path, "database: {url: postgresql://a/b, pool_max: 3}")
    monkeypatch.setenv("AUTHZ_DATABASE__URL", "postgresql://c/d")

    database = load(path).database

    assert "postgresql://c/d" == database.url.get_secret_value()
    assert 3 == database.pool_max


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("databse: {}", "`databse` is no known setting"),
        ("database: {urll: x}", "`database.urll` is no known setting"),
        ("cache: {users: 0}", "`cache.users` is refused: input should be greater"),
        (
            "freshness: {max_staleness: 2.9}",
            "`freshness` is refused: must have `max_staleness` of at least 3 times",
        ),
        ("role_precedence: best", "`role_precedence` is refused: input should be"),
        ("listeners: []", "`listeners` is refused"),
        ("listeners: [{mode: '9'}]", "`listeners[0].mode` is refused"),
        ("listeners: [{services: [x]}]", "`listeners[0].services"),
        ("metrics: {address: nowhere}", "`metrics.address` is refused"),
        (
            "resource_kinds: {a: {visibility: X}}",
            "`resource_kinds.a.visibility` is refused",
        ),
        ("- a", "must be a mapping"),
        ("1: a", "must have names as keys"),
        ("a: [", "is not YAML at line 1"),
    ],
)
def test_bad_file_is_refused_in_one_line(
    tmp_path: Path, text: str, problem: str
) -> None:
    """What is wrong is named by its path, in one line."""
    path = written(tmp_path, text)

    with pytest.raises(SettingsError) as caught:
        load(path)

    assert problem in str(caught.value)
    assert 1 == len(str(caught.value).splitlines())


def test_staleness_of_three_beats_is_enough(tmp_path: Path) -> None:
    """The least bound that leaves time for proofs is accepted."""
    path = written(tmp_path, "freshness: {max_staleness: 3, beat_interval: 1}")

    assert 3 == load(path).freshness.max_staleness


def test_unreadable_file_is_refused(tmp_path: Path) -> None:
    """A file that is not there stops the start."""
    with pytest.raises(SettingsError, match="cannot be read: no such file"):
        load(tmp_path / "nothing.yaml")


def test_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 stop the start."""
    path = tmp_path / "sidecar.yaml"
    path.write_bytes(b"\xff\xfe\xfa")

    with pytest.raises(SettingsError, match="is not UTF-8"):
        load(path)


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("AUTHZ_DATABSE__URL", "x", "`AUTHZ_DATABSE__URL` names no setting"),
        ("AUTHZ_DATABASE__URLL", "x", "`database.urll` is no known setting"),
        ("AUTHZ_CACHE__USERS", "many", "`cache.users` is refused"),
        ("AUTHZ_LISTENERS", "not json", "settings: error parsing value"),
    ],
)
def test_bad_variable_is_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, problem: str
) -> None:
    """A variable that is misspelt or has a bad value is not ignored."""
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError) as caught:
        load(None)

    assert problem in str(caught.value)
    assert 1 == len(str(caught.value).splitlines())


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A password in a URL is neither printed nor part of the digest."""
    monkeypatch.setenv("AUTHZ_DATABASE__URL", "postgresql://u:hunter2@h/d")
    first = load(None)
    monkeypatch.setenv("AUTHZ_DATABASE__URL", "postgresql://u:hunter3@h/d")
    second = load(None)

    assert "hunter2" not in repr(first)
    assert first.digest() == second.digest()


def test_the_digest_is_the_same_in_every_process() -> None:
    """Sets have another order in each process, and the digest does not show it."""
    program = "from sidecar.settings import load; print(load(None).digest())"
    digests = {
        subprocess.run(  # noqa: S603  our own program
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[1])},
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        for seed in "1234"
    }

    assert {load(None).digest()} == digests


def test_settings_cannot_be_changed() -> None:
    """What was read stays as it was."""
    settings = load(None)

    with pytest.raises(ValueError, match="frozen"):
        settings.role_precedence = "highest_scope"


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("url", "postgresql://u:secret@h/d"),
        ("url", "postgresql://h/d?password=secret"),
        ("feed_url", "postgresql://u:secret@h/d"),
        ("read_url", "postgresql://u:secret@h/d"),
    ],
)
def test_second_password_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, url: str
) -> None:
    """Of two passwords nobody could say which is right; none is printed."""
    path = written(tmp_path, "database: {password_file: /run/password}")
    monkeypatch.setenv(f"AUTHZ_DATABASE__{name.upper()}", url)

    with pytest.raises(SettingsError, match=f"`{name}` has a password") as caught:
        load(path)
    assert "secret" not in str(caught.value)
