import json
from pathlib import Path

import grpc
import pytest
from authz.v1 import decision_pb2

from sidecar.command.failures import _BY_REASON, _REASONS
from sidecar.command.program import main
from tests.command.fake import FakeServer, Refusal

_STATUSES: list[tuple[grpc.StatusCode, str, int]] = [
    (grpc.StatusCode.PERMISSION_DENIED, "NOT_A_MEMBER", 1),
    (grpc.StatusCode.NOT_FOUND, "ORGANIZATION_NOT_FOUND", 1),
    (grpc.StatusCode.UNAUTHENTICATED, "INVALID_CREDENTIAL", 1),
    (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ORGANIZATION_ID", 2),
    (grpc.StatusCode.INVALID_ARGUMENT, "MALFORMED_FIELD", 2),
    (grpc.StatusCode.UNAVAILABLE, "FACTS_UNAVAILABLE", 2),
    (grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_TOO_NEAR", 2),
    (grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED", 2),
    (grpc.StatusCode.UNIMPLEMENTED, "NOT_SERVED_HERE", 2),
    (grpc.StatusCode.INTERNAL, "INTERNAL", 2),
    # Not the sidecar's own words: something between has refused the connection.
    (grpc.StatusCode.PERMISSION_DENIED, "", 2),
    (grpc.StatusCode.PERMISSION_DENIED, "SOME_NEWER_REASON", 2),
]


@pytest.mark.parametrize(("status", "reason", "code"), _STATUSES)
def test_ends_as_the_status_says(
    status: grpc.StatusCode, reason: str, code: int, server: FakeServer
) -> None:
    """1 when the caller's context is refused, 2 when nothing was decided."""
    server.answers["ResolveContext"] = Refusal(status, reason=reason)

    assert code == main(["ask", "resolve-context", "--user", "1"])


def test_says_what_failed_and_what_to_do(
    server: FakeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """An error names code, reason and field, and what can be done."""
    server.answers["CheckVisible"] = Refusal(
        grpc.StatusCode.INVALID_ARGUMENT,
        "`resources[1].id` must not be longer than 256 bytes",
        "MALFORMED_FIELD",
        "resources[1].id",
    )

    main(["ask", "check-visible", "--user", "1", "cluster/7", "cluster/8"])

    expected = [
        "error: `resources[1].id` must not be longer than 256 bytes",
        "  code    INVALID_ARGUMENT",
        "  reason  MALFORMED_FIELD",
        "  field   resources[1].id",
        "  do      correct the field",
    ]
    assert expected == capsys.readouterr().err.splitlines()


def test_a_failure_is_a_json_document_too(
    server: FakeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """With --json a program reads the failure from stdout."""
    server.answers["ResolveContext"] = Refusal(
        grpc.StatusCode.PERMISSION_DENIED, "not a member", "NOT_A_MEMBER"
    )

    main(["ask", "resolve-context", "--user", "1", "--json"])

    expected = {
        "error": {
            "code": "PERMISSION_DENIED",
            "reason": "NOT_A_MEMBER",
            "message": "not a member",
            "fields": {},
        }
    }
    assert expected == json.loads(capsys.readouterr().out)


def test_a_server_that_does_not_answer_is_given_up(
    server: FakeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """The timeout bounds the wait, and says so."""
    server.may_answer.clear()

    code = main(["ask", "get-server-info", "--timeout", "0.05"])

    assert code == 2
    # The wire rounds a deadline up; the default would be far above this.
    assert 0 < server.seconds_left < 1
    assert "do      try again with a longer --timeout" in capsys.readouterr().err


@pytest.mark.parametrize(
    "line", [["ask", "get-server-info"], ["ask", "watch"], ["health"]]
)
def test_a_server_that_is_not_there_is_an_error(
    line: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody listening is no denial; the hint says how to start one."""
    code = main([*line, "--address", f"unix:{tmp_path / 'none.sock'}"])

    error = capsys.readouterr().err
    assert code == 2
    assert error.startswith("error: cannot reach the server: no such file")
    assert "is the server running?" in error


def test_says_when_watch_is_not_served(
    server: FakeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """A listener without the stream answers so, which is an error."""
    server.answers["Watch"] = Refusal(
        grpc.StatusCode.UNIMPLEMENTED, "watch is not served here", "NOT_SERVED_HERE"
    )

    assert main(["ask", "watch"]) == 2

    assert capsys.readouterr().err.startswith("error: watch is not served here\n")


def test_every_advice_is_for_a_reason_that_exists() -> None:
    """Advice cannot be left behind by a reason that was renamed."""
    assert set(_BY_REASON) <= set(_REASONS)


def test_every_error_has_an_advice() -> None:
    """Whatever error there is, something can be done."""
    first_error = decision_pb2.REASON_MALFORMED_FIELD
    errors = {name for name, number in _REASONS.items() if number >= first_error}

    assert errors <= set(_BY_REASON)
