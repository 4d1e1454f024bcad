"""Ids that no header can carry as they are: who has one does not pass."""

import pytest

from sidecar.core.ids import PrincipalId, UserId
from sidecar.core.model import PrincipalSource, TenantContext, User
from sidecar.edge.sending import MOST_BYTES, is_sendable
from sidecar.transport.envoy import external_auth_pb2 as envoy
from tests.edge.hearing import hear
from tests.edge.lab import Lab, hostile, lab, token
from tests.edge.making import request
from tests.edge.plain_messages import Answer


async def answer(subject: Lab, message: envoy.CheckRequest) -> Answer:
    """What a message is answered, in plain values."""
    return hear(await subject.check(message))


@pytest.mark.parametrize("number", [10, 11, 12, 13])
async def test_ids_that_would_arrive_as_others_are_not_sent(number: int) -> None:
    """Line ends, NUL, blanks at an end and 18 kB are a denial, with CORS headers."""
    subject = await lab(id_type="text", more=hostile())
    origin = "https://console.example"
    headers = {"authorization": f"Bearer {token(number)}", "origin": origin}
    found = await answer(subject, request("/me", headers))
    watched = await answer(
        subject, request("/me", headers, extensions={"rule_set": "shadow"})
    )

    assert (403, "IDENTITY_NOT_SENDABLE") == (found.status, found.reason)
    assert origin == found.told["access-control-allow-origin"]
    assert "would-deny 403 IDENTITY_NOT_SENDABLE" == watched.told["x-authz-shadow"]
    assert {} == watched.sent


async def test_other_ids_are_sent_as_they_are() -> None:
    """Letters of all kinds and blanks within are sent as UTF-8."""
    subject = await lab(id_type="text", more=hostile())
    headers = {"authorization": f"Bearer {token(14)}"}

    assert (
        "ü ü"
        == (await answer(subject, request("/me", headers))).sent["x-authz-user-id"]
    )


def _context(user: str, principal: str) -> TenantContext:
    who = User(
        UserId(user), PrincipalId("2"), "", is_platform_admin=False, is_system=False
    )
    return TenantContext(who, PrincipalId(principal), PrincipalSource.OWN)


@pytest.mark.parametrize(
    ("text", "is_good"),
    [
        ("1", True), ("a b", True), ("ä", True), ("a,b;c=d", True), ("\x80", True),
        ("x" * MOST_BYTES, True), ("x" * (MOST_BYTES + 1), False),
        ("ä" * (MOST_BYTES // 2), True), ("ä" * (MOST_BYTES // 2) + "x", False),
        ("", False), (" ", False), ("a ", False), (" a", False), ("\ta", False),
        ("a\tb", False), ("a\rb", False), ("a\nb", False), ("a\n", False),
        ("a\0b", False), ("a\x1bb", False), ("\x7f", False),
    ],
)  # fmt: skip
def test_what_can_be_sent(text: str, is_good: bool) -> None:  # noqa: FBT001  a column
    """Up to 16 KiB without controls, and without blanks at its ends."""
    assert is_good is is_sendable(_context(text, "1"))
    assert is_good is is_sendable(_context("1", text))
