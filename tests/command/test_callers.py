import io
from pathlib import Path

import pytest

from sidecar.command.program import main
from tests.command.fake import FakeServer

_ASK = ["ask", "resolve-context"]


def test_reads_an_api_key_from_a_file(server: FakeServer, tmp_path: Path) -> None:
    """A secret is in a file, never in the arguments that everyone can see."""
    path = tmp_path / "key"
    path.write_text("gpk_a_b\n")

    assert main([*_ASK, "--api-key-file", str(path)]) == 0

    assert server.requests["ResolveContext"] == {"caller": {"api_key": "gpk_a_b"}}


def test_reads_an_access_token_from_a_file(server: FakeServer, tmp_path: Path) -> None:
    """A token is read as a key is."""
    path = tmp_path / "token"
    path.write_text("a.b.c")

    assert main([*_ASK, "--access-token-file", str(path)]) == 0

    assert server.requests["ResolveContext"] == {"caller": {"access_token": "a.b.c"}}


def test_reads_a_secret_from_stdin(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dash is standard input."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"gpk_a_b\n")))

    assert main([*_ASK, "--api-key-file", "-"]) == 0

    assert server.requests["ResolveContext"] == {"caller": {"api_key": "gpk_a_b"}}


def test_takes_an_api_key_from_the_environment(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable counts when nobody else is named."""
    monkeypatch.setenv("AUTHZ_API_KEY", "gpk_a_b")

    assert main(_ASK) == 0

    assert server.requests["ResolveContext"] == {"caller": {"api_key": "gpk_a_b"}}


def test_an_option_goes_before_the_environment(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever names a user does not ask as the key in their shell."""
    monkeypatch.setenv("AUTHZ_API_KEY", "gpk_a_b")

    assert main([*_ASK, "--user", "1"]) == 0

    assert server.requests["ResolveContext"] == {"caller": {"user_id": "1"}}


def test_an_empty_organization_is_sent_as_it_is(server: FakeServer) -> None:
    """What the header had is for the server to judge."""
    assert main([*_ASK, "--user", "1", "--org", ""]) == 0

    expected = {"caller": {"user_id": "1", "organization_id": ""}}
    assert expected == server.requests["ResolveContext"]


_BAD: list[tuple[list[str], str]] = [
    (_ASK, "who asks? give one of --user, --api-key-file"),
    ([*_ASK, "--user", "1", "--subject", "a#b"], "who asks? give one of"),
    ([*_ASK, "--subject", "ann"], "`ann` is not a subject, write `issuer#subject`"),
    ([*_ASK, "--user", "1", "--consistency", "soon"], "`soon` is not a consistency"),
    ([*_ASK, "--api-key-file", "/nowhere/key"], "cannot read `/nowhere/key`: no such"),
    ([*_ASK, "--user", "1", "--tls-cert", __file__], "TLS needs --tls-ca, and"),
    (["ask", "check-visible", "--user", "1", "x"], "`x` is not a resource"),
    (["ask", "check-visible", "--user", "1"], "missing argument 'RESOURCE'"),
    (
        ["ask", "check-role", "--user", "1", "owner"],
        "`gate.any_of_org_roles.roles[0]` must be one of ADMIN, USER",
    ),
    (
        ["ask", "get-list-filter", "--user", "1", "m", "--column", "x=y"],
        "`sql.columns[0].field` must be one of OWNER_PRINCIPAL_ID, CLUSTER_ID",
    ),
    ([*_ASK, "--timeout", "soon"], "invalid value for '--timeout'"),
    ([*_ASK, "--nonsense"], "no such option: --nonsense"),
    (["ask", "guess"], "no such command 'guess'"),
]


@pytest.mark.parametrize(("line", "problem"), _BAD, ids=[bad[1] for bad in _BAD])
def test_refuses_bad_options_in_one_line(
    line: list[str],
    problem: str,
    server: FakeServer,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Bad options end with 2 and one line, before anything is sent."""
    assert main(line) == 2

    captured = capsys.readouterr()
    assert captured.err.startswith(f"error: {problem}")
    assert captured.err.count("\n") == 1
    assert (captured.out, server.requests) == ("", {})


def test_refuses_a_credential_that_is_not_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that is no credential is not sent anywhere, and not shown."""
    path = tmp_path / "key"
    path.write_bytes(b"\xff\x00secret")

    assert main([*_ASK, "--api-key-file", str(path)]) == 2

    assert f"error: `{path}` does not hold a credential\n" == capsys.readouterr().err
