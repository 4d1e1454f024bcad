"""What the commands that administer API keys print, of which some is secret."""

import hashlib
import re
from typing import cast

import pytest

from sidecar.identity.api_keys import ParsedKey, parse_key
from sidecar.tools.administering import new_secret
from tests.command.administering import document, execute, run


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
